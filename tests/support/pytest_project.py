"""A small project with tests of a client, run by a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cassette_harness import CANARY, ROOT

CLIENTS = {
    "httpx": """
        import httpx
        def call(url, headers, body):
            return httpx.post(url, headers=headers, json=body).json()
        """,
    "requests": """
        import requests
        def call(url, headers, body):
            return requests.post(url, headers=headers, json=body).json()
        """,
    "aiohttp": """
        import aiohttp, asyncio
        async def go(url, headers, body):
            async with aiohttp.ClientSession() as session, session.post(url, headers=headers, json=body) as response:
                return await response.json()
        def call(url, headers, body):
            return asyncio.run(go(url, headers, body))
        """,
}

TEST = """
import os, pytest
from client import call

URL = os.environ["BRAZE_REST_ENDPOINT"] + "/users/track/sync"
HEADERS = {"Authorization": "Bearer " + os.environ["BRAZE_API_KEY"]}

%s
def test_signup(%s):
    for expected in (1, 2):
        event = {"email": "ada.lovelace@bigcompany.com", "name": "signed_up", "time": "2022-12-06T19:20:45Z"}
        body = {"events": [event]}
        response = call(URL, HEADERS, body)
        user = response["users"][0]
        assert user["email"] == "ada.lovelace@bigcompany.com"
        assert user["custom_events"][0]["name"] == "signed_up"
"""


def run(folder: Path, url: str, *words: str, key: str = CANARY) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRACKSYNC", "BRAZE", "PYTEST"))
    }
    paths = os.pathsep.join([str(ROOT / "contracts"), str(folder)])
    words = ("-p", "no:tracksync", "-p", "tracksync.pytest_plugin", "-p", "no:cacheprovider", *words)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words, str(folder)],
        cwd=folder,
        env={**environment, "PYTHONPATH": paths, "BRAZE_REST_ENDPOINT": url, "BRAZE_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def project(
    folder: Path, library: str = "httpx", marks: str = "@pytest.mark.tracksync_cassette", fixtures: str = ""
) -> None:
    import textwrap

    (folder / "client.py").write_text(textwrap.dedent(CLIENTS[library]))
    (folder / "test_client.py").write_text(TEST % (marks, fixtures))
