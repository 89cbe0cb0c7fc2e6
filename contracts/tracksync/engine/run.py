"""A fuzz run: four phases of requests under one budget, then each finding confirmed, then the users deleted.

    fuzz(plan, emit) -> None

Everything that a person or a report should know is emitted; nothing is printed or written here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from tracksync.config import is_loopback
from tracksync.contract.bounds import bounds
from tracksync.contract.classify import require_usable
from tracksync.contract.clauses import catalogue
from tracksync.contract.second_document import second_document
from tracksync.engine.budget import SHRINK_SHARE, BudgetSpent, Reserve
from tracksync.engine.causes import causes
from tracksync.engine.clean_up import CleaningReserve, clean_up
from tracksync.engine.confirmation import (
    MOCK_REQUESTS,
    SHRINK_REQUESTS,
    Confirmed,
    NewMocks,
    Replayer,
    can_be_played,
    excerpt,
    kind_of,
    replayed_finding,
)
from tracksync.engine.freshness import Prefixes, everything
from tracksync.engine.opening import open_target
from tracksync.engine.phases import PhaseRunner
from tracksync.engine.plan import EMBEDDED_RATE, FuzzPlan
from tracksync.engine.read_back import Verifier
from tracksync.engine.session import Sent, Session, SessionConfig, TargetLost
from tracksync.engine.target_check import check_target
from tracksync.engine.targets import Target
from tracksync.errors import Incomplete
from tracksync.generate.build import Step, json_request
from tracksync.generate.harmless import Namer
from tracksync.model.counts import WINDOW_SECONDS
from tracksync.model.events import Event, FindingConfirmed, RunEnded, RunStarted, Verdict
from tracksync.model.exchange import Credential
from tracksync.model.finding import Finding
from tracksync.model.verdict import evidence_of, fails, fingerprint
from tracksync.oracle import Belief, Settings
from tracksync.oracle.belief import CONSISTENT_AFTER

if TYPE_CHECKING:
    from tracksync.generate.stateful import Sequence as DrawnSequence

SHRINK_SECONDS: Final = 180.0  # three rate windows
SHRINK_FINDINGS: Final = 12  # findings that are made short where requests cost; more are reported as they are
QUICK_READ: Final = 5.0  # seconds for which profiles that disagree are read again, where minutes would tell no more

Emit = Callable[[Event], None]


class WrapTarget(Protocol):
    """Puts something between a run and its target, such as a journal."""

    def __call__(self, target: Target, prefixes: Sequence[str]) -> Target:
        """The target to use instead. `prefixes`: of the users that the run makes, a list that grows."""
        ...


def fuzz(plan: FuzzPlan, emit: Emit, wrap: WrapTarget | None = None) -> None:
    """Run `plan`. Raises TracksyncError for a plan that cannot be carried out; all else ends in a RunEnded event."""
    require_usable()
    prefix = plan.prefix()
    prefixes = [prefix, *plan.users.more]
    target = open_target(plan, prefixes)
    if wrap is not None:
        target = wrap(target, prefixes)
    try:
        _FuzzRun(plan, prefix, prefixes, target, emit).run()
    finally:
        target.close()


class _FuzzRun:
    def __init__(self, plan: FuzzPlan, prefix: str, prefixes: list[str], target: Target, emit: Emit) -> None:
        self.plan, self.prefix, self.prefixes, self.target, self.emit = plan, prefix, prefixes, target, emit
        self.hurried = ""  # why the end must not take long
        self._saving = True  # keep some of the budget for making findings short
        self._cleaning = CleaningReserve(plan)
        embedded = plan.target.embedded
        config = SessionConfig(
            budget=plan.budget,
            pace=not (embedded or plan.probe_rate_limit),
            outage_timeout=plan.target.outage_timeout,
            pulse=self.pulse,
            prefix=None if embedded else prefix,
            kind_of=self.kind_of,
            reserve=Reserve if embedded else self.kept_back,
            seed=plan.seed,
        )
        self.session = Session(target, Belief.start(self.settings(prefix)), emit, config)
        self.verifier = Verifier(self.session, prefix) if plan.read_back and not embedded else None
        self.phases = PhaseRunner(plan, prefix, self.session, self.verifier)
        self.mocks = NewMocks(prefix, lambda: open_target(plan, prefixes), self.fresh_belief, self.pulse, MOCK_REQUESTS)

    def settings(self, prefix: str) -> Settings:
        """The oracle's settings for the target and about users with `prefix`."""
        target, second = self.plan.target, self.plan.second_document
        own = EMBEDDED_RATE if target.embedded else bounds().rate_limit
        return Settings(
            rate_limit=target.rate_limit or own,
            array_limit=target.array_limit,
            fresh=everything if target.embedded else Prefixes(prefix, *self.plan.users.more),
            interpretations=self.plan.interpretations,
            clock_skew=self.target.clock_skew,
            window=WINDOW_SECONDS if target.embedded else None,
            shared=target.shared,
            consistent_after=CONSISTENT_AFTER if target.consistent_after is None else target.consistent_after,
            responses=None if second is None else second_document(Path(second)).responses,
        )

    def fresh_belief(self, prefix: str) -> Belief:
        """The belief for users with a prefix that no request has named."""
        return Belief.start(self.settings(prefix))

    def run(self) -> None:
        """The whole run, from RunStarted to RunEnded."""
        plan, budget = self.plan, self.plan.budget
        self.emit(
            RunStarted(
                "fuzz",
                self.target.name,
                self.target.now(),
                plan.seed,
                plan.max_requests,
                budget.seconds,
                budget.data_points,
                fail_on=plan.findings.fail_on,
            )
        )
        reason, finished = self.drive()
        broken = False
        self._saving = False
        try:
            broken = self.confirm()
        except (KeyboardInterrupt, TargetLost):
            self.hurried = self.hurried or "the run was stopped by hand"
        self.phases.keep_failures()
        with suppress(KeyboardInterrupt, TargetLost):
            clean_up(self.session, plan, self.hurried)
        verdict: Verdict = "failed" if broken else "passed" if finished else "incomplete"
        self.emit(RunEnded(verdict, reason, self.target.now(), self.session.belief.interpretations(), self.reasons()))

    def drive(self) -> tuple[str, bool]:
        """All phases. Returns why the run ended, and whether it got as far as it must."""
        try:
            check_target(self.session, self.prefix, self.plan.seed, embedded=self.plan.target.embedded)
            return self.send_everything()
        except TargetLost as lost:
            self.hurried = "the target does not answer"
            return str(lost), False
        except Incomplete as stopped:
            return str(stopped), False
        except KeyboardInterrupt:
            self.hurried = "the run was stopped by hand"
            return "stopped by hand", False
        finally:
            if self.phases.coverage is not None:
                self.emit(self.phases.coverage.counted())

    def send_everything(self) -> tuple[str, bool]:
        """The phases of the plan, one after the other, and at last the profiles that are to be read back."""
        reason, finished = "all was sent", True
        try:
            self.phases.run()
        except BudgetSpent as spent:
            finished = self.phases.enough
            reason = str(spent) if finished else f"{spent} before every probe was sent"
        self.finish_reading()
        return reason, finished

    def finish_reading(self) -> None:
        """Wait for exported profiles that do not agree yet, and say what could not be seen."""
        verifier, session = self.verifier, self.session
        if verifier is None:
            return
        self._saving = False
        if is_loopback(self.plan.target.address) or any(sent.findings for sent in session.log):
            verifier.consistency_timeout = (
                QUICK_READ  # minutes are for a platform, and for a run that has found nothing yet
            )
        try:
            verifier.finish(session.pause)
        except (BudgetSpent, TargetLost) as stopped:
            verifier.why_not = f"{stopped} before the last profiles could be read back"

    def pulse(self, number: int) -> Step:
        """A plain request that any server answers; each is another one."""
        namer = Namer(self.prefix, random.Random(self.plan.seed)).scope("pulse")
        body = {"attributes": [{"external_id": namer.external_id("u"), "beat": number}]}
        return Step(json_request(body), label="does the target answer?")

    def kept_back(self) -> Reserve:
        """What of the budget is kept for making findings short and for deleting the users."""
        plan, session = self.plan, self.session
        kept = self._cleaning(session)
        if not (self._saving and plan.findings.shrink and session.found):
            return kept
        wanted = SHRINK_REQUESTS * min(len(session.found), SHRINK_FINDINGS)
        seconds = min(SHRINK_SECONDS, (plan.budget.seconds or 0.0) / SHRINK_SHARE)
        return Reserve(kept.requests + min(wanted, plan.max_requests // SHRINK_SHARE), kept.seconds + seconds)

    # --- findings -----------------------------------------------------------------------------------------------

    def confirm(self) -> bool:
        """Report each kind of finding once, with the shortest sequence that shows it. Returns whether one fails."""
        plan, session = self.plan, self.session
        if not session.found:
            return False
        session.begin("shrinking")
        replayer = Replayer(session, self.prefix, self.fresh_belief, self.prefixes)
        confirmed: list[tuple[Finding, Confirmed]] = []
        nearer: dict[Hashable, tuple[Finding, Confirmed]] = {}
        for number, (kind, (log, finding)) in enumerate(list(session.found.items())):
            affordable = plan.target.embedded or number < SHRINK_FINDINGS
            short = plan.findings.shrink and affordable and not self.hurried
            shown = self.shortest(log, finding, replayer, self.phases.failing.get(kind)) if short else None
            if shown is not None and shown.finding is not None:
                finding = shown.finding
            confirmed.append((finding, shown or excerpt(log, self.prefix)))
            if shown is not None and shown.nearer is not None and shown.nearer.finding is not None:
                nearer.setdefault(self.kind_of(shown.nearer.finding), (shown.nearer.finding, shown.nearer))
        confirmed += [one for kind, one in nearer.items() if kind not in session.found]
        return self.report(confirmed)

    def report(self, confirmed: Sequence[tuple[Finding, Confirmed]]) -> bool:
        """Report findings by cause, the leading one of each first. Returns whether one fails the run."""
        shown = [replayed_finding(finding, one) for finding, one in confirmed]
        broken = False
        for cause, group in enumerate(causes(shown), start=1):
            for index in group:
                finding, one = confirmed[index]
                known = self.is_known(finding)
                broken = broken or fails(evidence_of(finding.clause), known=known, fail_on=self.plan.findings.fail_on)
                self.emit(
                    FindingConfirmed(
                        finding, one.exchanges, self.plan.reproduce, known, excerpt=not one.replayed, cause=cause
                    )
                )
        return broken

    def shortest(
        self, log: Sequence[Sent], finding: Finding, replayer: Replayer, drawn: DrawnSequence | None
    ) -> Confirmed | None:
        """Play again what led to a finding and make it short, where that costs nothing or little.

        `drawn`: the stateful sequence that showed it. On the embedded mock Hypothesis makes it simple first.
        """
        if not can_be_played(finding):
            return None
        if self.plan.target.embedded:
            return self.mocks.shortest(log, finding, drawn)
        return replayer.shortest(log, finding, min(SHRINK_REQUESTS, self.session.spending.left()))

    def is_known(self, finding: Finding) -> bool:
        """Whether the baseline lists it, or its clause is allowed."""
        plan = self.plan.findings
        return finding.clause in plan.allowed or fingerprint(finding.clause, finding.pointer) in plan.known

    def kind_of(self, finding: Finding) -> tuple[str, str, bool]:
        """Findings that are the same to a person: one clause, one kind of place. A known one hides no new one."""
        return *kind_of(finding), self.is_known(finding)

    # --- the end ------------------------------------------------------------------------------------------------

    def reasons(self) -> dict[str, str]:
        """For clauses that this run may not have covered: why."""
        plan = self.plan
        reasons = dict(self.phases.why_not)
        if self.verifier is not None and self.verifier.why_not:
            for clause in ("TS-EXPORT-ANSWER", "TS-EXPORT-AGREES"):
                reasons.setdefault(clause, self.verifier.why_not)
        if not self.target.can(Credential.UNPRIVILEGED):
            reasons["TS-AUTH-PERMISSION"] = "there is no key without the permission: set TRACKSYNC_UNPRIVILEGED_KEY"
        if not plan.target.embedded and not plan.probe_rate_limit:
            for clause in ("TS-RATE-EXCEEDED", "TS-RATE-429"):
                reasons.setdefault(clause, "going over the limit needs --probe-rate-limit")
        if self.session.workspace.answered:
            for clause in ("TS-ANSWER-ARRIVES", "TS-ANSWER-SERVER-ERROR"):
                reasons.setdefault(clause, "every request was answered: the clause speaks of responses that fail")
        for clause in catalogue():
            default = "no probe was chosen that covers it" if plan.only else "no response of this run bears on it"
            reasons.setdefault(clause, default)
        return reasons
