"""Check one exchange: put the steps in order; see the package for what they are.

What is right and what is wrong is decided in the other modules.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from rpds import HashTrieMap

from tracksync.model.exchange import Exchange, Request, Response, lowered
from tracksync.model.finding import Finding
from tracksync.oracle import deletions, neighbours, rates, response_body, same_user
from tracksync.oracle.ambiguous_writes import perhaps_applied, queue, refused, unknown_effect
from tracksync.oracle.belief import Belief
from tracksync.oracle.check_write import check_write
from tracksync.oracle.context import Context
from tracksync.oracle.identifiers import Identifier, identifier_of
from tracksync.oracle.in_flight import NONE_IN_FLIGHT, InFlight, in_flight_at, perhaps_after, perhaps_before, with_own
from tracksync.oracle.request import ParsedRequest, read_request
from tracksync.oracle.status import check_body, check_status
from tracksync.oracle.usual import check_usual

FAILURE_LIMIT: Final = 4  # so many failures of one request in a row are no longer a transient failure
FORMS: Final = ("TS-FORM-BARE", "TS-FORM-EMPTY-SECTIONS", "TS-FORM-INTEGER-ID", "TS-ROUTE-MEDIA", "TS-ROUTE-SIZE")
_ANSWERED: Final = ("TS-ANSWER-ARRIVES", "TS-ANSWER-SERVER-ERROR")


class CheckResult(Struct, frozen=True, gc=False):
    """What one exchange showed: the belief after it, the clauses that it broke, and the clauses that it covered."""

    belief: Belief
    findings: tuple[Finding, ...] = ()
    covered: frozenset[str] = frozenset()

    @property
    def interpretations(self) -> Mapping[str, str]:
        """The ambiguities of which one interpretation is left, and which."""
        return self.belief.interpretations()


def check(belief: Belief, exchange: Exchange, in_flight: Sequence[Request] = ()) -> CheckResult:
    """Check one exchange. Pure; never raises on any exchange.

    Exchanges are checked in the order in which their responses came.
    `in_flight`: requests that were sent before this response came and have no response yet.
    """
    parsed = read_request(exchange)
    around = in_flight_at(parsed, exchange, in_flight) if in_flight else NONE_IN_FLIGHT
    headers = headers_of(exchange)
    rate = rates.check_exchange(belief, exchange, headers, parsed.endpoint, crowded=bool(in_flight))
    written = same_user.noted(belief.written, belief.settings, exchange, parsed)
    beside = same_user.times_for(belief.written, parsed)
    if written is not belief.written:
        belief = replace(belief, written=written)
    return check_beside(belief, exchange, headers, parsed, around, rate, beside)


def headers_of(exchange: Exchange) -> dict[str, str]:
    """The headers of the response by their names in small letters; none where there is no response."""
    return lowered(exchange.response.headers) if exchange.response is not None else {}


def check_beside(
    belief: Belief,
    exchange: Exchange,
    headers: dict[str, str],
    parsed: ParsedRequest,
    around: InFlight,
    rate: rates.RateCheck,
    written: same_user.Times = same_user.NO_TIMES,
    objects: Collection[int] | None = None,
) -> CheckResult:
    """Check one exchange beside what is known of the others.

    `headers`: of the response, by their names in small letters. `around`: what requests without a response yet may do.
    `rate`: what its rate headers show. `written`: the writes to the same cells by each kind of identifier. `objects`:
    of a batch, the numbers of the objects that the belief is about; None for all.
    """
    if belief.deletions:
        belief = deletions.ended(belief, exchange.sent)
    around = with_own(around, belief, parsed, exchange)
    if around is not NONE_IN_FLIGHT:
        belief = perhaps_before(belief, parsed, exchange, around)
    cells = around.cells
    if written and exchange.response is not None and parsed.endpoint in ("sync", "export"):
        named = deletions.named_by_all(parsed, exchange)
        belief, doubted = same_user.doubted(belief, exchange, parsed, named, written)
        cells |= doubted
    moment, response = belief.moment + 1, exchange.response
    if response is None:
        context = Context(
            replace(belief, moment=moment, windows=rate.windows),
            exchange,
            parsed,
            cells,
            objects=objects,
            around=around,
        )
        _check_no_response(context)
        return _result(context, belief)
    failed = response.status >= 500
    belief = replace(
        belief,
        moment=moment,
        answered=belief.answered if failed else moment,
        windows=rate.windows,
        failures_in_a_row=belief.failures_in_a_row if failed else _without_failures(belief, exchange),
    )
    context = Context(
        belief,
        exchange,
        parsed,
        cells,
        list(rate.findings),
        set(rate.covered),
        headers=headers,
        objects=objects,
        around=around,
    )
    if failed:
        context.covered.add("TS-ANSWER-ARRIVES")
        _check_failure(context, "TS-ANSWER-SERVER-ERROR", f"is answered {response.status}")
        perhaps_applied(context)
        return _result(context, belief)
    context.covered.update(_ANSWERED)
    if parsed.endpoint == "unclear":
        if response.status < 300:
            neighbours.elsewhere(context)
        return _result(context, belief)
    _check_response(context, response)
    return _result(context, belief)


def _check_response(context: Context, response: Response) -> None:
    """Check a response that is not a 5XX: its status, its body, and what it shows."""
    parsed = context.parsed
    accepted = check_status(context, response)
    body = check_body(context, response)
    if response.status < 400 and not accepted and "location" in context.headers:
        perhaps_applied(context)  # whoever follows a redirect writes where it is not seen
    elif not accepted:
        refused(context)
    elif body is None or parsed.vague or parsed.refused:
        if body is not None and response.status == 201 and parsed.endpoint == "sync":
            context.findings += response_body.check_message(body)
            context.findings += response_body.check_too_long(parsed, body)
        unknown_effect(context)
    elif parsed.endpoint == "sync":
        if not check_usual(context, body):
            check_write(context, body)
    else:
        neighbours.check_neighbour(context, body)
        if parsed.endpoint == "track":
            # Where purchases have no effect, it is not known what a batch with one does.
            known = "available" in context.belief.ambiguities["purchase-events"] or not parsed.body.get("purchases")
            queue(context, accepted=known)


def _check_no_response(context: Context) -> None:
    _check_failure(context, "TS-ANSWER-ARRIVES", "gets no complete response")
    if not context.exchange.unreached:
        perhaps_applied(context)


def _check_failure(context: Context, clause: str, what: str) -> None:
    """A request that fails again and again, while others get a response, is not a transient failure.

    Without a response to another request since its first failure it may be an outage of the whole server.
    """
    belief, key = context.belief, _hash(context.exchange.request)
    failures, since = belief.failures_in_a_row.get(key) or (0, belief.moment)
    failures += 1
    lasting = failures >= FAILURE_LIMIT and belief.answered > since
    streak = (failures, math.inf if lasting else since)  # a finding once: no response comes after infinity
    context.belief = replace(belief, failures_in_a_row=belief.failures_in_a_row.insert(key, streak))
    if lasting:
        text = f"the same request {what} {failures} times in a row, while others get a response"
        context.findings.append(Finding(clause, text, "/response/status", "a response"))


def _without_failures(belief: Belief, exchange: Exchange) -> HashTrieMap[int, tuple[int, float]]:
    """The failures in a row when this request got a response that is not a 5XX, so that its own are over."""
    failures = belief.failures_in_a_row
    return failures.discard(_hash(exchange.request)) if failures else failures


def _hash(request: Request) -> int:
    return hash((request.method, request.path, request.body))


def _result(context: Context, before: Belief) -> CheckResult:
    context.belief = _settled(context, before)
    if context.mismatches:
        context.findings += response_body.schema_findings(context.mismatches, context.findings)
    if context.findings:
        context.findings += _form_findings(context)
        context.covered.update(finding.clause for finding in context.findings)
    return CheckResult(context.belief, tuple(context.findings), frozenset(context.covered))


def _settled(context: Context, before: Belief) -> Belief:
    """The belief less what an exchange cannot have shown: users that may still be deleted, emails that moved."""
    belief, parsed, received = context.belief, context.parsed, context.exchange.received
    if context.around is not NONE_IN_FLIGHT:
        belief = perhaps_after(belief, parsed, context.exchange, context.around)
    if belief.deletions or belief.named_in_deletions or belief.unsettled_until >= received:
        objects = neighbours.queued(parsed) if parsed.endpoint == "track" else [parsed]
        named = [identifier for one in objects for identifier in one.identifiers]
        belief = deletions.unsettled(before, belief, named, received)
    if belief.links is before.links or not before.pending_by_identifier:
        return belief
    moved = [one for one in _pending_beside(context, before) if belief.links.get(one) != before.links.get(one)]
    return replace(belief, moved=belief.moved.update(moved)) if moved else belief


def _pending_beside(context: Context, before: Belief) -> Iterable[Identifier]:
    """Identifiers of pending writes, those of them whose links an exchange may have changed."""
    parsed = context.parsed
    if parsed.endpoint not in ("sync", "track") or parsed.unread or parsed.refused or context.around.anyone:
        return before.pending_by_identifier  # of any user
    named = {identifier_of(*one) for one in deletions.named_by_all(parsed, context.exchange)}
    for belief in (before, context.belief):
        uids = {link.uid for one in named for link in belief.links.get(one, ())}
        named.update(*(belief.users[uid].identifiers for uid in uids if uid in belief.users))
    return [one for one in named if one in before.pending_by_identifier]


def _form_findings(context: Context) -> Iterator[Finding]:
    """A request in a form that may be refused, and is neither refused nor handled right, breaks that clause as well.

    Not one that has to be refused for another reason: its acceptance says nothing about the form.
    """
    if context.parsed.classification.refused:
        return
    broken = [
        finding for finding in context.findings if not finding.clause.startswith(("TS-RATE-", "TS-INTERPRETATION-"))
    ]
    named = {finding.clause for finding in broken}
    for clause in FORMS if broken else ():
        if clause in context.parsed.covers and clause not in named:
            text = f"{broken[0].message}; neither refused nor handled right"
            yield dataclasses.replace(broken[0], clause=clause, message=text)
