"""`tracksync race --history`: checks histories that stand in files, with the oracle and for their consistency."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tracksync.cassettes.checking import fresh_identifiers, place_of
from tracksync.cassettes.interaction import RecordingProblem
from tracksync.cassettes.manifest import Manifests
from tracksync.cassettes.reading import find_files, opened_stream
from tracksync.cassettes.replaying import ReplayPlan, replay
from tracksync.cassettes.sources import STDIN, opened
from tracksync.engine.child_processes import local_pool
from tracksync.engine.freshness import nothing
from tracksync.errors import ConfigError, UsageError
from tracksync.model.events import Emit, Event, PhaseStarted, RunEnded, RunStarted, SectionAdded, Verdict
from tracksync.race.stored import CellFiles, decided
from tracksync.race.summary import consistency_section, linearizable_cells
from tracksync.wire.bodies import Unreadable

_PROMISED: Final = (
    "Sync promises that a request which is sent after a response sees its effect; "
    "nothing is promised to requests that overlap, nor by /users/track."
)


def check_history(plan: ReplayPlan, emit: Emit) -> None:
    """Check the histories in the files of `plan`. Each is read twice: by the oracle, and for its cells.

    Raises UsageError as `replay` does, for standard input, and for a file in another form.
    """
    if STDIN in plan.paths:
        raise UsageError("a history is read twice, which standard input cannot be; write it to a file")
    for path, _ in find_files(plan.paths):
        with suppress(Unreadable), opened(path) as file:  # what cannot be read is told by replay
            if opened_stream(file) is None:
                raise UsageError(f"{path} is not a history, which has one exchange a line (docs/exchanges.md)")
    ended: list[RunEnded] = []

    def watched(event: Event) -> None:
        if isinstance(event, RunEnded):
            ended.append(event)
        else:
            emit(replace(event, command="race") if isinstance(event, RunStarted) else event)

    with TemporaryDirectory(prefix="tracksync-") as directory, ExitStack() as stack:
        submit = stack.enter_context(local_pool(plan.jobs)).submit if plan.jobs > 1 else None
        pending = submit(_divided, plan, Path(directory)) if submit else None
        replay(plan, watched, time.time)
        emit(PhaseStarted("consistency"))
        files = pending.result() if pending else _divided(plan, Path(directory))
        found = decided(files, submit) if isinstance(files, list) else files
    (end,) = ended
    verdict: Verdict = end.verdict
    if isinstance(found, str):
        said = f"which consistency held is not known: {found}"
        verdict = "incomplete" if verdict == "passed" else verdict
    else:
        emit(SectionAdded(consistency_section(found, _PROMISED)))
        said = linearizable_cells((one.endpoint, one.levels) for one in found)
        if plan.strict and any(one.broken for one in found):
            verdict, said = "failed", f"{said}; with --strict every cell has to be linearizable"
    emit(replace(end, verdict=verdict, reason=f"{said}; {end.reason}", at=time.time()))


def _divided(plan: ReplayPlan, directory: Path) -> list[Path] | str:
    """The files in `directory` among which the cells are divided; a text where another line may have changed any."""
    manifests = Manifests()
    cells = CellFiles(directory)
    for number, (path, _) in enumerate(find_files(plan.paths)):
        try:
            entry = manifests.entry(path)
            fresh = fresh_identifiers(entry) if entry else nothing
            with opened(path) as file:
                for one in opened_stream(file) or ():
                    if isinstance(one, RecordingProblem) or one.gap:
                        return f"{path}:{one.line} could not be checked"
                    workspace = (number, *place_of(one, foreign=entry is None))
                    if not cells.add(workspace, one.exchange, fresh=fresh):
                        return f"{path}:{one.line} is not an operation as a race makes them"
        except (Unreadable, ConfigError) as error:
            return f"{path}: {error}"
    return cells.paths()
