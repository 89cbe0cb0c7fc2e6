"""A fuzz run: directed probes, then random collision-prone steps, then each finding made short.

    fuzz(plan, emit) -> None

Everything that a person or a report should know is emitted; nothing is printed or written here.
"""

from __future__ import annotations

import random
import re
import shlex
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tracksync.contract.bounds import bounds
from tracksync.contract.clauses import catalogue
from tracksync.engine.cleaning import Cleaner, cost
from tracksync.engine.replaying import LONGEST, Replayer
from tracksync.engine.session import Budget, BudgetSpent, Sent, Session, TargetLost
from tracksync.engine.shrink import related, shrink
from tracksync.engine.targets import EmbeddedMock, HttpTarget, Target, is_loopback
from tracksync.engine.verifying import Verifier
from tracksync.errors import Incomplete, UsageError
from tracksync.generate.build import Step, json_request
from tracksync.generate.harmless import Namer, is_harmless
from tracksync.generate.probes import PROBES, Probe, rate_burst
from tracksync.generate.random_steps import EPOCH, epoch_scope, random_steps
from tracksync.generate.renaming import singles
from tracksync.mock import MockConfig
from tracksync.model.events import Cleaned, Event, FindingConfirmed, PhaseStarted, RunEnded, RunStarted, Verdict
from tracksync.model.exchange import Credential, Exchange, Request
from tracksync.model.finding import Finding
from tracksync.model.verdict import evidence_of, fails, fingerprint
from tracksync.oracle import Belief, Settings
from tracksync.oracle.belief import LimitedEndpoint
from tracksync.values.jsontext import read_json

EMBEDDED_RATE = 120  # requests a minute of the embedded mock: small, so that a short run sees the limit too
SHRINK_REQUESTS = 60  # of one finding, on a target where requests cost
SHRINK_SHARE = 5  # at most one in so many requests of the budget is kept for making findings short
SHRINK_SECONDS = 180.0  # three rate windows
SETTLE = 3.0  # seconds after which a write whose answer was lost is not expected to come through any more
QUICK_READ = 5.0  # seconds for which profiles that disagree are read again, where minutes would tell no more
LOOK_SHARE = 10  # at most one in so many requests of the budget is kept for looking whether users are gone
CLEAN_SECONDS = 30.0  # kept for deleting users, at most, and at most one in SHRINK_SHARE of the budget
CLEAN_ANYWAY = 5.0  # seconds that deleting may go on although the budget of seconds is over
HURRY = 8.0  # seconds for deleting users when somebody wants to go, or the target has gone
HURRIED_ANSWER = 3.0  # seconds to wait for one answer then
SHRINK_FINDINGS = 12  # findings that are made short; more are reported as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzPlan:
    """What a fuzz run shall do. `target` is "mock" or a base URL; keys are needed for a URL only.

    `max_requests` counts every request, retries and shrinking included; `max_seconds` is the target's time.
    `only`: clause ids; probes that cover none of them are left out, and the random phase with them.
    `interpretations`: what the server is held to. `rate_limit`, `array_limit`: the workspace's, None where nobody said.
    `faults`, `mock_readings`: how the embedded mock behaves. `directed`, `random`: which phases run.
    `strict`: observed clauses fail the run too. `known`: fingerprints of findings that a baseline lists.
    `prefix`: of every identifier, None for one that no earlier run had; `more_prefixes`: others that may be sent too.
    `verify`: False, or a file with certificates to trust. `patience`: seconds for which an outage is waited out, and
    slow deletion. `shared`: other jobs use the workspace's rate limit too. `read_back`: hold exported profiles against
    the answers; the embedded mock is probed for that only.
    """

    target: str = "mock"
    key: str | None = None
    unprivileged_key: str | None = None
    seed: int = 0
    max_requests: int = 500
    max_seconds: float | None = None
    max_data_points: int | None = None
    only: tuple[str, ...] = ()
    interpretations: Mapping[str, str] = field(default_factory=dict)
    rate_limit: int | None = None
    array_limit: int | None = None
    probe_rate_limit: bool = False
    prefix: str | None = None
    more_prefixes: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    patience: float = 300.0
    read_back: bool = True
    shared: bool = False
    timeout: float = 30.0
    faults: tuple[str, ...] = ()
    mock_interpretations: Mapping[str, str] = field(default_factory=dict)
    directed: bool = True
    random: bool = True
    shrink: bool = True
    strict: bool = False
    verify: bool | str = True

    @property
    def embedded(self) -> bool:
        """Whether the target is the mock in this process."""
        return self.target == "mock"


Wrap = Callable[[Target, Sequence[str]], Target]


def fuzz(plan: FuzzPlan, emit: Callable[[Event], None], wrap: Wrap | None = None) -> None:
    """Run `plan`. Raises UsageError for a plan that cannot be carried out; all else ends in a RunEnded event.

    `wrap` may put something between the run and its target, such as a journal; it is also given the prefixes of the
    users that the run makes, a list that grows.
    """
    prefix = plan.prefix or _prefix(plan)
    prefixes = [prefix, *plan.more_prefixes]
    target = open_target(plan, prefixes)
    if wrap is not None:
        target = wrap(target, prefixes)
    try:
        _FuzzRun(plan, prefix, prefixes, target, emit).run()
    finally:
        target.close()


def _prefix(plan: FuzzPlan) -> str:
    """A prefix that no earlier run had; on the embedded mock there is none, and the same seed gives the same."""
    if plan.embedded:
        return f"ts{plan.seed % 10**8:08d}"
    return new_prefix()


def new_prefix(stem: str = "ts") -> str:
    """A prefix that no earlier run has; `stem` is what people recognise it by."""
    return f"{stem}{'' if stem == 'ts' else '-'}{random.SystemRandom().getrandbits(48):012x}"


def open_target(plan: FuzzPlan, prefixes: Sequence[str]) -> Target:
    """The target that a plan names. It sends only what is harmless for one of `prefixes`, which may grow."""
    if plan.embedded:
        return EmbeddedMock(
            MockConfig(
                rate_limit=plan.rate_limit or EMBEDDED_RATE,
                faults=plan.faults,
                interpretations=plan.mock_interpretations,
                seed=plan.seed,
                array_limit=plan.array_limit or bounds().array_elements.most,
            )
        )
    if not re.match(r"https?://[^/]", plan.target):
        raise UsageError(
            f"{plan.target!r} is no target: give mock, live, or a URL that begins with http:// or https://"
        )
    if not plan.key:
        raise UsageError("there is no API key for this target: set TRACKSYNC_API_KEY")
    return HttpTarget(
        plan.target,
        plan.key,
        plan.unprivileged_key,
        timeout=plan.timeout,
        verify=ssl.create_default_context(cafile=plan.verify) if isinstance(plan.verify, str) else plan.verify,
        guard=lambda request: harmful(request, prefixes),
    )


def harmful(request: Request, prefixes: Sequence[str]) -> str | None:
    """Why `request` is harmless for none of `prefixes`, or None. A batch may name users of several of them."""
    for part in singles(request):
        reasons = [reason for prefix in reversed(prefixes) if (reason := is_harmless(part, prefix))]
        if len(reasons) == len(prefixes):
            return reasons[-1] if reasons else "there is no prefix"
    return None


@dataclass(slots=True)
class _FuzzRun:
    plan: FuzzPlan
    prefix: str
    prefixes: list[str]
    target: Target
    emit: Callable[[Event], None]
    session: Session = field(init=False)
    why_not: dict[str, str] = field(default_factory=dict)
    enough: bool = False  # every probe was sent that has to be
    saving: bool = True  # keep some of the budget for making findings short
    hurried: str = ""  # why the end must not take long
    _cost: tuple[int, tuple[int, int]] = (-1, (0, 0))

    def __post_init__(self) -> None:
        plan = self.plan
        budget = Budget(plan.max_requests, plan.max_seconds, plan.max_data_points)
        belief = Belief.start(self.settings(self.prefix))
        self.session = session = Session(self.target, belief, self.emit, budget, rng=random.Random(plan.seed))
        session.pace = not (plan.embedded or plan.probe_rate_limit)
        session.likeness = self.likeness
        if not plan.embedded:
            session.pulse, session.patience = self.pulse, plan.patience
            session.reserve, session.keep_users, session.prefix = self.kept_back, True, self.prefix

    def settings(self, prefix: str) -> Settings:
        plan = self.plan
        embedded_rate = plan.rate_limit or EMBEDDED_RATE
        return Settings(
            rate_limit=embedded_rate if plan.embedded else plan.rate_limit or bounds().rate_limit,
            array_limit=plan.array_limit,
            fresh=freshness([prefix, *plan.more_prefixes], everything=plan.embedded),
            interpretations=plan.interpretations,
            clock_skew=self.target.clock_skew,
            shared=plan.shared,
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
            self.hurried = "the target does not answer"
        except Incomplete as stopped:
            reason, finished = str(stopped), False
        except KeyboardInterrupt:
            reason, finished = "stopped by hand", False
            self.hurried = "the run was stopped by hand"
        broken = False
        self.saving = False
        try:
            broken = self.confirm()
        except (KeyboardInterrupt, TargetLost):
            self.hurried = self.hurried or "the run was stopped by hand"
        with suppress(KeyboardInterrupt, TargetLost):
            self.clean()
        verdict: Verdict = "failed" if broken else "passed" if finished else "incomplete"
        self.emit(RunEnded(verdict, reason, self.target.now(), self.session.belief.interpretations(), self.reasons()))

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
            if not self.session.requests:
                spent = BudgetSpent(f"{spent} before it began: some is kept for deleting the run's users; allow more")
            raise Incomplete(str(spent)) from None
        if exchange is None or exchange.response is None:
            why = exchange.failure.kind.value if exchange and exchange.failure else "nothing was sent"
            raise Incomplete(f"{self.target.name} does not answer ({why}); is the address right and the server up?")
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
            raise Incomplete(f"{self.target.name} answers {status} even after several tries; try again later")

    def drive(self) -> tuple[str, bool]:
        """The directed and the random phase. Returns why the run ended, and whether it got as far as it must."""
        plan = self.plan
        try:
            if plan.directed:
                self.directed()
        except BudgetSpent as spent:
            return (str(spent), True) if self.enough else (f"{spent} before every probe was sent", False)
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
            self.enough = self.enough or probe.further
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
        windows = self.session.belief.windows.get(LimitedEndpoint.SYNC)
        limit = plan.rate_limit or (windows.limit if windows and windows.limit else bounds().rate_limit)
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
        session = self.session
        session.phase = "random"
        verifier = Verifier(session, self.prefix)
        reading_back = self.plan.read_back and not self.plan.embedded
        try:
            for number, step in enumerate(random_steps(self.plan.seed, namer)):
                exchange = session.send(step)
                if reading_back:
                    verifier.note(exchange)
                if number % EPOCH == 0 and number >= 2 * EPOCH:  # those users are addressed no more
                    gone = f"-{epoch_scope(self.plan.seed, number // EPOCH - 2)}-"
                    session.belief = session.belief.without(lambda text, gone=gone: gone in text)  # type: ignore[misc]
        except BudgetSpent:
            if reading_back:
                self.finish_reading(verifier)
            raise

    def finish_reading(self, verifier: Verifier) -> None:
        """Wait for exported profiles that do not agree yet, and say what could not be seen."""
        session = self.session
        self.saving = False
        if is_loopback(urlsplit(self.plan.target).hostname or "") or any(sent.findings for sent in session.log):
            verifier.patience = QUICK_READ  # minutes are for a platform, and for a run that has found nothing yet
        try:
            verifier.finish(session.pause)
        except (BudgetSpent, TargetLost) as stopped:
            verifier.why_not = f"{stopped} before the last profiles could be read back"
        if verifier.why_not:
            for clause in ("TS-EXPORT-ANSWER", "TS-EXPORT-AGREES"):
                self.why_not.setdefault(clause, verifier.why_not)

    def pulse(self, number: int) -> Step:
        """A plain request that any server answers; each is another one."""
        namer = Namer(self.prefix, random.Random(self.plan.seed)).scope("pulse")
        body = {"attributes": [{"external_id": namer.external_id("u"), "beat": number}]}
        return Step(json_request(body), label="is the target there?")

    def kept_back(self) -> tuple[int, float]:
        """Requests and seconds of the budget that are kept for making findings short and for deleting the users."""
        plan, session = self.plan, self.session
        requests, seconds = self.kept_for_cleaning()
        if self.saving and plan.shrink and session.found:
            wanted = SHRINK_REQUESTS * min(len(session.found), SHRINK_FINDINGS)
            requests += min(wanted, plan.max_requests // SHRINK_SHARE)
            seconds += min(SHRINK_SECONDS, (plan.max_seconds or 0.0) / SHRINK_SHARE)
        return requests, seconds

    def kept_for_cleaning(self) -> tuple[int, float]:
        """What deleting the users takes, and, as far as a share of the budget goes, looking whether they are gone."""
        users = self.session.users
        if self._cost[0] != len(users):
            self._cost = len(users), cost(users)
        deletions, looks = self._cost[1]
        spare = max(self.plan.max_requests // LOOK_SHARE, 1)
        requests = max(deletions, 1) + min(looks + 5, spare)
        pace = self.session.waited / max(self.session.requests, 1)
        wanted = SETTLE + 2 * requests * pace
        return requests, min(wanted, CLEAN_SECONDS, (self.plan.max_seconds or 0.0) / SHRINK_SHARE)

    def left(self) -> int:
        left = self.session.left()
        return 10**9 if left is None else left

    # --- findings -----------------------------------------------------------------------------------------------

    def confirm(self) -> bool:
        """Report each distinct finding once, with the shortest sequence that shows it. Returns whether one fails."""
        plan = self.plan
        if not self.session.found:
            return False
        self.emit(PhaseStarted("shrinking", None))
        self.session.phase = "shrinking"
        broken = False
        for number, (log, finding) in enumerate(list(self.session.found.values())):
            index = len(log) - 1
            short = plan.shrink and number < SHRINK_FINDINGS and not self.hurried
            exchanges = self.shortest(log, index, finding) if short else None
            if exchanges is None:
                exchanges = tuple(sent.exchange for sent in _related(log, index, self.prefix))[-8:]
            known = self.is_known(finding)
            broken = broken or fails(evidence_of(finding.clause), strict=plan.strict, known=known)
            self.emit(FindingConfirmed(finding, exchanges, self.reproduce(finding), known))
        return broken

    def is_known(self, finding: Finding) -> bool:
        """Whether the baseline lists it."""
        return fingerprint(finding.clause, finding.pointer) in self.plan.known

    def likeness(self, finding: Finding) -> tuple[str, str, bool]:
        """Findings that are the same to a person: one clause, one kind of place. A known one hides no new one."""
        ambiguity = str(finding.expected).split("=")[0] if finding.clause == "TS-INTERPRETATION-KEPT" else ""
        return finding.clause, ambiguity, self.is_known(finding)

    def shortest(self, log: Sequence[Sent], index: int, finding: Finding) -> tuple[Exchange, ...] | None:
        """Replay and shrink the steps that led to a finding, where that costs nothing or little."""
        if finding.clause.startswith("TS-RATE-") or any(sent.phase == "hello" for sent in log[index : index + 1]):
            return None
        steps = [sent.step for sent in _related(log, index, self.prefix)]
        if not self.plan.embedded:
            replayer = Replayer(self.session, self.prefix, self.fresh_belief, self.prefixes)
            once = list({id(step): step for step in steps}.values())  # a repetition after trouble is the same step
            return replayer.shortest(suspects(once, self.prefix), finding, min(SHRINK_REQUESTS, self.left()))
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

    def fresh_belief(self, prefix: str) -> Belief:
        """The belief for users with a prefix that nobody has seen."""
        return Belief.start(self.settings(prefix))

    def replay(self, steps: Sequence[Step]) -> list[Sent]:
        """Play steps against a fresh embedded mock, with a fresh belief."""
        target = open_target(self.plan, self.prefixes)
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
        for ambiguity, interpretation in plan.mock_interpretations.items():
            words += ["--interpretation", f"{ambiguity}={interpretation}"]
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
        self.emit(PhaseStarted("cleaning", None))
        session, patience = self.session, min(self.plan.patience, 60.0)
        settle = SETTLE if session.lost else 0.0
        session.phase = "cleaning"
        if self.hurried:
            self.target.hurry(HURRIED_ANSWER)
            patience, settle = HURRIED_ANSWER, 0.0
        before, began = session.requests, self.target.now()

        def stop() -> str:
            took = self.target.now() - began
            if self.hurried and took > HURRY:
                return f"{self.hurried}, and deleting its users was given {HURRY:.0f} s"
            over = session.over()
            return over if took > CLEAN_ANYWAY or "requests" in over else ""

        cleaner = Cleaner(session.deliver, self.target.sleep, patience=patience, settle=settle, stop=stop)
        done = cleaner.clean(session.users)
        self.emit(Cleaned(done.users, done.left, done.why, session.requests - before, done.verified))

    def reasons(self) -> dict[str, str]:
        """For clauses that this run may not have covered: why."""
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
            default = "no probe was chosen that covers it" if plan.only else "no answer of this run bears on it"
            reasons.setdefault(clause, default)
        return reasons


def freshness(prefixes: Sequence[str], *, everything: bool) -> Callable[[str, str], bool]:
    """Which identifiers the workspace cannot know: on a new mock all, elsewhere those that carry a prefix of the run.

    Phone numbers carry none, so that another run may have used the same.
    """

    def fresh(kind: str, text: str) -> bool:
        return everything or (kind not in ("phone", "braze_id") and any(prefix in text for prefix in prefixes))

    return fresh


def _not_offered(exchange: Exchange) -> bool:
    return exchange.response is not None and exchange.response.status in (401, 403, 404)


def _retried(log: Sequence[Sent]) -> bool:
    return any(sent.exchange.response and sent.exchange.response.status == 429 for sent in log[-4:])


_OTHER_WORD = r"|\+\d{8,15}|\b\d{15}\b"  # phone numbers, integer identifiers


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


def _related(log: Sequence[Sent], index: int, prefix: str) -> list[Sent]:
    steps = [sent.step for sent in log]
    chosen = {id(step) for step in related(steps, index, lambda step: words_of(step, prefix))}
    return [sent for sent in log[: index + 1] if id(sent.step) in chosen]
