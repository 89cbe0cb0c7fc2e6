"""Prism, which knows nothing of this project, serves the spec as it stands."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from node_tools import tool
from spec_schemas import REFUSED, VALID

from tracksync.contract import spec

pytestmark = pytest.mark.node

EXAMPLES = spec.examples()
KEY = {"Authorization": "Bearer any-key"}
# Prism compares multiples in floating point and JSON in its own ways; these few stand for the many of the schema tests.
TAKEN = ("a custom string of 256 characters", "an array of 501 elements", "a refund", "an event in the future")
TURNED_DOWN = ("nothing at all", "two sections", "two objects in a section", "an event without a time")


@pytest.fixture(scope="module")
def prism() -> Iterator[httpx.Client]:
    """A client of a Prism that mocks the spec on a free port."""
    command = tool("prism")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen(
        [command, "mock", str(spec.path()), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until_it_listens(process)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait_until_it_listens(process: subprocess.Popen[str]) -> None:
    """Read what Prism says until it listens; fail with all of it if it ends before."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Prism is listening" in line:
            return
    pytest.fail("Prism does not serve the spec:\n" + "".join(said))


@pytest.mark.parametrize("name", EXAMPLES)
def test_prism_answers_the_documented_request_as_documented(prism: httpx.Client, name: str) -> None:
    exchange = EXAMPLES[name]
    request = exchange["request"]
    headers = KEY | request["headers"] | {"Prefer": f"example={name}"}
    answer = prism.request(request["method"], request["path"], headers=headers, json=request["body"])
    assert (answer.status_code, answer.json()) == (201, exchange["response"]["body"])


@pytest.mark.parametrize("case", TAKEN)
def test_prism_takes_what_is_accepted(prism: httpx.Client, case: str) -> None:
    assert prism.post("/users/track/sync", headers=KEY, json=VALID[case]).status_code == 201


@pytest.mark.parametrize("case", TURNED_DOWN)
def test_prism_turns_down_what_is_refused(prism: httpx.Client, case: str) -> None:
    assert prism.post("/users/track/sync", headers=KEY, json=REFUSED[case]).status_code in (400, 422)


def test_prism_wants_a_key(prism: httpx.Client) -> None:
    assert prism.post("/users/track/sync", json=EXAMPLES["event"]["request"]["body"]).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users/track", {"attributes": [{"external_id": "u", "text": "x"}]}),
        ("/users/delete", {"external_ids": ["u"]}),
        ("/users/export/ids", {"external_ids": ["u"], "fields_to_export": ["email"]}),
    ],
)
def test_prism_serves_the_neighbours(prism: httpx.Client, path: str, body: Any) -> None:
    answer = prism.post(path, headers=KEY, json=body)
    assert answer.is_success
    assert answer.json()["message"] == "success"
