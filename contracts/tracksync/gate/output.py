"""What the commands under test print, and the gate's own lines between: never mixed within a line.

One command at a time is passed through as it prints. Of several at once each one's output is kept apart, in a file
where it is long, and shown as one block, in the order of the scenarios.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Final

from tracksync.gate.command import Sink

_IN_MEMORY: Final = 1_000_000  # bytes of one command's output that are kept in memory


@dataclass(slots=True)
class _Block:
    """The output of one command: its bytes, and how many in turn went to which stream."""

    content: IO[bytes] = field(default_factory=partial(tempfile.SpooledTemporaryFile, max_size=_IN_MEMORY))
    pieces: list[tuple[Sink, int]] = field(default_factory=list)
    done: bool = False


class CommandOutput:
    """Where output goes. May be used from several threads.

    `out` and `err` take what the commands print, `notes` the gate's own lines. `names`: the scenarios in the order in
    which their output is shown. `apart`: keep each one's output until it is its turn.
    """

    def __init__(self, names: Sequence[str], out: Sink, err: Sink, notes: Sink, *, apart: bool) -> None:
        self._out, self._err, self._notes = out, err, notes
        self._blocks = {name: _Block() for name in names} if apart else {}
        self._lock = threading.Lock()
        self._unfinished: Sink | None = None  # the stream in which a line is not complete

    def sinks(self, name: str) -> tuple[Sink, Sink]:
        """Where standard output and standard error of the command under scenario `name` go."""
        return _Stream(self, name, self._out), _Stream(self, name, self._err)

    def write(self, name: str, sink: Sink, data: bytes) -> None:
        """Take what the command under scenario `name` printed."""
        with self._lock:
            block = self._blocks.get(name)
            if block is None:
                self._pass_on(sink, data)
            else:
                block.content.write(data)
                block.pieces.append((sink, len(data)))

    def note(self, line: str) -> None:
        """Print a line of the gate's own."""
        with self._lock:
            self._note(line)

    def done(self, name: str) -> None:
        """The command under scenario `name` has ended: show its output when that of all before it was shown."""
        with self._lock:
            if name in self._blocks:
                self._blocks[name].done = True
            for first in list(self._blocks):
                if not self._blocks[first].done:
                    return
                self._show(first)

    def close(self) -> None:
        """Show whatever is left, also of commands that were stopped."""
        with self._lock:
            for name in list(self._blocks):
                self._show(name)
            self._finish_line()

    def _show(self, name: str) -> None:
        block = self._blocks.pop(name)
        with block.content as content:
            if not block.pieces:
                return
            self._note(f"--- output under {name}")
            content.seek(0)
            for sink, size in block.pieces:
                self._pass_on(sink, content.read(size))
        self._finish_line()

    def _note(self, line: str) -> None:
        self._finish_line()
        self._notes.write(line.encode("utf-8", "replace") + b"\n")
        self._notes.flush()

    def _pass_on(self, sink: Sink, data: bytes) -> None:
        sink.write(data)
        sink.flush()
        self._unfinished = None if data.endswith(b"\n") else sink

    def _finish_line(self) -> None:
        if self._unfinished is not None:
            self._unfinished.write(b"\n")
            self._unfinished.flush()
            self._unfinished = None


class _Stream:
    """One stream of one command."""

    def __init__(self, output: CommandOutput, name: str, sink: Sink) -> None:
        self._output, self._name, self._sink = output, name, sink

    def write(self, data: bytes, /) -> None:
        self._output.write(self._name, self._sink, data)

    def flush(self) -> None:
        """Nothing to do: the output is flushed when it is written."""
