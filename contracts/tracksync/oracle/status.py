"""Step two: hold the answer's status, and the body of a refusal, against the grounds for refusing."""

from __future__ import annotations

from typing import Any

from tracksync.exchange import Response
from tracksync.findings import Finding
from tracksync.ledger import ledger
from tracksync.oracle import answers
from tracksync.oracle.case import Case
from tracksync.oracle.intake import NOT_OFFERED, Ground

ACCEPTANCE = (  # which clause a needless refusal breaks, by what the request has in it
    "TS-PURCHASE-REFUND",
    "TS-PURCHASE-PRODUCT-LENGTH",
    "TS-EVENT-PROPERTIES-256",
    "TS-EVENT-PROPERTIES",
    "TS-PURCHASE-PROPERTIES",
    "TS-PROFILE-ACCEPTED",
    "TS-USER-ALIAS-CREATE-EVENT",
)


def judge_status(case: Case, response: Response) -> bool:
    """Hold the status against the grounds for refusal. Returns whether the server accepted the request."""
    status = response.status
    ask = case.ask
    grounds = ask.grounds
    musts = [ground for ground in grounds if ground.must]
    case.exercised.add("TS-ANSWER-STATUS")
    if status == 429:
        return False
    if 200 <= status < 300:
        if musts:
            for ground in musts[:1]:
                case.exercised.add(ground.clause)
                text = f"accepted ({status}) although {ground.why}"
                case.findings.append(Finding(ground.clause, text, "/response/status", min(ground.statuses), status))
            return True
        if status != 201 and ask.endpoint in ("sync", "track"):
            text = f"a completed request is answered {status}"
            case.findings.append(Finding("TS-OK-STATUS", text, "/response/status", 201, status))
        _acceptance(case)
        return True
    applicable = [ground for ground in grounds if status in ground.statuses]
    if musts:
        case.exercised.update(ground.clause for ground in musts if len(musts) == 1 or ground in applicable)
    if applicable:
        _refusal_readings(case, musts, applicable, status)
        return False
    expected = sorted({status for ground in (musts or grounds) for status in ground.statuses}) or [201]
    if not musts and 201 not in expected:
        expected = [201, *expected]
    reasons = ", and ".join(dict.fromkeys(ground.why for ground in (musts or grounds)[:2]))
    text = f"answered {status} although {reasons}" if musts else f"a lawful request is answered {status}"
    if status not in answers.STATUSES and status not in (405, 415):
        unknown = f"the documents know no status {status}"
        case.findings.append(Finding("TS-ANSWER-STATUS", unknown, "/response/status", expected, status))
    if musts or grounds:
        clause = (musts or list(grounds))[0].clause
    else:
        clause = next((one for one in ACCEPTANCE if one in ask.features), "TS-OK-STATUS")
    shown = expected[0] if len(expected) == 1 else expected
    case.findings.append(Finding(clause, text + _excerpt(response), "/response/status", shown, status))
    return False


def _excerpt(response: Response) -> str:
    """The server's own words, for the person who reads the finding."""
    text = response.body[:160].decode("utf-8", "replace").strip()
    return f": {text}" if text else ""


def _acceptance(case: Case) -> None:
    """The request was accepted: readings under which it would have been refused are closed."""
    case.exercised |= {"TS-OK-STATUS", *case.ask.features}
    for ground in case.ask.grounds:
        if ground.row is not None:
            refusing = {reading for _, reading in ground.readings}
            case.exercised.add(ground.clause)
            left = frozenset(ledger()[ground.row].readings) - refusing
            case.hold(ground.row, left, "/response/status")


def _refusal_readings(case: Case, musts: list[Ground], applicable: list[Ground], status: int) -> None:
    """A refusal that only one ground explains shows that ground's reading."""
    if len(applicable) != 1 or (musts and musts != applicable):
        return
    ground = applicable[0]
    if ground.statuses is NOT_OFFERED:
        return
    case.exercised.add(ground.clause)
    shown = dict(ground.readings).get(status)
    if shown is not None:
        assert ground.row is not None
        case.hold(ground.row, frozenset([shown]), "/response/status")


def judge_body(case: Case, response: Response) -> dict[str, Any] | None:
    """Judge the form of the body, and of a refusal all of it. Returns the body where it is a JSON object."""
    ask, status = case.ask, response.status
    if (
        ask.endpoint not in ("sync", "track", "delete", "export")
        or status in (413, 415)  # often said before the endpoint has a word
        or (ask.endpoint != "sync" and status in NOT_OFFERED)
    ):
        return None
    body: dict[str, Any] | None
    body, found = answers.read_body(response)
    case.exercised |= {"TS-ANSWER-JSON", "TS-ANSWER-MEDIA"}
    case.findings += found
    if body is None or 200 <= status < 300:
        return body
    found, entries = answers.judge_fatal(ask, status, body)
    case.findings += found
    case.exercised |= {"TS-REFUSE-BODY"} if status != 400 else {"TS-REFUSE-BODY", "TS-REFUSE-ENTRY"}
    if entries is not None:
        case.hold("error-entries", frozenset([entries]), "/response/body/errors")
    return body
