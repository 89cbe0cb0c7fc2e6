"""The first pass over a file with an exchange a line: which identifiers belong together. Most of a line is not read."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from tracksync.cassettes.exchange_lines import read_line
from tracksync.cassettes.interaction import Interaction
from tracksync.cassettes.parallel.connections import Connections, groups_named, groups_of, only_identifier
from tracksync.cassettes.timestamps import path_of, settled_at
from tracksync.contract.bounds import SYNC, TRACK
from tracksync.wire.bodies import Unreadable

_COMPRESSED: Final = b"ncoding"  # of Content-Encoding, in any case of its first letter


class _Request(Struct):
    method: str
    url: str
    body: str | None = None
    body_base64: str | None = None


class _Line(Struct):
    request: _Request


_DECODER: Final = msgspec.json.Decoder(_Line)


def connections_of(lines: Iterable[tuple[int, bytes]]) -> Connections:
    """The connections that the exchanges of a file make. What cannot be read makes none: the second pass tells it."""
    found = Connections()
    with suppress(Unreadable):  # the rest of the file cannot be read
        for number, line in lines:
            for group in _groups(number, line):
                if len(group) > 1:
                    found.connect(group)
    return found


def _groups(number: int, line: bytes) -> list[tuple[int, ...]]:
    if _COMPRESSED not in line and b"NCODING" not in line:
        try:
            request = _DECODER.decode(line).request
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return []
        path = path_of(request.url)
        if request.body_base64 is None and path in (SYNC, TRACK):
            body = (request.body or "").encode("utf-8", "surrogatepass")
            return [] if only_identifier(body) else groups_named(path, body, b"")
    try:
        settled = settled_at(read_line(line, number), 0.0, 0.0)
    except Unreadable:
        return []
    return groups_of(settled.exchange) if isinstance(settled, Interaction) else []
