"""Probes of arrays, objects and arrays of objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tracksync.generate.build import Step, attributes_request
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import probe, send

# Removing what is not there leaves an array as it is, and the response shows it.
LOOK: Final = {"remove": ["not there"]}
LOOK_OBJECTS: Final = {"$remove": [{"$identifier_key": "id", "$identifier_value": -1}]}
# An object over 100 KB, though not of so many characters, and one just below in every way of counting; each text is
# within its own limit.
BIG: Final = {f"k{number:03}": "b" * 200 + "é" * 24 for number in range(415)}
FITTING: Final = {f"k{number:03}": "f" * 245 for number in range(380)}


def elements(count: int) -> list[str]:
    """So many different short texts."""
    return [f"e{number:03}" for number in range(count)]


@probe(
    "arrays",
    "TS-ARRAY-SET",
    "TS-ARRAY-UNIQUE",
    "TS-ARRAY-ADD",
    "TS-ARRAY-ADD-PRESENT",
    "TS-ARRAY-REMOVE",
    "TS-ARRAY-ADD-REMOVE",
    "TS-ARRAY-LIMIT",
    "TS-ARRAY-KEPT",
    "TS-STATE-KEYS-APART",
    "TS-ATTR-INDEPENDENT",
)
def arrays(name: Namer) -> Iterator[Step]:
    """One array for each edit, so that all edits fit in one request; two more requests show what they left."""
    user = {"external_id": name.external_id("u")}
    yield send(
        "arrays set",
        attributes_request(
            user,
            {
                "grows": ["b", "a", "c"],
                "numbers": [3, 1, 2],
                "floats": [2.5, -1, 0.1],
                "case": ["A", "a"],
                "forms": ["é", "e\u0301", " é"],
                "moves": ["x", "y", "z"],
                "moves and grows": ["x", "y", "z"],
                "shrinks": ["p", "q", "r", "s"],
                "stays": ["k", "l"],
                "both": ["m", "n"],
                "same both": ["m", "n"],
                "emptied": ["only"],
                "emptied next": ["only"],
                "twice": ["r"],
                "repeats": ["a", "b", "a", "c", "b"],
                "full": elements(25),
                "full and moved": elements(25),
                "long": elements(500),
                "long and moved": elements(500),
                "had few": ["few"],
                "long texts": ["x" * 255, "é" * 255],
                "cleared": ["a", "b"],
                "with empty": ["", "a", "b,c;d|e"],
                "alike as text": [1, "1", 2.5, "2.5"],
                "prefixes": ["a", "ab", "abc"],
                "flags": [True, False, "x"],
            },
        ),
    )
    yield send(
        "every edit",
        attributes_request(
            user,
            {
                "grows": {"add": ["d", "e"]},
                "numbers": {"add": [1]},
                "floats": {"remove": [-1]},
                "case": {"remove": ["a"]},
                "forms": {"remove": ["é"]},
                "moves": {"add": ["x"]},
                "moves and grows": {"add": ["w", "y"]},
                "shrinks": {"remove": ["s", "q"]},
                "stays": LOOK,
                "both": {"add": ["o"], "remove": ["m"]},
                "alike as text": {"remove": ["1", 2.5]},
                "prefixes": {"remove": ["ab"]},
                "emptied": {"remove": ["only"]},
                "twice": {"add": ["s", "s"]},
                "full": {"add": ["one more"]},
                "full and moved": {"add": ["e000"]},
                "long": {"add": ["one more"]},
                "long and moved": {"add": ["e000"]},
                "had few": elements(501),
                "never": elements(501),
                "repeats": ["b", "a", "b"],
                "same both": {"add": ["m"], "remove": ["m"]},
                "cleared": [],
                "beside": "applied",
            },
        ),
    )
    looked_at = (
        *("grows", "numbers", "floats", "case", "forms", "moves", "moves and grows", "shrinks", "stays"),
        *("emptied", "twice", "repeats", "full", "full and moved", "long", "long and moved", "had few", "long texts"),
    )
    yield send(
        "what was stored",
        attributes_request(
            user,
            {
                **dict.fromkeys(looked_at, LOOK),
                "same both": {"add": ["m"], "remove": ["m"]},
                "both": None,
                "never": elements(501),
            },
        ),
    )
    yield send(
        "the edits once more, and a value both added and removed",
        attributes_request(
            user,
            {
                "grows": {"remove": ["b", "d"]},
                "numbers": {"add": [4, 3]},
                "moves": ["only this"],
                "shrinks": {"add": ["q"]},
                "both": {"add": ["new"]},
                "same both": {"add": ["m"], "remove": ["m"]},
                "case": {"add": ["a"]},
                "full": {"remove": ["e001", "e023"]},
                "emptied next": {"remove": ["only"]},
            },
        ),
    )
    yield send(
        "what was stored at last",
        attributes_request(
            user, dict.fromkeys(("grows", "numbers", "moves", "shrinks", "same both", "case", "full"), LOOK)
        ),
    )


@probe(
    "objects",
    "TS-OBJECT-SET",
    "TS-OBJECT-REPLACE",
    "TS-OBJECT-MERGE",
    "TS-OBJECT-INVALID",
    "TS-OBJECT-TIME",
    "TS-ATTR-INDEPENDENT",
    "TS-STATE-KEYS-APART",
)
def objects(name: Namer) -> Iterator[Step]:
    """Objects set, replaced, merged at three depths, and updates that a single bad value drops."""
    user = {"external_id": name.external_id("u")}
    deep = {"l1": {"l2": {"l3": {"x": 1, "y": 2}, "beside": True}, "z": 3}, "top": "t"}
    yield send(
        "objects set",
        attributes_request(
            user,
            {
                "deep": deep,
                "person": {"name": {"first": "Ada", "last": "L"}, "langs": ["fr", "en"], "age": 36, "note": ""},
                "swap": {"a": 1, "b": 2},
                "null inside": {"keep": 1},
                "null below": {"keep": {"a": 1}},
                "null listed": {"keep": 1},
                "bad time": {"keep": 1},
                "timed": {"since": {"$time": "2020-02-29T23:30:00+01:00"}, "n": 1},
                "types": {"i": 2**53 + 1, "f": 1e-7, "t": True, "no": False, "zero": 0, "one": 1, "empty": ""},
                "words": {"ключ": "🎉", "k" * 255: "v" * 255, "Case": 1, "case": 2},
                "numbered": {"0": "a", "1": "b"},
                "hollow": {"inside": {}, "beside": 1},
                "deepest": {"2": {"3": {"4": {"5": {"6": {"7": {"8": "here"}}}}}}},
                "singles": {"list": ["only"], "deep": {"list": [{"a": 1}]}},
                "beside": 1,
            },
        ),
    )
    yield send(
        "replaced without _merge_objects, and two dropped",
        attributes_request(
            user,
            {
                "swap": {"b": 3, "c": 4},
                "null inside": {"keep": 2, "bad": None},
                "null below": {"keep": {"a": 2, "bad": [{"c": None}]}},
                "null listed": {"keep": 2, "bad": ["a", None]},
                "bad time": {"keep": 2, "at": {"$time": "not a time"}},
                "beside": {"inc": 1},
            },
        ),
    )
    yield send(
        "merged, at every depth",
        attributes_request(
            user,
            {
                "deep": {"l1": {"l2": {"l3": {"y": 20, "w": 5}}}},
                "person": {"name": {"last": "Lovelace"}, "age": 37},
                "swap": {"d": {"e": 1}},
                "null inside": {"seen": 1},
                "null below": {"seen": 1},
                "bad time": {"seen": 1},
                "timed": {"n": 2},
                "types": {"zero": 10, "t": False},
                "words": {"case": 3, "Case": 4},
                "fresh": {"a": {"b": 1}},
            },
            _merge_objects=True,
        ),
    )
    yield send(
        "merges that a bad value drops",
        attributes_request(
            user,
            {
                "deep": {"l1": {"l2": {"l3": {"y": None, "x": 9}}, "z": 4}},
                "timed": {"until": {"$time": "2022-99-99T00:00:00Z"}, "n": 3},
                "swap": {"a": 100},
            },
            _merge_objects=True,
        ),
    )
    yield send(
        "replaced, and merged no longer",
        attributes_request(user, {"person": {"name": {"first": "Grace"}}, "types": {"one": 2}}),
    )
    yield send(
        "what was stored",
        attributes_request(
            user,
            {key: {"seen": 1} for key in ("deep", "person", "swap", "timed", "types", "words", "fresh", "bad time")},
            _merge_objects=True,
        ),
    )


@probe("object-limits", "TS-OBJECT-LIMITS", "TS-OBJECT-SET", "TS-OBJECT-MERGE", "TS-STATE-REFUSED")
def limits(name: Namer) -> Iterator[Step]:
    """What the documents forbid in an object, one kind a request: a server may refuse the request or the update.

    The counter beside it shows which of the two, and whether a refused request left something behind.
    """
    user = {"external_id": name.external_id("u")}
    kept = {"keep": 1}
    yield send(
        "objects within the limits",
        attributes_request(
            user,
            {"dotted": kept, "dollar": kept, "long key": kept, "long text": kept, "big": kept, "fits": FITTING, "n": 0},
        ),
    )
    wrong: tuple[tuple[str, dict[str, Any]], ...] = (
        ("a dot in a key name", {"dotted": {"keep": 2, "a.b": 1}}),
        ("a space in a key name", {"dotted": {"keep": 3, "a b": 1}}),
        ("a nested time too far off", {"dotted": {"keep": 4, "at": {"$time": "3001-01-01T00:00:00Z"}}}),
        ("a dollar sign in a key name", {"dollar": {"keep": 2, "$a": 1}}),
        ("a key name and a text of 256", {"long key": {"keep": 2, "k" * 256: 1}, "long text": {"keep": "x" * 256}}),
        ("over 100 KB", {"big": BIG}),
    )
    for label, update in wrong:
        yield send(label, attributes_request(user, {**update, "n": {"inc": 1}}))
    yield send(
        "what was stored",
        attributes_request(
            user,
            {
                **{key: {"seen": 1} for key in ("dotted", "dollar", "long key", "long text", "big", "fits")},
                "n": {"inc": 0},
            },
            _merge_objects=True,
        ),
    )


def _edit(kind: str, key: str, value: Any, new: dict[str, Any] | None = None) -> dict[str, Any]:
    one = {"$identifier_key": key, "$identifier_value": value}
    return {kind: [one if new is None else {**one, "$new_object": new}]}


@probe("arrays-of-objects", "TS-OBJECTS-SET", "TS-OBJECTS-ADD", "TS-OBJECTS-UPDATE", "TS-OBJECTS-REMOVE")
def arrays_of_objects(name: Namer) -> Iterator[Step]:
    """One array for each edit; a request with `_merge_objects`, one without, one that shows what they left."""
    user = {"external_id": name.external_id("u")}
    pets = [
        {"id": 1, "name": "Rex", "tags": ["a", "b"]},
        {"id": 2, "name": "Tom", "size": {"cm": 30, "kg": 4}},
        {"id": 2, "name": "Ivy 🐈"},
        {"id": 3, "name": "Bo", "since": {"$time": "2020-01-01T00:00:00+02:00"}},
    ]
    used = ("whole", "added", "updated", "deeply", "several", "removed", "missed", "by name", "bad")
    many = [{"id": number} for number in range(620)]
    yield send(
        "arrays of objects set, one of them long",
        attributes_request(
            user,
            {
                **dict.fromkeys(used, pets),
                **dict.fromkeys(("emptied", "emptied next"), pets[:1]),
                "plain": pets,
                "many": many,
            },
        ),
    )
    yield send(
        "every edit, merging",
        attributes_request(
            user,
            {
                "added": {"$add": [{"id": 4, "name": "Kit"}, {"id": 1, "name": "Max"}]},
                "updated": _edit("$update", "id", 3, {"name": "Bobby", "age": 4}),
                "deeply": _edit("$update", "name", "Tom", {"size": {"kg": 5}}),
                "several": _edit("$update", "id", 2, {"found": True}),
                "removed": _edit("$remove", "id", 2),
                "missed": _edit("$update", "id", 9, {"name": "nobody"}),
                "by name": _edit("$remove", "name", "Rex"),
                "emptied": _edit("$remove", "id", 1),
                "bad": {"$add": [{"id": 5, "name": None}]},
                "many": {"$add": [{"id": 620}]},
            },
            _merge_objects=True,
        ),
    )
    yield send(
        "an update without _merge_objects",
        attributes_request(
            user,
            {
                "plain": _edit("$update", "id", 3, {"id": 3, "name": "New"}),
                "several": _edit("$update", "id", 2, {"id": 2, "found": "again"}),
                "emptied next": _edit("$remove", "id", 1),
            },
        ),
    )
    yield send(
        "what was stored",
        attributes_request(
            user,
            {
                **dict.fromkeys((*used, "emptied", "emptied next", "many"), LOOK_OBJECTS),
                "plain": _edit("$update", "id", 3, {"id": 3, "more": 1}),
            },
        ),
    )
