"""The oracle: one exchange in, a new belief and the clauses it broke out. Puts the steps in order; see the package.

Everything that decides right from wrong is a rule in one of the other rooms.
"""

from __future__ import annotations

import dataclasses
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.model.exchange import Exchange, Request
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import neighbours, rates, response_body, users
from tracksync.oracle.ambiguous_writes import make_unknown, perhaps_applied, queue, refused
from tracksync.oracle.belief import Belief, CellKey
from tracksync.oracle.check_attributes import check_attributes
from tracksync.oracle.check_counters import check_counter
from tracksync.oracle.context import Context, changed
from tracksync.oracle.request import ParsedRequest, identifier_key, read_request
from tracksync.oracle.status import check_body, check_status
from tracksync.oracle.users import Candidate
from tracksync.values.numbers import same

FAILURE_LIMIT = 4  # tries of one request that all went wrong before it is no longer passing trouble


class CheckResult(Struct, frozen=True):
    """What one exchange showed: the belief after it, the clauses it broke, the clauses it put to the test."""

    belief: Belief
    findings: tuple[Finding, ...] = ()
    covered: frozenset[str] = frozenset()

    @property
    def interpretations(self) -> Mapping[str, str]:
        """The ambiguities that are down to one interpretation."""
        return self.belief.interpretations()


def check(belief: Belief, exchange: Exchange, in_flight: Sequence[Request] = ()) -> CheckResult:
    """Check one exchange. `in_flight`: requests that were sent before this answer came and have none yet.

    Exchanges are checked in the order of their answers. Pure; never raises on any exchange.
    """
    parsed = read_request(exchange)
    context = Context(replace(belief, moment=belief.moment + 1), exchange, parsed)
    if in_flight:
        context.in_flight = frozenset(_keys_in_flight(parsed, exchange, in_flight))
    response = exchange.response
    if response is None:
        _check_failure(context, "TS-ANSWER-ARRIVES", "gets no complete answer")
        if not (exchange.failure and exchange.failure.kind == "unreachable"):
            perhaps_applied(context)
        return _close(context)
    context.belief, found, context.covered = rates.check_rate(
        context.belief, exchange, response, parsed, crowded=bool(in_flight)
    )
    context.findings += found
    context.covered.add("TS-ANSWER-ARRIVES")
    if response.status >= 500:
        _check_failure(context, "TS-ANSWER-SERVER-ERROR", f"is answered {response.status}")
        perhaps_applied(context)
        return _close(context)
    failures_in_a_row = context.belief.failures_in_a_row
    if failures_in_a_row:
        failures_in_a_row = failures_in_a_row.discard(_hash(exchange.request))
    context.belief = replace(context.belief, answered=context.belief.moment, failures_in_a_row=failures_in_a_row)
    context.covered.add("TS-ANSWER-SERVER-ERROR")
    if parsed.endpoint == "unclear":
        if response.status < 300:
            neighbours.elsewhere(context)
        return _close(context)
    accepted = check_status(context, response)
    body = check_body(context, response)
    if not accepted:
        refused(context)
    elif body is None or parsed.vague or parsed.refused:
        if body is not None and response.status == 201 and parsed.endpoint == "sync":
            context.findings += response_body.check_message(body)
            context.findings += response_body.check_too_long(parsed, body)
        make_unknown(context)
    elif parsed.endpoint == "sync":
        _check_write(context, body)
    else:
        neighbours.check_neighbour(context, body)
        if parsed.endpoint == "track":
            queue(context, accepted=True)
    return _close(context)


FORMS = ("TS-FORM-BARE", "TS-FORM-EMPTY-SECTIONS", "TS-FORM-INTEGER-ID", "TS-ROUTE-MEDIA", "TS-ROUTE-SIZE")


def _form_findings(context: Context) -> Iterable[Finding]:
    """A request in a form that may be refused, and is neither refused nor read right, breaks that clause as well."""
    broken = [
        finding for finding in context.findings if not finding.clause.startswith(("TS-RATE-", "TS-INTERPRETATION-"))
    ]
    named = {finding.clause for finding in broken}
    for clause in FORMS if broken else ():
        if clause in context.parsed.covers and clause not in named:
            yield dataclasses.replace(
                broken[0], clause=clause, message=f"{broken[0].message}; neither refused nor read right"
            )


def _close(context: Context) -> CheckResult:
    if context.findings:
        context.findings += _form_findings(context)
        context.covered.update(finding.clause for finding in context.findings)
    return CheckResult(context.belief, tuple(context.findings), frozenset(context.covered))


def _hash(request: Request) -> int:
    return hash((request.method, request.path, request.body))


def _check_failure(context: Context, clause: str, what: str) -> None:
    """The same request fails FAILURE_LIMIT times in a row. Counts only where others were answered meanwhile.

    Without an answer to another request since the first failure it may be an outage of the whole server.
    """
    key = _hash(context.exchange.request)
    tries, since = context.belief.failures_in_a_row.get(key) or (0, context.belief.moment)
    tries += 1
    lasting = tries >= FAILURE_LIMIT and context.belief.answered > since
    streak = (tries, math.inf if lasting else since)  # found once: no answer comes after infinity
    context.belief = replace(context.belief, failures_in_a_row=context.belief.failures_in_a_row.insert(key, streak))
    if lasting:
        text = f"the same request {what} {tries} times in a row, while others are answered"
        context.findings.append(Finding(clause, text, "/response/status", "an answer"))


def _keys_in_flight(parsed: ParsedRequest, exchange: Exchange, requests: Sequence[Request]) -> Iterable[CellKey]:
    mine = set(parsed.cells())
    for request in requests:
        other = read_request(dataclasses.replace(exchange, request=request))
        parsed_requests = neighbours.queued(other) if other.endpoint == "track" else [other]
        for one in parsed_requests:
            if _may_share_user(parsed, one):
                yield from mine.intersection(one.cells())


def _may_share_user(parsed: ParsedRequest, other: ParsedRequest) -> bool:
    """Two requests surely concern different users only where both name one by the same kind, and differently."""
    for kind, value in parsed.identifiers:
        for other_kind, other_value in other.identifiers:
            if kind == other_kind:
                return same(value, other_value) or str(value) == str(other_value)
    return True


def _check_write(context: Context, body: dict[str, Any]) -> None:
    """A 201 of the synchronous endpoint: find a profile, and for its cells outcomes, that the answer fits."""
    success, found = response_body.check_success(body)
    context.findings += found
    context.covered |= {"TS-OK-MESSAGE", "TS-OK-NO-ERRORS", "TS-OK-USERS"}
    if success.found is None:
        make_unknown(context)
        return
    options = users.candidates(context.belief, context.parsed)
    tried = []
    for candidate in options:
        attempt = _afresh(context)
        _check_candidate(attempt, candidate, success)
        tried.append(attempt)
    if not tried:
        return
    if len(tried) == 1:
        _take(context, tried[0])
        return
    clean = [(option, attempt) for option, attempt in zip(options, tried, strict=True) if not attempt.findings]
    chosen = clean[0][1] if clean else next(filter(_only_turned, tried), tried[0])
    if len({(option.uid, option.kind) for option, _ in clean}) > 1:
        make_unknown(context)  # the written cells of all of them are uncertain
        context.covered |= chosen.covered
        return
    _take(context, chosen)
    context.belief = context.belief.narrow([option.requires for option, _ in clean])


def _only_turned(attempt: Context) -> bool:
    """Whether all that is wrong is that the server left the reading it had shown."""
    return all(one.clause == "TS-INTERPRETATION-KEPT" for one in attempt.findings)


def _afresh(context: Context) -> Context:
    """A fresh set of notes on the same exchange, from the belief as it stands."""
    return Context(context.belief, context.exchange, context.parsed, context.in_flight)


def _take(context: Context, attempt: Context) -> None:
    """What an attempt has come to is how it is."""
    context.belief = attempt.belief
    context.findings += attempt.findings
    context.covered |= attempt.covered


def _check_candidate(context: Context, candidate: Candidate, success: response_body.Success) -> None:
    parsed = context.parsed
    if success.entry is not None and candidate.user.exists and not candidate.requires:  # the usual case, at less cost
        context.covered.add(_user_clause(parsed, candidate))
        _check_entry(context, candidate, success.entry)
        return
    late = candidate.user.due is not None and candidate.user.due < context.exchange.sent
    if late and candidate.user.exists is None:
        candidate = replace(candidate, user=replace(candidate.user, exists=True))
        context.covered.add("TS-TRACK-APPLIED")
        if success.found is False:
            text = "a user that /users/track was to create is not there"
            where, expected = "/response/body/users", "one entry"
            context.findings.append(Finding("TS-TRACK-APPLIED", text, where, expected, success.users))
            return
    ways = [(found, (*candidate.requires, *requires)) for found, requires in users.paths(parsed, candidate)]
    fitting = [requires for found, requires in ways if found is success.found]
    open_ways = [requires for requires in fitting if context.belief.allows(requires)]
    clause = _user_clause(parsed, candidate)
    definite = len({found for found, _ in ways}) == 1
    if (definite and candidate.user.exists is not None) or any(requires for _, requires in ways):
        context.covered.add(clause)
    where = "/response/body/users"
    if not open_ways:
        if fitting:
            ambiguity, interpretation = fitting[0][-1]
            context.findings.append(changed(ambiguity, context.belief.ambiguities[ambiguity], [interpretation], where))
        else:
            if success.found and candidate.kind == "user_alias":
                clause = _label_clause(context.belief, parsed) or clause
            context.findings.append(_wrong_user(parsed, candidate, success, clause))
    elif candidate.user.exists is False or definite:
        context.belief = context.belief.narrow(open_ways)
    if success.found:
        assert success.entry is not None
        _check_entry(context, candidate, success.entry)
    else:
        sure = open_ways and not candidate.user.coming
        user = replace(candidate.user, exists=False if sure else None, fresh=bool(open_ways) or candidate.user.fresh)
        context.belief, _ = users.linked(context.belief, parsed, candidate, user, found=False)
        context.covered.add("TS-USER-UPDATE-ONLY" if parsed.update_only else clause)
        shown = "omitted" if success.users is NOTHING else "empty-list"
        if open_ways:
            context.hold("no-user", frozenset([shown]), where)


def _user_clause(parsed: ParsedRequest, candidate: Candidate) -> str:
    """The clause on whether this user is found or created."""
    kind, exists = candidate.kind, candidate.user.exists
    if exists:
        if parsed.update_only:
            return "TS-USER-UPDATE-KNOWN"
        return {"email": "TS-USER-EMAIL-FINDS", "phone": "TS-USER-PHONE-FINDS"}.get(kind, "TS-OK-USERS")
    if kind == "braze_id":
        return "TS-USER-BRAZE-ID"
    if parsed.update_only:
        return "TS-USER-UPDATE-ONLY"
    if kind == "user_alias":
        if parsed.update_only is None:
            return "TS-USER-ALIAS-DEFAULT"
        return "TS-USER-ALIAS-CREATE" if parsed.section == "attributes" else "TS-USER-ALIAS-CREATE-EVENT"
    return {"email": "TS-USER-EMAIL-CREATE", "phone": "TS-USER-PHONE-CREATE"}.get(kind, "TS-USER-CREATE")


def _label_clause(belief: Belief, parsed: ParsedRequest) -> str | None:
    """The clause on labels, where the same alias_name is known under another one."""
    alias = dict(parsed.identifiers)["user_alias"]
    own = identifier_key("user_alias", alias)[1]  # the label, NUL, the name
    name = own[own.index("\0") :]
    alike = (text for kind, text in belief.names if kind == "user_alias" and text.endswith(name))
    return "TS-USER-ALIAS-LABEL" if any(text != own for text in alike) else None


def _wrong_user(parsed: ParsedRequest, candidate: Candidate, success: response_body.Success, clause: str) -> Finding:
    known = {True: "exists", False: "does not exist", None: "may not exist"}[candidate.user.exists]
    flag = {True: "true", False: "false", None: "left out"}[parsed.update_only]
    what = "lists a user" if success.found else "lists no user"
    text = f"the answer {what}; the {candidate.kind} {known} and _update_existing_only is {flag}"
    expected = "no entry" if success.found else "one entry"
    return Finding(clause, text, "/response/body/users", expected, success.users)


def _check_entry(context: Context, candidate: Candidate, entry: dict[str, Any]) -> None:
    parsed = context.parsed
    assert parsed.section is not None
    found, interpretation = response_body.check_identifier(parsed, entry)
    context.findings += found
    context.covered.add("TS-OK-IDENTIFIER")
    if interpretation is not None:
        context.hold("integer-identifiers", frozenset([interpretation]), response_body.ENTRY)
    context.findings += response_body.check_other_sections(parsed.section, entry)
    moment = context.belief.moment
    profiled = moment if parsed.section == "attributes" else candidate.user.profiled
    user = replace(candidate.user, exists=True, seen=moment, profiled=profiled, coming=False)
    context.covered.update(_user_features(parsed, candidate))
    if parsed.section == "attributes":
        user = check_attributes(context, candidate, user, entry)
    else:
        user = check_counter(context, candidate, user, entry)
    if context.findings and {kind for kind, _ in parsed.identifiers} == set(bounds().contacts):
        context.findings = [_by_leader(finding) for finding in context.findings]
    if candidate.kind in bounds().contacts and candidate.user.external:
        context.findings = [_by_contact(finding, candidate.kind) for finding in context.findings]
    if context.findings and candidate.user.exists is False and _alike(context.belief, parsed):
        text = "the answer mixes up users whose identifiers differ in spelling only"
        context.findings.append(Finding("TS-USER-SPELLING", text, response_body.ENTRY))
    context.belief, uid = users.linked(context.belief, parsed, candidate, user)
    writers = context.belief.writers
    for key in parsed.cells():
        if writers.get(key) != uid:
            writers = writers.insert(key, uid)
    if writers is not context.belief.writers:
        context.belief = replace(context.belief, writers=writers)


_LED = frozenset({"TS-ATTR-INC", "TS-EVENT-COUNT", "TS-STATE-USERS-APART", "TS-STATE-KEYS-APART"})


def _by_leader(finding: Finding) -> Finding:
    """With email and phone in one object, what shows another user's state breaks the clause on which of them leads."""
    return dataclasses.replace(finding, clause="TS-USER-EMAIL-LEADS") if finding.clause in _LED else finding


def _by_contact(finding: Finding, kind: str) -> Finding:
    """A profile with an external_id that was named by its email or phone, and shows the state of another."""
    state = finding.clause in _LED or finding.clause in ("TS-PURCHASE-COUNT", "TS-STATE-VISIBLE")
    return dataclasses.replace(finding, clause=f"TS-USER-{kind.upper()}-FINDS") if state else finding


def _alike(belief: Belief, parsed: ParsedRequest) -> bool:
    """Whether another identifier of that kind differs from the request's in case, spaces or Unicode form only."""
    for kind, value in parsed.identifiers:
        own = identifier_key(kind, value)
        folded = _folded(own[1])
        if any(other != own and other[0] == kind and _folded(other[1]) == folded for other in belief.names):
            return True
    return False


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().replace(" ", "")


def _user_features(parsed: ParsedRequest, candidate: Candidate) -> Iterable[str]:
    kinds = [kind for kind, _ in parsed.identifiers]
    if kinds == ["email", "phone"]:
        yield "TS-USER-EMAIL-LEADS"
    if candidate.user.exists and candidate.kind in bounds().contacts:
        yield f"TS-USER-{candidate.kind.upper()}-FINDS"
    if candidate.user.exists is False and candidate.kind == "user_alias" and parsed.update_only is False:
        yield "TS-USER-ALIAS-LABEL"
