"""One race: many clients at once on few users, then what the oracle finds and which consistency held.

    race(plan, emit) -> rounds

Everything that a person or a report should know is emitted; nothing is printed or written here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from tracksync.contract.bounds import SYNC
from tracksync.contract.clauses import catalogue
from tracksync.engine.budget import data_points
from tracksync.engine.pace import Pace
from tracksync.engine.plan import new_prefix
from tracksync.engine.target_check import check_media, check_status, silent
from tracksync.engine.targets import HttpTarget, Target, trusted
from tracksync.engine.user_deletion import Cleaner
from tracksync.errors import Incomplete, UsageError
from tracksync.faults.catalogue import servers
from tracksync.generate.build import Step, json_request
from tracksync.generate.harmless import Namer, is_harmless
from tracksync.generate.renaming import Identifier
from tracksync.mock import MockApp, MockConfig
from tracksync.model.events import (
    Cleaned,
    Event,
    ExchangeChecked,
    FindingConfirmed,
    InterpretationLearned,
    PhaseStarted,
    RunEnded,
    RunStarted,
    SectionAdded,
    Verdict,
)
from tracksync.model.finding import Finding
from tracksync.model.verdict import evidence_of, fails
from tracksync.oracle import Settings
from tracksync.race.checking import HistoryChecker, minimal_history
from tracksync.race.clients import Coordinator, Limits, attempt, race_clients
from tracksync.race.history import RaceOperation
from tracksync.race.plan import MOCK_RATE, RacePlan, settings
from tracksync.race.summary import Consistency, Round, consistency_section, finding_figure, promised, sentence
from tracksync.race.workload import LONGEST_LOOSE, Endpoint, Planner, Slot, read_cell, slots
from tracksync.wire.serve import served

ASYNC_DELAY: Final = 0.1  # seconds, the mean until that mock applies what is queued (LIMITS: 10 to 100 ms, or longer)
FIRST_TRIES: Final = 5  # of the first request, with pauses in between
SHRUNK: Final = 12  # findings whose history is shrunk; more are reported as they are

Emit = Callable[[Event], None]
Note = Callable[[str, Sequence[Identifier]], None]


def race(plan: RacePlan, emit: Emit, note: Note | None = None) -> list[Round]:
    """Run `plan`; returns its rounds.

    Raises UsageError for a plan that cannot be carried out; all else ends in a RunEnded event. `note` is called with
    the prefix and every user that the run may create before anything is sent, so that a killed run can be cleaned up.
    """
    prefix = new_prefix(plan.prefix_stem or "ts")
    with _served_target(plan) as (url, key):
        verify: Any = trusted(plan.ca) if plan.ca or url.startswith("https:") else False

        def connect() -> Target:
            return HttpTarget(
                url, key, timeout=plan.timeout, verify=verify, guard=lambda request: is_harmless(request, prefix)
            )

        run = _RaceRun(plan, prefix, connect, emit)
        if note is not None:
            note(prefix, run.all_users())
        run.run()
        return run.rounds


@contextmanager
def _served_target(plan: RacePlan) -> Iterator[tuple[str, str]]:
    """The base URL and the key; the mock is served meanwhile where the plan names no other target."""
    if not plan.own_mock:
        if not plan.key:
            raise UsageError("there is no API key for this target: set TRACKSYNC_API_KEY")
        yield plan.target, plan.key
        return
    config = MockConfig(
        rate_limit=plan.rate_limit or MOCK_RATE,
        interpretations=plan.mock_interpretations,
        faults=servers(plan.faults),
        scenario=plan.scenario,
        seed=plan.seed,
        async_delay=ASYNC_DELAY,
        window_seconds=plan.window_seconds,
    )
    with served(MockApp(config)) as url:
        yield url, config.key


@dataclass(frozen=True, slots=True)
class _FirstFinding:
    """The first finding of a clause, and the operations of its round up to the one that showed it."""

    finding: Finding
    operations: Sequence[RaceOperation]


@dataclass(slots=True)
class _RaceRun:
    plan: RacePlan
    prefix: str
    connect: Callable[[], Target]
    emit: Emit
    requests: int = 0
    rounds: list[Round] = field(default_factory=list)
    found: dict[str, _FirstFinding] = field(default_factory=dict)  # by clause
    interpretations: dict[str, str] = field(default_factory=dict)
    data_points: int = 0
    name: str = ""
    clock_skew: float = 300.0

    def run(self) -> None:
        """The whole run, from its first event to its last."""
        target = self.connect()
        try:
            self.drive(target)
        finally:
            target.close()

    def drive(self, target: Target) -> None:
        """All rounds against the target, and their results."""
        plan = self.plan
        self.name = "mock" if plan.own_mock else target.name
        self.clock_skew = target.clock_skew
        self.emit(RunStarted("race", self.name, time.time(), plan.seed, None, plan.max_seconds, plan.max_data_points,
                             plan.strict))  # fmt: skip
        reason, finished = "", True
        try:
            self.check_target(target)
            for endpoint in plan.endpoints:
                self.round(endpoint, target)
                if plan.stop_at_finding and self.found:
                    break
            reason = sentence(plan, self.rounds)
        except Incomplete as stopped:
            reason, finished = str(stopped), False
        except KeyboardInterrupt:
            reason, finished = "stopped by hand", False
        with suppress(KeyboardInterrupt):
            if self.rounds:
                self.emit(SectionAdded(consistency_section(list(map(Consistency.of, self.rounds)), promised(plan))))
        broken = self.confirm()
        with suppress(KeyboardInterrupt):
            self.clean(target)
        verdict: Verdict = "failed" if broken else "passed" if finished else "incomplete"
        if verdict == "passed" and plan.strict and any(one.not_linearizable for one in self.rounds):
            verdict, reason = "failed", f"{reason}; with --strict every cell has to be linearizable"
        other = "a race tests order and visibility only; `tracksync fuzz` tests the rest"
        self.emit(RunEnded(verdict, reason, time.time(), self.interpretations, dict.fromkeys(catalogue(), other)))

    def settings(self) -> Settings:
        """What the oracle is told."""
        return settings(self.plan, self.prefix, clock_skew=self.clock_skew)

    # --- rounds -------------------------------------------------------------------------------------------------

    def check_target(self, target: Target) -> None:
        """One plain request first: a wrong key, path or host is a mistake in the command, not a finding."""
        self.emit(PhaseStarted("hello"))
        step = Step(json_request({"attributes": [{"external_id": self.first_user(), "greeting": "hello"}]}))
        pace = Pace()
        for attempt_number in range(FIRST_TRIES):
            exchange = target.send(step)
            pace.read(SYNC, exchange.response, exchange.received)
            status = exchange.response.status if exchange.response is not None else None
            if status is not None and status < 500 and status != 429:
                break
            unreachable = exchange.unreached
            if unreachable and attempt_number:
                break
            limited = pace.wait_after_limit(SYNC, target.now()) if status == 429 else 0.0
            time.sleep(limited or 0.1 * 2**attempt_number)
        if exchange.response is None:
            raise Incomplete(silent(self.name, exchange))
        check_status(self.name, exchange.response)
        if not self.plan.own_mock:
            check_media(self.name, exchange.response)

    def first_user(self) -> str:
        """The external_id of the first request's user."""
        return Namer(self.prefix, random.Random(0)).scope("hello").external_id("first")

    def all_users(self) -> list[Identifier]:
        """Every user that the run may create."""
        names = [self.first_user()]
        for endpoint in self.plan.endpoints:
            names += [slot.user for slot in self.slots(endpoint)]
        return [("external_id", name) for name in dict.fromkeys(names)]

    def slots(self, endpoint: Endpoint) -> list[Slot]:
        """The cells of one round."""
        plan = self.plan
        namer = Namer(self.prefix, random.Random(plan.seed)).scope(endpoint)
        return slots(namer, users=plan.user_count, cells=plan.cell_count(), overlap=plan.overlap)

    def round(self, endpoint: Endpoint, target: Target) -> None:
        """Let the clients race once, read every cell back, and decide which consistency held."""
        plan = self.plan
        unordered = plan.overlap or endpoint == "track"
        coordinator = Coordinator(
            self.slots(endpoint),
            Planner(random.Random(plan.seed), endpoint, plan.overlap),
            random.Random(plan.seed + 1),
            overlap=plan.overlap,
            longest=LONGEST_LOOSE if unordered else 0,
        )
        checker = HistoryChecker(self.settings())
        operations: list[RaceOperation] = []
        phase = f"racing on {endpoint}"
        self.emit(PhaseStarted(phase))
        limits = Limits(plan.operations, plan.max_seconds)
        try:
            for item in race_clients(coordinator, self.connect, plan.clients, limits, plan.seed):
                if isinstance(item, RaceOperation):
                    self.check(checker, item, operations, phase)
                    if self.is_over():
                        coordinator.stop()
                else:
                    self.emit(item)
            if coordinator.lost:
                raise Incomplete(f"{self.name} cannot be reached any more ({coordinator.lost})")
            if unordered:
                self.read_back(coordinator, target, checker, operations, endpoint)
        finally:
            self.rounds.append(Round.of(endpoint, operations))

    def is_over(self) -> bool:
        """Whether the budget of data points is spent, or a finding ends the run."""
        plan = self.plan
        spent = plan.max_data_points is not None and self.data_points >= plan.max_data_points
        return spent or (plan.stop_at_finding and bool(self.found))

    def check(
        self, checker: HistoryChecker, operation: RaceOperation, operations: list[RaceOperation], phase: str
    ) -> None:
        """Check one operation, add it to `operations`, and emit what it showed."""
        assert operation.exchange is not None
        checked = checker(operation)
        result = checked.check_result
        operations.append(operation)
        self.requests += 1
        cost = data_points(Step(operation.exchange.request))
        self.data_points += cost
        self.emit(ExchangeChecked(self.requests, operation.exchange, checked.findings, result.covered, phase, cost))
        for finding in checked.findings:
            self.found.setdefault(finding.clause, _FirstFinding(finding, tuple(operations)))
        if "TS-INTERPRETATION-KEPT" in result.covered:
            for ambiguity, name in result.interpretations.items():
                if self.interpretations.get(ambiguity) != name:
                    self.interpretations[ambiguity] = name
                    self.emit(InterpretationLearned(ambiguity, name))

    def read_back(
        self,
        coordinator: Coordinator,
        target: Target,
        checker: HistoryChecker,
        operations: list[RaceOperation],
        endpoint: Endpoint,
    ) -> None:
        """Wait until no write is pending, and read every cell once."""
        plan = self.plan
        phase = f"reading back after {endpoint}"
        places = list(dict.fromkeys(one.place for one in operations))
        self.emit(PhaseStarted(phase))
        if endpoint == "track":
            settle = plan.settle if plan.settle is not None else (10 * ASYNC_DELAY if plan.own_mock else 10.0)
            time.sleep(settle)
        rng = random.Random(plan.seed)
        coordinator.stopping = False
        for place in places:
            task = read_cell(place)
            if task is not None:
                for one in attempt(coordinator, 0, target, task, rng):
                    self.check(checker, one, operations, phase)

    # --- the end of a run ---------------------------------------------------------------------------------------

    def clean(self, target: Target) -> None:
        """Delete the users of the run, as far as the key allows. The mock of the run simply ends."""
        if self.plan.own_mock or not self.rounds:
            return
        self.emit(PhaseStarted("cleaning"))
        done = Cleaner(target.send, target.sleep, deletion_timeout=60.0).clean(self.all_users())
        self.emit(Cleaned(done.users, done.left, done.why))

    def confirm(self) -> bool:
        """Report each broken clause once, with the smallest history that shows it. Returns whether one fails."""
        if self.found:
            self.emit(PhaseStarted("shrinking"))
        broken = False
        for number, (clause, first) in enumerate(self.found.items()):
            last = first.operations[-1]
            shrunk = minimal_history(first.operations, clause, self.settings()) if number < SHRUNK else None
            operations = shrunk or (last,)
            history = next(one.history for one in self.rounds if last in one.history.operations)
            broken = broken or fails(evidence_of(clause), strict=self.plan.strict)
            exchanges = tuple(one.exchange for one in operations if one.exchange is not None)
            drawn = finding_figure(clause, operations, history)
            self.emit(FindingConfirmed(first.finding, exchanges, self.plan.reproduce, figure=drawn))
        return broken
