"""Exchanges as lines of NDJSON: one JSON object a line. What `--exchanges` writes, and what gateways are mapped to.

    {"at": 1764201600.25, "elapsed": 0.12,
     "request": {"method": "POST", "url": "https://…", "headers": {…}, "body": "…"},
     "response": {"status": 201, "headers": {…}, "body": "…"}}

`docs/exchanges.md` says what each member means. Knows the form; nothing of files.
"""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec
from msgspec import Struct

from tracksync.cassettes.forms.common import headers_of, moment, status_of
from tracksync.cassettes.interaction import Draft, Interaction, Kept, RecordingProblem, TimedLine
from tracksync.cassettes.timestamps import settled_at
from tracksync.contract.bounds import SYNC
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Headers
from tracksync.wire import bodies
from tracksync.wire.bodies import Unreadable


class _Request(Struct):
    method: str
    url: str
    headers: Any = None
    body: str | None = None
    body_base64: str | None = None


class _Response(Struct):
    status: int | str
    headers: Any = None
    body: str | None = None
    body_base64: str | None = None


class _Failure(Struct):
    kind: FailureKind
    detail: str = ""


class _Line(Struct):
    request: _Request
    response: _Response | None = None
    at: float | str | None = None
    elapsed: float | str | None = None
    failure: _Failure | None = None
    credential: Credential = Credential.UNKNOWN
    tags: tuple[str, ...] = ()
    gap: str = ""


_UsualHeaders = tuple[tuple[str, str], ...] | dict[str, str] | None


class _UsualRequest(_Request):
    headers: _UsualHeaders = None


class _UsualResponse(_Response):
    headers: _UsualHeaders = None


class _UsualLine(_Line):  # decoded at less cost, since what stands in the headers needs no look
    request: _UsualRequest
    response: _UsualResponse | None = None


class _Times(Struct):
    at: float | str | None = None
    elapsed: float | str | None = None


class _Head(Struct):
    request: dict[str, Any]


_DECODER: Final = msgspec.json.Decoder(_Line)
_USUAL: Final = msgspec.json.Decoder(_UsualLine)
_TIMES: Final = msgspec.json.Decoder(_Times)
_HEAD: Final = msgspec.json.Decoder(_Head)
_NO_RESPONSE: Final = Failure(FailureKind.RESET, "the line holds no response")


def is_exchange_line(line: bytes) -> bool:
    """Whether a line is an exchange of this form, whole or not: an object with a request in it."""
    try:
        _HEAD.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def read_line(line: bytes, number: int) -> Draft:
    """The exchange in one line. Raises Unreadable that names the line and the member."""
    draft, read = _without_times(line, number)
    draft.at, draft.elapsed = moment(_number(read.at)), _seconds(read.elapsed)
    return draft


def read_timed(line: TimedLine) -> Interaction | RecordingProblem:
    """The interaction in a line whose times are known."""
    try:
        draft, _ = _without_times(line.text, line.line)
    except Unreadable as broken:
        return RecordingProblem(broken.line, broken.message)
    return settled_at(draft, line.sent, line.received, line)


def interaction_of(kept: Kept) -> Interaction:
    """The interaction that was kept. Its line could be read before."""
    found = kept if isinstance(kept, Interaction) else read_timed(kept)
    assert isinstance(found, Interaction)
    return found


def _without_times(line: bytes, number: int) -> tuple[Draft, _Line]:
    try:
        read = _decoded(line)
    except (msgspec.DecodeError, UnicodeError) as error:  # of which errors of members are a kind
        raise Unreadable(f"this is not an exchange: {error}", number) from None
    except RecursionError:
        raise Unreadable("it is nested too deeply to be read", number) from None
    request, response = read.request, read.response
    headers = _headers(request, number, "request")
    draft = Draft(
        line=number,
        method=request.method.upper(),
        url=request.url,
        request_headers=headers,
        request_body=_body(request, headers, number, "request"),
        credential=read.credential,
        tags=read.tags,
        gap=read.gap,
    )
    if response is None or read.failure is not None:
        draft.failure = Failure(read.failure.kind, read.failure.detail) if read.failure else _NO_RESPONSE
        return draft, read
    headers = _headers(response, number, "response")
    draft.status = status_of(response.status, number)
    draft.response_headers = headers
    draft.response_body = _body(response, headers, number, "response")
    return draft, read


def read_times(line: bytes) -> tuple[float, float] | None:
    """When the request in a line was sent and its response came, in epoch seconds; None where it does not say both."""
    try:
        times = _TIMES.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    at, elapsed = moment(_number(times.at)), _seconds(times.elapsed)
    return None if at is None or elapsed is None else (at - elapsed, at)


def _decoded(line: bytes) -> _Line:
    try:
        return _USUAL.decode(line)
    except msgspec.ValidationError:
        return _DECODER.decode(line)


def _headers(message: _Request | _Response, number: int, what: str) -> Headers:
    headers = message.headers
    return headers if type(headers) is tuple else headers_of(headers, what, number)


def write_line(exchange: Exchange, origin: str) -> bytes:
    """The line of one exchange, with its end. `origin`: scheme, host and port of the endpoint."""
    request, response, failure = exchange.request, exchange.response, exchange.failure
    line: dict[str, Any] = {
        "at": round(exchange.received, 6),
        "elapsed": round(max(exchange.received - exchange.sent, 0.0), 6),
        "request": {
            "method": request.method,
            "url": origin + request.path,
            "headers": _pairs(request.headers),
            **_written(request.body),
        },
    }
    if response is not None:
        line["response"] = {
            "status": response.status,
            "headers": _pairs(response.headers),
            **_written(response.body),
        }
    if failure is not None:
        line["failure"] = {"kind": failure.kind.value, "detail": failure.detail}
    if exchange.credential is not Credential.UNKNOWN:
        line["credential"] = exchange.credential.value
    if exchange.tags:
        line["tags"] = list(exchange.tags)
    return msgspec.json.encode(line) + b"\n"


def write_gap(why: str, at: float, origin: str) -> bytes:
    """The line that says that something happened at `at`, in epoch seconds, which cannot be checked, with its end."""
    request = {"method": "POST", "url": f"{origin}{SYNC}"}
    return msgspec.json.encode({"at": round(at, 6), "elapsed": 0.0, "request": request, "gap": why}) + b"\n"


def _pairs(headers: Headers) -> list[tuple[str, str]]:
    """The headers as pairs, so that repeated ones stay. Characters that are in no text are replaced."""
    return [(name, value.encode("utf-8", "replace").decode()) for name, value in headers]


def _written(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()} if body else {}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _body(message: _Request | _Response, headers: Headers, number: int, what: str) -> bytes:
    if message.body_base64 is not None:
        body = bodies.from_base64(message.body_base64, number, what)
    else:
        body = bodies.to_bytes(message.body, number, what)
    return bodies.decoded(body, headers, number, what) if body else body


def _number(value: float | str | None) -> float | str | None:
    """A number that a log wrote as a text."""
    try:
        return float(value) if value is not None else None
    except ValueError:
        return value


def _seconds(value: float | str | None) -> float | None:
    seconds = _number(value)
    return seconds if isinstance(seconds, float) and 0 <= seconds < 1e9 else None
