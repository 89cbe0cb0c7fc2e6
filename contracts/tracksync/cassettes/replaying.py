"""Replays recordings: checks every file with the oracle and emits events. Reads files; sends nothing.

    replay(plan, emit)

The findings of the clauses that a manifest says a recording breaks are *known* and do not fail the run. A clause that
the recording should break and does not is reported as a finding: the oracle has changed.
"""

from __future__ import annotations

import itertools
import shlex
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from glob import has_magic
from pathlib import Path

from msgspec import structs

from tracksync.cassettes import audit
from tracksync.cassettes.checking import check_interactions, settings_for, with_flights
from tracksync.cassettes.exchange_lines import interaction_of, write_line
from tracksync.cassettes.interaction import Flown, Interaction, Kept, Recording, RecordingProblem
from tracksync.cassettes.manifest import ManifestEntry, Manifests
from tracksync.cassettes.parallel.blocks import Block, check_in_blocks
from tracksync.cassettes.parallel.first_pass import connections_of
from tracksync.cassettes.parallel.processes import parts_in_processes
from tracksync.cassettes.parallel.results import concluded
from tracksync.cassettes.parallel.routing import Router
from tracksync.cassettes.parallel.shares import SAMPLE, assigned, measured
from tracksync.cassettes.parallel.whole_files import Folded, Pending, Pool, size_of
from tracksync.cassettes.pseudonyms import identifiers_in
from tracksync.cassettes.reading import NoRecording, find_files, opened_stream, parse, read_text
from tracksync.cassettes.sources import STDIN, lines, opened, url_of
from tracksync.cassettes.streaming import Stream
from tracksync.contract.clauses import catalogue
from tracksync.engine.child_processes import local_pool
from tracksync.engine.cluster import cluster
from tracksync.engine.garbage import rare_collections
from tracksync.errors import ConfigError, UsageError
from tracksync.model.events import (
    Event,
    ExchangeChecked,
    FindingConfirmed,
    PhaseStarted,
    RunEnded,
    RunStarted,
    Skipped,
    Verdict,
)
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.model.verdict import evidence_of, fails
from tracksync.report.view import plural
from tracksync.wire.bodies import Unreadable

MOST_SHOWN = 8  # exchanges that lead to a finding
RECENT = 2000  # exchanges among which they are looked for
SHARED_FROM = 1 * 1024 * 1024  # bytes of a file; of a smaller one the users are not divided
MOST_FINDINGS = 500  # of one run in full; the rest are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """What to replay. `paths`: files and directories. `interpretations`: what every server is held to.

    `strict`: warnings fail the run too. `auditor`: refuses recordings with secrets or deliverable addresses; None
    refuses nothing. `jobs`: processes among which files, and the users of a large one, are divided. `scheduler`: of a
    cluster that checks the files. `options`: the words of the command line that a line which reproduces a finding has
    to repeat.
    """

    paths: tuple[Path, ...]
    interpretations: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    auditor: audit.Auditor | None = None
    jobs: int = 1
    scheduler: str | None = None
    options: tuple[str, ...] = ()


@rare_collections()
def replay(plan: ReplayPlan, emit: Callable[[Event], None], clock: Callable[[], float]) -> None:
    """Check every recording. Raises UsageError when there is none; everything else ends in a RunEnded event."""
    for path in plan.paths:
        if path != STDIN and url_of(path) is None and not path.exists() and not has_magic(str(path)):
            raise UsageError(f"{path} does not exist; give recordings, or directories that hold some")
    files = find_files(plan.paths)
    if not files:
        raise UsageError(f"there are no recordings in {', '.join(map(str, plan.paths))}")
    run = _ReplayRun(plan, emit)
    emit(RunStarted("replay", ", ".join(map(str, plan.paths)), clock(), strict=plan.strict))
    emit(PhaseStarted("replay"))
    with ExitStack() as stack:
        pool = _pool(plan, len(files), stack)
        pending: dict[Path, Pending] = {}
        large = [path for path, _ in files if path == STDIN or size_of(path) >= SHARED_FROM]
        for path, named in files if pool else ():
            # Of few large files each is divided; the others are checked whole, side by side.
            if path != STDIN and (plan.scheduler or path not in large or len(large) >= plan.jobs):
                assert pool is not None
                pending[path] = pool.submit(check_file, replace(plan, jobs=1, scheduler=None), path, named)
        for path, named in files:
            if path in pending:
                run.take(pending.pop(path).result())
            else:
                run.file(path, named)
    run.end(clock())


def _pool(plan: ReplayPlan, files: int, stack: ExitStack) -> Pool | None:
    """Where files are checked side by side; None where one is checked after another."""
    if plan.scheduler is not None:
        return stack.enter_context(cluster(plan.scheduler))
    if plan.jobs == 1 or files == 1:
        return None
    return stack.enter_context(local_pool(min(plan.jobs, files)))


@dataclass(frozen=True, slots=True)
class FileResult:
    """What one file came to, checked somewhere else: `events` in sum, and `findings` in their order."""

    events: tuple[Event, ...]
    findings: tuple[FindingConfirmed, ...]
    run: _ReplayRun


@rare_collections()
def check_file(plan: ReplayPlan, path: Path, named: bool) -> FileResult:
    """Check one file in this process, wherever that is."""
    folded = Folded()
    run = _ReplayRun(plan, folded)
    run.file(path, named)
    run.emit, run.manifests = _ignored, Manifests()
    return FileResult(tuple(folded.events()), tuple(folded.findings), run)


def _ignored(event: Event) -> None:
    pass


@dataclass(slots=True)
class _Seen:
    """What was seen of one file so far. `expected`: the clauses that it should break."""

    path: Path
    expected: set[str]
    clauses: set[str] = field(default_factory=set)
    shown: dict[str, str] = field(default_factory=dict)
    recent: deque[Kept] = field(default_factory=lambda: deque(maxlen=RECENT))

    def exchanges(self) -> tuple[Exchange, ...]:
        """Those that lead to the last one."""
        return leading_to([interaction_of(one) for one in self.recent])


@dataclass(slots=True)
class _ReplayRun:
    plan: ReplayPlan
    emit: Callable[[Event], None]
    manifests: Manifests = field(default_factory=Manifests)
    index: int = 0
    files: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    interpretations: dict[str, set[str]] = field(default_factory=dict)
    findings: int = 0
    broken: bool = False

    def take(self, result: FileResult) -> None:
        """Take over what a file came to elsewhere."""
        other = result.run
        for event in result.events:
            self.emit(event)
        unexpected = len(other.unexpected)  # these stand at the end, and all are shown
        shown = len(result.findings) - unexpected
        for number, finding in enumerate(result.findings):
            if number >= shown or self.findings + number < MOST_FINDINGS:
                self.emit(finding)
        self.index += other.index
        self.files += other.files
        self.findings += other.findings
        self.broken = self.broken or other.broken
        self.skipped.update(other.skipped)
        self.unread += other.unread
        self.refused += other.refused
        self.unexpected += other.unexpected
        for ambiguity, shown_ in other.interpretations.items():
            self.interpretations.setdefault(ambiguity, set()).update(shown_)

    def file(self, path: Path, named: bool) -> None:
        """Read, audit and check one file. One with an exchange a line is checked while it is read."""
        try:
            entry = self.manifests.entry(path)
            with opened(path) as file:
                stream = opened_stream(file)
                if stream is not None:
                    self._stream(path, stream, entry)
                    return
                text = read_text(file)
            recording = parse(text, path)
        except NoRecording as other:
            if named:
                self._unread(path, 0, other.message)
            else:
                self.emit(Skipped(str(path), other.message))
            return
        except Unreadable as broken:
            self._unread(path, broken.line, broken.message)
            return
        except ConfigError as wrong:
            self._unread(path, 0, str(wrong))
            return
        if self.plan.auditor is not None:
            traces = self.plan.auditor.traces(text, recording)
            if traces:
                self.refused += [f"{path}:{trace.line}: {trace.what}" for trace in traces]
                self.emit(Skipped(str(path), f"refused: line {traces[0].line}: {traces[0].what}"))
                return
        self.files += 1
        for problem in recording.problems:
            self._unread(path, problem.line, problem.message)
        self._check(path, with_flights(recording.interactions), recording.clock_skew, entry)

    def _stream(self, path: Path, stream: Stream, entry: ManifestEntry | None) -> None:
        self.files += 1
        if self.plan.jobs == 1 or path == STDIN or size_of(path) < SHARED_FROM:
            self._check(path, self._interactions(path, stream), stream.clock_skew, entry)
            return
        settings, foreign = settings_for(stream.clock_skew, entry, self.plan.interpretations), entry is None
        with parts_in_processes(self.plan.jobs, settings, foreign=foreign) as parts:
            with opened(path) as same:  # while the processes start
                connections = connections_of(lines(same))
            share = measured(lambda: _first(path), settings, foreign=foreign).share(parts.count - 1)
            assign = assigned(share, parts.count - 1)
            router = Router(settings, connections, parts.count, foreign=foreign, assign=assign)
            directed = router.directed(self._interactions(path, stream))
            self._check_in_parts(path, check_in_blocks(directed, parts), entry)

    def _interactions(self, path: Path, stream: Stream) -> Iterator[Flown]:
        for one in stream.with_flights():
            if isinstance(one, RecordingProblem):
                self._unread(path, one.line, one.message)
            elif self.plan.auditor is None or self._passes_audit(path, one[0], self.plan.auditor):
                yield one
            else:
                yield structs.replace(one[0], gap="refused by the audit"), one[1]

    def _passes_audit(self, path: Path, interaction: Interaction, auditor: audit.Auditor) -> bool:
        text = write_line(interaction.exchange, interaction.origin).decode()
        traces = auditor.traces(text, Recording(path, "exchanges", [interaction]))
        self.refused += [f"{path}:{interaction.line}: {trace.what}" for trace in traces]
        return not traces

    def _unread(self, path: Path, line: int, message: str) -> None:
        where = f"{path}:{line}" if line else str(path)
        self.unread.append(f"{where}: {message}")
        self.emit(Skipped(where, message))

    def _check(self, path: Path, interactions: Iterable[Flown], clock_skew: float, entry: ManifestEntry | None) -> None:
        seen = _Seen(path, set(entry.breaks) if entry else set())
        for checked in check_interactions(interactions, clock_skew, entry, self.plan.interpretations):
            seen.recent.append(checked.interaction.source or checked.interaction)
            if checked.skipped:
                self.skipped[checked.skipped] += 1
                self.emit(Skipped(f"{path}:{checked.interaction.line}", checked.skipped))
                continue
            self.index += 1
            self.emit(
                ExchangeChecked(
                    self.index, checked.interaction.exchange, checked.findings, checked.covered, "replay", 0
                )
            )
            if checked.interpretations is not None:
                seen.shown.update(checked.interpretations)
            for finding in checked.findings:
                self._found(seen, finding)
        self._end_of_file(seen)

    def _check_in_parts(self, path: Path, blocks: Iterable[Block], entry: ManifestEntry | None) -> None:
        seen = _Seen(path, set(entry.breaks) if entry else set())
        for block in concluded(blocks, "replay"):
            self.index += block.checked
            self.skipped.update(block.skipped)
            self.emit(block.event)
            seen.shown.update(block.shown)
            for step in block.steps:
                seen.recent.extend(step.interactions)
                for one in step.findings:
                    self._found(seen, one.finding)
        self._end_of_file(seen)

    def _found(self, seen: _Seen, finding: Finding) -> None:
        """A finding of the last of the recent interactions: the first about a clause is reported."""
        if finding.clause not in seen.clauses:
            seen.clauses.add(finding.clause)
            self._confirm(seen, finding, known=finding.clause in seen.expected)

    def _end_of_file(self, seen: _Seen) -> None:
        for ambiguity, interpretation in seen.shown.items():
            self.interpretations.setdefault(ambiguity, set()).add(interpretation)
        for clause in sorted(seen.expected - seen.clauses):
            self._not_seen(seen, clause)

    def _confirm(self, seen: _Seen, finding: Finding, *, known: bool) -> None:
        self.broken = self.broken or fails(evidence_of(finding.clause), strict=self.plan.strict, known=known)
        self.findings += 1
        if self.findings > MOST_FINDINGS:
            return
        self.emit(
            FindingConfirmed(
                finding,
                seen.exchanges(),
                self._reproduce(seen.path),
                known,
                f"{seen.path}:{seen.recent[-1].line}",
            )
        )

    def _not_seen(self, seen: _Seen, clause: str) -> None:
        """Report a clause that the manifest lists as broken and the oracle no longer finds broken."""
        self.unexpected.append(f"{seen.path}: {clause}")
        self.broken = True
        message = "the manifest says that this recording breaks the clause, and the oracle does not find it broken"
        finding, where = Finding(clause, message), str(seen.path)
        self.emit(FindingConfirmed(finding, seen.exchanges()[-1:], self._reproduce(seen.path), False, where))

    def _reproduce(self, path: Path) -> str:
        return shlex.join(("tracksync", "replay", str(path), *self.plan.options))

    def end(self, at: float) -> None:
        """Emit the end of the run, with its verdict."""
        verdict: Verdict = "failed" if self.broken or self.refused else "incomplete" if self.unread else "passed"
        if not self.index and not self.unread and not self.refused:
            verdict = "incomplete"
        agreed = {
            ambiguity: next(iter(one)) for ambiguity, one in sorted(self.interpretations.items()) if len(one) == 1
        }
        never = "no response in a recording bears on it"
        self.emit(RunEnded(verdict, self._reason(), at, agreed, dict.fromkeys(catalogue(), never)))

    def _reason(self) -> str:
        were = "was" if self.index == 1 else "were"
        parts = [f"{plural(self.index, 'interaction')} of {plural(self.files, 'recording')} {were} checked"]
        if not self.index:
            parts[0] = "no interaction with the documented endpoints was found: nothing was checked"
        for why, count in sorted(self.skipped.items()):
            parts.append(f"{count} skipped ({why})")
        text = "; ".join(parts)
        for head, entries in (
            ("could not be read", self.unread),
            ("refused by the audit", self.refused),
            ("expected to break a clause, and did not", self.unexpected),
        ):
            if entries:
                text += f"\n{len(entries)} {head}:\n" + "\n".join(f"  {line}" for line in entries[:50])
                if len(entries) > 50:
                    text += f"\n  and {len(entries) - 50} more"
        return text


def _first(path: Path) -> Iterator[Flown]:
    """The first interactions of a file with an exchange a line."""
    with opened(path) as file:
        read = (one for one in Stream(lines(file)).with_flights() if not isinstance(one, RecordingProblem))
        yield from itertools.islice(read, SAMPLE)


def leading_to(recent: Sequence[Interaction]) -> tuple[Exchange, ...]:
    """The last of `recent` and the nearest earlier ones that share an identifier with it, at most MOST_SHOWN."""
    if not recent:
        return ()
    last = recent[-1]
    wanted = identifiers_in(last.exchange.request.body)
    chosen = [last.exchange]
    for one in itertools.islice(reversed(recent), 1, None):
        if len(chosen) >= MOST_SHOWN:
            break
        if wanted and one.origin == last.origin and wanted & identifiers_in(one.exchange.request.body):
            chosen.append(one.exchange)
    return tuple(chosen[::-1])
