"""Step two: compare the response's status, and the body of a refusal, with the class of the request."""

from __future__ import annotations

from typing import Any, Final

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.bounds import DELETE, EXPORT, SYNC, TRACK
from tracksync.contract.conditions import Condition
from tracksync.contract.refusals import refusals
from tracksync.contract.responses import SCHEMA_CLAUSE, Mismatch, validate_response
from tracksync.model.exchange import Response
from tracksync.model.finding import Finding
from tracksync.oracle import rates, response_body, users
from tracksync.oracle.context import Context
from tracksync.oracle.interpretations import UNKNOWN_BRAZE_ID_IS_NO_USER
from tracksync.oracle.request import ParsedRequest, targets_in

STATUS: Final = "/response/status"
OTHER_ENDPOINT: Final = "other-endpoint"  # the row of the refusals by which a server need not offer the others
_READ: Final = frozenset({"TS-ANSWER-JSON", "TS-ANSWER-MEDIA"})
_NO_PURCHASES: Final = (400, 403, 404)  # of ambiguity purchase-events: no document names the status
ENDPOINTS: Final = {"sync": SYNC, "track": TRACK, "delete": DELETE, "export": EXPORT}
ACCEPTANCE: Final = (  # which clause a needless refusal breaks, by what the request has in it
    "TS-PURCHASE-REFUND",
    "TS-PURCHASE-PRODUCT-LENGTH",
    "TS-EVENT-PROPERTIES-256",
    "TS-EVENT-PROPERTIES",
    "TS-PURCHASE-PROPERTIES",
    "TS-PROFILE-ACCEPTED",
    "TS-USER-ALIAS-CREATE-EVENT",
)


def check_status(context: Context, response: Response) -> bool:
    """Compare the status with the class of the request. Returns whether the server accepted the request."""
    context.covered.add("TS-ANSWER-STATUS")
    if 200 <= response.status < 300:
        _check_acceptance(context, response.status)
        return True
    if response.status != 429:
        _check_refusal(context, response)
    return False


def _check_acceptance(context: Context, status: int) -> None:
    """A request is accepted with 201, and only if it need not be refused."""
    parsed = context.parsed
    conditions = parsed.classification.conditions
    must = next((condition for condition in conditions if condition.refused), None) if conditions else None
    if must is not None:
        context.covered.add(must.clause)
        text = f"accepted ({status}) although {must.reason}"
        context.findings.append(Finding(must.clause, text, STATUS, min(must.statuses), status))
        return
    if status != 201 and parsed.endpoint in ("sync", "track"):
        text = f"a completed request is answered {status}"
        context.findings.append(Finding("TS-OK-STATUS", text, STATUS, 201, status))
    context.covered.add("TS-OK-STATUS")
    context.covered |= parsed.covers
    for condition in conditions:
        if condition.ambiguity is not None and _is_told(context, condition):
            # the interpretations under which it is refused are closed
            refusing = {interpretation for _, interpretation in condition.shows}
            context.covered.add(condition.clause)
            left = frozenset(ambiguity_catalogue()[condition.ambiguity].interpretations) - refusing
            context.hold(condition.ambiguity, left, STATUS)


def _check_refusal(context: Context, response: Response) -> None:
    """A request is refused only under a condition of the contract, and with one of its statuses."""
    status, conditions = response.status, context.parsed.conditions
    musts = [condition for condition in conditions if condition.refused]
    applicable = [condition for condition in conditions if status in condition.statuses]
    context.covered.update(one.clause for one in musts if len(musts) == 1 or one in applicable)
    if not applicable and _has_no_purchases(context, status):
        context.hold("purchase-events", frozenset(["refused"]), STATUS)
    elif not applicable:
        _add_wrong_status(context, response, musts or list(conditions), must_refuse=bool(musts))
    elif len(applicable) == 1 and musts in ([], applicable) and applicable[0].row != OTHER_ENDPOINT:
        condition = applicable[0]  # no other explains the refusal, unless the workspace has no purchases
        if not condition.refused and _has_no_purchases(context, status):
            return
        if not _is_told(context, condition):
            return
        context.covered.add(condition.clause)
        shown = dict(condition.shows).get(status)
        if shown is not None and condition.ambiguity is not None:
            context.hold(condition.ambiguity, frozenset([shown]), STATUS)


def _is_told(context: Context, condition: Condition) -> bool:
    """Whether the condition holds: a braze_id may be known to the server unless none can have assigned it."""
    if condition.ambiguity != UNKNOWN_BRAZE_ID_IS_NO_USER.ambiguity:
        return True
    named = [one["braze_id"] for one in targets_in(context.parsed.body) if "braze_id" in one]
    return all(users.never_assigned(context.belief, one) for one in named)


def _has_no_purchases(context: Context, status: int) -> bool:
    """Whether a purchase may be refused because the workspace has no purchase events: ambiguity purchase-events."""
    parsed = context.parsed
    purchase = parsed.section == "purchases" and parsed.endpoint == "sync"
    return purchase and status in _NO_PURCHASES and "refused" in context.belief.ambiguities["purchase-events"]


def _add_wrong_status(context: Context, response: Response, conditions: list[Condition], *, must_refuse: bool) -> None:
    """Add the findings about a status with which none of these conditions refuses a request."""
    status = response.status
    statuses = {one for condition in conditions for one in condition.statuses}
    expected = sorted(statuses) if must_refuse else [201, *sorted(statuses - {201})]
    if status not in response_body.STATUSES and status not in (405, 415):
        text = f"the documents know no status {status}"
        context.findings.append(Finding("TS-ANSWER-STATUS", text, STATUS, expected, status))
    if must_refuse:
        reasons = ", and ".join(dict.fromkeys(condition.reason for condition in conditions[:2]))
        text = f"answered {status} although {reasons}"
    else:
        text = f"a lawful request is answered {status}"
    if conditions:
        clause = conditions[0].clause
    else:
        clause = next((one for one in ACCEPTANCE if one in context.parsed.covers), "TS-OK-STATUS")
    wanted = expected[0] if len(expected) == 1 else expected
    context.findings.append(Finding(clause, text + _excerpt(response), STATUS, wanted, status))


def _excerpt(response: Response) -> str:
    """The server's own words, for the person who reads the finding."""
    text = response.body[:160].decode("utf-8", "replace").strip()
    return f": {text}" if text else ""


def check_body(context: Context, response: Response) -> dict[str, Any] | None:
    """Check the form of the body, and of a refusal all of it. Returns the body where it is a JSON object."""
    parsed, status = context.parsed, response.status
    if (
        parsed.endpoint not in ENDPOINTS
        or status in (413, 415)  # often sent by a gateway before the endpoint
        or (parsed.endpoint != "sync" and status in refusals()[OTHER_ENDPOINT].statuses)
    ):
        return None
    body: dict[str, Any] | None
    body, findings = response_body.read_body(response, context.headers)
    context.covered |= _READ
    context.findings += findings
    if body is not None and (status >= 300 or not _may_be_refused(parsed)):
        # The documents do not say what a request that may be refused shows when it is accepted.
        context.covered.add(SCHEMA_CLAUSE)
        context.mismatches = _mismatches(context, response, body)
    if body is None or 200 <= status < 300:
        return body
    findings, entries = response_body.check_fatal(parsed, status, body)
    context.findings += findings
    context.covered |= {"TS-REFUSE-BODY"} if status != 400 else {"TS-REFUSE-BODY", "TS-REFUSE-ENTRY"}
    if entries is not None:
        context.hold("error-entries", frozenset([entries]), "/response/body/errors")
    return body


def _may_be_refused(parsed: ParsedRequest) -> bool:
    """Whether a server that offers the endpoint may refuse the request."""
    return parsed.vague or any(one.row != OTHER_ENDPOINT for one in parsed.conditions)


def _mismatches(context: Context, response: Response, body: dict[str, Any]) -> tuple[Mismatch, ...]:
    """Where the response does not fit our document, or the one to which the server is held beside it."""
    path, status = ENDPOINTS[context.parsed.endpoint], response.status
    headers, second = context.headers, context.belief.settings.responses
    # What rate headers a neighbour has is checked if it has any; see `rates`.
    shown = headers if path == SYNC or not headers.keys().isdisjoint(rates.NAMES) else None
    found = validate_response(path, status, shown, body)
    return found if second is None else (*found, *second.validate(path, status, headers, body))
