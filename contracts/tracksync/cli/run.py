"""Runs a command from its first event to the exit code: shows progress, folds the events, writes the results.

Every command that emits events goes through here, so that a run that is stopped, or that fails, still leaves what it
found, and says `incomplete`.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from tracksync.cli.shared import Outputs, is_terminal, wants_colour
from tracksync.errors import TracksyncError, UsageError
from tracksync.model.events import Event, RunEnded
from tracksync.model.verdict import EXIT_CODES
from tracksync.report import Redactor, Tally, terminal
from tracksync.report.progress import Progress
from tracksync.report.tally import Result

Emit = Callable[[Event], None]


def run(
    drive: Callable[[Emit], None],
    *,
    outputs: Outputs,
    redactor: Redactor,
    conclude: Callable[[Result], None] = lambda result: None,
    stage: Callable[[Emit], Emit] = lambda emit: emit,
) -> int:
    """Call `drive` with a function that takes its events. Returns the exit code.

    Ctrl-C, SIGTERM, `Incomplete` and a fault of our own end the run as `incomplete`; what was found until then is
    written all the same. A UsageError goes through: nothing ran. `conclude` may add to the result before it is shown.
    `stage` stands between the command and the reports: it may make cassettes of what passes, and say so in the events
    that it hands on.
    """
    outputs.check()
    tally = Tally(redactor, time.time)
    progress = Progress(
        sys.stderr,
        redactor=redactor,
        clock=time.monotonic,
        live=is_terminal(sys.stderr),
        colour=wants_colour(sys.stderr),
    )

    def emit(event: Event) -> None:
        tally(event)
        progress(event)

    stopped, fault = "", ""
    with progress:
        try:
            with _terminable():
                drive(stage(emit))
        except KeyboardInterrupt:
            stopped = "stopped by hand before the end"
        except (UsageError, click.ClickException):
            raise
        except TracksyncError as error:
            stopped = str(error)
        except Exception as error:  # noqa: BLE001 - what was found until then has to be written
            fault = traceback.format_exc()
            stopped = f"tracksync itself failed: {type(error).__name__}: {error}"
        if stopped:
            emit(RunEnded("incomplete", stopped, time.time()))
    result = tally.result()
    conclude(result)
    verdict = terminal.render(result, colour=wants_colour(sys.stderr if outputs.to_stdout else sys.stdout))
    click.echo(verdict, nl=False, err=outputs.to_stdout)
    if fault:
        click.echo(redactor.text(fault) + "This is a fault of tracksync itself; please report it.", err=True)
    outputs.write(result)
    return EXIT_CODES[result["verdict"]]


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM, with which CI systems cancel a job, stop the run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
