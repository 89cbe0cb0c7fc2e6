"""Small commands for the tests of the gate, and the command line of the gate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from process import tracksync_here

ROOT = Path(__file__).resolve().parents[2]
POST = """
import json, os, urllib.request
def post(body):
    request = urllib.request.Request(os.environ["BRAZE_REST_ENDPOINT"] + "/users/track/sync", json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["BRAZE_API_KEY"]})
    return urllib.request.urlopen(request).read()
post({"attributes": [{"external_id": "u", "a": 1}]})
"""


def script(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


def cli(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the gate by its command line, in this process and the present directory."""
    return tracksync_here("gate", *words, cwd=Path.cwd(), **environment)
