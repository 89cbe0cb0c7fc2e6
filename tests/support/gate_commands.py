"""Small commands for the tests of the gate, and the gate as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKSYNC", "BRAZE", "GITHUB"))}
    return subprocess.run(
        [sys.executable, "-m", "tracksync", "gate", *words],
        capture_output=True,
        text=True,
        timeout=120,
        env={**clean, "PYTHONPATH": str(ROOT / "contracts"), **environment},
    )
