"""Sends recorded requests again, and compares the responses with the recorded ones.

Both are checked by the oracle; compared are the broken clauses and the interpretations. What the contract leaves free
(wording, order, extra fields, the form of times) is not a difference. Identifiers are replaced first, so that no user
of the recording or of an earlier run is touched. A request that would not be harmless then is skipped and counted.
"""

from __future__ import annotations

import random
import re
import shlex
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tracksync.cassettes import audit
from tracksync.cassettes.checking import check_recording
from tracksync.cassettes.interaction import Interaction, Recording
from tracksync.cassettes.manifest import ManifestEntry, Manifests
from tracksync.cassettes.normalising import OURS
from tracksync.cassettes.pseudonyms import Pseudonyms
from tracksync.cassettes.reading import NoRecording, find_files, parse, read_file
from tracksync.contract.bounds import SYNC
from tracksync.contract.clauses import catalogue
from tracksync.engine.budget import Budget, BudgetSpent
from tracksync.engine.freshness import Prefixes
from tracksync.engine.session import Sent, Session, SessionConfig, TargetLost
from tracksync.engine.target_check import check_call, check_media
from tracksync.engine.targets import HttpTarget, Target, trusted
from tracksync.errors import ConfigError, UsageError
from tracksync.generate.build import SentKey, Step
from tracksync.generate.harmless import Namer, is_harmless
from tracksync.generate.renaming import renamed
from tracksync.model.events import (
    Event,
    FindingConfirmed,
    InterpretationLearned,
    PhaseStarted,
    RunEnded,
    RunStarted,
    Skipped,
    Verdict,
)
from tracksync.model.exchange import Credential, Exchange, Response
from tracksync.model.finding import Finding
from tracksync.model.verdict import evidence_of, fails
from tracksync.oracle import Belief, Settings
from tracksync.report.view import plural
from tracksync.wire.bodies import Unreadable

MOST_SHOWN = 8
_INTEGERS_OF_PREFIX = 10**6
_FIXED = re.compile(rb"%s0*(?=-)" % OURS.encode())
_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendPlan:
    """What to send again, and where to. `target` is a base URL; `max_requests` counts retries too. `ca`: a
    file of the certificates to trust.

    `options`: the words of the command line that a line which reproduces a finding has to repeat.
    """

    paths: tuple[Path, ...]
    target: str
    key: str | None
    unprivileged_key: str | None = None
    interpretations: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    auditor: audit.Auditor | None = None
    rate_limit: int | None = None
    array_limit: int | None = None
    max_requests: int | None = None
    timeout: float = 30.0
    ca: Path | None = None
    prefix: str | None = None
    options: tuple[str, ...] = ()


def settings_for(plan: ResendPlan, prefix: str, *, clock_skew: float) -> Settings:
    """What the oracle is told of the target. `prefix` begins the identifiers; `clock_skew` in seconds."""
    return Settings(
        rate_limit=plan.rate_limit,
        array_limit=plan.array_limit,
        fresh=Prefixes(prefix),
        interpretations=plan.interpretations,
        clock_skew=clock_skew,
    )


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """What one side showed: for each broken clause its first finding, and the interpretations that it showed."""

    broken: Mapping[str, Finding]
    interpretations: Mapping[str, str]


def resend(plan: ResendPlan, emit: Callable[[Event], None]) -> None:
    """Send every recording again. Raises UsageError for a plan that cannot be carried out."""
    for path in plan.paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist; give recordings, or directories that hold some")
    if not plan.key:
        raise UsageError("there is no API key for this target: set TRACKSYNC_API_KEY")
    # Two recordings may name the same user, and an earlier run may have left it: each recording gets its own prefix.
    drawn = "".join(random.SystemRandom().choices(_LETTERS, k=11))
    run = plan.prefix or f"t{drawn}"
    target = HttpTarget(plan.target, plan.key, plan.unprivileged_key, timeout=plan.timeout, verify=trusted(plan.ca))
    try:
        _ResendRun(plan, target, emit, run).run()
    finally:
        target.close()


@dataclass(slots=True)
class _ResendRun:
    plan: ResendPlan
    target: Target
    emit: Callable[[Event], None]
    prefix: str
    manifests: Manifests = field(default_factory=Manifests)
    budget_left: int | None = None
    answered: bool = False
    broken: bool = False
    unread: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    recordings: int = 0
    requests: int = 0
    index: int = 0
    interpretations: dict[str, set[str]] = field(default_factory=dict)

    def run(self) -> None:
        plan = self.plan
        self.budget_left = plan.max_requests
        self.emit(
            RunStarted("replay", self.target.name, self.target.now(), None, plan.max_requests, strict=plan.strict)
        )
        self.emit(PhaseStarted("again"))
        stopped = ""
        try:
            for path, named in find_files(plan.paths):
                self.file(path, named)
        except (TargetLost, BudgetSpent) as end:
            stopped = str(end)
        verdict: Verdict = "failed" if self.broken else "incomplete" if stopped or self.unread else "passed"
        if not self.requests:
            verdict = "incomplete"
        agreed = {
            ambiguity: next(iter(one)) for ambiguity, one in sorted(self.interpretations.items()) if len(one) == 1
        }
        why = dict.fromkeys(catalogue(), "no response of this run bears on it")
        self.emit(RunEnded(verdict, self._reason(stopped), self.target.now(), agreed, why))

    def file(self, path: Path, named: bool) -> None:
        """Send one recording again."""
        try:
            text = read_file(path)
            recording = parse(text, path)
            entry = self.manifests.entry(path)
            refused = self.plan.auditor.traces(text, recording) if self.plan.auditor else []
            if refused:
                raise Unreadable(f"refused by the audit: {refused[0].what}", refused[0].line)
        except NoRecording as other:
            if named:
                self._unread(str(path), other.message)
            return
        except Unreadable as broken:
            self._unread(f"{path}:{broken.line}" if broken.line else str(path), broken.message)
            return
        except ConfigError as wrong:
            self._unread(str(path), str(wrong))
            return
        self.recordings += 1
        for problem in recording.problems:
            self._unread(f"{path}:{problem.line}", problem.message)
        then = _then(recording, entry, self.plan.interpretations)
        now, log = self._now(recording, entry)
        if log:
            self._compare(recording, entry, then, now, log)

    def _unread(self, where: str, message: str) -> None:
        self.unread.append(f"{where}: {message}")
        self.emit(Skipped(where, message))

    def _now(self, recording: Recording, entry: ManifestEntry | None) -> tuple[RecordingResult, list[Sent]]:
        self.index += 1
        ours = "" if entry is None or not entry.fresh else _prefix_in(recording)
        prefix = self._prefix_like(ours or OURS)
        renamer = _Renamer(ours, prefix)
        belief = Belief.start(settings_for(self.plan, prefix, clock_skew=self.target.clock_skew))
        config = SessionConfig(budget=Budget(self.budget_left), phase="again")
        session = Session(self.target, belief, self._forward, config)
        for one in recording.interactions:
            step = self._step(one, renamer, prefix)
            if isinstance(step, str):
                self.skipped[step] += 1
                self.emit(Skipped(f"{recording.path}:{one.line}", step))
                continue
            try:
                exchange = session.send(step)
                if exchange is None:
                    self.skipped["there is no key of the kind it was sent with"] += 1
                elif exchange.response is not None and step.request.path == SYNC and step.key is SentKey.VALID:
                    self._check_first(exchange.response)
            finally:
                self.requests += 1
                if self.plan.max_requests is not None:
                    self.budget_left = self.plan.max_requests - self.requests
        broken: dict[str, Finding] = {}
        for sent in session.log:
            for finding in sent.findings:
                broken.setdefault(finding.clause, finding)
        interpretations = session.belief.interpretations() if session.log else {}
        held = {ambiguity for ambiguity in interpretations if ambiguity in self.plan.interpretations}
        return RecordingResult(
            broken, {ambiguity: one for ambiguity, one in interpretations.items() if ambiguity not in held}
        ), session.log

    def _check_first(self, response: Response) -> None:
        """Raise UsageError if the first response shows that the call is wrong."""
        if not self.answered:
            check_call(self.target.name, response)
            if response.status < 300:
                check_media(self.target.name, response)
        self.answered = True

    def _prefix_like(self, ours: str) -> str:
        """A prefix for this recording: of the length of the recorded one, since limits are on lengths."""
        length = max(len(ours), 10)
        return f"{self.prefix[: length - 3].ljust(length - 3, '0')}{self.index % 4096:03x}"

    def _forward(self, event: Event) -> None:
        if not isinstance(event, InterpretationLearned):
            self.emit(event)

    def _step(self, one: Interaction, renamer: _Renamer, prefix: str) -> Step | str:
        """The step that sends a recorded request again, or why it is skipped."""
        if one.gap:
            return one.gap
        request = one.exchange.request
        headers = tuple(pair for pair in request.headers if pair[0].lower() in ("content-type", "accept"))
        credential = one.exchange.credential
        if credential is Credential.UNKNOWN:
            response = one.exchange.response
            credential = Credential.INVALID if response and response.status == 401 else Credential.VALID
        label = one.exchange.tags[0] if one.exchange.tags else "again"
        key = SentKey.for_credential(credential)
        step = renamer.step(Step(replace(request, headers=headers), key, label))
        reason = is_harmless(step.request, prefix)
        if reason is not None:
            return "another endpoint" if reason.startswith("the path") else f"not harmless: {reason}"
        return step

    def _compare(
        self,
        recording: Recording,
        entry: ManifestEntry | None,
        then: RecordingResult,
        now: RecordingResult,
        log: Sequence[Sent],
    ) -> None:
        where = str(recording.path)
        for ambiguity, interpretation in now.interpretations.items():
            self.interpretations.setdefault(ambiguity, set()).add(interpretation)
        for clause, finding in now.broken.items():
            known = clause in then.broken
            self.broken = self.broken or fails(evidence_of(clause), strict=self.plan.strict, known=known)
            if not known:
                self.differences.append(f"{where}: {clause} is broken now and was not when recorded")
            self._confirm(finding, log, where, known=known)
        for clause in sorted(set(then.broken) - set(now.broken)):
            self.differences.append(f"{where}: {clause} was broken when recorded and is not now")
        if entry is not None and " mock" in f" {entry.against}":
            return  # the mock's interpretations are configured, and say nothing about this target
        for ambiguity in sorted(set(then.interpretations) & set(now.interpretations)):
            before, after = then.interpretations[ambiguity], now.interpretations[ambiguity]
            if before != after:
                message = (
                    f"drift: the server followed {ambiguity}={before} when it was recorded and follows {after} now"
                )
                self.differences.append(f"{where}: {message}")
                self.broken = True
                drift = Finding("TS-INTERPRETATION-KEPT", message, "", f"{ambiguity}={before}", f"{ambiguity}={after}")
                self._confirm(drift, log, where, known=False)

    def _confirm(self, finding: Finding, log: Sequence[Sent], where: str, *, known: bool) -> None:
        at = next((index for index, sent in enumerate(log) if finding in sent.findings), len(log) - 1)
        exchanges: tuple[Exchange, ...] = tuple(sent.exchange for sent in log[: at + 1])[-MOST_SHOWN:]
        reproduce = shlex.join(("tracksync", "replay", where, *self.plan.options))
        self.emit(FindingConfirmed(finding, exchanges, reproduce, known, where))

    def _reason(self, stopped: str) -> str:
        were = "was" if self.requests == 1 else "were"
        text = f"{plural(self.requests, 'request')} of {plural(self.recordings, 'recording')} {were} sent again"
        if stopped:
            text = f"{stopped}; {text}"
        for why, count in sorted(self.skipped.items())[:20]:
            text += f"; {count} skipped ({why})"
        if not self.differences and not stopped:
            text += "; the responses are as recorded"
        differences = plural(len(self.differences), "difference")
        for head, lines in ((differences, self.differences), (f"{len(self.unread)} could not be read", self.unread)):
            if lines:
                text += f"\n{head}:\n" + "\n".join(f"  {line}" for line in lines[:50])
                if len(lines) > 50:
                    text += f"\n  and {len(lines) - 50} more"
        return text


def _then(recording: Recording, entry: ManifestEntry | None, interpretations: Mapping[str, str]) -> RecordingResult:
    """What the recording shows."""
    broken: dict[str, Finding] = {}
    shown: Mapping[str, str] = {}
    origins: dict[str, Mapping[str, str]] = {}
    for checked in check_recording(recording, entry, interpretations):
        for finding in checked.findings:
            broken.setdefault(finding.clause, finding)
        if checked.interpretations is not None:
            origins[checked.interaction.origin] = checked.interpretations
    for one in origins.values():
        shown = {**shown, **one}
    return RecordingResult(
        broken, {ambiguity: one for ambiguity, one in shown.items() if ambiguity not in interpretations}
    )


def _prefix_in(recording: Recording) -> str:
    """The fixed prefix in a generated cassette; its length is that of the run's."""
    for one in recording.interactions:
        found = _FIXED.search(one.exchange.request.body)
        if found is not None:
            return found[0].decode()
    return OURS


class _Renamer:
    """Renames the users of one recording: generated ones by their prefix, all others by pseudonyms that carry it."""

    def __init__(self, ours: str, prefix: str) -> None:
        self._ours = ours
        self._prefix = prefix
        first = Namer(prefix, random.Random(0)).integer_id("") // _INTEGERS_OF_PREFIX * _INTEGERS_OF_PREFIX
        self._pseudonyms = Pseudonyms(prefix, f"{prefix}-person", first)

    def step(self, step: Step) -> Step:
        """`step` for renamed users."""
        if self._ours:
            found = renamed(step, self._ours, self._prefix)
            if found is not step or not step.request.body:
                return found
        request = step.request
        return replace(
            step,
            request=replace(
                request, path=self._pseudonyms.path(request.path), body=self._pseudonyms.body(request.body)
            ),
        )
