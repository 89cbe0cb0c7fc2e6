"""The NDJSON report of schemathesis: one event a line; finished scenarios carry what went over the wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tracksync.cassettes.forms.common import headers_of, mapping, moment, seconds, status_of, text
from tracksync.cassettes.interaction import Draft, RecordingProblem
from tracksync.model.exchange import Failure, FailureKind
from tracksync.wire import bodies
from tracksync.wire.bodies import Unreadable


class Lines(list[tuple[int, Any]]):
    """A file of one JSON value a line: (line, value) pairs."""


def recognise(document: Any) -> str:
    """The form's name, or ""."""
    if isinstance(document, Lines) and document:
        first = document[0][1]
        if isinstance(first, dict) and "Initialize" in first:
            return "schemathesis NDJSON"
        if any(isinstance(value, dict) and "ScenarioFinished" in value for _, value in document):
            return "schemathesis NDJSON"
    return ""


def drafts(document: Any, lines: Sequence[int]) -> Iterator[Draft | RecordingProblem]:
    """Every interaction of every finished scenario."""
    for line, value in document:
        scenario = value.get("ScenarioFinished") if isinstance(value, dict) else None
        if not isinstance(scenario, dict):
            continue
        recorder = scenario.get("recorder")
        interactions = recorder.get("interactions") if isinstance(recorder, dict) else None
        if interactions is None:
            continue
        if not isinstance(interactions, dict):
            yield RecordingProblem(line, "the interactions of the scenario are not a mapping")
            continue
        for item in interactions.values():
            try:
                yield _draft(mapping(item, "an interaction", line), line)
            except Unreadable as broken:
                yield RecordingProblem(line, broken.message)


def _draft(item: Any, line: int) -> Draft:
    request = mapping(item.get("request"), "the request", line)
    draft = Draft(
        line=line,
        method=text(request.get("method"), "the request's method", line).upper(),
        url=text(request.get("uri") or request.get("url"), "the request's uri", line),
        request_headers=headers_of(request.get("headers"), "request", line),
        at=moment(item.get("timestamp")),
    )
    draft.request_body = _bytes(request.get("body"), line, "request")
    response = item.get("response")
    if response is None:
        draft.failure = Failure(FailureKind.RESET, "the recording holds no response")
        return draft
    response = mapping(response, "the response", line)
    draft.status = status_of(response.get("status_code"), line)
    draft.elapsed = seconds(response.get("elapsed"))
    draft.response_headers = tuple(
        pair
        for pair in headers_of(response.get("headers"), "response", line)
        if pair[0].lower() != "content-encoding"  # the content is what `requests` had decoded
    )
    draft.response_body = _bytes(response.get("content"), line, "response")
    if response.get("content_size") is not None:
        draft.gap = "the recorder stored only the beginning of the response"
    return draft


def _bytes(value: Any, line: int, what: str) -> bytes:
    if isinstance(value, dict) and "$base64" in value:
        return bodies.from_base64(value["$base64"], line, what)
    return bodies.to_bytes(value, line, what)
