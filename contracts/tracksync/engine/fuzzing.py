"""A fuzz run: directed probes, then random collision-prone steps, then each finding made short.

    fuzz(plan, emit) -> None

Everything that a person or a report should know is emitted; nothing is printed or written here.
"""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tracksync.clauses import catalogue
from tracksync.engine.session import Budget, BudgetSpent, Sent, Session, TargetLost
from tracksync.engine.shrink import related, shrink
from tracksync.engine.targets import EmbeddedMock, HttpTarget, Target, is_loopback
from tracksync.errors import Unfinished, UsageError
from tracksync.events import Event, FindingConfirmed, PhaseStarted, RunEnded, RunStarted, Verdict
from tracksync.exchange import Credential, Exchange
from tracksync.findings import Finding
from tracksync.generate.build import DELETE, Step, json_request
from tracksync.generate.harmless import Namer, is_harmless
from tracksync.generate.probes import PROBES, Probe, rate_burst
from tracksync.generate.random_steps import random_steps
from tracksync.limits import DELETE_BATCH, RATE_PER_MINUTE
from tracksync.mock import MockConfig
from tracksync.oracle import Belief, Settings
from tracksync.outcome import fails, strength_of

EMBEDDED_RATE = 120  # requests a minute of the embedded mock: small, so that a short run sees the limit too
SHRINK_REQUESTS = 60  # of one finding, on a target where requests cost
SHRINK_FINDINGS = 12  # findings that are made short; more are reported as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzPlan:
    """What a fuzz run shall do. `target` is "mock" or a base URL; keys are needed for a URL only.

    `max_requests` counts every request, retries and shrinking included; `max_seconds` is the target's time.
    `only`: clause ids; probes that exercise none of them are left out, and the random phase with them.
    `readings`: what the server is held to. `rate_limit`, `array_limit`: the workspace's, None where nobody said.
    `faults`, `mock_readings`: how the embedded mock behaves. `directed`, `random`: which phases run.
    `strict`: observed clauses fail the run too. `known`: fingerprints of findings that a baseline lists.
    """

    target: str = "mock"
    key: str | None = None
    unprivileged_key: str | None = None
    seed: int = 0
    max_requests: int = 500
    max_seconds: float | None = None
    max_data_points: int | None = None
    only: tuple[str, ...] = ()
    readings: Mapping[str, str] = field(default_factory=dict)
    rate_limit: int | None = None
    array_limit: int | None = None
    probe_rate_limit: bool = False
    prefix: str | None = None
    timeout: float = 30.0
    faults: tuple[str, ...] = ()
    mock_readings: Mapping[str, str] = field(default_factory=dict)
    directed: bool = True
    random: bool = True
    shrink: bool = True
    strict: bool = False
    verify: bool | str = True

    @property
    def embedded(self) -> bool:
        return self.target == "mock"


def fuzz(plan: FuzzPlan, emit: Callable[[Event], None]) -> None:
    """Run `plan`. Raises UsageError for a plan that cannot be carried out; all else ends in a RunEnded event."""
    prefix = plan.prefix or _prefix(plan)
    target = open_target(plan, prefix)
    try:
        _Run(plan, prefix, target, emit).run()
    finally:
        target.close()


def _prefix(plan: FuzzPlan) -> str:
    """Names no user of an earlier run can have; on the embedded mock there is none, and the same seed gives the same."""
    if plan.embedded:
        return f"ts{plan.seed % 10**8:08d}"
    return f"ts{random.SystemRandom().getrandbits(40):010x}"


def open_target(plan: FuzzPlan, prefix: str) -> Target:
    """The target that a plan names."""
    if plan.embedded:
        return EmbeddedMock(
            MockConfig(
                rate_limit=plan.rate_limit or EMBEDDED_RATE,
                faults=plan.faults,
                readings=plan.mock_readings,
                seed=plan.seed,
                **({"array_limit": plan.array_limit} if plan.array_limit else {}),
            )
        )
    if not re.match(r"https?://[^/]", plan.target):
        raise UsageError(f"{plan.target!r} is no target: give mock, live, or a URL that begins with http:// or https://")
    if not plan.key:
        raise UsageError("there is no API key for this target: set TRACKSYNC_API_KEY")
    return HttpTarget(
        plan.target,
        plan.key,
        plan.unprivileged_key,
        timeout=plan.timeout,
        verify=plan.verify,
        guard=lambda request: is_harmless(request, prefix),
    )


@dataclass(slots=True)
class _Run:
    plan: FuzzPlan
    prefix: str
    target: Target
    emit: Callable[[Event], None]
    session: Session = field(init=False)
    why_not: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plan = self.plan
        budget = Budget(plan.max_requests, plan.max_seconds, plan.max_data_points)
        belief = Belief.start(self.settings(self.prefix))
        self.session = Session(self.target, belief, self.emit, budget, rng=random.Random(plan.seed))
        self.session.pace = not (plan.embedded or plan.probe_rate_limit)

    def settings(self, prefix: str) -> Settings:
        plan = self.plan
        embedded_rate = plan.rate_limit or EMBEDDED_RATE
        return Settings(
            rate_limit=embedded_rate if plan.embedded else plan.rate_limit or RATE_PER_MINUTE,
            array_limit=plan.array_limit,
            fresh=freshness(prefix, everything=plan.embedded),
            readings=plan.readings,
            clock_skew=self.target.clock_skew,
        )

    def run(self) -> None:
        plan = self.plan
        self.emit(
            RunStarted(
                "fuzz",
                self.target.name,
                self.target.now(),
                plan.seed,
                plan.max_requests,
                plan.max_seconds,
                plan.max_data_points,
                plan.strict,
            )
        )
        reason, finished = "", True
        try:
            self.check_target()
            reason, finished = self.drive()
        except TargetLost as lost:
            reason, finished = str(lost), False
        except Unfinished as stopped:
            reason, finished = str(stopped), False
        except KeyboardInterrupt:
            reason, finished = "stopped by hand", False
        broken = False
        with suppress(KeyboardInterrupt, TargetLost):
            broken = self.confirm()
        with suppress(KeyboardInterrupt, TargetLost):
            self.clean()
        verdict: Verdict = "broken" if broken else "kept" if finished else "unfinished"
        self.emit(
            RunEnded(verdict, reason, self.target.now(), self.session.belief.readings(), self.reasons())
        )

    # --- phases -------------------------------------------------------------------------------------------------

    def check_target(self) -> None:
        """One plain request first: a wrong key, path or host is a mistake in the call, not a finding."""
        namer = Namer(self.prefix, random.Random(self.plan.seed)).scope("hello")
        body = {"attributes": [{"external_id": namer.external_id("first"), "greeting": "hello"}]}
        self.emit(PhaseStarted("hello", 1))
        self.session.phase = "hello"
        try:
            exchange = self.session.send(Step(json_request(body), label="is the target there?"))
        except BudgetSpent as spent:
            raise Unfinished(str(spent)) from None
        if exchange is None or exchange.response is None:
            why = exchange.failure.kind.value if exchange and exchange.failure else "nothing was sent"
            raise Unfinished(f"{self.target.name} does not answer ({why}); is the address right and the server up?")
        status = exchange.response.status
        if self.plan.embedded:
            return
        if status in (401, 403):
            what = "refuses the key" if status == 401 else "says that the key lacks the permission users.track.sync"
            raise UsageError(f"{self.target.name} {what} ({status}); check TRACKSYNC_API_KEY and the instance's URL")
        if status in (404, 405) or 300 <= status < 400:
            raise UsageError(
                f"{self.target.name}/users/track/sync is not there ({status}); the target is the base URL, "
                "such as https://rest.iad-01.braze.com"
            )
        if status == 429 or status >= 500:
            raise Unfinished(f"{self.target.name} answers {status} even after several tries; try again later")

    def drive(self) -> tuple[str, bool]:
        """The directed and the random phase. Returns why the run ended, and whether it got as far as it must."""
        plan = self.plan
        try:
            if plan.directed:
                self.directed()
        except BudgetSpent as spent:
            return f"{spent} before every probe was sent", False
        if not plan.random or plan.only:
            return "every probe was sent", True
        try:
            self.rate()
            self.random()
        except BudgetSpent as spent:
            return str(spent), True
        return "all was sent", True

    def chosen(self) -> list[Probe]:
        wanted = set(self.plan.only)
        return [probe for probe in PROBES if not wanted or wanted & set(probe.clauses)]

    def directed(self) -> None:
        probes = self.chosen()
        namer = Namer(self.prefix, random.Random(self.plan.seed))
        scripts = [probe.steps(namer) for probe in probes]
        self.emit(PhaseStarted("directed", sum(len(script) for script in scripts)))
        self.session.phase = "directed"
        for probe, script in zip(probes, scripts, strict=True):
            if probe.heavy and not self.plan.embedded and self.left() < 2:
                continue
            for step in script:
                exchange = self.session.send(step)
                if probe.optional and exchange is not None and _not_offered(exchange):
                    for clause in probe.clauses:
                        self.why_not.setdefault(clause, f"the target does not offer {step.request.path} to this key")
                    break

    def rate(self) -> None:
        """Go over the limit on purpose where that is allowed: the window may be nearly used up already."""
        plan = self.plan
        if not (plan.embedded or plan.probe_rate_limit):
            return
        windows = self.session.belief.windows.get(0)
        limit = plan.rate_limit or (windows.limit if windows and windows.limit else RATE_PER_MINUTE)
        if any(sent.exchange.response and sent.exchange.response.status == 429 for sent in self.session.log):
            return
        used = windows.accepted if windows else 0
        needed = limit - used + 5
        if needed > self.left():
            self.why_not["TS-RATE-EXCEEDED"] = f"{needed} more requests would be needed, {self.left()} are left"
            self.why_not["TS-RATE-429"] = self.why_not["TS-RATE-EXCEEDED"]
            return
        self.emit(PhaseStarted("rate", needed))
        self.session.phase = "rate"
        namer = Namer(self.prefix, random.Random(self.plan.seed))
        for step in rate_burst(namer, needed):
            exchange = self.session.send(step)
            if self.session.log[-1].exchange is not exchange or _retried(self.session.log):
                break

    def random(self) -> None:
        namer = Namer(self.prefix, random.Random(self.plan.seed + 1))
        self.emit(PhaseStarted("random", self.left()))
        self.session.phase = "random"
        for step in random_steps(self.plan.seed, namer):
            self.session.send(step)

    def left(self) -> int:
        left = self.session.left()
        return 10**9 if left is None else left

    # --- findings -----------------------------------------------------------------------------------------------

    def confirm(self) -> bool:
        """Report each distinct finding once, with the shortest sequence that shows it. Returns whether one fails."""
        plan = self.plan
        distinct: dict[tuple[str, str], tuple[int, Finding]] = {}
        log = list(self.session.log)
        for index, sent in enumerate(log):
            for finding in sent.findings:
                distinct.setdefault(_likeness(finding), (index, finding))
        if not distinct:
            return False
        self.emit(PhaseStarted("shrinking", None))
        broken = False
        for number, (index, finding) in enumerate(distinct.values()):
            exchanges = self.shortest(log, index, finding) if number < SHRINK_FINDINGS and plan.shrink else None
            if exchanges is None:
                exchanges = tuple(sent.exchange for sent in _related(log, index))[-8:]
            broken = broken or fails(strength_of(finding.clause), strict=plan.strict)
            self.emit(FindingConfirmed(finding, exchanges, self.reproduce(finding)))
        return broken

    def shortest(self, log: Sequence[Sent], index: int, finding: Finding) -> tuple[Exchange, ...] | None:
        """Replay and shrink the steps that led to a finding, where that costs nothing or little."""
        if finding.clause.startswith("TS-RATE-") or any(sent.phase == "hello" for sent in log[index : index + 1]):
            return None
        if not self.plan.embedded:
            return None
        steps = [sent.step for sent in _related(log, index)]
        found: list[Sent] = []

        def breaks(candidate: Sequence[Step]) -> bool:
            nonlocal found
            played = self.replay(candidate)
            if any(one.clause == finding.clause for one in played[-1].findings):
                found = played
                return True
            return False

        if not breaks(steps) and not breaks([sent.step for sent in log[: index + 1]]):
            return None
        shrink([sent.step for sent in found], breaks)
        return tuple(sent.exchange for sent in found)

    def replay(self, steps: Sequence[Step]) -> list[Sent]:
        """Play steps against a fresh embedded mock, with a fresh belief."""
        target = open_target(self.plan, self.prefix)
        session = Session(target, Belief.start(self.settings(self.prefix)), lambda event: None)
        for step in steps:
            session.send(step)
        return session.log

    def reproduce(self, finding: Finding) -> str:
        plan = self.plan
        words = ["tracksync", "fuzz"]
        if not plan.embedded:
            words += ["--target", self.target.name]
        words += ["--seed", str(plan.seed), "--max-requests", str(plan.max_requests)]
        for name in plan.faults:
            words += ["--fault", name]
        for row, reading in plan.mock_readings.items():
            words += ["--reading", f"{row}={reading}"]
        if plan.rate_limit:
            words += ["--rate-limit", str(plan.rate_limit)]
        if plan.probe_rate_limit:
            words.append("--probe-rate-limit")
        return shlex.join(words)

    # --- the end ------------------------------------------------------------------------------------------------

    def clean(self) -> None:
        """Delete the users that the run made, as far as the key allows. The embedded mock is simply dropped."""
        if self.plan.embedded:
            return
        ids = sorted(text for (kind, text) in self.session.belief.names if kind == "external_id")
        ids = [one for one in ids if one.startswith(self.prefix)]
        if not ids:
            return
        self.emit(PhaseStarted("cleaning", len(ids) // DELETE_BATCH + 1))
        for start in range(0, len(ids), DELETE_BATCH):
            body = {"external_ids": ids[start : start + DELETE_BATCH]}
            exchange = self.target.send(Step(json_request(body, path=DELETE), label="clean up"))
            if exchange.response is None or exchange.response.status not in (200, 201):
                return

    def reasons(self) -> dict[str, str]:
        """For clauses that this run may not have exercised: why."""
        plan = self.plan
        reasons = dict(self.why_not)
        if not self.target.can(Credential.UNPRIVILEGED):
            reasons["TS-AUTH-PERMISSION"] = "there is no key without the permission: set TRACKSYNC_UNPRIVILEGED_KEY"
        if not plan.embedded and not plan.probe_rate_limit:
            for clause in ("TS-RATE-EXCEEDED", "TS-RATE-429"):
                reasons.setdefault(clause, "going over the limit needs --probe-rate-limit")
        for clause in ("TS-ANSWER-ARRIVES", "TS-ANSWER-SERVER-ERROR"):
            reasons.setdefault(clause, "every request was answered: the clause speaks of answers that fail")
        for clause in catalogue():
            default = "no probe was chosen that exercises it" if plan.only else "no answer of this run bears on it"
            reasons.setdefault(clause, default)
        return reasons


def freshness(prefix: str, *, everything: bool) -> Callable[[str, str], bool]:
    """Which identifiers the workspace cannot know: on a new mock all, elsewhere those that carry the run's prefix.

    Phone numbers carry none, so that another run may have used the same.
    """

    def fresh(kind: str, text: str) -> bool:
        return everything or (kind not in ("phone", "braze_id") and prefix in text)

    return fresh


def _not_offered(exchange: Exchange) -> bool:
    return exchange.response is not None and exchange.response.status in (401, 403, 404)


def _retried(log: Sequence[Sent]) -> bool:
    return any(sent.exchange.response and sent.exchange.response.status == 429 for sent in log[-4:])


def _likeness(finding: Finding) -> tuple[str, str]:
    """Findings that are the same to a person: one clause, one kind of place."""
    if finding.clause == "TS-READING-KEPT":
        return finding.clause, str(finding.expected).split("=")[0]
    return finding.clause, ""


_WORD = re.compile(rb"ts[0-9a-z]{8,}[^\"\\]*|\+\d{8,15}|\b\d{15}\b")


def words_of(step: Step) -> frozenset[str]:
    """The identifiers in a request's body: what makes two steps bear on each other."""
    return frozenset(match.decode("utf-8", "replace") for match in _WORD.findall(step.request.body))


def _related(log: Sequence[Sent], index: int) -> list[Sent]:
    steps = [sent.step for sent in log]
    chosen = {id(step) for step in related(steps, index, words_of)}
    return [sent for sent in log[: index + 1] if id(sent.step) in chosen]


def steps_of(probes: Sequence[Probe], namer: Namer) -> Iterator[Step]:
    """All steps of the probes, in order."""
    for probe in probes:
        yield from probe.steps(namer)
