"""Shows a run while it goes on: a live line on a terminal, otherwise a plain line from time to time.

A consumer of events. It writes to the stream that it is given (standard error).
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, TextIO

from tracksync.model.events import (
    Event,
    ExchangeChecked,
    ExchangesChecked,
    FindingConfirmed,
    Paused,
    PhaseStarted,
    Retried,
    RunEnded,
    RunStarted,
)
from tracksync.report.exchange_text import printable
from tracksync.report.links import PageOf, in_terminal, no_page
from tracksync.report.redact import Redactor
from tracksync.report.view import plural

_REFRESH: Final = 0.1  # seconds between two changes of the live line


class Progress:
    """Call it with each event of one run, inside its `with` block.

    `clock` gives seconds from any start. `live` redraws one line; otherwise a line appears when a phase begins, when a
    finding is confirmed, and at most every `every` seconds. `quiet` shows nothing. `link`: where names lead that `live`
    shows.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        redactor: Redactor,
        clock: Callable[[], float],
        live: bool = False,
        colour: bool = False,
        every: float = 10.0,
        quiet: bool = False,
        link: PageOf = no_page,
    ) -> None:
        self._stream = stream
        self._redactor = redactor
        self._clock = clock
        self._every = _REFRESH if live else every
        self._quiet = quiet
        self._live: Any = _live_line(stream, colour, link) if live and not quiet else None
        self._started: RunStarted | None = None
        self._begun = self._shown = clock()
        self._phase = ""
        self._requests = 0
        self._data_points = 0
        self._findings = 0
        self._suspects: set[str] = set()

    def __enter__(self) -> Progress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Consume the next event."""
        match event:
            case ExchangeChecked():
                self._requests += 1
                self._data_points += event.data_points
                self._suspects.update(finding.clause for finding in event.findings)
                now = self._clock()
                if now - self._shown >= self._every:
                    self._show(now)
            case ExchangesChecked():
                self._requests += event.counts.requests
                self._suspects.update(event.counts.broken)
                now = self._clock()
                if now - self._shown >= self._every:
                    self._show(now)
            case RunStarted():
                self._started = event
            case PhaseStarted():
                self._phase = event.name
                self._show(self._clock())
            case FindingConfirmed():
                self._findings += 1
                known = " (known)" if event.known else ""
                self._say(f"found {event.finding.clause}{known}: {event.finding.message}")
            case Paused() if event.seconds >= 1 and not self._clock_jumps():
                self._say(f"waiting {event.seconds:.0f} s: {event.why}")
            case Retried() if not self._clock_jumps():
                self._say(f"retry (attempt {event.attempt}): {event.why}")
            case RunEnded():
                self._show(self._clock())

    def _clock_jumps(self) -> bool:
        """Whether pauses take no time: the clock of the embedded mock jumps over them."""
        return self._started is not None and self._started.target == "mock"

    def _show(self, now: float) -> None:
        self._shown = now
        if self._live is not None:
            self._live.update(self._line(now))
        else:
            self._say(self._line(now))

    def _line(self, now: float) -> str:
        run = self._started
        parts = [
            self._phase or "starting",
            _of(self._requests, run.max_requests if run else None, "request"),
            _of(round(now - self._begun), run.max_seconds if run else None, "s"),
        ]
        if self._data_points:
            parts.append(_of(self._data_points, run.max_data_points if run else None, "data point"))
        unconfirmed = len(self._suspects) - self._findings
        parts.append(plural(self._findings, "finding") + (f", {unconfirmed} to confirm" if unconfirmed > 0 else ""))
        return " | ".join(parts)

    def _say(self, text: str) -> None:
        line = " ".join(printable(self._redactor.text(text)).split())
        if self._live is not None:
            self._live.say(line)
        elif not self._quiet:
            print(line, file=self._stream, flush=True)


def _of(used: int, allowed: float | None, unit: str) -> str:
    """`12 of 500 requests (488 left)`, or `12 requests`. `unit` is a word in the singular, or `s` for seconds."""
    if allowed is None:
        return _counted(used, unit)
    limit = round(allowed)
    return f"{used:,} of {_counted(limit, unit)} ({max(limit - used, 0):,} left)"


def _counted(number: int, unit: str) -> str:
    return f"{number:,} s" if unit == "s" else plural(number, unit)


def _live_line(stream: TextIO, colour: bool, link: PageOf) -> Any:
    """A line at the bottom of a terminal that is redrawn in place, with a spinner."""
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, no_color=not colour, highlight=False, markup=False)

    class LiveLine:
        def __init__(self) -> None:
            self._spinner = Spinner("line", text=Text("starting"))
            self._live = Live(self._spinner, console=console, refresh_per_second=8, transient=True)

        def start(self) -> None:
            self._live.start()

        def stop(self) -> None:
            self._live.stop()

        def update(self, text: str) -> None:
            self._spinner.update(text=Text(text, no_wrap=True, overflow="ellipsis"))

        def say(self, text: str) -> None:
            console.print(Text.from_ansi(in_terminal(text, link)))

    return LiveLine()
