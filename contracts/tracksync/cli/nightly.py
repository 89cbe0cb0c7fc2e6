"""What `fuzz` does beside the run itself: the journal, the baseline, and the comparison with an earlier run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tracksync.cli.run import run
from tracksync.cli.shared import Outputs, environment_secrets, given_by_hand
from tracksync.cli.target import find_target
from tracksync.errors import ConfigError, UsageError
from tracksync.model.events import Emit, Event, Middleware, unchanged
from tracksync.report import Redactor, compare, files, json_result, nightly
from tracksync.report.compare import Comparison
from tracksync.report.tally import Result

if TYPE_CHECKING:
    from tracksync.engine import FuzzPlan
    from tracksync.live.baseline import Known

LAST_NIGHTLY_RUN: Final = Path(".tracksync/last.json")  # the result of the last run on `live`


@dataclass(frozen=True, slots=True)
class Memory:
    """Data of earlier runs: the baseline, its findings, and the earlier result. `last`: where to write this result."""

    baseline: Path | None = None
    known: tuple[Known, ...] = ()
    update: bool = False
    earlier: Result | None = None
    last: Path | None = None

    @classmethod
    def recall(cls, baseline: Path | None, update: bool, since: Path | None, *, live: bool) -> Memory:
        """Read the files that exist. Raises ConfigError for a file of another form."""
        from tracksync.live import baseline as baselines

        if update and baseline is None:
            baseline = Path(baselines.FILE_NAME)
        earlier = json_result.read(since) if since is not None else None
        if live and since is None and LAST_NIGHTLY_RUN.exists():
            with suppress(ConfigError):  # written by another version: it cannot be compared
                earlier = json_result.read(LAST_NIGHTLY_RUN)
        known = baselines.read(baseline) if baseline is not None else ()
        if baseline is not None and not update and not baseline.exists():
            _say_missing(baseline)
        return cls(baseline, known, update, earlier, LAST_NIGHTLY_RUN if live else None)

    @property
    def fingerprints(self) -> frozenset[str]:
        """The known findings, as the engine wants them."""
        return frozenset(entry.fingerprint for entry in self.known)

    def conclude(self, result: Result) -> None:
        """Add to `result` the state of the baseline and the comparison, and store it for the next run."""
        from tracksync.live import baseline as baselines

        if self.baseline is not None:
            result["baseline"] = {"file": str(self.baseline), **baselines.settle(self.known, result)}
            if self.update:
                baselines.write(self.baseline, baselines.updated(self.known, result))
        comparison: Comparison | None = None
        if self.earlier is not None:
            comparison = compare.compare(self.earlier, result)
        if self.last is not None and result["verdict"] != "incomplete":
            self.last.parent.mkdir(parents=True, exist_ok=True)
            files.write(self.last, json_result.render(result))
        nightly.add(result, comparison)


def _say_missing(baseline: Path) -> None:
    """Raise UsageError if the command line names a baseline that does not exist; a setting may name one to come."""
    if "--baseline" in given_by_hand():
        raise UsageError(f"there is no baseline {baseline}; --update-baseline writes it")
    click.echo(f"note: the baseline {baseline} does not exist yet; --update-baseline writes it", err=True)


def run_nightly(
    plan: FuzzPlan,
    named: str,
    directory: Path,
    outputs: Outputs,
    memory: Memory,
    stem: str | None = None,
    middleware: Middleware = unchanged,
) -> int:
    """Run `plan` on a workspace, with a journal in `directory`. Returns the exit code. `middleware`: see `cli.run`."""
    from tracksync.live import NightlyRun

    redactor = _redactor(plan)
    outputs.check()
    return _run(NightlyRun.begin(plan, named, directory, redactor, stem), outputs, redactor, memory, middleware)


def resume_nightly(
    named: str,
    config_path: Path,
    directory: Path,
    outputs: Outputs,
    recall: Callable[[Path | None, bool], Memory],
) -> int:
    """Resume the newest killed run in `directory`. Returns the exit code. Raises UsageError where there is none."""
    from tracksync.live import NightlyRun, incomplete_runs
    from tracksync.live import journal as journals

    states = [state for path in incomplete_runs(directory) if (state := journals.read(path)) is not None]
    states = [state for state in states if state.resumable]
    if named != "mock":
        states = [state for state in states if named in (state.header.get("named"), state.target)]
    if not states:
        raise UsageError(f"there is no run in {directory} that was killed; leave --resume out to begin one")
    state = states[-1]
    place = find_target(str(state.header.get("named", state.target)), config_path)
    if place.address != state.target:
        raise UsageError(
            f"the run of {state.path} was on {state.target}, and {config_path} now names {place.address}; "
            "`tracksync clean` deletes its users, if tracksync.toml names the former again"
        )
    outputs.check()
    redactor = Redactor([place.key or "", place.unprivileged_key or "", *environment_secrets()])
    nightly_run = NightlyRun.resume(
        state.path, {"key": place.key, "unprivileged_key": place.unprivileged_key}, redactor
    )
    click.echo(f"resuming {state.path.name}", err=True)
    memory = recall(place.config.baseline, state.header.get("named") == "live")
    return _run(nightly_run, outputs, redactor, memory)


def _redactor(plan: FuzzPlan) -> Redactor:
    return Redactor([plan.target.key or "", plan.target.unprivileged_key or "", *environment_secrets()])


def _run(
    nightly_run: Any,
    outputs: Outputs,
    redactor: Redactor,
    memory: Memory,
    middleware: Middleware = unchanged,
) -> int:
    from tracksync.engine import fuzz

    def drive(emit: Emit) -> None:
        def watched(event: Event) -> None:
            nightly_run.watch(event)
            emit(event)

        fuzz(nightly_run.plan, watched, nightly_run.wrap)

    try:
        return run(drive, outputs=outputs, redactor=redactor, conclude=memory.conclude, middleware=middleware)
    finally:
        nightly_run.close()
