"""Faults of input that is valid and extreme: the server answers 500, or cuts the connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tracksync.faults.registry import faults, row
from tracksync.mock.call import Call, Cut, Delivery, Refused
from tracksync.mock.core import Core
from tracksync.values.jsontext import read_json

CRASH, CUT = "TS-ANSWER-SERVER-ERROR", "TS-ANSWER-ARRIVES"
STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def _integers(body: bytes) -> Iterator[int]:
    for found in NUMBER.findall(STRING.sub(b"", body)):
        if found.lstrip(b"-").isdigit() and len(found) < 4000:
            yield abs(int(found))


def _beyond(limit: int) -> Callable[[bytes], bool]:
    return lambda body: any(number > limit for number in _integers(body))


def _huge_exponent(body: bytes) -> bool:
    return any(int(digits) > 308 for digits in re.findall(rb"\d[eE]\+?(\d+)", STRING.sub(b"", body)))


def _tiny_exponent(body: bytes) -> bool:
    return any(int(digits) > 323 for digits in re.findall(rb"\d[eE]-(\d+)", STRING.sub(b"", body)))


def _deeper(levels: int) -> Callable[[bytes], bool]:
    def deeper(body: bytes) -> bool:
        depth = deepest = 0
        for bracket in re.findall(rb"[\[{}\]]", STRING.sub(b"", body)):
            depth += 1 if bracket in b"[{" else -1
            deepest = max(deepest, depth)
        return deepest > levels

    return deeper


def _nested(value: Any) -> Iterator[Any]:
    """A value and everything in it; an empty body of JSON has nothing in it."""
    todo = [value]
    while todo:
        item = todo.pop()
        yield item
        if isinstance(item, (dict, list)):
            todo.extend(item.values() if isinstance(item, dict) else item)


def _any_value(wrong: Callable[[Any], bool]) -> Callable[[bytes], bool]:
    return lambda body: any(map(wrong, _nested(read_json(body).value)))


def _longer(characters: int) -> Callable[[bytes], bool]:
    return _any_value(lambda value: isinstance(value, str) and len(value) > characters)


def _wider(keys: int) -> Callable[[bytes], bool]:
    return _any_value(lambda value: isinstance(value, dict) and len(value) > keys)


def _lone_surrogate(body: bytes) -> bool:
    return "lone-surrogate" in read_json(body).quirks


def _nul(body: bytes) -> bool:
    return b"\\u0000" in body


@faults(CRASH)(
    row("integer-beyond-2-53-500", "An integer beyond 2^53 is answered 500.", when=_beyond(2**53)),
    row("integer-beyond-2-63-500", "An integer beyond 2^63 is answered 500.", when=_beyond(2**63)),
    row("integer-beyond-2-64-500", "An integer beyond 2^64 is answered 500.", when=_beyond(2**64)),
    row("integer-of-thirty-digits-500", "An integer of thirty digits is answered 500.", when=_beyond(10**30)),
    row("exponent-beyond-double-500", "A number like 1e400 is answered 500.", when=_huge_exponent),
    row("exponent-below-double-500", "A number like 1e-400 is answered 500.", when=_tiny_exponent),
    row("nesting-of-15-500", "A body nested deeper than 15 is answered 500.", when=_deeper(15)),
    row("nesting-of-150-500", "A body nested deeper than 150 is answered 500.", when=_deeper(150)),
    row("nesting-of-1500-500", "A body nested deeper than 1500 is answered 500.", when=_deeper(1500)),
    row("lone-surrogate-500", "A lone surrogate is answered 500.", when=_lone_surrogate),
    row("long-text-500", "A text of over half a million characters is answered 500.", when=_longer(500_000)),
    row(
        "empty-name-500",
        "A member with an empty name is answered 500.",
        when=_any_value(lambda value: isinstance(value, dict) and "" in value),
    ),
    row("thousand-keys-500", "An object of over a thousand members is answered 500.", when=_wider(1000)),
)
def _crashing(when: Callable[[bytes], bool]) -> type[Core]:
    """Answers 500 to bodies of one kind, whether they are valid or not."""

    class Crashing(Core):
        def parse(self, call: Call) -> dict[str, Any]:
            if when(call.request.body):
                raise Refused(500, message="Internal Server Error", bare=True)
            return super().parse(call)

    return Crashing


@faults(CUT)(
    row("integer-beyond-2-63-cut", "The connection is cut at an integer beyond 2^63.", when=_beyond(2**63)),
    row("exponent-beyond-double-cut", "The connection is cut at a number like 1e400.", when=_huge_exponent),
    row("nesting-of-150-cut", "The connection is cut when a body is nested deeper than 150.", when=_deeper(150)),
    row("nesting-of-1500-cut", "The connection is cut when a body is nested deeper than 1500.", when=_deeper(1500)),
    row("nul-cut", "The connection is cut when a text holds a NUL.", when=_nul),
    row("lone-surrogate-cut", "The connection is cut at a lone surrogate.", when=_lone_surrogate),
    row("long-text-cut", "The connection is cut at a text of over half a million characters.", when=_longer(500_000)),
    row("thousand-keys-cut", "The connection is cut at an object of over a thousand members.", when=_wider(1000)),
)
def _cutting(when: Callable[[bytes], bool]) -> type[Core]:
    """Cuts the connection in place of a response to bodies of one kind."""

    class Cutting(Core):
        def deliver(self, call: Call, delivery: Delivery) -> Delivery:
            delivery = super().deliver(call, delivery)
            return replace(delivery, cut=Cut.BEFORE) if when(call.request.body) else delivery

    return Cutting
