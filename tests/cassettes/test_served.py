"""Exported cassettes served by WireMock and Prism give the recorded responses."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cassette_harness import ROOT, command
from node_tools import tool
from npm_packages import installed
from required_programs import program
from spec_schemas import validator

pytestmark = pytest.mark.node

JSON = {"Content-Type": "application/json"}
PROBES = sorted((ROOT / "cassettes" / "probes").glob("*.yaml"))
PLAYED = PROBES[::6]  # all are imported; these are enough to see that each is served in its own order
SHOWN = PROBES[::12]  # to Prism
FAULTS = sorted((ROOT / "cassettes" / "faults").glob("success_body--*.yaml"))
HEADERS = ("content-type", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


@dataclass(frozen=True)
class Recorded:
    cassette: str
    number: int
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: bytes


def encoded(text: str | bytes | None) -> bytes:
    return text.encode() if isinstance(text, str) else text or b""


def recorded(path: Path) -> list[Recorded]:
    """The exchanges of a cassette as vcrpy reads them."""
    items = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found = []
    for number, item in enumerate(items["interactions"], start=1):
        request, response = item["request"], item["response"]
        request_of = {
            "method": request["method"],
            "url": httpx.URL(request["uri"]).raw_path.decode(),
            "content": encoded(request["body"]),
            "headers": {name: values[0] for name, values in request["headers"].items()},
        }
        headers = {name.lower(): ", ".join(values) for name, values in response["headers"].items()}
        status = response["status"]["code"]
        found.append(Recorded(path.stem, number, request_of, status, headers, encoded(response["body"]["string"])))
    return found


def doubles(text: bytes) -> Any:
    """JSON as a tool in JavaScript reads it: integers beyond 2^53 lose their last digits."""
    return json.loads(text, parse_int=float)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def running(words: list[str], port: int, probe: str, **more: Any) -> Iterator[httpx.Client]:
    """A server process and a client of it, once it answers."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for _ in range(600):
                assert process.poll() is None, f"{words[0]} ended by itself"
                try:
                    client.get(probe)
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(timeout=30)


def exported(form: str, out: Path, paths: list[Path]) -> Path:
    done = command("cassettes", "export", *map(str, paths), "--format", form, "--output", str(out))
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def wiremock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A new WireMock without mappings."""
    packages = installed(ROOT / "tests" / "clients" / "wiremock")
    java = program("java")
    if java is None:
        pytest.skip("java is not installed; only the use of exports by WireMock goes untested")
    (jar,) = (packages / "wiremock" / "build").glob("*.jar")
    port = free_port()
    home = tmp_path_factory.mktemp("wiremock")
    words = [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", str(jar), "--port", str(port)]
    words += ["--bind-address", "127.0.0.1", "--root-dir", str(home), "--disable-banner"]
    with running(words, port, "/__admin/health") as client:
        yield client


def differences(client: httpx.Client, cassettes: list[Path]) -> list[str]:
    """Where the served responses are not the recorded ones, playing each cassette in its order."""
    found = []
    for one in [one for path in cassettes for one in recorded(path)]:
        response = client.request(**one.request)
        wanted = {name: one.headers[name] for name in HEADERS if name in one.headers}
        shown = {name: response.headers.get(name) for name in wanted}
        if (response.status_code, response.content, shown) != (one.status, one.body, wanted):
            found.append(
                f"{one.cassette} {one.number}: {one.status} and {response.status_code} {response.content[:200]!r}"
            )
    return found


def test_wiremock_answers_as_recorded_byte_for_byte(wiremock: httpx.Client, tmp_path: Path) -> None:
    mappings = exported("wiremock", tmp_path / "mappings.json", PROBES)
    done = wiremock.post("/__admin/mappings/import", content=mappings.read_bytes())
    assert done.status_code == 200, done.text
    assert differences(wiremock, PLAYED) == []
    assert len(wiremock.get("/__admin/scenarios").json()["scenarios"]) > 20
    # Every cassette is at its end now: the comparison above would find a difference.
    assert differences(wiremock, PLAYED[:1]) != []
    wiremock.post("/__admin/scenarios/reset")
    assert differences(wiremock, PLAYED[:1]) == []


def test_wiremock_serves_a_recorded_fault(wiremock: httpx.Client, tmp_path: Path) -> None:
    wiremock.post("/__admin/reset")
    mappings = exported("wiremock", tmp_path / "mappings.json", FAULTS)
    assert wiremock.post("/__admin/mappings/import", content=mappings.read_bytes()).status_code == 200
    assert differences(wiremock, FAULTS) == []


def test_prism_answers_with_the_recorded_example_that_a_request_names(tmp_path: Path) -> None:
    document = exported("prism-examples", tmp_path / "openapi.json", SHOWN)
    prism, port = tool("prism"), free_port()
    words = [prism, "mock", str(document), "--host", "127.0.0.1", "--port", str(port)]
    sent = 0
    with running(words, port, "/") as client:
        for one in [one for path in SHOWN for one in recorded(path)]:
            if one.status != 201 or one.request["url"] != "/users/track/sync":
                continue
            if not validator("SyncRequest").is_valid(json.loads(one.request["content"])):
                continue  # what the documents leave open, Prism refuses before it looks for an example
            named = {"Prefer": f"example={one.cassette}-{one.number}", "Authorization": "Bearer any-key"}
            response = client.post("/users/track/sync", content=one.request["content"], headers=named | JSON)
            assert (response.status_code, doubles(response.content)) == (201, doubles(one.body)), one
            sent += 1
    assert sent > 20
