"""Which process sent a request: read from /proc, so on Linux alone and for processes on this machine alone.

A server knows the client's port. The table of connections has the socket of that port, and the process that has it open
is the sender. Only processes that we started are looked at: what sends to a gate's mock is the command under test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TABLES: Final = ("net/tcp", "net/tcp6")  # an IPv6 socket may speak IPv4


@dataclass(frozen=True, slots=True)
class Sender:
    """The process that sent a request, as ids.

    `line`: the process, its parent, and so on, without us. `living`: all processes below us at that moment.
    """

    line: tuple[int, ...]
    living: frozenset[int]


def sender_of(port: int, server_port: int) -> Sender | None:
    """The process below ours that is connected from `port` to `server_port`; None where that cannot be known."""
    sockets = _sockets(port, server_port)
    if not sockets:
        return None
    parents = _below(os.getpid())
    holders = {process for process in parents if _holds(process, sockets)}
    # A process that was forked later has the connection of its parent open as well.
    opened = [process for process in holders if parents[process] not in holders]
    if len(opened) != 1:
        return None
    return Sender(tuple(_line(opened[0], parents)), frozenset(parents))


def _sockets(port: int, server_port: int) -> frozenset[str]:
    """The sockets of this connection at the client's end, as links in /proc name them."""
    ends = (f":{port:04X}", f":{server_port:04X}")
    found = set()
    for table in _TABLES:
        with suppress(OSError):
            for row in (_PROC / "self" / table).read_text("ascii").splitlines()[1:]:
                words = row.split()
                if words[1].endswith(ends[0]) and words[2].endswith(ends[1]):
                    found.add(f"socket:[{words[9]}]")
    return frozenset(found)


def _below(root: int) -> Mapping[int, int]:
    """Each process that descends from `root`, to its parent; without those that have ended and are not waited for."""
    parents = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError, IndexError):
                # pid (name) state parent …; the name may hold spaces and parentheses.
                state, parent = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
                if state not in "ZX":
                    parents[int(folder.name)] = int(parent)
    below = {root}
    more = True
    while more:
        new = {process for process, parent in parents.items() if parent in below and process not in below}
        below |= new
        more = bool(new)
    return {process: parents[process] for process in below - {root}}


def _holds(process: int, sockets: frozenset[str]) -> bool:
    with suppress(OSError), os.scandir(_PROC / str(process) / "fd") as links:
        for link in links:
            with suppress(OSError):
                if os.readlink(link.path) in sockets:  # noqa: PTH115 - quicker than Path for so many
                    return True
    return False


def _line(process: int, parents: Mapping[int, int]) -> Iterator[int]:
    while process in parents:
        yield process
        process = parents[process]
