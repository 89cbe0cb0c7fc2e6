"""A race: many clients at once on few users, then what the oracle makes of it and which consistency held.

    race(plan, emit) -> None

Everything that a person or a report should know is emitted; nothing is printed or written here.
"""

from __future__ import annotations

import random
import shlex
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tracksync.contract.clauses import catalogue
from tracksync.contract.limits import RATE_PER_MINUTE
from tracksync.engine.cleaning import Cleaner
from tracksync.engine.fuzzing import freshness, new_prefix
from tracksync.engine.pace import Pace
from tracksync.engine.session import data_points
from tracksync.engine.targets import HttpTarget, Target
from tracksync.errors import Incomplete, UsageError
from tracksync.faults.catalogue import servers
from tracksync.generate.build import SYNC, Step, json_request
from tracksync.generate.harmless import Namer, is_harmless
from tracksync.generate.renaming import Identifier
from tracksync.mock import MockApp, MockConfig
from tracksync.mock.scenarios import scenario
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
from tracksync.model.exchange import Exchange
from tracksync.model.figures import Figure, Section
from tracksync.model.finding import Finding
from tracksync.model.verdict import evidence_of, fails
from tracksync.oracle import Settings
from tracksync.race.checking import HistoryChecker, around, smallest
from tracksync.race.clients import Floor, Limits, attempt, race_clients
from tracksync.race.consistency import SENTENCES, CellReport, Level, count, report, unexplained
from tracksync.race.figure import figure
from tracksync.race.history import History, RaceOperation, WriteOutcome
from tracksync.race.workload import LONGEST_LOOSE, Endpoint, Planner, Slot, interpretation, slots
from tracksync.wire.serve import served

MOCK_RATE: Final = 1_000_000  # requests a minute of the mock that a race starts: the limit is not its subject
ASYNC_DELAY: Final = 0.1  # seconds, the mean until that mock applies what is queued (LIMITS: 10 to 100 ms, or longer)
HELLO_TRIES: Final = 5  # of the first request, with pauses in between
FIGURES: Final = 3  # drawings of cells that no order explains
SHRUNK: Final = 12  # findings that are made short; more are reported as they are

Endpoints = Literal["sync", "track", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RacePlan:
    """What a race shall do. `target` is "mock", which is then served on a free port of this machine, or a base URL.

    `operations` counts what the clients begin; retries come on top. `users` and `cells` (of each user) 0: as many as
    suit the clients. `endpoint`: where writes go. `overlap`: clients do not wait for each other on a cell.
    `strict`: a cell that is not linearizable fails the run where nothing promised it. `settle`: seconds until
    everything that /users/track accepted is surely applied. `rate_limit`: the workspace's, None where nobody said.
    `faults`, `mock_readings`, `scenario`, `window_seconds`: how the mock behaves. `stop_at_finding`: do not go on
    after the first one.
    """

    target: str = "mock"
    key: str | None = None
    endpoint: Endpoints = "sync"
    overlap: bool = False
    clients: int = 8
    operations: int = 600
    users: int = 0
    cells: int = 0
    seed: int = 0
    max_seconds: float | None = None
    max_data_points: int | None = None
    strict: bool = False
    interpretations: Mapping[str, str] = field(default_factory=dict)
    rate_limit: int | None = None
    prefix_stem: str | None = None
    timeout: float = 30.0
    settle: float | None = None
    faults: tuple[str, ...] = ()
    mock_interpretations: Mapping[str, str] = field(default_factory=dict)
    scenario: str = "normal"
    window_seconds: int = 60
    stop_at_finding: bool = False

    @property
    def own_mock(self) -> bool:
        """Whether the run starts the mock that it checks."""
        return self.target == "mock"

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where writes go, one round each."""
        return ("sync", "track") if self.endpoint == "both" else (self.endpoint,)


def race(
    plan: RacePlan, emit: Callable[[Event], None], note: Callable[[str, Sequence[Identifier]], None] | None = None
) -> list[tuple[Endpoint, History]]:
    """Run `plan`, and give back the history of each round.

    Raises UsageError for a plan that cannot be carried out; all else ends in a RunEnded event. `note` is called with
    the prefix and every user that the run may make before anything is sent, so that a killed run leaves nobody unknown.
    """
    prefix = new_prefix(plan.prefix_stem or "ts")
    with _place(plan) as (url, key):
        verify: Any = ssl.create_default_context() if url.startswith("https:") else False

        def connect() -> Target:
            return HttpTarget(
                url, key, timeout=plan.timeout, verify=verify, guard=lambda request: is_harmless(request, prefix)
            )

        run = _RaceRun(plan, prefix, connect, emit)
        if note is not None:
            note(prefix, run.everybody())
        run.run()
        return run.histories


@contextmanager
def _place(plan: RacePlan) -> Iterator[tuple[str, str]]:
    """The base URL and the key, for as long as the mock is served where the plan asks for one."""
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


@dataclass(slots=True)
class _RaceRun:
    plan: RacePlan
    prefix: str
    connect: Callable[[], Target]
    emit: Callable[[Event], None]
    requests: int = 0
    histories: list[tuple[Endpoint, History]] = field(default_factory=list)
    found: dict[str, tuple[Finding, list[RaceOperation]]] = field(default_factory=dict)
    reports: dict[Endpoint, list[CellReport]] = field(default_factory=dict)
    interpretations: dict[str, str] = field(default_factory=dict)
    spent: int = 0
    name: str = ""
    skew: float = 300.0

    def run(self) -> None:
        """The whole run, from its first event to its last."""
        target = self.connect()
        try:
            self.drive(target)
        finally:
            target.close()

    def drive(self, target: Target) -> None:
        """All rounds against the target, and what came of them."""
        plan = self.plan
        self.name = "mock" if plan.own_mock else target.name
        self.skew = target.clock_skew
        started = RunStarted("race", self.name, time.time(), plan.seed, None, plan.max_seconds, plan.max_data_points,
                             plan.strict)  # fmt: skip
        self.emit(started)
        reason, finished = "", True
        try:
            self.check_target(target)
            for endpoint in plan.endpoints:
                self.round(endpoint, target)
                if plan.stop_at_finding and self.found:
                    break
            reason = self.summary()
        except Incomplete as stopped:
            reason, finished = str(stopped), False
        except KeyboardInterrupt:
            reason, finished = "stopped by hand", False
        with suppress(KeyboardInterrupt):
            self.explain()
        broken = self.confirm()
        with suppress(KeyboardInterrupt):
            self.clean(target)
        verdict: Verdict = "failed" if broken else "passed" if finished else "incomplete"
        if verdict == "passed" and plan.strict and self.weak():
            verdict, reason = "failed", f"{reason}; with --strict every cell has to be linearizable"
        self.emit(RunEnded(verdict, reason, time.time(), self.interpretations, self.reasons()))

    def settings(self) -> Settings:
        """What the oracle is told. A scenario of the mock may bring a limit, a window and a clock of its own."""
        plan = self.plan
        played = scenario(plan.scenario)
        limit = played.rate_limit or plan.rate_limit or (MOCK_RATE if plan.own_mock else RATE_PER_MINUTE)
        fresh = freshness(self.prefix, everything=False)
        skew = self.skew + abs(played.clock_ahead)
        return Settings(limit, None, fresh, plan.interpretations, skew, played.window_seconds or plan.window_seconds)

    # --- rounds -------------------------------------------------------------------------------------------------

    def check_target(self, target: Target) -> None:
        """One plain request first: a wrong key, path or host is a mistake in the call, not a finding."""
        self.emit(PhaseStarted("hello", 1))
        step = Step(json_request({"attributes": [{"external_id": self.greeter(), "greeting": "hello"}]}))
        pace = Pace()
        for attempt_number in range(HELLO_TRIES):
            exchange = target.send(step)
            pace.read(SYNC, exchange.response, exchange.received)
            status = exchange.response.status if exchange.response is not None else None
            if status is not None and status < 500 and status != 429:
                break
            limited = pace.wait_after_limit(SYNC, target.now()) if status == 429 else 0.0
            time.sleep(limited or 0.1 * 2**attempt_number)
        else:
            why = f"answers {status}" if status else f"does not answer ({_failure(exchange)})"
            raise Incomplete(f"{self.name} {why}; is the address right and the server up?")
        if status in (401, 403):
            what = "refuses the key" if status == 401 else "says that the key lacks the permission users.track.sync"
            raise UsageError(f"{self.name} {what} ({status}); check TRACKSYNC_API_KEY and the instance's URL")
        if status in (404, 405) or 300 <= status < 400:
            raise UsageError(
                f"{self.name}/users/track/sync is not there ({status}); the target is the base URL, "
                "such as https://rest.iad-01.braze.com"
            )

    def greeter(self) -> str:
        """The user of the first request."""
        return Namer(self.prefix, random.Random(0)).scope("hello").external_id("first")

    def everybody(self) -> list[Identifier]:
        """Every user that the run may make."""
        names = [self.greeter()]
        for endpoint in self.plan.endpoints:
            names += [slot.user for slot in self.slots(endpoint)]
        return [("external_id", name) for name in dict.fromkeys(names)]

    def slots(self, endpoint: Endpoint) -> list[Slot]:
        """The cells of one round."""
        namer = Namer(self.prefix, random.Random(self.plan.seed)).scope(endpoint)
        return slots(namer, users=self.users(), cells=self.cells(), overlap=self.plan.overlap)

    def round(self, endpoint: Endpoint, target: Target) -> None:
        """Let the clients race once, read back what they left, and say which consistency held."""
        plan = self.plan
        loose = plan.overlap or endpoint == "track"
        floor = Floor(
            self.slots(endpoint),
            Planner(random.Random(plan.seed), endpoint, plan.overlap),
            random.Random(plan.seed + 1),
            overlap=plan.overlap,
            longest=LONGEST_LOOSE if loose else 0,
        )
        check = HistoryChecker(self.settings())
        operations: list[RaceOperation] = []
        self.emit(PhaseStarted(f"racing on {endpoint}", plan.operations))
        limits = Limits(plan.operations, plan.max_seconds)
        try:
            for item in race_clients(floor, self.connect, plan.clients, limits, plan.seed):
                if isinstance(item, RaceOperation):
                    self.check(check, item, operations, f"racing on {endpoint}")
                    if self.over(floor):
                        floor.stop()
                else:
                    self.emit(item)
            if floor.lost:
                raise Incomplete(f"{self.name} cannot be reached any more ({floor.lost})")
            if loose:
                self.read_back(floor, target, check, operations, endpoint)
        finally:
            history = History.of(operations)
            self.histories.append((endpoint, history))
            self.reports[endpoint] = report(history)

    def over(self, floor: Floor) -> bool:
        plan = self.plan
        spent = plan.max_data_points is not None and self.spent >= plan.max_data_points
        return spent or (plan.stop_at_finding and bool(self.found))

    def check(
        self, check: HistoryChecker, operation: RaceOperation, operations: list[RaceOperation], phase: str
    ) -> None:
        checked = check(operation)
        assert operation.exchange is not None
        operations.append(operation)
        self.requests += 1
        cost = data_points(Step(operation.exchange.request))
        self.spent += cost
        self.emit(ExchangeChecked(self.requests, operation.exchange, checked.findings, checked.check_result.covered, phase,
                                 cost))  # fmt: skip
        for finding in checked.findings:
            self.found.setdefault(finding.clause, (finding, list(operations)))
        if "TS-INTERPRETATION-KEPT" in checked.check_result.covered:
            for ambiguity, name in checked.check_result.interpretations.items():
                if self.interpretations.get(ambiguity) != name:
                    self.interpretations[ambiguity] = name
                    self.emit(InterpretationLearned(ambiguity, name))

    def read_back(
        self, floor: Floor, target: Target, check: HistoryChecker, operations: list[RaceOperation], endpoint: Endpoint
    ) -> None:
        """Wait until nothing is on its way, and read every cell once."""
        plan = self.plan
        phase = f"reading back after {endpoint}"
        places = list(dict.fromkeys(one.place for one in operations))
        self.emit(PhaseStarted(phase, len(places)))
        if endpoint == "track":
            settle = plan.settle if plan.settle is not None else (10 * ASYNC_DELAY if plan.own_mock else 10.0)
            time.sleep(settle)
        rng = random.Random(plan.seed)
        floor.stopping = False
        for place in places:
            task = interpretation(place)
            if task is not None:
                for one in attempt(floor, 0, target, task, rng):
                    self.check(check, one, operations, phase)

    def users(self) -> int:
        """How many users the clients share."""
        return self.plan.users or (2 if self.plan.overlap else 3)

    def cells(self) -> int:
        """So many cells that no client has to wait for one, or so few that requests on one follow each other closely.

        With overlap they shall meet there; on /users/track the next shall come before the last one is applied.
        """
        plan = self.plan
        if plan.cells:
            return plan.cells
        if plan.overlap:
            return 4
        share = -(-plan.clients // self.users())
        return max(10, 2 * share) if plan.endpoint == "sync" else max(4, share + 1)

    def clean(self, target: Target) -> None:
        """Delete the users of the run, as far as the key allows. The mock is simply dropped."""
        if self.plan.own_mock or not self.histories:
            return
        self.emit(PhaseStarted("cleaning", None))
        done = Cleaner(target.send, target.sleep, patience=60.0).clean(self.everybody())
        self.emit(Cleaned(done.users, done.left, done.why))

    # --- what came of it ----------------------------------------------------------------------------------------

    def weak(self) -> int:
        """How many cells are certainly not linearizable."""
        reports = [one for found in self.reports.values() for one in found]
        return sum(one.decision.holds is False for one in reports)

    def summary(self) -> str:
        plan = self.plan
        how = "overlapping on each cell" if plan.overlap else "each waiting for the answer on its cell"
        parts = [
            f"{sum(one.level is Level.LINEARIZABLE for one in found)} of {len(found)} cells linearizable on {endpoint}"
            for endpoint, found in self.reports.items()
        ]
        return f"{plan.clients} clients, {how}: {', '.join(parts)}"

    def explain(self) -> None:
        """The table of consistency, with drawings of the smallest histories that no order explains."""
        if not self.reports:
            return
        counted = {endpoint: count(found) for endpoint, found in self.reports.items()}
        ambiguities = [
            (level.value, *(str(of[level]) for of in counted.values()), SENTENCES[level])
            for level in Level
            if level is not Level.UNDECIDED or any(of[level] for of in counted.values())
        ]
        drawings: list[Figure] = []
        for endpoint, history in self.histories:
            parts = history.partition()
            broken = [one for one in self.reports[endpoint] if one.decision.holds is False]
            for one in sorted(broken, key=lambda one: one.operations)[:FIGURES]:
                kept = unexplained(parts[one.place])
                if kept:
                    drawings.append(_unexplained(endpoint, one, kept))
        text = "Each attribute, event and product of each user by itself. " + (
            "Nothing is promised to requests that overlap on one of them."
            if self.plan.overlap
            else "Each request was sent after the answer to the one before it, from whichever client; "
            "sync promises that it sees it, /users/track promises nothing of the kind."
        )
        columns = ("consistency", *(f"cells on {endpoint}" for endpoint in counted), "what it means")
        self.emit(SectionAdded(Section("Which consistency held", text, columns, tuple(ambiguities), tuple(drawings))))

    def confirm(self) -> bool:
        """Report each broken clause once, with the smallest history that shows it. Returns whether one fails."""
        if self.found:
            self.emit(PhaseStarted("shrinking", None))
        broken = False
        for number, (clause, (finding, before)) in enumerate(self.found.items()):
            kept = smallest(before, clause, self.settings()) if number < SHRUNK else None
            kept = kept or (before[-1],)
            everything = next(list(history) for _, history in self.histories if before[-1] in history.operations)
            drawn = figure(
                f"The smallest part of the history that breaks {clause}",
                kept,
                around(everything, kept),
                note="Marked !: the answer that no order explains. Dotted: under way on the same user at the time.",
            )
            broken = broken or fails(evidence_of(clause), strict=self.plan.strict)
            exchanges = tuple(one.exchange for one in kept if one.exchange is not None)
            self.emit(FindingConfirmed(finding, exchanges, self.reproduce(), figure=drawn))
        return broken

    def reproduce(self) -> str:
        """The command. Which requests meet is decided by chance, so that it may take more than one run."""
        plan = self.plan
        words = ["tracksync", "race"]
        words += [] if plan.own_mock else ["--target", plan.target]
        words += ["--endpoint", plan.endpoint] if plan.endpoint != "sync" else []
        words += ["--overlap"] if plan.overlap else []
        words += ["--clients", str(plan.clients), "--ops", str(plan.operations), "--seed", str(plan.seed)]
        for name in plan.faults:
            words += ["--fault", name]
        for ambiguity, name in plan.mock_interpretations.items():
            words += ["--interpretation", f"{ambiguity}={name}"]
        words += ["--scenario", plan.scenario] if plan.scenario != "normal" else []
        return shlex.join(words)

    def reasons(self) -> dict[str, str]:
        """A race puts few clauses to the test; the others are not its subject."""
        return dict.fromkeys(catalogue(), "a race asks for order and visibility only; `tracksync fuzz` tests the rest")


def _unexplained(endpoint: Endpoint, one: CellReport, kept: Sequence[RaceOperation]) -> Figure:
    user, _, key = one.place
    unsure = any(operation.fate is WriteOutcome.OPEN for operation in kept)
    return figure(
        f"{key} of {user.rpartition('-')[2]} on {endpoint}: {one.level.value}",
        kept,
        note="No order of these explains every answer; the last one to be answered is marked."
        + (" An arrow: not answered by then, so that it may come at any time." if unsure else ""),
    )


def _failure(exchange: Exchange) -> str:
    return exchange.failure.kind.value if exchange.failure is not None else "no answer"
