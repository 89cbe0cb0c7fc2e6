"""Probes of events: counts, times, names, properties, required fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tracksync.generate.build import Step, event, event_request, json_request, without
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import probe, send

EVERY_PROPERTY: Final[dict[str, Any]] = {
    "text": "plain",
    "empty": "",
    "long": "x" * 255,
    "n" * 255: "a name of 255 characters",
    "unicode ключ 🔑": "значение 🎉 عربي",
    "integer": 42,
    "negative": -7,
    "float": 219.98,
    "tiny": 1e-7,
    "yes": True,
    "no": False,
    "when": "2022-12-06T19:20:45+01:00",
    "list": ["a", "b", 3],
    "nested": {"deep": {"deeper": {"value": 1}}, "list": [1, 2]},
    "Time": "not the reserved name",
    "objects": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
}
MANY_PROPERTIES: Final[dict[str, Any]] = {f"p{number:03}": number for number in range(300)}


@probe(
    "event-times",
    "TS-ANSWER-ARRIVES",
    "TS-ANSWER-JSON",
    "TS-ANSWER-MEDIA",
    "TS-ANSWER-STATUS",
    "TS-OK-STATUS",
    "TS-OK-MESSAGE",
    "TS-OK-NO-ERRORS",
    "TS-OK-USERS",
    "TS-OK-IDENTIFIER",
    "TS-OK-FORM",
    "TS-OK-COUNT-FORM",
    "TS-OK-TIME-FORM",
    "TS-OK-SHOWS",
    "TS-OK-ONLY-EVENTS",
    "TS-USER-CREATE",
    "TS-EVENT-COUNT",
    "TS-EVENT-NAME",
    "TS-EVENT-FIRST",
    "TS-EVENT-LAST",
    "TS-EVENT-OFFSET",
    "TS-EVENT-NO-ZONE",
    "TS-STATE-VISIBLE",
    "TS-RATE-HEADERS",
    "TS-RATE-LIMIT",
    "TS-RATE-REMAINING",
    "TS-RATE-RESET",
)
def times(name: Namer) -> Iterator[Step]:
    """One event, its times out of order and in every certain form.

    Each time with an offset is placed so that its instant moves `first` or `last` and its clock face would not,
    or the reverse.
    """
    user = {"external_id": name.external_id("u")}
    for label, time in (
        ("the first time, far to the east", "2024-05-06T00:00:00+14:00"),
        ("earlier, with a quarter of a second", "2020-01-01T00:00:00.25Z"),
        ("between, far to the east", "2022-06-15T12:00:00+14:00"),
        ("the same again", "2022-06-15T12:00:00+14:00"),
        ("latest by its instant, not by its clock face", "2024-05-05T06:00:00-05:30"),
        ("earliest by its instant, not by its clock face", "2020-01-01T05:15:00+05:45"),
        ("no zone: UTC, and the latest", "2024-05-05T11:30:00.001"),
        ("before the epoch, with microseconds", "1969-07-20T20:17:40.123456Z"),
    ):
        yield send(label, event_request(user, "ordered", time))


@probe(
    "event-future",
    "TS-EVENT-FUTURE",
    "TS-EVENT-FIRST",
    "TS-EVENT-LAST",
    "TS-EVENT-PROPERTIES",
    "TS-EVENT-PROPERTIES-256",
)
def future(name: Namer) -> Iterator[Step]:
    """Times to come are recorded as now, as first and as last; properties of every type, and more than are kept."""
    user = {"external_id": name.external_id("u")}
    yield send(
        "a first event to come, properties of every type",
        event_request(user, "launched", "2099-12-31T23:59:59Z", properties=EVERY_PROPERTY),
    )
    yield send(
        "then one on a leap day long ago, 300 properties",
        event_request(user, "launched", "2000-02-29T04:05:06Z", properties=MANY_PROPERTIES),
    )
    yield send(
        "then another that is to come soon, no properties",
        event_request(user, "launched", name.soon, properties={}),
    )


@probe("event-names", "TS-USER-SPELLING", "TS-EVENT-NAME", "TS-EVENT-COUNT", "TS-STATE-KEYS-APART", "TS-OK-ONLY-EVENTS")
def names(name: Namer) -> Iterator[Step]:
    """Names that a careless server takes for one another: case, spaces, Unicode forms. Apps share a count."""
    user = {"external_id": name.external_id("u")}
    long = "  Café, by a name of sixty characters and spaces around it  "
    twins = [f"событие, имя которого длиннее двадцати и шестидесяти четырёх знаков: {one}" for one in "аб"]
    spellings = ("Café", "café", "Cafe\u0301", " Café ", long, *twins)
    for time, spelling in zip((5, 3, 7, 2, 8, 1, 6), spellings, strict=True):
        yield send(f"an event called {spelling[:8]!r}", event_request(user, spelling, f"2023-03-0{time}T03:03:03:030Z"))
    app = "11ae5b4b-2445-4440-a04f-bf537764c9ad"  # a workspace may refuse an app that it does not know
    yield send("the first from an app", event_request(user, "Café", "2023-04-04T04:04:04Z", app_id=app))


@probe(
    "event-refused",
    "TS-EVENT-NAME-REQUIRED",
    "TS-EVENT-TIME-REQUIRED",
    "TS-EVENT-TIME-VALID",
    "TS-EVENT-RESERVED",
    "TS-REFUSE-TYPE",
    "TS-REFUSE-BODY",
    "TS-REFUSE-ENTRY",
    "TS-STATE-REFUSED",
)
def refused(name: Namer) -> Iterator[Step]:
    """Each required field missing or wrong, one at a time; the last step shows whether any of them counted."""
    user = {"external_id": name.external_id("u")}
    ghost = {"external_id": name.external_id("ghost")}
    right = event(user, "signed", "2023-01-01T00:00:00Z")
    yield send("one that counts", json_request({"events": [right]}))
    for label, wrong in (
        ("no name", without(right, "name")),
        ("no time, and a user who is not known", {**without(right, "time"), **ghost}),
        ("a time that is a word", {**right, "time": "yesterday"}),
        ("a time with month 13 and hour 99", {**right, "time": "2022-13-45T99:00:00Z"}),
        ("a time that is an object", {**right, "time": {"$time": "2023-01-01T00:00:00Z"}}),
        ("a name that is an object", {**right, "name": {"text": "signed"}}),
        ("a property called time", {**right, "properties": {"time": "2023-01-01T00:00:00Z"}}),
        ("a property called event_name", {**right, "properties": {"a": 1, "event_name": "signed"}}),
    ):
        yield send(label, json_request({"events": [wrong]}))
    yield send("the right one again", json_request({"events": [right]}))
    yield send(
        "no user was created", event_request(ghost, "signed", "2023-01-01T00:00:00Z", _update_existing_only=True)
    )
