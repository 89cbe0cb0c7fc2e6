"""Runs a command from its first event to the exit code: shows progress, makes the result, writes the reports.

Every command that emits events uses it, so that a run that is stopped or fails still reports what it found, as
`incomplete`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from tracksync.cli import streams
from tracksync.cli.docs import pages_for_terminal, pages_of
from tracksync.cli.shared import Outputs, docs_url, is_terminal, presentation, terminal_width
from tracksync.errors import TracksyncError, UsageError, about_a_file
from tracksync.model.events import Emit, Event, Middleware, RunEnded, unchanged
from tracksync.model.verdict import EXIT_CODES
from tracksync.report import Redactor, Tally, files, github, markdown, terminal
from tracksync.report.links import no_page
from tracksync.report.progress import Progress
from tracksync.report.tally import Result

Conclude = Callable[[Result], None]


def run(
    drive: Callable[[Emit], None],
    *,
    outputs: Outputs,
    redactor: Redactor,
    middleware: Middleware = unchanged,
    conclude: Conclude = lambda result: None,
    quiet: bool = False,
) -> int:
    """Call `drive` with the function that takes its events. Returns the exit code.

    `middleware` wraps that function: it sees every event before the reports do and may add events. `conclude` may add
    to the result before it is shown. `quiet`: show no progress; the command prints lines of its own. Ctrl-C, SIGTERM,
    an `Incomplete` and a defect of tracksync itself end the run as `incomplete`, and the reports are written. A
    UsageError is raised to the caller, since nothing was run.
    """
    outputs.check()
    shown, site = presentation(), docs_url()
    tally = Tally(redactor, time.time)
    progress = Progress(
        sys.stderr,
        redactor=redactor,
        clock=time.monotonic,
        live=is_terminal(sys.stderr),
        colour=shown.colour(sys.stderr),
        quiet=shown.quiet or quiet,
        link=pages_for_terminal(site) if shown.links(sys.stderr) else no_page,
    )

    def emit(event: Event) -> None:
        tally(event)
        progress(event)

    stopped, defect = "", ""
    with progress:
        try:
            with _terminable():
                drive(middleware(emit))
        except KeyboardInterrupt:
            stopped = "stopped by hand"
        except (UsageError, click.ClickException):
            raise
        except TracksyncError as error:
            stopped = str(error)
        except Exception as error:  # noqa: BLE001 - what was found so far has to be written
            stopped = about_a_file(error) if isinstance(error, OSError) else ""
            if not stopped:
                defect = traceback.format_exc()
                stopped = f"tracksync itself failed: {type(error).__name__}: {error}"
        if stopped:
            emit(RunEnded("incomplete", stopped, time.time()))
    result = tally.result()
    if site:
        result["docs_url"] = site
    conclude(result)
    stream = sys.stderr if outputs.to_stdout else sys.stdout
    text = terminal.render(
        result,
        colour=shown.colour(stream),
        width=terminal_width(stream),
        brief=shown.quiet,
        page=pages_of(site),
        link=pages_for_terminal(site) if shown.links(stream) else no_page,
    )
    try:
        click.echo(text, nl=False, err=outputs.to_stdout, color=shown.colour(stream))
    except OSError as error:  # the files of the result are written all the same
        streams.leave_stdout()
        if not isinstance(error, BrokenPipeError):
            click.echo(f"tracksync: the result could not be printed: {error.strerror}", err=True)
    if defect:
        click.echo(redactor.text(defect) + "This is a defect of tracksync itself; please report it.", err=True)
    return written(result, outputs)


def written(result: Result, outputs: Outputs) -> int:
    """Write the files of a result, and what GitHub shows of it in a job of GitHub. Returns the exit code."""
    page = pages_of(docs_url())
    if github.wanted(os.environ):
        click.echo(github.render(result, page), nl=False, err=outputs.to_stdout)
    outputs.write(result, page)
    if summary := github.summary_file(os.environ):
        files.append(summary, markdown.render(result, page=page))
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
