"""Step two: hold the response's status, and the body of a refusal, against the class of the request."""

from __future__ import annotations

from typing import Any

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.bounds import SYNC
from tracksync.contract.classify import Condition
from tracksync.contract.refusals import refusals
from tracksync.contract.responses import SCHEMA_CLAUSE, validate_response
from tracksync.model.exchange import Response, lowered
from tracksync.model.finding import Finding
from tracksync.oracle import response_body
from tracksync.oracle.context import Context

NOT_OFFERED = "other-endpoint"  # the row that says that there may be no such endpoint
ACCEPTANCE = (  # which clause a needless refusal breaks, by what the request has in it
    "TS-PURCHASE-REFUND",
    "TS-PURCHASE-PRODUCT-LENGTH",
    "TS-EVENT-PROPERTIES-256",
    "TS-EVENT-PROPERTIES",
    "TS-PURCHASE-PROPERTIES",
    "TS-PROFILE-ACCEPTED",
    "TS-USER-ALIAS-CREATE-EVENT",
)


def check_status(context: Context, response: Response) -> bool:
    """Hold the status against the class of the request. Returns whether the server accepted it."""
    status = response.status
    parsed = context.parsed
    conditions = parsed.conditions
    musts = [condition for condition in conditions if condition.refused]
    context.covered.add("TS-ANSWER-STATUS")
    if status == 429:
        return False
    if 200 <= status < 300:
        if musts:
            first = musts[0]
            context.covered.add(first.clause)
            text = f"accepted ({status}) although {first.reason}"
            context.findings.append(Finding(first.clause, text, "/response/status", min(first.statuses), status))
            return True
        if status != 201 and parsed.endpoint in ("sync", "track"):
            text = f"a completed request is answered {status}"
            context.findings.append(Finding("TS-OK-STATUS", text, "/response/status", 201, status))
        _acceptance(context)
        return True
    applicable = [condition for condition in conditions if status in condition.statuses]
    if musts:
        context.covered.update(one.clause for one in musts if len(musts) == 1 or one in applicable)
    if applicable:
        _refusal_interpretations(context, musts, applicable, status)
        return False
    expected = sorted({status for condition in (musts or conditions) for status in condition.statuses}) or [201]
    if not musts and 201 not in expected:
        expected = [201, *expected]
    reasons = ", and ".join(dict.fromkeys(condition.reason for condition in (musts or conditions)[:2]))
    text = f"answered {status} although {reasons}" if musts else f"a lawful request is answered {status}"
    if status not in response_body.STATUSES and status not in (405, 415):
        unknown = f"the documents know no status {status}"
        context.findings.append(Finding("TS-ANSWER-STATUS", unknown, "/response/status", expected, status))
    if conditions:
        clause = (musts or conditions)[0].clause
    else:
        clause = next((one for one in ACCEPTANCE if one in parsed.covers), "TS-OK-STATUS")
    shown = expected[0] if len(expected) == 1 else expected
    context.findings.append(Finding(clause, text + _excerpt(response), "/response/status", shown, status))
    return False


def _excerpt(response: Response) -> str:
    """The server's own words, for the person who reads the finding."""
    text = response.body[:160].decode("utf-8", "replace").strip()
    return f": {text}" if text else ""


def _acceptance(context: Context) -> None:
    """The request was accepted: interpretations under which it would have been refused are closed."""
    context.covered |= {"TS-OK-STATUS", *context.parsed.covers}
    for condition in context.parsed.conditions:
        if condition.ambiguity is not None:
            refusing = {interpretation for _, interpretation in condition.shows}
            context.covered.add(condition.clause)
            left = frozenset(ambiguity_catalogue()[condition.ambiguity].interpretations) - refusing
            context.hold(condition.ambiguity, left, "/response/status")


def _refusal_interpretations(
    context: Context, musts: list[Condition], applicable: list[Condition], status: int
) -> None:
    """A refusal that only one condition explains shows the interpretation of its ambiguity."""
    if len(applicable) != 1 or (musts and musts != applicable):
        return
    condition = applicable[0]
    if condition.row == NOT_OFFERED:
        return
    context.covered.add(condition.clause)
    shown = dict(condition.shows).get(status)
    if shown is not None:
        assert condition.ambiguity is not None
        context.hold(condition.ambiguity, frozenset([shown]), "/response/status")


def check_body(context: Context, response: Response) -> dict[str, Any] | None:
    """Check the form of the body, and of a refusal all of it. Returns the body where it is a JSON object."""
    parsed, status = context.parsed, response.status
    if (
        parsed.endpoint not in ("sync", "track", "delete", "export")
        or status in (413, 415)  # often said before the endpoint has a word
        or (parsed.endpoint != "sync" and status in refusals()[NOT_OFFERED].statuses)
    ):
        return None
    body: dict[str, Any] | None
    body, found = response_body.read_body(response)
    context.covered |= {"TS-ANSWER-JSON", "TS-ANSWER-MEDIA"}
    context.findings += found
    if body is not None and parsed.endpoint == "sync" and not (status < 300 and (parsed.vague or parsed.conditions)):
        # What a request that may be refused shows when it is accepted, no page says.
        context.covered.add(SCHEMA_CLAUSE)
        context.violations = validate_response(SYNC, status, lowered(response.headers), body)
    if body is None or 200 <= status < 300:
        return body
    found, entries = response_body.check_fatal(parsed, status, body)
    context.findings += found
    context.covered |= {"TS-REFUSE-BODY"} if status != 400 else {"TS-REFUSE-BODY", "TS-REFUSE-ENTRY"}
    if entries is not None:
        context.hold("error-entries", frozenset([entries]), "/response/body/errors")
    return body
