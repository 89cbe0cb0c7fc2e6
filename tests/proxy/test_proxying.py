"""What `tracksync proxy` finds on both sides, what it records, and that no key stays with it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from proxy_harness import AUTHORIZED, KEY, SYNC, proxied, proxied_mock
from third_party import KEY as THEIR_KEY
from third_party import braze_client
from upstream import Upstream, behind

from tracksync.cassettes.audit import Auditor
from tracksync.cassettes.generating import CassetteDirectory, CassetteGenerator
from tracksync.cassettes.manifest import ManifestEntry
from tracksync.cassettes.session_recording import SessionRecorder
from tracksync.cli import root
from tracksync.contract.clauses import Side, catalogue
from tracksync.engine.targets import HttpTarget
from tracksync.faults.catalogue import servers
from tracksync.generate.build import Step, attributes_request
from tracksync.mock import MockApp, MockConfig
from tracksync.model.events import Event
from tracksync.proxy import Keys
from tracksync.report import html, json_result, junit, markdown, terminal
from tracksync.wire.serve import served

ROOT = Path(__file__).resolve().parents[2]


def attribute(user: str = "u1", **values: Any) -> dict[str, Any]:
    return {"attributes": [{"external_id": user, **values}]}


def event(user: str = "u1", name: str = "e", day: int = 1) -> dict[str, Any]:
    return {"events": [{"external_id": user, "name": name, "time": f"2022-01-{day:02d}T00:00:00Z"}]}


def send(url: str, *bodies: dict[str, Any], **headers: str) -> list[httpx.Response]:
    with httpx.Client(base_url=url, headers={**AUTHORIZED, **headers}, timeout=20) as client:
        return [client.post(SYNC, json=body) for body in bodies]


def test_no_redirect_is_followed_with_the_key_neither_by_the_proxy_nor_by_our_own_client() -> None:
    other = Upstream()
    with served(other) as elsewhere:
        there = f"{elsewhere}{SYNC}".encode()
        with served(Upstream(307, ((b"location", there),))) as url, proxied(url) as session:
            for target in (HttpTarget(url, KEY), HttpTarget(session.url, KEY)):
                response = target.send(Step(attributes_request({"external_id": "u"}, {"n": 1}))).response
                target.close()
                assert response is not None
                assert (response.status, dict(response.headers)["location"]) == (307, there.decode())
    assert other.scopes == []


# --- the endpoint ---------------------------------------------------------------------------------------------------


def test_a_correct_pair_is_not_accused_and_clauses_of_both_sides_are_covered() -> None:
    with proxied_mock() as (session, _):
        send(session.url, attribute(n=1), attribute(n={"inc": 2}), event(), event(day=2), attribute(n=None))
    assert (session.clauses, session.exit_code, session.result["requests"]) == (set(), 0, 5)
    covered = {id_ for id_, row in session.result["clauses"].items() if row["covered"]}
    assert {"TS-ATTR-INC", "TS-EVENT-COUNT", "TC-ORDER", "TC-KEY-SENT"} <= covered
    assert set(session.result["clauses"]) == set(catalogue(None))
    assert "tracksync gate" in session.result["clauses"]["TC-KEY-SECRET"]["why_not"]
    json_result.checked(json.loads(json_result.render(session.result)), "result")


@pytest.mark.parametrize(
    ("fault", "clause"),
    [("last-stays", "TS-EVENT-LAST"), ("null-ignored", "TS-ATTR-NULL"), ("null-shown-not-done", "TS-STATE-VISIBLE")],
)
def test_a_fault_of_the_endpoint_is_found_with_what_led_to_it(fault: str, clause: str) -> None:
    with proxied_mock({"faults": (fault,)}) as (session, _):
        steps = (attribute(a=1), attribute("other", a=1), attribute(a=None), attribute(a={"inc": 1}))
        send(session.url, *steps, event(), event(day=2))
    assert clause in session.clauses
    assert session.exit_code == 1
    shown = next(one for one in session.confirmed if one.finding.clause == clause)
    assert len(shown.exchanges) > 1
    assert all(b'"u1"' in exchange.request.body for exchange in shown.exchanges)


def test_users_that_were_there_before_are_learned_at_first_sight() -> None:
    app = MockApp(MockConfig(key=KEY))
    with served(app) as url:
        send(url, event(), event(), attribute(n=4))
        with proxied(url) as session:
            answers = send(session.url, event(day=2), attribute(n={"inc": 1}))
    assert answers[0].json()["users"][0]["custom_events"][0]["count"] == 3
    assert (session.clauses, session.result["verdict"]) == (set(), "passed")


def test_what_is_known_of_one_user_is_held_against_the_endpoint_through_other_endpoints_and_gaps() -> None:
    with proxied_mock({"faults": ("last-stays",)}) as (session, _):
        send(session.url, event())
        assert (
            httpx.get(session.url + "/health", headers=AUTHORIZED).status_code == 404
        )  # forwarded, and neither side's fault
        send(session.url, event(day=2))
    assert session.clauses == {"TS-EVENT-LAST"}


def test_interpretations_are_learned() -> None:
    with proxied_mock({"interpretations": {"removed-attribute": "omitted"}}) as (session, _):
        send(session.url, attribute(a=1), attribute(a=None))
    assert session.result["interpretations"]["removed-attribute"] == "omitted"


def test_requests_that_overlap_are_checked_as_such() -> None:
    """Thirty events of one user at once: any order is lawful for the endpoint, and the client is at fault."""
    with proxied_mock({"scenario": "jitter"}) as (session, app):
        threads = [threading.Thread(target=send, args=(session.url, event(), event(name="f"))) for _ in range(15)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        profile = app.state_of("external_id", "u1")
        assert profile is not None
    assert [one["count"] for one in profile["custom_events"]] == [15, 15]
    assert session.clauses == {"TC-ORDER"}
    assert session.result["requests"] == 30


# --- the client -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "clause"),
    [
        ({**attribute(a=1), **event()}, {}, "TC-ONE-OBJECT"),
        (attribute(a="x" * 300), {}, "TC-STRING-LIMIT"),
        ({"events": [{"external_id": "u", "name": "e", "time": "yesterday"}]}, {}, "TC-EVENT-TIME"),
        (attribute(a=1), {"content-type": "text/plain"}, "TC-MEDIA"),
        (attribute(a=1), {"authorization": f'Bearer "{KEY}"'}, "TC-KEY-UNQUOTED"),
        (attribute(a=1), {"authorization": KEY}, "TC-KEY-BEARER"),
        (attribute(a=1), {"authorization": ""}, "TC-KEY-SENT"),
        (attribute(a=1), {"authorization": "Bearer undefined"}, "TC-KEY-SENT"),
        (attribute(a=1), {"x-api-key": KEY}, "TC-KEY-HEADER-ONLY"),
        (attribute(a=1, api_key=KEY), {}, "TC-KEY-HEADER-ONLY"),
    ],
)
def test_a_fault_of_the_client_is_found(body: dict[str, Any], headers: dict[str, str], clause: str) -> None:
    with proxied_mock() as (session, _):
        send(session.url, body, **headers)
    assert session.clauses == {clause}
    assert session.exit_code == 1
    assert KEY not in json.dumps(session.result)


def test_a_client_that_does_not_wait_after_a_429_is_found() -> None:
    with proxied_mock({"scenario": "rate-long"}, allowed=frozenset({"TS-RATE-RESET"})) as (session, _):
        assert [response.status_code for response in send(session.url, attribute(a=1), attribute(b=1))] == [429, 429]
    assert {finding["clause"] for finding in session.result["findings"] if not finding["known"]} == {"TC-RATE-WAIT"}


def test_a_request_that_is_never_sent_again_shows_at_the_end() -> None:
    with proxied_mock({"scenario": "error-503"}) as (session, _):
        send(session.url, attribute(a=1))
    assert session.clauses == {"TC-RETRY-SERVER-ERROR"}


def test_a_published_client_is_checked_through_the_proxy() -> None:
    with proxied_mock({"key": THEIR_KEY}) as (session, app):
        client = braze_client(session.url)
        client.user_track(attributes=[{"external_id": "u1", "colour": "green"}], events=[], purchases=[])
        assert session.keys.text(THEIR_KEY) == "[redacted]"
        until = time.monotonic() + 20
        while app.state_of("external_id", "u1") is None and time.monotonic() < until:  # applied afterwards
            time.sleep(0.02)
        assert app.state_of("external_id", "u1") is not None
    assert session.result["requests"] >= 1
    assert session.clauses == set()
    assert {finding["clause"] for finding in session.result["findings"]} <= {"TC-DOUBT"}  # empty sections


# --- keys and recordings ----------------------------------------------------------------------------------------------


def recorder(directory: Path) -> Callable[[Callable[[Event], None], Keys], Callable[[Event], None]]:
    def middleware(emit: Callable[[Event], None], keys: Keys) -> Callable[[Event], None]:
        cassettes = CassetteDirectory(directory, Auditor(keys))
        return SessionRecorder(
            cassettes, "session", ManifestEntry(), keys, CassetteGenerator(cassettes, ManifestEntry(), keys, emit)
        )

    return middleware


def everything(session: Any, directory: Path) -> str:
    rendered = [render(session.result) for render in (json_result.render, junit.render, html.render, markdown.render)]
    files = [path.read_text(encoding="utf-8") for path in sorted(directory.rglob("*")) if path.is_file()]
    return "\n".join([*rendered, terminal.render(session.result, colour=False), *files])


def test_no_key_is_kept_even_where_the_endpoint_echoes_it(tmp_path: Path) -> None:
    echo = json.dumps({"message": f"Invalid API key: {KEY}", "seen": KEY, "hex": KEY.encode().hex()}).encode()
    directory = tmp_path / "recordings"
    with behind(Upstream(201, ((b"x-key", KEY.encode()),), echo), middleware=recorder(directory)) as session:
        # In a body before any header has shown that it is the key.
        send(session.url, attribute(note=f"see {KEY}"), authorization="")
        send(session.url, attribute(note="plain"), attribute(note=f"see {KEY}"))
        httpx.post(f"{session.url}{SYNC}?api_key={KEY}", json=attribute(api_key=KEY))
    text = everything(session, directory)
    assert "TC-KEY-HEADER-ONLY" in text
    assert not re.search(f"{KEY}|{KEY.encode().hex()}", text, re.IGNORECASE)


def test_what_passes_is_recorded_and_replays_to_the_same(tmp_path: Path) -> None:
    with proxied_mock({"faults": ("last-stays",)}, middleware=recorder(tmp_path)) as (session, _):
        send(
            session.url, event("jane.doe@customer-mail.com"), event("jane.doe@customer-mail.com", day=2), attribute(n=1)
        )
        httpx.get(session.url + "/health")
    names = sorted(path.name for path in tmp_path.glob("*.yaml"))
    assert names == ["session--0001.yaml", "ts-event-last--random.yaml"]
    text = (tmp_path / "session--0001.yaml").read_text()
    assert "customer-mail" not in text
    assert text.count("uri:") == 3
    ended = CliRunner().invoke(root, ["replay", "--audit", str(tmp_path)])
    assert ended.exit_code == 0, ended.output
    assert "2 known findings" in ended.output


def test_a_recording_stays_whole_where_something_could_not_be_checked(tmp_path: Path) -> None:
    with proxied_mock(middleware=recorder(tmp_path)) as (session, _):
        send(session.url, event(), event())
        assert httpx.post(session.url + "/users/merge", json={}, headers=AUTHORIZED).status_code == 404
        send(session.url, event())
    assert sorted(path.name for path in tmp_path.glob("*.yaml")) == ["session--0001.yaml", "session--0002.yaml"]


def test_too_many_keys_do_not_make_it_forget_the_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracksync.proxy.credentials.MOST", 2)
    keys = Keys(["given-key-0123456789"])
    for number in range(1000):
        keys.learn(f"learned-key-{number:04d}")
    assert keys.text("given-key-0123456789 learned-key-0999 learned-key-0000") == "[redacted] [redacted] [redacted]"
    assert keys.json({"given-key-0123456789": ["learned-key-0999"]}) == {"[redacted]": ["[redacted]"]}


# --- the command ----------------------------------------------------------------------------------------------------


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKSYNC", "BRAZE"))}
    return {**clean, "PYTHONPATH": str(ROOT / "contracts"), **more}


def test_ctrl_c_ends_it_with_the_verdict_and_every_report(tmp_path: Path) -> None:
    with served(MockApp(MockConfig(key=KEY, faults=servers(("last-stays",))))) as url:
        words = ["--upstream", url, "--port", "0", "--record", "recordings", "--html", "p.html", "--json", "p.json"]
        process = subprocess.Popen(
            [sys.executable, "-m", "tracksync", "proxy", *words, "--junit", "p.xml", "--markdown", "p.md"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(),
        )
        assert process.stdout is not None
        address = process.stdout.readline().split()[3].rstrip(",")
        send(address, event(), event(day=2), attribute(n=1))
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1, err
    assert "found TS-EVENT-LAST" in err
    assert "FAILED" in out
    assert "3 of 3 requests were checked; it was stopped by hand" in out
    assert json.loads((tmp_path / "p.json").read_text())["command"] == "proxy"
    assert len(list((tmp_path / "recordings").glob("*.yaml"))) == 2
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 7  # four reports, two cassettes, a manifest
    assert not any(KEY in text for text in (out, err, *written))


def invoke(*words: str) -> str:
    ended = CliRunner().invoke(root, ["proxy", *words])
    return f"{ended.output}{ended.exception or ''}"


def test_another_machine_is_addressed_only_where_the_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "live = true" in invoke("--upstream", "https://rest.example.com")
    Path("tracksync.toml").write_text('endpoint = "https://rest.example.com"\nlive = false\n')
    assert "live = true" in invoke("--upstream", "live")
    Path("tracksync.toml").write_text('endpoint = "https://rest.example.com"\nlive = true\n')
    text = invoke("--upstream", "live", "--port", "0", "--max-time", "0.1")
    assert "INCOMPLETE" in text
    assert "no request came" in text


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((), "--upstream"),
        (("--upstream", "mock"), "is not a URL"),
        (("--upstream", "http://127.0.0.1:8090"), "the proxy itself"),
        (("--upstream", "http://127.0.0.1:1", "--ca", "pyproject.toml"), "--ca takes a PEM file"),
        (("--upstream", "http://127.0.0.1:1", "--ca", "missing.pem"), "--ca takes a PEM file"),
        (("--upstream", "http://127.0.0.1:1", "--tls-key", "k.pem"), "--tls-cert"),
        (("--upstream", "http://127.0.0.1:1", "--tls-cert", "missing.pem"), "PEM files"),
        (("--upstream", "http://127.0.0.1:1", "--allow", "TC-ODER"), "TC-ORDER"),
        (("--upstream", "http://u:secret@127.0.0.1:1"), "environment variables"),
    ],
)
def test_wrong_use_is_told_in_words(words: tuple[str, ...], hint: str) -> None:
    text = invoke(*words)
    assert hint in text
    assert "secret" not in text


def test_the_catalogue_names_what_only_a_gate_can_see() -> None:
    from tracksync.proxy.proxying import GATE_ONLY

    assert set(catalogue(Side.CLIENT)) >= GATE_ONLY
