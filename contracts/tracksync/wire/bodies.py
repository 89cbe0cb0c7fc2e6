"""Bodies as recorders left them: texts, base64, compressed, cut off. Gives the bytes that the application saw.

A recorder may keep the `Content-Encoding` header although it stored the decoded body, so that the bytes decide.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any, Final

from tracksync.model.exchange import Headers, header


class Unreadable(Exception):
    """A recording that cannot be read. `line` counts from 1; 0 where no single line is to blame."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


MAX_BODY: Final = 32 * 1024 * 1024  # bytes, decoded; the documents' largest request is 4 MB
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"


def checked(body: bytes, line: int, what: str) -> bytes:
    """`body` if it is not over the size that is read. Raises Unreadable."""
    if len(body) > MAX_BODY:
        size, most = len(body) // 1024**2, MAX_BODY // 1024**2
        raise Unreadable(f"the body of the {what} has {size} MB; more than {most} MB is not read", line)
    return body


def to_bytes(value: Any, line: int, what: str, encoding: str = "utf-8") -> bytes:
    """A body that a file holds as text, bytes, nothing, or JSON. Raises Unreadable for anything else."""
    if value is None:
        return b""
    if isinstance(value, bytes):
        return checked(value, line, what)
    if isinstance(value, str):
        try:
            return checked(value.encode(encoding, "surrogatepass"), line, what)
        except (LookupError, UnicodeError):
            return checked(value.encode("utf-8", "surrogatepass"), line, what)
    if isinstance(value, bool | int | float):  # a YAML file that was edited by hand
        return str(value).encode()
    raise Unreadable(f"the body of the {what} is neither text nor bytes", line)


def from_base64(text: Any, line: int, what: str) -> bytes:
    """A body in base64. Raises Unreadable."""
    if not isinstance(text, str | bytes):
        raise Unreadable(f"the base64 body of the {what} is not a text", line)
    if len(text) > MAX_BODY * 2:
        raise Unreadable(f"the body of the {what} has more than {MAX_BODY // 1024**2} MB", line)
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        return checked(base64.b64decode(b"".join(raw.split()), validate=True), line, what)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise Unreadable(f"the base64 body of the {what} is damaged", line) from None


def decoded(body: bytes, headers: Headers, line: int, what: str) -> bytes:
    """`body` without the compression that its Content-Encoding names. Raises Unreadable if it ends too early."""
    coding = (header(headers, "content-encoding") or "").strip().lower()
    if not body or coding in ("", "identity"):
        return body
    for name in reversed([part.strip() for part in coding.split(",") if part.strip()]):
        body = _without(name, body, line, what)
    return body


def _without(name: str, body: bytes, line: int, what: str) -> bytes:
    if name in ("gzip", "x-gzip"):
        return _inflated(body, 31, name, line, what) if body.startswith(_GZIP_MAGIC) else body
    if name == "deflate":
        if _is_text(body):
            return body
        zlib_wrapped = body[0] & 0x0F == 8 and len(body) > 1 and int.from_bytes(body[:2], "big") % 31 == 0
        return _inflated(body, 15 if zlib_wrapped else -15, name, line, what)
    if _is_text(body) and not body.startswith(_ZSTD_MAGIC):
        return body
    raise Unreadable(f"the body of the {what} is compressed as {name[:20]!r}; record it decoded, or as gzip", line)


def _inflated(body: bytes, bits: int, name: str, line: int, what: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    data = body
    while data:  # a gzip body may have several members
        stream = zlib.decompressobj(bits)
        try:
            piece = stream.decompress(data, MAX_BODY + 1 - size)
        except zlib.error:
            if pieces:  # padding behind the last member
                break
            raise Unreadable(f"the {name} body of the {what} is damaged", line) from None
        size += len(piece)
        if size > MAX_BODY:
            raise Unreadable(f"the {name} body of the {what} unpacks to more than {MAX_BODY // 1024**2} MB", line)
        if not stream.eof:
            raise Unreadable(f"the {name} body of the {what} ends too early", line)
        pieces.append(piece)
        data = stream.unused_data
    return b"".join(pieces)


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
