"""A small project with tests of a client, run by a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
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
from with_%s import call

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


def run(
    folder: Path, url: str, *words: str, key: str = CANARY, installed: bool = False
) -> subprocess.CompletedProcess[str]:
    """The tests in `folder`, against the server at `url`."""
    paths = os.pathsep.join([str(ROOT / "contracts"), str(folder)])
    server = {"BRAZE_REST_ENDPOINT": url, "BRAZE_API_KEY": key}
    return run_pytest(folder, "-p", "no:cacheprovider", *words, installed=installed, PYTHONPATH=paths, **server)


def run_pytest(
    folder: Path, *words: str, installed: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The tests in `folder` by a pytest of their own.

    With `installed` it loads all plugins of this environment, as a user's pytest does. They take two thirds of its
    time, so that it otherwise loads ours alone. Ours is that of this checkout, whatever is installed.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKSYNC", "BRAZE", "PYTEST"))}
    if not installed:
        clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:tracksync", "-p", "tracksync.pytest_plugin"),
            *(*words, str(folder)),
        ],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT / "contracts"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def project(
    folder: Path,
    library: str = "httpx",
    marks: str = "@pytest.mark.tracksync_cassette",
    fixtures: str = "",
    name: str = "client",
) -> None:
    """Write a client with this HTTP library, and test_NAME.py with a test of it that has these marks and fixtures."""
    (folder / f"with_{library}.py").write_text(textwrap.dedent(CLIENTS[library]))
    (folder / f"test_{name}.py").write_text(TEST % (library, marks, fixtures))
