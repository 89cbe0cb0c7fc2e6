"""The scenario http2: over TLS with HTTP/2 clients are checked as they are over HTTP/1.1."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from gate_clients import COMMANDS, Variant, gate, gate_variant, variants

from tracksync.errors import ConfigError
from tracksync.gate.testing_mock import CheckedMock, checked_mock
from tracksync.mock.scenarios import Act, Scenario, load
from tracksync.model.verdict import evidence_of

SYNC = "/users/track/sync"
ROOT = Path(__file__).resolve().parents[2]
CURL2 = pytest.mark.skipif(
    "HTTP2" not in subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout
    if shutil.which("curl")
    else True,
    reason="there is no curl with HTTP/2 here",
)


@contextmanager
def over_http2(mock: CheckedMock, *, http1: bool = False) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=mock.trust["TRACKSYNC_CA_FILE"])
    headers = {"authorization": f"Bearer {mock.key}", "content-type": "application/json"}
    with httpx.Client(base_url=mock.url, http2=not http1, verify=context, headers=headers) as client:
        yield client


def attribute(**values: Any) -> dict[str, Any]:
    return {"attributes": [{"external_id": "u1", **values}]}


def clauses(mock: CheckedMock) -> set[str]:
    return {one.finding.clause for one in mock.findings() if evidence_of(one.finding.clause) != "assumed"}


def test_a_correct_client_of_http_2_is_not_accused() -> None:
    with checked_mock("http2") as mock, over_http2(mock) as client:
        for number in range(3):
            answer = client.post(SYNC, json=attribute(n=number))
            assert (answer.http_version, answer.status_code) == ("HTTP/2", 201)
        profile = mock.state("external_id", "u1")
        assert profile is not None
        assert profile["custom_attributes"] == {"n": 2}
        assert (clauses(mock), len(mock.journal)) == (set(), 3)
        names = [name for name, _ in mock.journal[0].request.headers]
        assert "authorization" not in names
        assert all(name == name.lower() and not name.startswith(":") for name in names)


@pytest.mark.parametrize(
    ("body", "headers", "clause"),
    [
        (attribute(text="x" * 256), {}, "TC-STRING-LIMIT"),
        (attribute(n=1), {"content-type": "text/plain"}, "TC-MEDIA"),
        (attribute(n=1), {"authorization": "Bearer another-key"}, "TC-KEY-SENT"),
        ({**attribute(n=1), "events": [{"external_id": "u1", "name": "e"}]}, {}, "TC-ONE-OBJECT"),
    ],
)
def test_a_fault_is_found_over_both_versions(body: Any, headers: dict[str, str], clause: str) -> None:
    with checked_mock("http2") as mock:
        found = []
        for http1 in (False, True):
            with over_http2(mock, http1=http1) as client:
                answer = client.post(SYNC, json=body, headers=headers)
                assert answer.http_version == ("HTTP/1.1" if http1 else "HTTP/2")
                found.append(clauses(mock))
                mock.reset()
    assert found[0] == found[1]
    assert clause in found[0]


def test_requests_that_share_a_connection_do_not_know_of_each_others_429() -> None:
    limited = Scenario(name="limited", sentence="", http2=True, acts=(Act(do="limit", seconds=5, times=1),))

    async def flood(mock: CheckedMock) -> list[int]:
        context = ssl.create_default_context(cafile=mock.trust["TRACKSYNC_CA_FILE"])
        headers = {"authorization": f"Bearer {mock.key}"}
        async with httpx.AsyncClient(base_url=mock.url, http2=True, verify=context, headers=headers) as client:
            posts = [client.post(SYNC, json={"attributes": [{"external_id": f"u{n}", "n": n}]}) for n in range(20)]
            return [answer.status_code for answer in await asyncio.gather(*posts)]

    with checked_mock(limited) as mock:
        assert set(asyncio.run(flood(mock))) == {429}
        assert len(mock.journal) == 20
        # One connection each is what the oracle goes by.
        assert len({taken.connection for taken in mock._taken}) == 20


@pytest.mark.parametrize("language", ["python", "shell"])
def test_the_small_clients_trust_the_certificate_by_their_environment(language: str) -> None:
    outcome = gate(*COMMANDS[language], scenarios=("normal", "http2"))
    assert (outcome.clauses, outcome.exit_code) == (set(), 0), outcome.printed
    assert [run["requests"] > 0 for run in outcome.report.as_json()["runs"]] == [True, True]


def test_a_faulty_client_is_caught_over_tls() -> None:
    variant = next(one for one in variants() if str(one) == "python naive-time")
    outcome = gate_variant(Variant(variant.language, variant.name, variant.clause, ("http2",)))
    assert variant.clause in outcome.clauses


@CURL2
def test_curl_over_http_2_is_checked() -> None:
    script = (
        'curl -sS --http2 -o /dev/null -w "%{http_version}\\n" -H "Authorization: Bearer $BRAZE_API_KEY" '
        '-H "Content-Type: application/json" -d \'{"attributes":[{"external_id":"u","n":1}]}\' '
        f'"$BRAZE_REST_ENDPOINT{SYNC}"'
    )
    outcome = gate("sh", "-c", script, scenarios=("http2",))
    assert outcome.printed.splitlines()[0] == "2"
    assert (outcome.clauses, outcome.result["requests"]) == (set(), 1)


def test_a_client_that_cannot_be_told_to_trust_the_certificate_is_excused_and_told() -> None:
    script = f"""
import json, os, urllib.request
if os.environ["BRAZE_REST_ENDPOINT"].startswith("https"): raise SystemExit("own trust store")
request = urllib.request.Request(os.environ["BRAZE_REST_ENDPOINT"] + "{SYNC}", json.dumps({attribute(n=1)!r}).encode(),
    {{"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["BRAZE_API_KEY"]}})
urllib.request.urlopen(request)
"""
    outcome = gate(sys.executable, "-c", script, scenarios=("normal", "http2"))
    assert (outcome.clauses, outcome.result["verdict"]) == (set(), "passed")
    assert "never called under http2: it does not trust the CA in SSL_CERT_FILE" in outcome.result["reason"]
    alone = gate(sys.executable, "-c", script, scenarios=("http2",))
    assert alone.result["verdict"] == "incomplete"
    assert "does it trust the CA in SSL_CERT_FILE?" in alone.result["reason"]


def test_a_scenario_that_cuts_connections_cannot_be_played_over_http_2(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[cut]\nhttp2 = true\nacts = [{ do = "reset" }]\n')
    with pytest.raises(ConfigError, match="reset"):
        load(own)


def test_the_mock_command_serves_it_with_a_certificate_of_its_own() -> None:
    command = [sys.executable, "-m", "tracksync", "mock", "--scenario", "http2", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "contracts")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        url, bundle = lines[0].split()[3], lines[2].strip().partition("=")[2]
        context = ssl.create_default_context(cafile=bundle)
        with httpx.Client(http2=True, verify=context) as client:
            answer = client.post(
                url + SYNC, json=attribute(n=1), headers={"authorization": "Bearer tracksync-mock-key"}
            )
        assert (answer.http_version, json.loads(answer.content)["message"]) == ("HTTP/2", "success")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert not Path(bundle).exists()
