"""Confirms findings: plays again what led to one, for users of their own, and makes the sequence short.

On the embedded mock playing costs nothing, and a fresh mock with a fresh belief takes the same steps. On a URL every
request counts: a few likely sequences are tried within an allowance, each for new users with a prefix of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tracksync.contract.bounds import bounds
from tracksync.contract.responses import SCHEMA_CLAUSE
from tracksync.engine.budget import Budget, BudgetSpent
from tracksync.engine.replayed_finding import ReplayedFinding, says_what_was_done
from tracksync.engine.session import Sent, Session, SessionConfig, TargetLost, Workspace
from tracksync.engine.shrink import related, shrink, with_less
from tracksync.engine.targets import Target
from tracksync.generate.build import Step
from tracksync.generate.renaming import derived_prefix, renamed
from tracksync.model.events import Event, ExchangeChecked, Paused, Retried
from tracksync.model.exchange import Exchange
from tracksync.model.finding import NOTHING, Finding
from tracksync.model.verdict import fingerprint
from tracksync.oracle import Belief
from tracksync.oracle.deletions import LISTS
from tracksync.oracle.request import targets_in
from tracksync.values.jsontext import read_json
from tracksync.values.numbers import same

if TYPE_CHECKING:
    from tracksync.generate.stateful import Sequence as DrawnSequence

LONGEST: Final = 40  # steps: more are not played again on a URL
SHOWN: Final = 8  # exchanges of a sequence that could not be played again
SHRINK_REQUESTS: Final = 60  # of one finding, on a target where requests cost
MOCK_REQUESTS: Final = 20_000  # of all findings of a run, on new mocks: where chance decides, shrinking has no end
_OTHER_WORD: Final = r"|\+\d{8,15}|\b\d{15}\b"  # phone numbers, integer identifiers

StartBelief = Callable[[str], Belief]
"""Gives the belief for users with a prefix that no request has named."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What shows a finding. `replayed`: these exchanges were played again and showed it; otherwise they are an
    excerpt of the run. `beside`: the clauses of all findings that these exchanges show, `earlier`: those that say of an
    earlier request than the last what it did. `finding`: as they show it, where they may have other values than the run
    had. `nearer`: what is shown at the same place where the requests hold nothing else, if that is of another kind.
    """

    exchanges: tuple[Exchange, ...]
    replayed: bool
    beside: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()
    finding: Finding | None = None
    nearer: Confirmed | None = None


def excerpt(log: Sequence[Sent], prefix: str) -> Confirmed:
    """The last exchanges of the run that bear on its last one."""
    shown = _related(log, prefix)[-SHOWN:]
    return Confirmed(tuple(sent.exchange for sent in shown), replayed=False, beside=_clauses(shown[-1:]))


def _attribute_of(finding: Finding) -> str | None:
    """The custom attribute whose value in a response a finding is about; None where it is about something else."""
    found = re.fullmatch(r"/response/body/users/\d+/custom_attributes/([^/]+)", finding.pointer)
    return found[1].replace("~1", "/").replace("~0", "~") if found else None


def can_be_played(finding: Finding) -> bool:
    """Whether the same requests may show the finding again: what depends on the rate window does not."""
    return not finding.clause.startswith("TS-RATE-")


@dataclass(slots=True)
class NewMocks:
    """Plays steps on new embedded mocks, where that costs nothing but time.

    `renew` gives such a mock, `start` the belief about it. `pulse`: as a session's configuration has it. `allowance`:
    requests that may be sent to make sequences short; when it is used up they stay as long as they are.
    """

    prefix: str
    renew: Callable[[], Target]
    start: StartBelief
    pulse: Callable[[int], Step]
    allowance: int

    def shortest(self, log: Sequence[Sent], finding: Finding, drawn: DrawnSequence | None = None) -> Confirmed | None:
        """The shortest sequence that shows `finding`, or None. `drawn`: the stateful sequence that led to it."""
        found: list[Sent] = []

        def breaks(candidate: Sequence[Step]) -> bool:
            nonlocal found
            played = self._play(candidate)
            if not _shows(played, finding):
                return False
            found = played
            return True

        simple = self._simplest(drawn, finding) if drawn is not None and self.allowance > 0 else None
        likely = [*([simple] if simple else []), _steps(_related(log, self.prefix)), _steps(log)]
        if not any(breaks(candidate) for candidate in likely):
            return None
        shrink(_steps(found), lambda candidate: self.allowance > 0 and breaks(candidate))
        shown = _shown(found, finding) or finding
        steps = _steps(found)
        less = with_less(steps, _attribute_of(shown))
        nearer = None
        if self.allowance > 0 and less != steps and not breaks(less):
            nearer = self._nearer(less, shown)
        exchanges = tuple(sent.exchange for sent in found)
        shown = _shown(found, finding) or finding
        return Confirmed(exchanges, True, _clauses(found), _earlier(found), shown, nearer)

    def _nearer(self, steps: Sequence[Step], finding: Finding) -> Confirmed | None:
        """What the last of `steps` shows at the place of `finding`, in the shortest sequence; None for nothing."""
        played = self._play(steps)
        there = next((one for sent in played[-1:] for one in sent.findings if one.pointer == finding.pointer), None)
        return self.shortest(played, there) if there is not None else None

    def _play(self, steps: Sequence[Step]) -> list[Sent]:
        """Send `steps` to a new mock; nothing is left of them where it answers nothing any more."""
        session = self._session()
        self.allowance -= len(steps)
        try:
            for step in steps:
                session.send(step)
        except TargetLost:
            return []
        return session.log

    def _session(self) -> Session:
        config = SessionConfig(pace=False, pulse=self.pulse)
        workspace = Workspace(answered=True)  # the run has seen it answer, so that a request may fail for good
        return Session(self.renew(), self.start(self.prefix), lambda event: None, config, workspace)

    def _simplest(self, drawn: DrawnSequence, finding: Finding) -> Sequence[Step] | None:
        """What Hypothesis makes of a sequence: it makes the values simple too."""
        from tracksync.generate.failures import Shown, simplest

        def start() -> Callable[[Step], None]:
            session = self._session()

            def send(step: Step) -> None:
                with suppress(TargetLost):
                    session.send(step)
                self.allowance -= 1
                if _shows(session.log, finding):
                    raise Shown

            return send

        return simplest(drawn, self.prefix, start)


class _Enough(Exception):
    pass


@dataclass(slots=True)
class Replayer:
    """Plays steps again on the target of `session`.

    `start(prefix)` gives the belief for users with a prefix; `prefixes` is told each new one before it is used, so
    that the guard at the target lets it pass.
    """

    session: Session
    prefix: str
    start: StartBelief
    prefixes: list[str]
    _plays: int = field(default=0)

    def shortest(self, log: Sequence[Sent], finding: Finding, allowance: int) -> Confirmed | None:
        """The shortest sequence found that shows `finding` again; None if none did within `allowance` requests."""
        steps = _steps(_related(log, self.prefix))
        spent = 0
        best: list[Sent] = []

        def breaks(candidate: Sequence[Step]) -> bool:
            nonlocal spent, best
            if spent + len(candidate) > allowance:
                raise _Enough
            before = self.session.spending.requests
            played = self.play(candidate)
            spent += self.session.spending.requests - before
            if not _shows(played, finding):
                return False
            best = played
            return True

        try:
            for candidate in suspects(steps, self.prefix):
                if breaks(candidate):
                    shrink(candidate, breaks)
                    break
        except (_Enough, BudgetSpent, TargetLost):
            pass
        shown = tuple(sent.exchange for sent in best)
        return Confirmed(shown, True, _clauses(best), _earlier(best)) if best else None

    def play(self, steps: Sequence[Step]) -> list[Sent]:
        """Send `steps` for new users; what they break is for the caller and not for the run's result."""
        outer = self.session
        self._plays += 1
        prefix = derived_prefix(self.prefix, self._plays)
        self.prefixes.append(prefix)
        config = replace(
            SessionConfig(),
            budget=Budget(),
            pace=outer.config.pace,
            outage_timeout=outer.config.outage_timeout,
            pulse=outer.config.pulse,
            prefix=prefix if outer.config.prefix is not None else None,
            phase=outer.phase,
        )
        # What failed for good during the run is tried as often as the oracle wants to see it fail.
        outer.workspace.fails_for_good = False
        inner = Session(outer.target, self.start(prefix), self._emit, config, outer.workspace)
        for step in steps:
            outer.check_budget(step)
            before = replace(inner.spending)
            try:
                inner.send(renamed(step, self.prefix, prefix))
            finally:
                outer.spending.requests += inner.spending.requests - before.requests
                outer.spending.data_points += inner.spending.data_points - before.data_points
        return inner.log

    def _emit(self, event: Event) -> None:
        if isinstance(event, ExchangeChecked):
            index = self.session.spending.requests + 1
            self.session.emit(replace(event, index=index, findings=(), covered=frozenset()))
        elif isinstance(event, Paused | Retried):
            self.session.emit(event)


def _clauses(played: Sequence[Sent]) -> frozenset[str]:
    return frozenset(finding.clause for sent in played for finding in sent.findings)


def _earlier(played: Sequence[Sent]) -> frozenset[str]:
    before = [sent for sent in played if sent.step is not played[-1].step]
    return frozenset(finding.clause for sent in before for finding in sent.findings if says_what_was_done(finding))


def replayed_finding(finding: Finding, one: Confirmed) -> ReplayedFinding:
    """The finding with what its sequence shows."""
    named = [_kinds_named(exchange) for exchange in one.exchanges]
    exported = finding.pointer.rpartition("/")[2]  # an exported identifier is about its own kind
    statuses = [exchange.response.status for exchange in one.exchanges[:-1] if exchange.response]
    return ReplayedFinding(
        finding,
        length=len(one.exchanges) if one.replayed else None,
        beside=one.beside,
        earlier=one.earlier,
        kinds=frozenset([exported]) if exported in bounds().identifiers else named[-1],
        named=frozenset().union(*named) if one.replayed else frozenset(),
        after_refusal=one.replayed and any(400 <= status < 500 and status != 429 for status in statuses),
        largest=max((len(exchange.request.body) for exchange in one.exchanges), default=0),
        nearer=one.nearer.finding.clause if one.nearer and one.nearer.finding else "",
        unchanged=_is_unchanged(finding, one.exchanges[:-1]),
    )


def _is_unchanged(finding: Finding, before: Sequence[Exchange]) -> bool:
    """Whether a response shows of an attribute what an earlier one showed, or nothing."""
    name = _attribute_of(finding)
    if name is None or finding.actual is NOTHING:
        return name is not None
    return any(same(_shown_attributes(exchange).get(name, NOTHING), finding.actual) for exchange in before)


def _shown_attributes(exchange: Exchange) -> dict[str, Any]:
    """The custom attributes of the first user that a response shows."""
    body = read_json(exchange.response.body).value if exchange.response else None
    listed = body.get("users") if isinstance(body, dict) else None
    entry = listed[0] if isinstance(listed, list) and listed else None
    shown = entry.get("custom_attributes") if isinstance(entry, dict) else None
    return shown if isinstance(shown, dict) else {}


def _shows(played: Sequence[Sent], finding: Finding) -> bool:
    """Whether the last step of what was played shows `finding`; its tries count as one."""
    return _shown(played, finding) is not None


def _shown(played: Sequence[Sent], finding: Finding) -> Finding | None:
    """The finding of the same kind that the last step of what was played shows."""
    ends = [sent for sent in played[-8:] if sent.step is played[-1].step]
    found = (one for sent in ends for one in sent.findings)
    return next((one for one in found if kind_of(one) == kind_of(finding)), None)


def kind_of(finding: Finding) -> tuple[str, str]:
    """Findings that are the same to a person: of one clause, and about one ambiguity or one place of the document."""
    if finding.clause == "TS-INTERPRETATION-KEPT":
        return finding.clause, str(finding.expected).split("=")[0]
    if finding.clause == SCHEMA_CLAUSE:
        return finding.clause, fingerprint(finding.clause, finding.pointer)
    return finding.clause, ""


def _kinds_named(exchange: Exchange) -> frozenset[str]:
    """The kinds of identifier by which a request names users."""
    body = read_json(exchange.request.body).value
    if not isinstance(body, dict):
        return frozenset()
    return frozenset(
        [kind for item in targets_in(body) for kind in bounds().identifiers if kind in item]
        + [kind for member, kind in LISTS.items() if member in body]
    )


# --- which steps bear on a finding ---------------------------------------------------------------------------------


def words_of(step: Step, prefix: str) -> frozenset[str]:
    """The identifiers in a request's body: what makes two steps bear on each other."""
    found = re.findall((rf"{re.escape(prefix)}[^\"\\]*" + _OTHER_WORD).encode(), step.request.body, re.IGNORECASE)
    return frozenset(word.decode("utf-8", "replace") for word in found)


def suspects(steps: Sequence[Step], prefix: str) -> list[Sequence[Step]]:
    """Sequences that may show what the last step showed, short ones first: few steps about one thing of one user."""
    last = steps[-1]
    users, things = words_of(last, prefix), subjects_of(last)
    same = [step for step in steps[:-1] if users & words_of(step, prefix) and things & subjects_of(step)]
    return [[*same[-3:], last], [*same[-11:], last], steps[-LONGEST:]]


def subjects_of(step: Step) -> frozenset[str]:
    """The attributes, events and products that a request is about."""
    body = read_json(step.request.body).value
    found: set[str] = set()
    for section in bounds().sections:
        listed = body.get(section) if isinstance(body, dict) else None
        for item in listed if isinstance(listed, list) else [listed]:
            if isinstance(item, dict):
                names = item if section == "attributes" else [item.get("name"), item.get("product_id")]
                found.update(f"{section} {name}" for name in names if name and name not in bounds().identifiers)
    return frozenset(found)


def _steps(log: Sequence[Sent]) -> list[Step]:
    """The steps of a log, each once: a retry is the same step, and other requests may stand between the tries."""
    last = log[-1].step
    return [*{id(sent.step): sent.step for sent in log if sent.step is not last}.values(), last]


def _related(log: Sequence[Sent], prefix: str) -> list[Sent]:
    steps = [sent.step for sent in log]
    chosen = {id(step) for step in related(steps, len(log) - 1, lambda step: words_of(step, prefix))}
    return [sent for sent in log if id(sent.step) in chosen]
