"""Hypothesis strategies of steps, one maker for each kind of request. They say what is sent and assert nothing.

    steps(names), steps(names, ["boundary", "unicode"]), sequences(names)

Every maker takes a Namer, so that all that it makes is harmless. Choices are made from small tables whose first
entries are the plain ones: what is left after shrinking is something that a person would have written. Makers draw
from ready tables by index and build no strategy while drawing, which is what makes them fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tracksync.contract.bounds import bounds
from tracksync.generate import tables
from tracksync.generate.build import SentKey, Step, encode, json_request, raw_request, without
from tracksync.generate.harmless import Namer
from tracksync.generate.right_objects import (
    ABSENT,
    flagged,
    pick,
    right_object,
    section_and_object,
    unknown_users,
    upto,
    users,
)

Maker = Callable[[DrawFn, Namer], Step]

_REQUIRED: Final = {
    "attributes": (),
    "events": ("name", "time"),
    "purchases": ("product_id", "currency", "price", "time"),
}
_UNIT_TEXTS: Final = ("x", "é", "語", "🎉", " ", "e\u0301")
_FRAGMENTS: Final = (
    *(
        "a",
        " ",
        "Zoë",
        "e\u0301",
        "語",
        "🎉",
        "👩\u200d👩\u200d👧",
        "𝔘",
        "مرحبا",
        "\u202e",
        "\u2028",
        "\ufeff",
        "İ",
        "ß",
    ),
    *("ﬁ", "\x00", "\t", "\x1f", "\x7f", "\ud83c", "\udf89", "\uffff", "\U0010ffff", "\\", '"', "%00"),
)
_NUMBERS: Final = (
    *(2**31, -(2**31) - 1, 2**32, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64, 10**30, 10**400),
    *(16.0, 1e16, 0.1, 1e-7, 1e308, -1e308, 5e-324, 2.5e-320, -0.0),
)
_NUMBER_TOKENS: Final = (b"1E5", b"-0", b"1e999", b"1e-999", b"0.1e1", b"1.0000000000000000000000001", b"9" * 5000)
_DEPTHS: Final = (3, 10, 32, 64, 100, 500, 2000, 20_000)
_LIMITS: Final = bounds()
# No boolean and no number: under an identifier they could name another user.
_JUNK: Final[tuple[Any, ...]] = (None, True, 0, -1, 1.5, "text", "", [], ["text"], {}, {"a": 1}, [[]])


def _sized(unit: str, count: int) -> str:
    return (unit * (count // len(unit) + 1))[:count]


def _around(limit: int) -> tuple[int, int, int]:
    return limit, limit - 1, limit + 1


_EDGE_TEXTS: Final = (
    *(_sized(unit, count) for count in _around(_LIMITS.text_characters) for unit in _UNIT_TEXTS),
    *("🎉" * 127, "🎉" * 128),
)
_EDGE_PRODUCTS: Final = tuple(_sized(unit, n) for n in _around(_LIMITS.product_id_characters) for unit in ("p", "é"))
_EDGE_ARRAYS: Final = tuple(
    [f"e{k:03}" for k in range(n)] for limit in _LIMITS.array_elements.values for n in _around(limit)
)
_EDGE_PROPERTIES: Final = (
    *({f"p{k:03}": k for k in range(n)} for n in _around(_LIMITS.properties_count)),
    *({_sized("n", n): 1} for n in _around(_LIMITS.property_name_characters)),
    *({"text": _sized("x", n)} for n in _around(_LIMITS.nested_characters)),
)
_EDGE_OBJECTS: Final = (
    *({_sized("k", n): 1} for n in _around(_LIMITS.nested_characters)),
    *({"text": _sized("x", n)} for n in _around(_LIMITS.nested_characters)),
    *({f"k{k:04}": "b" * 239 for k in range(n)} for n in _around(_LIMITS.object_bytes.most // 250)),
)
_OVERFLOWS: Final[tuple[tuple[str, Any], ...]] = (
    ("tags", [f"e{k}" for k in range(501)]),
    ("tags", {"add": [f"e{k}" for k in range(501)]}),
    ("sizes", list(range(1000))),
    ("sizes", {"add": list(range(600)), "remove": [1]}),
    ("points", {"inc": 2**63 - 1}),
    ("points", {"inc": -(2**63)}),
    ("pets", [{"id": k} for k in range(600)]),
    ("pets", {"$add": [{"id": k, "text": "x" * 240} for k in range(450)]}),
)


def _step(section: str, one: Any, label: str) -> Step:
    return Step(json_request({section: [one]}), label=label)


def valid(draw: DrawFn, names: Namer) -> Step:
    """A request that keeps the documents, colliding with others on few users and names."""
    section, right = section_and_object(draw, names)
    return _step(section, right, f"valid {section}")


def boundary(draw: DrawFn, names: Namer) -> Step:
    """Something at a limit, one below or one above."""
    user = pick(draw, users(names))
    section = pick(draw, _LIMITS.sections)
    one = right_object(draw, section, user)
    changes: dict[str, tuple[tuple[str, tuple[Any, ...]], ...]] = {
        "attributes": (("colour", _EDGE_TEXTS), ("tags", _EDGE_ARRAYS), ("address", _EDGE_OBJECTS)),
        "events": (("properties", _EDGE_PROPERTIES), ("name", _EDGE_PRODUCTS)),
        "purchases": (
            ("quantity", (*_around(_LIMITS.quantity_max), 1, 0, -1)),
            ("product_id", _EDGE_PRODUCTS),
            ("properties", _EDGE_PROPERTIES),
        ),
    }
    key, values = pick(draw, changes[section])
    return _step(section, {**one, key: pick(draw, values)}, f"boundary of {key}")


def oversize(draw: DrawFn, names: Namer) -> Step:
    """Texts, objects and bodies far over their limits."""
    user = pick(draw, users(names))
    size = pick(draw, (256, 300, 1000, 10_000, 110_000))
    unit = pick(draw, _UNIT_TEXTS)
    name, value = pick(
        draw,
        (
            ("colour", _sized(unit, size)),
            ("tags", [_sized(unit, size)]),
            ("address", {"town": _sized(unit, size)}),
            ("address", {_sized("k", size): 1}),
            ("pets", [{"id": 1, "name": _sized(unit, size)}]),
            (_sized("n", size), "a long attribute name"),
        ),
    )
    return _step("attributes", {**user, name: value, "vip": True}, "oversize")


def overflow(draw: DrawFn, names: Namer) -> Step:
    """Arrays that outgrow every limit, and numbers that outgrow 64 bits."""
    name, value = pick(draw, _OVERFLOWS)
    return _step("attributes", {**pick(draw, users(names)), name: value}, f"overflow of {name}")


def missing(draw: DrawFn, names: Namer) -> Step:
    """An object without one required member, without an identifier, or with half an alias."""
    section, right = section_and_object(draw, names)
    drops = [(f"no {key}", without(right, key)) for key in _REQUIRED[section]]
    drops += [(label, spoil(right)) for label, spoil in tables.OBJECT_SPOILERS[section] if "alias" in label]
    drops.append(("no identifier", without(right, *tables.IDENTIFIER_KEYS)))
    label, spoiled = pick(draw, drops)
    return _step(section, spoiled, label)


def wrong_type(draw: DrawFn, names: Namer) -> Step:
    """One typed member with a value of another JSON type; identifiers among them, where that names no other user."""
    section, right = section_and_object(draw, names)
    typed = (*_REQUIRED[section], "_update_existing_only")
    typed += {"attributes": ("_merge_objects", "country", "dob"), "events": ("properties",)}.get(
        section, ("quantity", "properties")
    )
    key = pick(draw, (*typed, "identifier", "alias"))
    if key == "identifier":
        ours = names.external_id("u")
        others: tuple[Any, ...] = ([ours], {"id": ours}, [], {}, [[ours]], None, "")
        wrong = pick(draw, others)
        return _step(
            section, {**without(right, *tables.IDENTIFIER_KEYS), "external_id": wrong}, "wrong type of external_id"
        )
    if key == "alias":
        name = names.external_id("a")
        aliases: tuple[Any, ...] = (
            *(name, [name], None, []),
            *(
                [names.alias("a")],
                {"alias_name": [name], "alias_label": "tracksync"},
                {"alias_name": name, "alias_label": 1},
            ),
        )
        wrong = pick(draw, aliases)
        return _step(
            section, {**without(right, *tables.IDENTIFIER_KEYS), "user_alias": wrong}, "wrong type of user_alias"
        )
    return _step(section, {**right, key: pick(draw, _JUNK)}, f"wrong type of {key}")


def wrong_value(draw: DrawFn, names: Namer) -> Step:
    """An object made wrong in one named way that the documents have refused."""
    section, right = section_and_object(draw, names)
    label, spoil = pick(draw, tables.OBJECT_SPOILERS[section])
    return _step(section, spoil(right), label)


def not_applied(draw: DrawFn, names: Namer) -> Step:
    """An update that completes without effect, beside one that has an effect."""
    name = pick(draw, tuple(tables.NOT_APPLIED))
    value = pick(draw, tables.NOT_APPLIED[name])
    return _step(
        "attributes", {**pick(draw, users(names)), name: value, "vip": draw(st.booleans())}, f"{name} not to be applied"
    )


def extra(draw: DrawFn, names: Namer) -> Step:
    """Members that no document names, in the body, in the object and in the alias."""
    section, right = section_and_object(draw, names)
    key = pick(draw, ("extra", "", "users", "message", "__proto__", "Events", "data", "🎉"))
    value = pick(draw, _JUNK)
    where = pick(draw, ("body", "object", "alias"))
    body: dict[str, Any] = {section: [right]}
    if where == "body":
        body = {**body, key: value}
    elif where == "object":
        body = {section: [{**right, key: value}]}
    else:
        body = {section: [{**without(right, *tables.IDENTIFIER_KEYS), "user_alias": {**names.alias("a"), key: value}}]}
    return Step(json_request(body), label=f"extra member in the {where}")


def unicode(draw: DrawFn, names: Namer) -> Step:
    """Every corner of Unicode, in every place that takes a text: values, names, identifiers."""
    section, right = section_and_object(draw, names)
    text = "".join(pick(draw, _FRAGMENTS) for _ in range(draw(upto(4)) + 1))
    place = pick(draw, ("value", "name", "identifier"))
    if place == "identifier":
        right = {**without(right, *tables.IDENTIFIER_KEYS), "external_id": names.external_id(text)}
    elif section == "attributes":
        right = {**right, "colour": text} if place == "value" else {**right, f"n {text}": "named"}
    elif section == "events":
        right = {**right, "properties": {"p": text}} if place == "value" else {**right, "name": f"n {text}"}
    else:
        right = {**right, "properties": {f"p {text}": 1}} if place == "value" else {**right, "product_id": f"n {text}"}
    return _step(section, right, f"unicode {place}")


def deep(draw: DrawFn, names: Namer) -> Step:
    """Nesting, from what people write to what no reader follows."""
    section, right = section_and_object(draw, names)
    depth = pick(draw, _DEPTHS)
    opening, closing = pick(draw, ((b'{"d":', b"}"), (b"[", b"]"), (b'[{"d":', b"}]")))
    token = opening * depth + b"1" + closing * depth
    return Step(raw_request(tables.marked(section, right, token)), label=f"{depth} levels deep")


def duplicates(draw: DrawFn, names: Namer) -> Step:
    """A key that stands twice: an attribute, an identifier of ours, a section."""
    section, right = section_and_object(draw, names)
    ours = encode(names.external_id("u"))
    other = encode(names.external_id("v"))
    body = encode({section: [right]})
    variants = (
        tables.marked(section, right, b'1,"w":2'),
        tables.marked(section, right, b'1,"\\u0077":1'),
        tables.marked(
            section, without(right, *tables.IDENTIFIER_KEYS), b'1,"external_id":%s,"external_id":%s' % (ours, other)
        ),
        tables.marked(section, right, b'1,"_update_existing_only":true,"_update_existing_only":false'),
        body[:-1] + b"," + body[1:],
        body[:-1] + b"," + encode({section: []})[1:],
    )
    return Step(raw_request(pick(draw, variants)), label="repeated keys")


def numbers(draw: DrawFn, names: Namer) -> Step:
    """Huge, tiny and oddly written numbers, as attribute, sum, price, quantity and property."""
    user = pick(draw, users(names))
    value = pick(draw, _NUMBERS)
    place = pick(draw, ("attribute", "inc", "price", "quantity", "property", "token"))
    if place == "token":
        token = pick(draw, _NUMBER_TOKENS)
        return Step(raw_request(tables.marked("attributes", dict(user), token)), label="a number oddly written")
    if place in ("attribute", "inc"):
        return _step(
            "attributes", {**user, "points": value if place == "attribute" else {"inc": value}}, f"{place} {value!s:.9}"
        )
    if place == "property":
        right = right_object(draw, "events", user)
        return _step("events", {**right, "properties": {"n": value}}, f"property {value!s:.9}")
    return _step("purchases", {**right_object(draw, "purchases", user), place: value}, f"{place} {value!s:.9}")


def update_only(draw: DrawFn, names: Namer) -> Step:
    """Users unknown to the workspace, with `_update_existing_only` true, false, left out, or of a wrong type."""
    section = pick(draw, _LIMITS.sections)
    right = right_object(draw, section, pick(draw, unknown_users(names)))
    flag = pick(draw, (True, False, ABSENT, *tables.WILD_FLAGS))
    return _step(section, flagged(right, flag), "unknown user" + ("" if flag is ABSENT else f", update only {flag!r}"))


def bodies(draw: DrawFn, names: Namer) -> Step:
    """Bodies of the wrong form, and half-legal ones."""
    section, right = section_and_object(draw, names)
    label, wrap = pick(draw, (*tables.BODY_SPOILERS, *tables.WILD_BODIES))
    return Step(raw_request(wrap(section, right)), label=label)


def two_sections(draw: DrawFn, names: Namer) -> Step:
    """Objects in two sections, of one user or of two."""
    first, second = pick(draw, (("events", "attributes"), ("events", "purchases"), ("attributes", "purchases")))
    body = {section: [right_object(draw, section, pick(draw, users(names)))] for section in (first, second)}
    return Step(json_request(body), label=f"{first} and {second}")


_KEYS: Final = (SentKey.INVALID, SentKey.MISSING, SentKey.QUOTED, SentKey.OTHER_SCHEME, SentKey.UNPRIVILEGED)


def keys(draw: DrawFn, names: Namer) -> Step:
    """A right request under a key that does not open."""
    section, right = section_and_object(draw, names)
    key = pick(draw, _KEYS)
    return Step(json_request({section: [right]}), key, key.value)


def wild(draw: DrawFn, names: Namer) -> Step:
    """Values on which servers lawfully differ."""
    section, right = section_and_object(draw, names)
    places: dict[str, tuple[tuple[str, tuple[Any, ...]], ...]] = {
        "attributes": (("wild", tables.WILD_VALUES), ("colour", tables.WILD_VALUES)),
        "events": (("time", tables.WILD_TIMES),),
        "purchases": (
            ("quantity", tables.WILD_QUANTITIES),
            ("currency", tables.WILD_CURRENCIES),
            ("price", tables.WILD_PRICES),
            ("time", tables.WILD_TIMES),
        ),
    }
    key, values = pick(draw, places[section])
    return _step(section, {**right, key: pick(draw, values)}, f"wild {key}")


KINDS: Final[Mapping[str, Maker]] = {
    "valid": valid,
    "boundary": boundary,
    "oversize": oversize,
    "overflow": overflow,
    "missing": missing,
    "wrong-type": wrong_type,
    "wrong-value": wrong_value,
    "not-applied": not_applied,
    "extra": extra,
    "unicode": unicode,
    "deep": deep,
    "duplicates": duplicates,
    "numbers": numbers,
    "update-only": update_only,
    "bodies": bodies,
    "two-sections": two_sections,
    "keys": keys,
    "wild": wild,
}


@st.composite
def _any_of(draw: DrawFn, names: Namer, makers: tuple[Maker, ...]) -> Step:
    return pick(draw, makers)(draw, names)


def steps(names: Namer, kinds: Sequence[str] = tuple(KINDS)) -> SearchStrategy[Step]:
    """One step of any of `kinds`, the first of them about every other time. KeyError for a kind not in KINDS."""
    makers = [KINDS[kind] for kind in kinds]
    return _any_of(names, (*makers[:1] * max(1, len(makers) - 1), *makers[1:]))


def sequences(names: Namer, max_size: int = 20) -> SearchStrategy[list[Step]]:
    """Steps to be sent one after the other."""
    return st.lists(steps(names), min_size=1, max_size=max_size)
