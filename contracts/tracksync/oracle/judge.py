"""The judge: one exchange in, a new belief and the clauses it broke out. Puts the steps in order; see the package.

Everything that decides right from wrong is a rule in one of the other rooms.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tracksync.exchange import Exchange, Request
from tracksync.findings import NOTHING, Finding
from tracksync.limits import CONTACTS
from tracksync.oracle import answers, neighbours, rates, users
from tracksync.oracle.belief import Belief, CellKey
from tracksync.oracle.case import Case, changed
from tracksync.oracle.fate import perhaps_applied, queue, refused, stain
from tracksync.oracle.intake import Ask, identifier_key, read_request
from tracksync.oracle.shown_attributes import judge_attributes
from tracksync.oracle.shown_counters import judge_counter
from tracksync.oracle.status import judge_body, judge_status
from tracksync.oracle.users import Candidate
from tracksync.values.numbers import same

TROUBLE_LIMIT = 4  # tries of one request that all went wrong before it is no longer passing trouble


class Judgement(Struct, frozen=True):
    """What one exchange showed: the belief after it, the clauses it broke, the clauses it put to the test."""

    belief: Belief
    findings: tuple[Finding, ...] = ()
    exercised: frozenset[str] = frozenset()

    @property
    def readings(self) -> Mapping[str, str]:
        """The ledger rows that are down to one reading."""
        return self.belief.readings()


def judge(belief: Belief, exchange: Exchange, in_flight: Sequence[Request] = ()) -> Judgement:
    """Judge one exchange. `in_flight`: requests that were sent before this answer came and have none yet.

    Exchanges are judged in the order of their answers. Pure; never raises on any exchange.
    """
    ask = read_request(exchange)
    case = Case(replace(belief, moment=belief.moment + 1), exchange, ask)
    if in_flight:
        case.in_flight = frozenset(_keys_in_flight(ask, exchange, in_flight))
    response = exchange.response
    if response is None:
        _judge_trouble(case, "TS-ANSWER-ARRIVES", "gets no complete answer")
        if not (exchange.failure and exchange.failure.kind == "unreachable"):
            perhaps_applied(case)
        return _close(case)
    case.belief, found, case.exercised = rates.judge_rate(case.belief, exchange, response, ask, crowded=bool(in_flight))
    case.findings += found
    case.exercised.add("TS-ANSWER-ARRIVES")
    if response.status >= 500:
        _judge_trouble(case, "TS-ANSWER-SERVER-ERROR", f"is answered {response.status}")
        perhaps_applied(case)
        return _close(case)
    trouble = case.belief.trouble
    if trouble:
        trouble = trouble.discard(_hash(exchange.request))
    case.belief = replace(case.belief, answered=case.belief.moment, trouble=trouble)
    case.exercised.add("TS-ANSWER-SERVER-ERROR")
    if ask.endpoint == "unclear":
        if response.status < 300:
            neighbours.elsewhere(case)
        return _close(case)
    accepted = judge_status(case, response)
    body = judge_body(case, response)
    if not accepted:
        refused(case)
    elif body is None or ask.vague or any(ground.must for ground in ask.grounds):
        if body is not None and response.status == 201 and ask.endpoint == "sync":
            case.findings += answers.judge_message(body)
            case.findings += answers.judge_too_long(ask, body)
        stain(case)
    elif ask.endpoint == "sync":
        _judge_write(case, body)
    else:
        neighbours.judge_neighbour(case, body)
        if ask.endpoint == "track":
            queue(case, accepted=True)
    return _close(case)


FORMS = ("TS-FORM-BARE", "TS-FORM-EMPTY-SECTIONS", "TS-FORM-INTEGER-ID", "TS-ROUTE-MEDIA", "TS-ROUTE-SIZE")


def _form_findings(case: Case) -> Iterable[Finding]:
    """A request in a form that may be refused, and is neither refused nor read right, breaks that clause as well."""
    broken = [finding for finding in case.findings if not finding.clause.startswith(("TS-RATE-", "TS-READING-"))]
    named = {finding.clause for finding in broken}
    for clause in FORMS if broken else ():
        if clause in case.ask.features and clause not in named:
            yield dataclasses.replace(
                broken[0], clause=clause, message=f"{broken[0].message}; neither refused nor read right"
            )


def _close(case: Case) -> Judgement:
    if case.findings:
        case.findings += _form_findings(case)
        case.exercised.update(finding.clause for finding in case.findings)
    return Judgement(case.belief, tuple(case.findings), frozenset(case.exercised))


def _hash(request: Request) -> int:
    return hash((request.method, request.path, request.body))


def _judge_trouble(case: Case, clause: str, what: str) -> None:
    """A request that goes wrong again and again, while others are answered, is no passing trouble."""
    key = _hash(case.exchange.request)
    tries, since = case.belief.trouble.get(key) or (0, case.belief.moment)
    tries += 1
    case.belief = replace(case.belief, trouble=case.belief.trouble.insert(key, (tries, since)))
    if tries == TROUBLE_LIMIT and case.belief.answered:
        text = f"the same request {what} {tries} times in a row, while others are answered"
        case.findings.append(Finding(clause, text, "/response/status", "an answer"))


def _keys_in_flight(ask: Ask, exchange: Exchange, requests: Sequence[Request]) -> Iterable[CellKey]:
    mine = set(ask.cells())
    for request in requests:
        other = read_request(dataclasses.replace(exchange, request=request))
        asks = neighbours.queued(other) if other.endpoint == "track" else [other]
        for one in asks:
            if _may_share_user(ask, one):
                yield from mine.intersection(one.cells())


def _may_share_user(ask: Ask, other: Ask) -> bool:
    """Two requests surely concern different users only where both name one by the same kind, and differently."""
    for kind, value in ask.identifiers:
        for other_kind, other_value in other.identifiers:
            if kind == other_kind:
                return same(value, other_value) or str(value) == str(other_value)
    return True


def _judge_write(case: Case, body: dict[str, Any]) -> None:
    """A 201 of the synchronous endpoint: find a profile, and for its cells outcomes, that the answer fits."""
    success, found = answers.judge_success(body)
    case.findings += found
    case.exercised |= {"TS-OK-MESSAGE", "TS-OK-NO-ERRORS", "TS-OK-USERS"}
    if success.found is None:
        stain(case)
        return
    options = users.candidates(case.belief, case.ask)
    tried = []
    for candidate in options:
        attempt = _afresh(case)
        _judge_candidate(attempt, candidate, success)
        tried.append(attempt)
    if not tried:
        return
    if len(tried) == 1:
        _take(case, tried[0])
        return
    clean = [(option, attempt) for option, attempt in zip(options, tried, strict=True) if not attempt.findings]
    chosen = clean[0][1] if clean else next(filter(_only_turned, tried), tried[0])
    if len({(option.uid, option.kind) for option, _ in clean}) > 1:
        stain(case)  # the written cells of all of them are uncertain
        case.exercised |= chosen.exercised
        return
    _take(case, chosen)
    case.belief = case.belief.narrow([option.requires for option, _ in clean])


def _only_turned(attempt: Case) -> bool:
    """Whether all that is wrong is that the server left the reading it had shown."""
    return all(one.clause == "TS-READING-KEPT" for one in attempt.findings)


def _afresh(case: Case) -> Case:
    """A fresh set of notes on the same exchange, from the belief as it stands."""
    return Case(case.belief, case.exchange, case.ask, case.in_flight)


def _take(case: Case, attempt: Case) -> None:
    """What an attempt has come to is how it is."""
    case.belief = attempt.belief
    case.findings += attempt.findings
    case.exercised |= attempt.exercised


def _judge_candidate(case: Case, candidate: Candidate, success: answers.Success) -> None:
    ask = case.ask
    if success.entry is not None and candidate.user.exists and not candidate.requires:  # the usual case, at less cost
        case.exercised.add(_user_clause(ask, candidate))
        _judge_entry(case, candidate, success.entry)
        return
    late = candidate.user.due is not None and candidate.user.due < case.exchange.sent
    if late and candidate.user.exists is None:
        candidate = replace(candidate, user=replace(candidate.user, exists=True))
        case.exercised.add("TS-TRACK-APPLIED")
        if success.found is False:
            text = "a user that /users/track was to create is not there"
            where, expected = "/response/body/users", "one entry"
            case.findings.append(Finding("TS-TRACK-APPLIED", text, where, expected, success.users))
            return
    ways = [(found, (*candidate.requires, *requires)) for found, requires in users.paths(ask, candidate)]
    fitting = [requires for found, requires in ways if found is success.found]
    open_ways = [requires for requires in fitting if case.belief.allows(requires)]
    clause = _user_clause(ask, candidate)
    definite = len({found for found, _ in ways}) == 1
    if (definite and candidate.user.exists is not None) or any(requires for _, requires in ways):
        case.exercised.add(clause)
    where = "/response/body/users"
    if not open_ways:
        if fitting:
            row, reading = fitting[0][-1]
            case.findings.append(changed(row, case.belief.rows[row], [reading], where))
        else:
            if success.found and candidate.kind == "user_alias":
                clause = _label_clause(case.belief, ask) or clause
            case.findings.append(_wrong_user(ask, candidate, success, clause))
    elif candidate.user.exists is False or definite:
        case.belief = case.belief.narrow(open_ways)
    if success.found:
        assert success.entry is not None
        _judge_entry(case, candidate, success.entry)
    else:
        sure = open_ways and not candidate.user.coming
        user = replace(candidate.user, exists=False if sure else None, fresh=bool(open_ways) or candidate.user.fresh)
        case.belief, _ = users.linked(case.belief, ask, candidate, user, found=False)
        case.exercised.add("TS-USER-UPDATE-ONLY" if ask.update_only else clause)
        shown = "omitted" if success.users is NOTHING else "empty-list"
        if open_ways:
            case.hold("no-user", frozenset([shown]), where)


def _user_clause(ask: Ask, candidate: Candidate) -> str:
    """The clause on whether this user is found or created."""
    kind, exists = candidate.kind, candidate.user.exists
    if exists:
        if ask.update_only:
            return "TS-USER-UPDATE-KNOWN"
        return {"email": "TS-USER-EMAIL-FINDS", "phone": "TS-USER-PHONE-FINDS"}.get(kind, "TS-OK-USERS")
    if kind == "braze_id":
        return "TS-USER-BRAZE-ID"
    if ask.update_only:
        return "TS-USER-UPDATE-ONLY"
    if kind == "user_alias":
        if ask.update_only is None:
            return "TS-USER-ALIAS-DEFAULT"
        return "TS-USER-ALIAS-CREATE" if ask.section == "attributes" else "TS-USER-ALIAS-CREATE-EVENT"
    return {"email": "TS-USER-EMAIL-CREATE", "phone": "TS-USER-PHONE-CREATE"}.get(kind, "TS-USER-CREATE")


def _label_clause(belief: Belief, ask: Ask) -> str | None:
    """The clause on labels, where the same alias_name is known under another one."""
    alias = dict(ask.identifiers)["user_alias"]
    own = identifier_key("user_alias", alias)[1]  # the label, NUL, the name
    name = own[own.index("\0") :]
    alike = (text for kind, text in belief.names if kind == "user_alias" and text.endswith(name))
    return "TS-USER-ALIAS-LABEL" if any(text != own for text in alike) else None


def _wrong_user(ask: Ask, candidate: Candidate, success: answers.Success, clause: str) -> Finding:
    known = {True: "exists", False: "does not exist", None: "may not exist"}[candidate.user.exists]
    flag = {True: "true", False: "false", None: "left out"}[ask.update_only]
    what = "lists a user" if success.found else "lists no user"
    text = f"the answer {what}; the {candidate.kind} {known} and _update_existing_only is {flag}"
    expected = "no entry" if success.found else "one entry"
    return Finding(clause, text, "/response/body/users", expected, success.users)


def _judge_entry(case: Case, candidate: Candidate, entry: dict[str, Any]) -> None:
    ask = case.ask
    assert ask.section is not None
    found, reading = answers.judge_identifier(ask, entry)
    case.findings += found
    case.exercised.add("TS-OK-IDENTIFIER")
    if reading is not None:
        case.hold("integer-identifiers", frozenset([reading]), answers.ENTRY)
    case.findings += answers.judge_other_sections(ask.section, entry)
    moment = case.belief.moment
    profiled = moment if ask.section == "attributes" else candidate.user.profiled
    user = replace(candidate.user, exists=True, seen=moment, profiled=profiled, coming=False)
    case.exercised.update(_user_features(ask, candidate))
    if ask.section == "attributes":
        user = judge_attributes(case, candidate, user, entry)
    else:
        user = judge_counter(case, candidate, user, entry)
    if case.findings and {kind for kind, _ in ask.identifiers} == set(CONTACTS):
        case.findings = [_by_leader(finding) for finding in case.findings]
    if candidate.kind in CONTACTS and candidate.user.external:
        case.findings = [_by_contact(finding, candidate.kind) for finding in case.findings]
    if case.findings and candidate.user.exists is False and _alike(case.belief, ask):
        text = "the answer mixes up users whose identifiers differ in spelling only"
        case.findings.append(Finding("TS-USER-SPELLING", text, answers.ENTRY))
    case.belief, uid = users.linked(case.belief, ask, candidate, user)
    writers = case.belief.writers
    for key in ask.cells():
        if writers.get(key) != uid:
            writers = writers.insert(key, uid)
    if writers is not case.belief.writers:
        case.belief = replace(case.belief, writers=writers)


_LED = frozenset({"TS-ATTR-INC", "TS-EVENT-COUNT", "TS-STATE-USERS-APART", "TS-STATE-KEYS-APART"})


def _by_leader(finding: Finding) -> Finding:
    """With email and phone in one object, what shows another user's state breaks the clause on which of them leads."""
    return dataclasses.replace(finding, clause="TS-USER-EMAIL-LEADS") if finding.clause in _LED else finding


def _by_contact(finding: Finding, kind: str) -> Finding:
    """A profile with an external_id that was named by its email or phone, and shows the state of another."""
    state = finding.clause in _LED or finding.clause in ("TS-PURCHASE-COUNT", "TS-STATE-VISIBLE")
    return dataclasses.replace(finding, clause=f"TS-USER-{kind.upper()}-FINDS") if state else finding


def _alike(belief: Belief, ask: Ask) -> bool:
    """Whether another identifier of that kind differs from the request's in case, spaces or Unicode form only."""
    for kind, value in ask.identifiers:
        own = identifier_key(kind, value)
        folded = _folded(own[1])
        if any(other != own and other[0] == kind and _folded(other[1]) == folded for other in belief.names):
            return True
    return False


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().replace(" ", "")


def _user_features(ask: Ask, candidate: Candidate) -> Iterable[str]:
    kinds = [kind for kind, _ in ask.identifiers]
    if kinds == ["email", "phone"]:
        yield "TS-USER-EMAIL-LEADS"
    if candidate.user.exists and candidate.kind in CONTACTS:
        yield f"TS-USER-{candidate.kind.upper()}-FINDS"
    if candidate.user.exists is False and candidate.kind == "user_alias" and ask.update_only is False:
        yield "TS-USER-ALIAS-LABEL"
