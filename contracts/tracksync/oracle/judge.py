"""The judge: one exchange in, a new belief and the clauses it broke out. Composes the four steps; see the package.

Everything that decides right from wrong is a rule in one of the other rooms; here they are only put in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tracksync.exchange import Exchange, Request, Response
from tracksync.findings import NOTHING, Finding
from tracksync.ledger import ledger
from tracksync.oracle import answers, cells, counters, neighbours, rates, users
from tracksync.oracle.belief import (
    ABSENT,
    MAX_PENDING,
    MAX_STATES,
    OMITTED,
    UNKNOWN,
    Belief,
    Cell,
    CellKey,
    Requires,
    State,
    User,
)
from tracksync.oracle.cells import AttributeWrite
from tracksync.oracle.counters import CounterOp, Shown
from tracksync.oracle.intake import Ask, Ground, read_request
from tracksync.oracle.users import Candidate
from tracksync.values.arrays import unique
from tracksync.values.numbers import same

TROUBLE_LIMIT = 4  # tries of one request that all went wrong before it is no longer passing trouble


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one exchange showed. `readings`: the ledger rows that are down to one reading after it."""

    belief: Belief
    findings: tuple[Finding, ...] = ()
    exercised: frozenset[str] = frozenset()

    @property
    def readings(self) -> Mapping[str, str]:
        return self.belief.readings()


@dataclass(slots=True)
class _Case:
    """The working notes on one exchange while it is judged."""

    belief: Belief
    exchange: Exchange
    ask: Ask
    in_flight: frozenset[CellKey] = frozenset()
    findings: list[Finding] = field(default_factory=list)
    exercised: set[str] = field(default_factory=set)

    def close(self) -> Judgement:
        self.exercised.update(finding.clause for finding in self.findings)
        return Judgement(self.belief, tuple(self.findings), frozenset(self.exercised))

    def hold(self, row: str, shown: frozenset[str], where: str) -> None:
        """The server has shown one of these readings of `row`: narrow, or find that it contradicts itself."""
        if not ledger()[row].learned:
            return
        left = self.belief.rows[row]
        self.exercised.add("TS-READING-KEPT")
        if not left & shown:
            self.findings.append(_changed(row, left, shown, where))
            left = shown
        self.belief = replace(self.belief, rows=self.belief.rows.insert(row, left & shown))


def _changed(row: str, held: Iterable[str], shown: Iterable[str], where: str) -> Finding:
    before, now = " or ".join(sorted(held)), " or ".join(sorted(shown))
    text = f"the server followed the reading {row}={before} so far and now {now}"
    return Finding("TS-READING-KEPT", text, where, f"{row}={before}", f"{row}={now}")


def judge(belief: Belief, exchange: Exchange, in_flight: Sequence[Request] = ()) -> Judgement:
    """Judge one exchange. `in_flight`: requests that were sent before this answer came and have none yet.

    Exchanges are judged in the order of their answers. Pure; never raises on any exchange.
    """
    ask = read_request(exchange)
    case = _Case(replace(belief, moment=belief.moment + 1), exchange, ask)
    if in_flight:
        case.in_flight = frozenset(_keys_in_flight(ask, exchange, in_flight))
    response = exchange.response
    if response is None:
        _judge_trouble(case, "TS-ANSWER-ARRIVES", "gets no complete answer")
        if not (exchange.failure and exchange.failure.kind == "unreachable"):
            _perhaps_applied(case)
        return case.close()
    case.belief, found, case.exercised = rates.judge_rate(case.belief, exchange, response, ask)
    case.findings += found
    case.exercised.add("TS-ANSWER-ARRIVES")
    if response.status >= 500:
        _judge_trouble(case, "TS-ANSWER-SERVER-ERROR", f"is answered {response.status}")
        _perhaps_applied(case)
        return case.close()
    case.belief = replace(
        case.belief, answered=case.belief.moment, trouble=case.belief.trouble.discard(_hash(exchange.request))
    )
    case.exercised.add("TS-ANSWER-SERVER-ERROR")
    if ask.endpoint == "unclear":
        return case.close()
    accepted = _judge_status(case, response)
    body = _judge_body(case, response)
    if not accepted:
        _refused(case)
    elif body is None or ask.vague or any(ground.must for ground in ask.grounds):
        if body is not None and response.status == 201 and ask.endpoint == "sync":
            case.findings += answers.judge_message(body)
            case.findings += answers.judge_too_long(ask, body)
        _stain(case)
    elif ask.endpoint == "sync":
        _judge_write(case, body)
    else:
        neighbours.judge_neighbour(case, body)
        if ask.endpoint == "track":
            _queue(case)
    return case.close()


def _hash(request: Request) -> int:
    return hash((request.method, request.path, request.body))


def _judge_trouble(case: _Case, clause: str, what: str) -> None:
    """A request that goes wrong again and again, while others are answered, is no passing trouble."""
    key = _hash(case.exchange.request)
    tries, since = case.belief.trouble.get(key) or (0, case.belief.moment)
    tries += 1
    case.belief = replace(case.belief, trouble=case.belief.trouble.insert(key, (tries, since)))
    if tries == TROUBLE_LIMIT and case.belief.answered:
        text = f"the same request {what} {tries} times in a row, while others are answered"
        case.findings.append(Finding(clause, text, "/response/status", "an answer"))


# --- status ------------------------------------------------------------------------------------------------------

ACCEPTANCE = (  # which clause a needless refusal breaks, by what the request has in it
    "TS-PURCHASE-REFUND",
    "TS-PURCHASE-PRODUCT-LENGTH",
    "TS-EVENT-PROPERTIES-256",
    "TS-EVENT-PROPERTIES",
    "TS-PURCHASE-PROPERTIES",
    "TS-PROFILE-ACCEPTED",
    "TS-TRACK-ACCEPTED",
    "TS-DELETE-ANSWER",
    "TS-EXPORT-ANSWER",
)


def _judge_status(case: _Case, response: Response) -> bool:
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
                case.findings.append(
                    Finding(ground.clause, text, "/response/status", min(ground.statuses), status)
                )
            return True
        if status != 201 and ask.endpoint in ("sync", "track", "export", "delete"):
            right = 201 if ask.endpoint in ("sync", "track") else status
            if status != right:
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
        clause = "TS-ANSWER-STATUS"
    elif musts or grounds:
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


def _acceptance(case: _Case) -> None:
    """The request was accepted: readings under which it would have been refused are closed."""
    case.exercised |= {"TS-OK-STATUS", *case.ask.features}
    for ground in case.ask.grounds:
        if ground.row is not None:
            refusing = {reading for _, reading in ground.readings}
            case.exercised.add(ground.clause)
            left = frozenset(ledger()[ground.row].readings) - refusing
            case.hold(ground.row, left, "/response/status")


def _refusal_readings(case: _Case, musts: list[Ground], applicable: list[Ground], status: int) -> None:
    """A refusal that only one ground explains shows that ground's reading."""
    if len(applicable) != 1 or (musts and musts != applicable):
        return
    ground = applicable[0]
    case.exercised.add(ground.clause)
    shown = dict(ground.readings).get(status)
    if ground.row is not None and shown is not None:
        case.hold(ground.row, frozenset([shown]), "/response/status")


def _judge_body(case: _Case, response: Response) -> dict[str, Any] | None:
    ask, status = case.ask, response.status
    if ask.endpoint not in ("sync", "track", "delete", "export") or status == 413 or case.exchange.request.method == "HEAD":
        return None
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


# --- a write whose fate is open, or that was turned down ------------------------------------------------------------


def _operations(case: _Case) -> list[tuple[CellKey, Any]]:
    """The writes of the request by cell."""
    ask = case.ask
    if ask.counter is not None:
        return [(ask.keys()[0], _counter_op(case, ask))]
    return [
        (("attributes", name), AttributeWrite(value, ask.merge, name in ask.odd_attributes))
        for name, value in ask.attributes.items()
    ]


def _counter_op(case: _Case, ask: Ask) -> CounterOp:
    counter = ask.counter
    assert counter is not None
    exchange, skew = case.exchange, case.belief.settings.clock_skew
    return CounterOp(counters.recorded_at(counter.instant, exchange.sent, exchange.received, skew), counter.amounts)


def _each_user(case: _Case, change: Any) -> None:
    """Apply `change(user) -> user` to every profile that the request may be about."""
    for candidate in users.candidates(case.belief, case.ask):
        user = change(candidate.user)
        if user is not candidate.user or candidate.uid is None:
            case.belief, _ = users.linked(case.belief, case.ask, candidate, user, proven=False)


def _refused(case: _Case) -> None:
    """Nothing changed. What was turned down is remembered, to recognise it should it show up later."""
    operations = _operations(case) if case.ask.endpoint == "sync" and case.ask.identifiers else []
    if not operations:
        return

    def remember(user: User) -> User:
        for key, operation in operations:
            cell = user.cell(key)
            user = user.with_cell(key, replace(cell, refused=(*cell.refused[-3:], operation)))
        return user

    for candidate in users.candidates(case.belief, case.ask):
        if candidate.uid is not None:
            user = remember(candidate.user)
            case.belief = replace(case.belief, users=case.belief.users.insert(candidate.uid, user))


def _perhaps_applied(case: _Case) -> None:
    """No answer, or a 5XX: the write may take effect now, later, or never."""
    if case.ask.endpoint == "track":
        _queue(case)
    elif case.ask.endpoint == "delete":
        case.belief = neighbours.forget(case.belief, case.ask)
    elif any(ground.must for ground in case.ask.grounds) or case.ask.endpoint != "sync":
        return
    elif case.ask.vague:
        _stain(case)
    else:
        _pend(case)


def _pend(case: _Case) -> None:
    operations = _operations(case)

    def change(user: User) -> User:
        for key, operation in operations:
            user = user.with_cell(key, _with_pending(user.cell(key), operation))
        return user if user.exists else replace(user, exists=None)

    _each_user(case, change)


def _with_pending(cell: Cell, operation: Any) -> Cell:
    states = tuple(State(state.value, (*state.pending, operation)) for state in cell.states)
    if any(len(state.pending) > MAX_PENDING for state in states):
        return replace(cell, volatile=True, states=(State(_unknown_like(cell)),))
    return replace(cell, states=states)


def _unknown_like(cell: Cell) -> Any:
    return counters.UNKNOWN_STATE if cell.states and isinstance(cell.states[0].value, counters.Counter) else UNKNOWN


def _queue(case: _Case) -> None:
    """Objects that /users/track accepted are applied at some later time, in any order."""
    for ask in neighbours.queued(case.ask):
        inner = _Case(case.belief, case.exchange, ask)
        if ask.vague or any(ground.must for ground in ask.grounds):
            _stain(inner, lasting=True)
        else:
            _pend(inner)
        case.belief = inner.belief


def _stain(case: _Case, lasting: bool = False) -> None:
    """Something was accepted whose effect nobody can say: the cells it names are unknown from now on."""
    keys = case.ask.keys()

    def change(user: User) -> User:
        for key in keys:
            cell = user.cell(key)
            unknown = Cell((State(_unknown_like(cell)),), case.exchange.received, cell.volatile or lasting)
            user = user.with_cell(key, unknown)
        return user if user.exists else replace(user, exists=None)

    if case.ask.identifiers:
        _each_user(case, change)


# --- a completed write --------------------------------------------------------------------------------------------


def _judge_write(case: _Case, body: dict[str, Any]) -> None:
    """A 201 of the synchronous endpoint: find a profile, and for its cells outcomes, that the answer fits."""
    success, found = answers.judge_success(case.ask, body)
    case.findings += found
    case.exercised |= {"TS-OK-MESSAGE", "TS-OK-NO-ERRORS", "TS-OK-USERS"}
    if success.found is None:
        _stain(case)
        return
    options = users.candidates(case.belief, case.ask)
    tried = []
    for candidate in options:
        attempt = replace_case(case)
        _judge_candidate(attempt, candidate, success)
        tried.append(attempt)
        if not attempt.findings and len(options) == 1:
            break
    if not tried:
        return
    clean = [attempt for attempt in tried if not attempt.findings]
    chosen = clean[0] if clean else tried[0]
    if len(clean) > 1:  # more than one profile fits: the written cells of all of them are uncertain
        _stain(case)
        case.exercised |= chosen.exercised
        return
    case.belief = chosen.belief
    case.findings += chosen.findings
    case.exercised |= chosen.exercised
    if clean and len(options) > 1:
        requires = options[tried.index(chosen)].requires
        case.belief = case.belief.narrow([requires])


def replace_case(case: _Case) -> _Case:
    """A fresh set of notes on the same exchange, from the belief as it stands."""
    return _Case(case.belief, case.exchange, case.ask, case.in_flight)


def _judge_candidate(case: _Case, candidate: Candidate, success: answers.Success) -> None:
    ask = case.ask
    ways = [(found, (*candidate.requires, *requires)) for found, requires in users.paths(ask, candidate)]
    fitting = [requires for found, requires in ways if found is success.found]
    open_ways = [requires for requires in fitting if case.belief.allows(requires)]
    clause = _user_clause(ask, candidate, success)
    definite = len({found for found, _ in ways}) == 1
    if (definite and candidate.user.exists is not None) or any(requires for _, requires in ways):
        case.exercised.add(clause)
    where = "/response/body/users"
    if not open_ways:
        if fitting:
            row, reading = fitting[0][-1]
            case.findings.append(_changed(row, case.belief.rows[row], [reading], where))
        else:
            case.findings.append(_wrong_user(ask, candidate, success, clause))
    elif candidate.user.exists is False or definite:
        case.belief = case.belief.narrow(open_ways)
    if success.found:
        assert success.entry is not None
        _judge_entry(case, candidate, success.entry)
    else:
        user = replace(candidate.user, exists=False, fresh=True) if open_ways else replace(candidate.user, exists=None)
        case.belief, _ = users.linked(case.belief, ask, candidate, user)
        case.exercised.add("TS-USER-UPDATE-ONLY" if ask.update_only else clause)
        shown = "omitted" if success.users is NOTHING else "empty-list"
        if open_ways:
            case.hold("no-user", frozenset([shown]), where)


def _user_clause(ask: Ask, candidate: Candidate, success: answers.Success) -> str:
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


def _wrong_user(ask: Ask, candidate: Candidate, success: answers.Success, clause: str) -> Finding:
    known = {True: "exists", False: "does not exist", None: "may not exist"}[candidate.user.exists]
    flag = {True: "true", False: "false", None: "left out"}[ask.update_only]
    what = "lists a user" if success.found else "lists no user"
    text = f"the answer {what}; the {candidate.kind} {known} and _update_existing_only is {flag}"
    expected = "no entry" if success.found else "one entry"
    actual = NOTHING if success.users is NOTHING else success.users
    return Finding(clause, text, "/response/body/users", expected, actual)


def _judge_entry(case: _Case, candidate: Candidate, entry: dict[str, Any]) -> None:
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
    user = replace(candidate.user, exists=True, seen=moment, profiled=profiled)
    case.exercised.update(_user_features(ask, candidate))
    if ask.section == "attributes":
        user = _judge_attributes(case, candidate, user, entry)
    else:
        user = _judge_counter(case, candidate, user, entry)
    case.belief, uid = users.linked(case.belief, ask, candidate, user)
    writers = case.belief.writers
    for key in ask.keys():
        writers = writers.insert(key, uid)
    case.belief = replace(case.belief, writers=writers)


def _user_features(ask: Ask, candidate: Candidate) -> Iterable[str]:
    kinds = [kind for kind, _ in ask.identifiers]
    if kinds == ["email", "phone"]:
        yield "TS-USER-EMAIL-LEADS"
    if candidate.user.exists and candidate.kind in ("email", "phone"):
        yield f"TS-USER-{candidate.kind.upper()}-FINDS"
    if candidate.user.exists is False and candidate.kind == "user_alias" and ask.update_only is False:
        yield "TS-USER-ALIAS-LABEL"


def _contended(case: _Case, key: CellKey, cell: Cell) -> bool:
    """Whether another write to this cell overlapped in time: then the documents promise no outcome."""
    return cell.volatile or cell.touched >= case.exchange.sent or key in case.in_flight


def _keys_in_flight(ask: Ask, exchange: Exchange, requests: Sequence[Request]) -> Iterable[CellKey]:
    mine = set(ask.keys())
    for request in requests:
        other = read_request(replace(exchange, request=request))
        asks = neighbours.queued(other) if other.endpoint == "track" else [other]
        for one in asks:
            if _may_share_user(ask, one):
                yield from mine.intersection(one.keys())


def _may_share_user(ask: Ask, other: Ask) -> bool:
    """Two requests surely concern different users only where both name one by the same kind, and differently."""
    for kind, value in ask.identifiers:
        for other_kind, other_value in other.identifiers:
            if kind == other_kind:
                return same(value, other_value) or str(value) == str(other_value)
    return True


# --- attributes ---------------------------------------------------------------------------------------------------


def _judge_attributes(case: _Case, candidate: Candidate, user: User, entry: dict[str, Any]) -> User:
    ask = case.ask
    listed, found = answers.judge_attributes_listed(ask, entry)
    case.findings += found
    case.exercised |= {"TS-OK-ONLY-ATTRIBUTES", "TS-OK-CUSTOM-ONLY", "TS-OK-FORM"}
    applied = refused = False
    for key, operation in _operations(case):
        cell = user.cell(key)
        if listed is None or _contended(case, key, cell):
            after = Cell((State(UNKNOWN),), case.exchange.received, cell.volatile)
        else:
            shown = listed.get(key[1], OMITTED)
            after = _judge_attribute(case, candidate, key, cell, operation, shown)
            over = isinstance(operation.value, str) and len(operation.value) > 255
            refused, applied = refused or over, applied or not over
        user = user.with_cell(key, after)
    if refused and applied:
        case.exercised.add("TS-ATTR-INDEPENDENT")
    return user


def _judge_attribute(
    case: _Case, candidate: Candidate, key: CellKey, cell: Cell, write: AttributeWrite, shown: Any
) -> Cell:
    belief = case.belief
    limits = belief.array_limits
    ways: list[tuple[cells.Outcome, tuple[Any, ...]]] = []
    for state in _reach(cell.states, limits):
        for outcome in cells.attribute_outcomes(write, state.value, limits):
            for fit in cells.fitting([outcome], shown):
                ways.append((fit, state.pending))
            if state.pending and outcome.after is not UNKNOWN:
                for late in _reach((State(outcome.after, state.pending),), limits)[1:]:
                    if late.value is UNKNOWN or (shown is not OMITTED and cells.appears(late.value, shown)):
                        ways.append((cells.Outcome(shown, shown), late.pending))
    clause = _attribute_clause(write, cell)
    case.exercised.update(_attribute_features(clause, write, cell))
    where = answers.pointer_to_attribute(key[1])
    lawful = [way for way in ways if belief.allows(way[0].requires)]
    if lawful:
        case.belief = _learn(belief, [outcome for outcome, _ in lawful])
        if case.belief.rows is not belief.rows:
            case.exercised.add("TS-READING-KEPT")
        if any(outcome.requires for outcome, _ in lawful):
            case.exercised.add("TS-READING-KEPT")
        states = _distinct(State(outcome.after, pending) for outcome, pending in lawful)
        before = cell.states[0].value if len(cell.states) == 1 else UNKNOWN
        return Cell(states, case.exchange.received, before=before)
    after = Cell((State(UNKNOWN if shown is OMITTED else ABSENT if shown is None else shown),), case.exchange.received)
    if ways:
        row, reading = next(one for one in ways[0][0].requires if one[1] not in belief.rows[one[0]])
        case.findings.append(_changed(row, belief.rows[row], [reading], where))
        return after
    case.findings.append(_wrong_attribute(case, candidate, key, cell, write, shown, clause))
    return after


def _reach(states: Sequence[State], limits: tuple[int, int]) -> list[State]:
    """The states, and all that pending writes may have made of them."""
    reached = list(states)
    for state in reached:
        for index, write in enumerate(state.pending):
            rest = state.pending[:index] + state.pending[index + 1 :]
            for outcome in cells.attribute_outcomes(write, state.value, limits):
                late = State(outcome.after, rest)
                known = any(one.pending == rest and _alike(one.value, late.value) for one in reached)
                if not known and len(reached) < 200:
                    reached.append(late)
    return reached


def _alike(one: Any, other: Any) -> bool:
    if one in (ABSENT, UNKNOWN) or other in (ABSENT, UNKNOWN):
        return one is other
    return same(one, other)


def _distinct(states: Iterable[State]) -> tuple[State, ...]:
    kept: list[State] = []
    for state in states:
        if not any(_alike(state.value, one.value) and state.pending == one.pending for one in kept):
            kept.append(state)
    if len(kept) > MAX_STATES or any(state.value is UNKNOWN for state in kept):
        return (State(UNKNOWN, max((state.pending for state in kept), key=len)),)
    return tuple(kept)


def _learn(belief: Belief, fits: list[cells.Outcome]) -> Belief:
    belief = belief.narrow([fit.requires for fit in fits])
    bounds = [fit.limit for fit in fits if fit.limit is not None]
    if len(bounds) == len(fits):
        low = max(belief.array_limits[0], min(low for low, _ in bounds))
        high = min(belief.array_limits[1], max(high for _, high in bounds))
        if low <= high and (low, high) != belief.array_limits:
            belief = replace(belief, array_limits=(low, high))
    return belief


def _known_value(cell: Cell) -> Any:
    return cell.states[0].value if len(cell.states) == 1 and not cell.states[0].pending else UNKNOWN


def _attribute_clause(write: AttributeWrite, cell: Cell) -> str:
    """The clause of this write, seen together with what it meets."""
    clause = cells.clause_of(write)
    prior = _known_value(cell)
    if clause == "TS-ARRAY-ADD" and isinstance(prior, list):
        added = write.value["add"]
        if isinstance(added, list):
            merged = [*prior, *added]
            if len(merged) > 25 and len(unique(merged)) > 500:
                return "TS-ARRAY-LIMIT"
            if len(unique(merged)) < len(merged):
                return "TS-ARRAY-ADD-PRESENT"
    if clause == "TS-OBJECT-SET" and isinstance(prior, dict):
        return "TS-OBJECT-REPLACE"
    return clause


def _attribute_features(clause: str, write: AttributeWrite, cell: Cell) -> Iterable[str]:
    yield clause
    yield "TS-OK-SHOWS"
    if clause == "TS-ARRAY-SET" and isinstance(write.value, list) and len(write.value) >= 20:
        yield "TS-ARRAY-KEPT"
    if clause not in ("TS-ATTR-STRING", "TS-ATTR-INTEGER") and _known_value(cell) not in (UNKNOWN, ABSENT):
        yield "TS-STATE-VISIBLE"
        if isinstance(write.value, dict):
            yield "TS-STATE-KEYS-APART"
            yield "TS-STATE-USERS-APART"
    if cell.refused and isinstance(write.value, dict):
        yield "TS-STATE-REFUSED"


def _wrong_attribute(
    case: _Case, candidate: Candidate, key: CellKey, cell: Cell, write: AttributeWrite, shown: Any, clause: str
) -> Finding:
    limits = case.belief.array_limits
    where = answers.pointer_to_attribute(key[1])
    lawful = [
        outcome
        for state in cell.states
        for outcome in cells.attribute_outcomes(write, state.value, limits)
        if case.belief.allows(outcome.requires) and not isinstance(outcome.shows, cells.NotShown) and outcome.shows is not cells.ANYTHING
    ]
    expected = next((one.shows for one in lawful if one.shows is not OMITTED), NOTHING)
    if isinstance(expected, cells.AsSent):
        expected = expected.text
    name = key[1]
    if shown is OMITTED:
        text = f"the answer leaves out {name!r}, which the request wrote"
        fallback = clause if clause in ("TS-ATTR-NULL", "TS-ARRAY-LIMIT", "TS-ATTR-LENGTH-OVER") else "TS-OK-SHOWS"
        return Finding(fallback, text, where, expected)
    prior = _known_value(cell)

    def explained(value: Any) -> bool:
        return any(True for _ in cells.fitting(cells.attribute_outcomes(write, value, limits), shown))

    stateful = isinstance(write.value, dict) or clause == "TS-ATTR-LENGTH-OVER"
    if stateful and prior is not UNKNOWN:
        for refused in cell.refused:
            for outcome in cells.attribute_outcomes(refused, prior, limits):
                if outcome.after is not UNKNOWN and explained(outcome.after):
                    text = f"{name!r} shows the effect of a request that was refused"
                    return Finding("TS-STATE-REFUSED", text, where, expected, shown)
        if cell.before is not None and cell.before is not UNKNOWN and explained(cell.before):
            text = f"{name!r} shows what was true before a completed request"
            return Finding("TS-STATE-VISIBLE", text, where, expected, shown)
        foreign = _foreign(case, candidate, key, explained)
        if foreign is not None:
            text = f"{name!r} shows what was written elsewhere"
            return Finding(foreign, text, where, expected, shown)
    text = f"{name!r} is not what the request makes of it"
    return Finding(clause, text, where, expected, shown)


def _foreign(case: _Case, candidate: Candidate, key: CellKey, explained: Any) -> str | None:
    """Whether a value of another user, or of another attribute of this one, explains what is shown."""
    writer = case.belief.writers.get(key)
    if writer is not None and writer != candidate.uid:
        other = _known_value(case.belief.users[writer].cell(key))
        if other is not UNKNOWN and explained(other):
            return "TS-STATE-USERS-APART"
    for other_key, cell in candidate.user.cells.items():
        if other_key[0] == key[0] and other_key != key:
            other = _known_value(cell)
            if other is not UNKNOWN and other is not ABSENT and explained(other):
                return "TS-STATE-KEYS-APART"
    return "TS-STATE-KEYS-APART" if explained(ABSENT) else None


# --- events and purchases -----------------------------------------------------------------------------------------


def _judge_counter(case: _Case, candidate: Candidate, user: User, entry: dict[str, Any]) -> User:
    ask = case.ask
    assert ask.counter is not None
    key = ask.keys()[0]
    cell = user.cell(key)
    op = _counter_op(case, ask)
    kind = "EVENT" if ask.section == "events" else "PURCHASE"
    case.exercised |= {"TS-OK-FORM", "TS-OK-COUNT-FORM", "TS-OK-TIME-FORM", "TS-OK-SHOWS", f"TS-OK-ONLY-{kind}S"}
    case.exercised.add("TS-EVENT-NAME" if kind == "EVENT" else "TS-PURCHASE-PRODUCT")
    unknown = Cell((State(counters.UNKNOWN_STATE),), case.exchange.received, cell.volatile)
    element, where, found = answers.read_counter(ask, entry)
    case.findings += found
    if element is None:
        return user.with_cell(key, unknown)
    if kind == "PURCHASE" and not isinstance(ask.counter.name, str):
        shown_name = element.get("product_id")
        reading = "string" if isinstance(shown_name, str) else "integer"
        case.hold("integer-products", frozenset([reading]), f"{where}/product_id")
    shown, found = answers.read_shown(element, where)
    case.findings += found
    if shown is None or _contended(case, key, cell):
        return user.with_cell(key, unknown)
    return user.with_cell(key, _judge_count(case, candidate, key, cell, op, shown, element, where))


def _judge_count(
    case: _Case,
    candidate: Candidate,
    key: CellKey,
    cell: Cell,
    op: CounterOp,
    shown: Shown,
    element: dict[str, Any],
    where: str,
) -> Cell:
    belief = case.belief
    received = case.exchange.received
    ways: list[tuple[counters.CounterOutcome, tuple[Any, ...]]] = []
    for state, pending in counters.closure([(state.value, state.pending) for state in cell.states]):
        for outcome in counters.outcomes(state, op):
            ways.append((outcome, pending))
            for late, rest in counters.closure([(outcome.after, pending)])[1:] if pending else ():
                ways.append((counters.CounterOutcome(late, outcome.requires), rest))
    case.exercised.update(_counter_features(case, cell, op))
    fits = [way for way in ways if counters.fits(way[0], shown, op)]
    lawful = [way for way in fits if belief.allows(way[0].requires)]
    if lawful:
        case.belief = belief.narrow([outcome.requires for outcome, _ in lawful])
        states = _distinct_counters(
            State(counters.learned(outcome, shown), pending) for outcome, pending in lawful
        )
        return Cell(states, received, before=_known_value(cell))
    after = Cell((State(counters.adopted(shown)),), received)
    if fits:
        row, reading = fits[0][0].requires[0]
        case.findings.append(_changed(row, belief.rows[row], [reading], f"{where}/count"))
        return after
    open_ways = [way for way in ways if belief.allows(way[0].requires)] or ways
    case.findings += _wrong_counter(case, candidate, key, cell, op, shown, element, where, open_ways)
    return after


def _distinct_counters(states: Iterable[State]) -> tuple[State, ...]:
    kept = tuple(dict.fromkeys(states))
    if len(kept) > MAX_STATES:
        return (State(counters.UNKNOWN_STATE, max((state.pending for state in kept), key=len)),)
    return kept


def _counter_features(case: _Case, cell: Cell, op: CounterOp) -> Iterable[str]:
    counter = case.ask.counter
    assert counter is not None
    kind = "EVENT" if counter.section == "events" else "PURCHASE"
    known = all(state.value.count is not None for state in cell.states)
    if known:
        yield f"TS-{kind}-COUNT"
        if any(state.value.count for state in cell.states):
            yield from (f"TS-{kind}-FIRST", f"TS-{kind}-LAST", "TS-STATE-VISIBLE", "TS-STATE-KEYS-APART")
            yield "TS-STATE-USERS-APART"
        else:
            yield from ("TS-USER-SPELLING", "TS-STATE-KEYS-APART")
    if cell.refused:
        yield "TS-STATE-REFUSED"
    if any(state.pending for state in cell.states):
        yield "TS-TRACK-APPLIED"
    if counter.instant is None:
        return
    if op.when[0] != op.when[1]:
        yield f"TS-{kind}-FUTURE"
    elif counter.shifted and kind == "EVENT":
        yield "TS-EVENT-OFFSET"
    elif not counter.zoned and kind == "EVENT":
        yield "TS-EVENT-NO-ZONE"


def _wrong_counter(
    case: _Case,
    candidate: Candidate,
    key: CellKey,
    cell: Cell,
    op: CounterOp,
    shown: Shown,
    element: dict[str, Any],
    where: str,
    ways: list[tuple[counters.CounterOutcome, tuple[Any, ...]]],
) -> list[Finding]:
    """Say which of count, first and last no lawful outcome explains, and which promise that breaks."""
    counter = case.ask.counter
    assert counter is not None
    kind = "EVENT" if counter.section == "events" else "PURCHASE"
    findings = []
    outcomes = [outcome for outcome, _ in ways]
    if not any(counters.count_fits(outcome, shown, op) for outcome in outcomes):
        expected = sorted({outcome.after.count for outcome in outcomes if outcome.after.count is not None})
        clause, text = _wrong_count(case, candidate, key, cell, shown, expected, kind)
        wanted: Any = expected[0] if len(expected) == 1 else expected or NOTHING
        findings.append(Finding(clause, text, f"{where}/count", wanted, shown.count))
    time_clause = None
    if op.when[0] != op.when[1]:
        time_clause = f"TS-{kind}-FUTURE"
    elif counter.shifted and kind == "EVENT":
        time_clause = "TS-EVENT-OFFSET"
    elif not counter.zoned and kind == "EVENT":
        time_clause = "TS-EVENT-NO-ZONE"
    for name, fitting in (("first", counters.first_fits), ("last", counters.last_fits)):
        if any(fitting(outcome, shown, op) for outcome in outcomes):
            continue
        bounds = [getattr(outcome.after, name) for outcome in outcomes]
        own = time_clause is not None and any(bound is None or bound == op.when for bound in bounds)
        clause = time_clause if own and time_clause else f"TS-{kind}-{name.upper()}"
        text = f"{name} is not the {'earliest' if name == 'first' else 'latest'} time of {counter.name!r}"
        expected_time = next((_time_text(bound) for bound in bounds if bound is not None), NOTHING)
        findings.append(Finding(clause, text, f"{where}/{name}", expected_time, element.get(name)))
    if not findings:
        text = f"count, first and last of {counter.name!r} do not fit together"
        findings.append(Finding(f"TS-{kind}-COUNT", text, where, NOTHING, element))
    return findings


def _time_text(bound: tuple[int, int]) -> str:
    from tracksync.values.times import write_time

    if bound[1] - bound[0] > 10**18:
        return "any time"
    early = write_time(bound[0], "utc-millis")
    return early if bound[0] == bound[1] else f"{early} … {write_time(bound[1], 'utc-millis')}"


def _wrong_count(
    case: _Case, candidate: Candidate, key: CellKey, cell: Cell, shown: Shown, expected: list[int], kind: str
) -> tuple[str, str]:
    name = key[1]
    if expected:
        surplus = shown.count - expected[-1]
        refused = sum(max(amount or 0 for amount, _ in one.amounts) for one in cell.refused)
        if 0 < surplus <= refused:
            return "TS-STATE-REFUSED", f"the count of {name!r} includes requests that were refused"
        before = cell.before
        if isinstance(before, counters.Counter) and before.count is not None:
            last_step = (_count_of(cell) or before.count) - before.count
            if last_step and shown.count == expected[-1] - last_step and shown.count != _count_of(cell):
                return "TS-STATE-VISIBLE", f"the count of {name!r} lacks a request that was completed"
        if surplus > 0:
            writer = case.belief.writers.get(key)
            if writer is not None and writer != candidate.uid:
                return "TS-STATE-USERS-APART", f"the count of {name!r} grew by another user's"
            if candidate.user.exists and not _count_of(cell):
                if any(other != key for other in candidate.user.cells):
                    return "TS-STATE-KEYS-APART", f"the count of {name!r} grew by another's of the same user"
    return f"TS-{kind}-COUNT", f"the count of {name!r} is not what the completed requests make it"


def _count_of(cell: Cell) -> int | None:
    value = _known_value(cell)
    return value.count if isinstance(value, counters.Counter) else None


__all__ = ["Judgement", "judge"]
