"""What is wrong with a target is said in one sentence before the run begins."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fuzz_plans import fuzz_plan

from tracksync.engine import fuzz
from tracksync.engine.target_check import check_media
from tracksync.engine.targets import EmbeddedMock
from tracksync.errors import UsageError
from tracksync.generate.build import Step
from tracksync.mock import MockConfig
from tracksync.model.events import Cleaned, Event, ExchangeChecked, RunEnded
from tracksync.model.exchange import Exchange, Response

HTML = (("content-type", "text/html; charset=utf-8"),)


class Answering(EmbeddedMock):
    """A target with the same response to every request."""

    def __init__(self, response: Response) -> None:
        super().__init__(MockConfig())
        self.response = response

    def send(self, step: Step) -> Exchange:
        exchange = super().send(step)
        return Exchange(step.request, self.response, exchange.sent, exchange.received, step.credential)


@contextmanager
def free_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]


def run(target: Any = None, **flat: Any) -> list[Event]:
    events: list[Event] = []
    plan = fuzz_plan(**{"address": "http://127.0.0.1:9", "key": "k", **flat})
    fuzz(plan, events.append, None if target is None else lambda inner, prefixes: target)
    return events


def test_a_port_where_nothing_listens_is_told_at_once_and_no_user_is_said_to_be_left() -> None:
    with free_port() as port:
        events = run(address=f"http://127.0.0.1:{port}")
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.verdict == "incomplete"
    assert "cannot be reached" in ended.reason
    assert len([event for event in events if isinstance(event, ExchangeChecked)]) == 2
    assert not [event for event in events if isinstance(event, Cleaned)]
    assert "every request was answered" not in ended.why_not.values()


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (Response(200, HTML, b"<!doctype html><html>hello</html>"), "web page"),
        (Response(404, HTML, b"<html></html>"), "not there"),
        (Response(501, (), b""), r"not there \(501\)"),
        (Response(302, (("location", "/login"),), b""), r"is a redirect \(302\), which is not followed"),
        (Response(304, (), b""), "not there"),
        (Response(401, (), b"{}"), "refuses the key"),
    ],
)
def test_a_target_that_is_not_a_workspace_ends_the_run_with_a_sentence(response: Response, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        run(Answering(response))


def test_json_that_is_labelled_as_a_web_page_does_not_end_the_run() -> None:
    check_media("the server", Response(201, HTML, b'{"message": "success"}'))
