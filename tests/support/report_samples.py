"""Events of small invented runs, for the tests of reports and of the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracksync.model.events import Event, ExchangeChecked, FindingConfirmed, PhaseStarted, RunEnded, RunStarted
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Request, Response
from tracksync.model.finding import Finding
from tracksync.report import Redactor, Tally

START = 1_700_000_000.0
DOCUMENTED, OBSERVED, ASSUMED = "TS-OK-MESSAGE", "TS-ANSWER-MEDIA", "TS-ANSWER-ARRIVES"
BODY = b'{"attributes":[{"external_id":"u1","colour":"red"}]}'


def exchange(
    body_of_response: bytes = b'{"message":"fine"}',
    *,
    body: bytes = BODY,
    status: int = 201,
    at: float = START + 1,
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),),
    response_headers: tuple[tuple[str, str], ...] = (("x-ratelimit-limit", "500"),),
    method: str = "POST",
    path: str = "/users/track/sync",
    credential: Credential = Credential.VALID,
) -> Exchange:
    return Exchange(
        Request(method, path, headers, body),
        Response(status, response_headers, body_of_response),
        at,
        at + 0.25,
        credential,
    )


def lost(kind: FailureKind, detail: str = "it was cut", at: float = START + 1) -> Exchange:
    return Exchange(Request("POST", "/users/track/sync", (), BODY), None, at, at + 0.5, failure=Failure(kind, detail))


def finding(clause: str = DOCUMENTED, message: str = "the message is another one", **more: Any) -> Finding:
    return Finding(clause, message, more.pop("pointer", "/response/body/message"), **more)


def run(
    *findings: Finding,
    verdict: Any = None,
    strict: bool = False,
    known: bool = False,
    shown: Exchange | None = None,
    interpretations: dict[str, str] | None = None,
    seed: int | None = 7,
    target: str = "mock",
    why_not: dict[str, str] | None = None,
) -> list[Event]:
    """A run of two exchanges; the second breaks each of `findings`."""
    second = shown or exchange()
    return [
        RunStarted("fuzz", target, START, seed, max_requests=500, strict=strict),
        PhaseStarted("directed"),
        ExchangeChecked(1, exchange(b'{"message":"success"}'), (), frozenset({DOCUMENTED, OBSERVED}), "directed", 1),
        ExchangeChecked(2, second, findings, frozenset({DOCUMENTED}), "directed", 1),
        *(FindingConfirmed(found, (second,), "tracksync fuzz --seed 7", known) for found in findings),
        RunEnded(
            verdict or ("failed" if findings else "passed"),
            "all probes were sent",
            START + 4,
            interpretations or {},
            why_not or {},
        ),
    ]


def result_of(events: Iterable[Event], *secrets: str) -> dict[str, Any]:
    tally = Tally(Redactor(secrets))
    for event in events:
        tally(event)
    return tally.result()
