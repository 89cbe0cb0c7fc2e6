"""HAR 1.2, as browsers, proxies and schemathesis write it (http://www.softwareishard.com/blog/har-12-spec/)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tracksync.cassettes.forms.common import headers_of, line_at, mapping, moment, seconds, status_of, text
from tracksync.cassettes.interaction import Draft, RecordingProblem
from tracksync.cassettes.strict_json import read_json
from tracksync.model.exchange import Failure, FailureKind, header
from tracksync.wire import bodies
from tracksync.wire.bodies import Unreadable

_LOST = "the recorder stored no body of the {}"


def recognise(document: Any) -> str:
    """The form's name, or ""."""
    if isinstance(document, dict) and isinstance(document.get("log"), dict) and "entries" in document["log"]:
        return "HAR"
    return ""


def path(document: Any) -> tuple[str, ...]:
    """The path to the list of interactions."""
    return ("log", "entries")


def drafts(document: Any, lines: Sequence[int]) -> Iterator[Draft | RecordingProblem]:
    """Every interaction."""
    log = document["log"]
    entries = log["entries"]
    if not isinstance(entries, list):
        raise Unreadable("log.entries is not a list")
    creator = log.get("creator")
    yield from _drafts(((line_at(lines, index), entry) for index, entry in enumerate(entries)), creator)


class _Log(Struct):
    entries: list[Raw]
    creator: Any = None


class _Document(Struct, forbid_unknown_fields=True):
    log: _Log


_DECODER: Final = msgspec.json.Decoder(_Document)


def drafts_by_entry(text: str) -> list[Draft | RecordingProblem] | None:
    """What `drafts` gives, where `text` is a HAR: one entry is decoded after another, which saves memory and time.

    None where it is not a HAR, or one that has to be read as a whole to say what is wrong with it.
    """
    raw = text.encode()
    try:
        log = _DECODER.decode(raw).log
        entries = ((line, read_json(entry, line)) for line, entry in _placed(raw, log.entries))
        return list(_drafts(entries, log.creator))
    except (msgspec.DecodeError, UnicodeError, RecursionError, Unreadable):
        return None


def _placed(text: bytes, entries: Iterable[Raw]) -> Iterator[tuple[int, str]]:
    """Each of `entries`, which stand in `text` in this order, with its line."""
    at = counted = max(text.find(b'"entries"'), 0)
    line = text.count(b"\n", 0, at) + 1
    for number, entry in enumerate(map(bytes, entries)):
        # Between two entries are a comma and white space alone.
        begin = text.index(entry[:1] if number else entry, at)
        line += text.count(b"\n", counted, begin)
        yield line, entry.decode()
        counted, at = begin, begin + len(entry)


def _drafts(entries: Iterable[tuple[int, Any]], creator: Any) -> Iterator[Draft | RecordingProblem]:
    """Every interaction of `entries`, each with its line."""
    # schemathesis writes the time of the response where HAR has the time of the request
    late = isinstance(creator, dict) and creator.get("name") == "harfile"
    for line, entry in entries:
        try:
            yield _draft(mapping(entry, "an entry", line), line, late)
        except Unreadable as broken:
            yield RecordingProblem(broken.line or line, broken.message)


def _draft(entry: Any, line: int, late: bool) -> Draft:
    request = mapping(entry.get("request"), "the request", line)
    sent = headers_of(request.get("headers"), "request", line)
    draft = Draft(
        line=line,
        method=text(request.get("method"), "the request's method", line).upper(),
        url=text(request.get("url"), "the request's url", line),
        request_headers=sent,
        at=moment(entry.get("startedDateTime")),
        at_is="end" if late else "start",
    )
    time = seconds(_thousandth(entry.get("time")))
    draft.elapsed = time
    draft.request_body = bodies.decoded(_posted(draft, request, line, late), sent, line, "request")
    if entry.get("response") is None:
        draft.failure = Failure(FailureKind.RESET, "the recording holds no response")
        return draft
    response = mapping(entry.get("response"), "the response", line)
    if response.get("status") in (0, "0"):
        draft.failure = Failure(FailureKind.RESET, str(response.get("_error") or "the recording holds no response"))
        return draft
    draft.status = status_of(response.get("status"), line)
    received = headers_of(response.get("headers"), "response", line)
    draft.response_headers = tuple(pair for pair in received if pair[0].lower() != "content-encoding")
    draft.response_body = _content(draft, response, line, late)
    return draft


def _posted(draft: Draft, request: Any, line: int, late: bool) -> bytes:
    posted = request.get("postData")
    size = request.get("bodySize")
    if not isinstance(posted, dict) or posted.get("text") is None:
        if (isinstance(posted, dict) and posted.get("params")) or (isinstance(size, int) and size > 0):
            draft.gap = _LOST.format("request")
        return b""
    if posted.get("encoding") == "base64":
        return bodies.from_base64(posted["text"], line, "request")
    found = bodies.to_bytes(posted["text"], line, "request")
    if late and isinstance(size, int) and size != len(found):
        # schemathesis with --report-preserve-bytes writes base64 here without saying so
        try:
            plain = base64.b64decode(found, validate=True)
        except (binascii.Error, ValueError):
            plain = found
        if len(plain) == size:
            return plain
    if b"\xef\xbf\xbd" in found:
        draft.gap = "the recorder replaced bytes that are not text"
    return found


def _content(draft: Draft, response: Any, line: int, late: bool) -> bytes:
    content = response.get("content")
    content = content if isinstance(content, dict) else {}
    if str(content.get("comment") or "").startswith("Body truncated"):
        draft.gap = "the recorder stored only the beginning of the response"
        return b""
    inner = content.get("text")
    if inner is None:
        announced = header(draft.response_headers, "content-length")
        if content.get("size") != 0 or (announced and announced != "0" and draft.method != "HEAD"):
            draft.gap = _LOST.format("response")
        return b""
    if content.get("encoding") == "base64":
        found = bodies.from_base64(inner, line, "response")
        # HAR holds decoded content; some proxies leave it compressed
        coding = header(headers_of(response.get("headers"), "response", line), "content-encoding")
        return bodies.decoded(found, (("content-encoding", coding or ""),), line, "response")
    found = bodies.to_bytes(inner, line, "response")
    if b"\xef\xbf\xbd" in found:
        draft.gap = "the recorder replaced bytes that are not text"
    return found


def _thousandth(value: Any) -> Any:
    return value / 1000 if isinstance(value, int | float) and not isinstance(value, bool) else None
