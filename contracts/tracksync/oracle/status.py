"""Step two: hold the answer's status, and the body of a refusal, against the grounds for refusing."""

from __future__ import annotations

from typing import Any

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.model.exchange import Response
from tracksync.model.finding import Finding
from tracksync.oracle import response_body
from tracksync.oracle.context import Context
from tracksync.oracle.request import NOT_OFFERED, Refusal

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
    """Hold the status against the grounds for refusal. Returns whether the server accepted the request."""
    status = response.status
    parsed = context.parsed
    refusals = parsed.refusals
    musts = [refusal for refusal in refusals if refusal.must]
    context.covered.add("TS-ANSWER-STATUS")
    if status == 429:
        return False
    if 200 <= status < 300:
        if musts:
            for refusal in musts[:1]:
                context.covered.add(refusal.clause)
                text = f"accepted ({status}) although {refusal.why}"
                context.findings.append(
                    Finding(refusal.clause, text, "/response/status", min(refusal.statuses), status)
                )
            return True
        if status != 201 and parsed.endpoint in ("sync", "track"):
            text = f"a completed request is answered {status}"
            context.findings.append(Finding("TS-OK-STATUS", text, "/response/status", 201, status))
        _acceptance(context)
        return True
    applicable = [refusal for refusal in refusals if status in refusal.statuses]
    if musts:
        context.covered.update(refusal.clause for refusal in musts if len(musts) == 1 or refusal in applicable)
    if applicable:
        _refusal_interpretations(context, musts, applicable, status)
        return False
    expected = sorted({status for refusal in (musts or refusals) for status in refusal.statuses}) or [201]
    if not musts and 201 not in expected:
        expected = [201, *expected]
    reasons = ", and ".join(dict.fromkeys(refusal.why for refusal in (musts or refusals)[:2]))
    text = f"answered {status} although {reasons}" if musts else f"a lawful request is answered {status}"
    if status not in response_body.STATUSES and status not in (405, 415):
        unknown = f"the documents know no status {status}"
        context.findings.append(Finding("TS-ANSWER-STATUS", unknown, "/response/status", expected, status))
    if musts or refusals:
        clause = (musts or list(refusals))[0].clause
    else:
        clause = next((one for one in ACCEPTANCE if one in parsed.features), "TS-OK-STATUS")
    shown = expected[0] if len(expected) == 1 else expected
    context.findings.append(Finding(clause, text + _excerpt(response), "/response/status", shown, status))
    return False


def _excerpt(response: Response) -> str:
    """The server's own words, for the person who reads the finding."""
    text = response.body[:160].decode("utf-8", "replace").strip()
    return f": {text}" if text else ""


def _acceptance(context: Context) -> None:
    """The request was accepted: interpretations under which it would have been refused are closed."""
    context.covered |= {"TS-OK-STATUS", *context.parsed.features}
    for refusal in context.parsed.refusals:
        if refusal.ambiguity is not None:
            refusing = {interpretation for _, interpretation in refusal.interpretations}
            context.covered.add(refusal.clause)
            left = frozenset(ambiguity_catalogue()[refusal.ambiguity].interpretations) - refusing
            context.hold(refusal.ambiguity, left, "/response/status")


def _refusal_interpretations(context: Context, musts: list[Refusal], applicable: list[Refusal], status: int) -> None:
    """A refusal that only one ground explains shows that ground's reading."""
    if len(applicable) != 1 or (musts and musts != applicable):
        return
    refusal = applicable[0]
    if refusal.statuses is NOT_OFFERED:
        return
    context.covered.add(refusal.clause)
    shown = dict(refusal.interpretations).get(status)
    if shown is not None:
        assert refusal.ambiguity is not None
        context.hold(refusal.ambiguity, frozenset([shown]), "/response/status")


def check_body(context: Context, response: Response) -> dict[str, Any] | None:
    """Check the form of the body, and of a refusal all of it. Returns the body where it is a JSON object."""
    parsed, status = context.parsed, response.status
    if (
        parsed.endpoint not in ("sync", "track", "delete", "export")
        or status in (413, 415)  # often said before the endpoint has a word
        or (parsed.endpoint != "sync" and status in NOT_OFFERED)
    ):
        return None
    body: dict[str, Any] | None
    body, found = response_body.read_body(response)
    context.covered |= {"TS-ANSWER-JSON", "TS-ANSWER-MEDIA"}
    context.findings += found
    if body is None or 200 <= status < 300:
        return body
    found, entries = response_body.check_fatal(parsed, status, body)
    context.findings += found
    context.covered |= {"TS-REFUSE-BODY"} if status != 400 else {"TS-REFUSE-BODY", "TS-REFUSE-ENTRY"}
    if entries is not None:
        context.hold("error-entries", frozenset([entries]), "/response/body/errors")
    return body
