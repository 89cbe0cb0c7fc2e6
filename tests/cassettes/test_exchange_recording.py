"""`--exchanges` writes what replay reads: redacted, a workspace for each origin, gaps where something is unknown."""

from __future__ import annotations

import io
from pathlib import Path

from cassette_harness import event_body, event_response, rate, replayed

from tracksync.cassettes.exchange_recording import ExchangeRecorder
from tracksync.model.events import Event, ExchangeChecked, Skipped
from tracksync.model.exchange import Exchange, Request, Response
from tracksync.report.redact import Redactor

KEY = "c4a17b2e-93d5-4f60-8a1e-5b7c2d9e0f13"


def checked(number: int, count: int, phase: str = "", path: str = "/users/track/sync") -> ExchangeChecked:
    headers = (("Content-Type", "application/json"), ("Authorization", f"Bearer {KEY}"))
    request = Request("POST", path, headers, event_body("ada@corp.io").encode())
    shown = (("Content-Type", "application/json"), *rate(499 - number).items())
    response = Response(201, shown, event_response(count, "ada@corp.io").encode())
    sent = 1_670_350_850.0 + number
    return ExchangeChecked(number, Exchange(request, response, sent, sent + 0.1), phase=phase)


def recorded(path: Path, *events: Event) -> list[Event]:
    file, seen = io.BytesIO(), []
    recorder = ExchangeRecorder(file, lambda phase: f"https://{phase or 'rest'}.example", Redactor([KEY]), seen.append)
    for event in events:
        recorder(event)
    path.write_bytes(file.getvalue())
    return seen


def test_what_is_recorded_is_checked_the_same_and_names_no_person(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    events = [checked(1, 1), checked(2, 2), checked(3, 7)]
    assert recorded(path, *events) == events, "every event is handed on"
    assert replayed(path).broken == ["TS-EVENT-COUNT"]
    text = path.read_text(encoding="utf-8")
    assert KEY not in text
    assert "corp.io" not in text


def test_phases_are_workspaces_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    recorded(path, checked(1, 1, "normal"), checked(2, 1, "jitter"), checked(3, 2, "jitter"))
    assert (replayed(path).verdict, replayed(path).checked) == ("passed", 3)


def test_nothing_is_held_against_the_server_after_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    recorded(path, checked(1, 1), Skipped("request 2", "it was cut short"), checked(3, 7))
    assert replayed(path).broken == []
    recorded(path, checked(1, 1), checked(2, 0, path="/campaigns/trigger/send"), checked(3, 7))
    assert replayed(path).broken == []
