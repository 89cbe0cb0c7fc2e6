"""Values on both sides of one keyword of a schema: at it, just inside and just outside.

Every number and name comes from the schema; the tables hold only texts that are known to be taken for others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tracksync.contract.sizes import compact_bytes, loose_bytes
from tracksync.generate.samples import CUSTOM, Sampler

Side = Literal["at", "inside", "outside"]

MOST_VALUES: Final = 200  # of one enumeration
_OTHERS: Final[tuple[Any, ...]] = ("1", 1, 1.5, True, "true", None, [], {}, ["a"], {"a": 1}, [[1]], {"a.b": 1})
# Texts that fit the form and are no such thing.
_FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("2023-02-29", "2023-06-31", "not a date"),
    "date-time": ("2023-02-29T12:00:00Z", "1900-02-29T12:00:00Z", "not a time"),
    "nested-time": ("2023-02-30", "not a time"),
    "time-zone": ("Mars/Base", "EST5", "local"),
    "email": (),
}
_ODD_TEXTS: Final = ("", " ", "\x00", "a b", "a.b", "$a", ".", "é", "\u00a0", "not one", "0")


@dataclass(frozen=True, slots=True)
class BoundaryValue:
    """A value for the place of a constraint. `further`: others show this side already.

    `choice`: one of several that show the same; the first that can be sent is enough.
    """

    side: Side
    value: Any
    further: bool = False
    choice: bool = False


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword with its value, the whole schema it stands in, and a value that fits that schema."""

    kind: str
    value: Any
    schema: Mapping[str, Any]
    sample: Any
    sampler: Sampler

    def breaks(self, candidate: Any) -> bool:
        """Whether `candidate` does not keep the keyword."""
        return not self.sampler.fits({self.kind: self.value}, candidate)

    def breaks_only(self, candidate: Any) -> bool:
        """Whether `candidate` breaks the keyword and keeps the rest of its schema."""
        rest = {name: value for name, value in self.schema.items() if name not in (self.kind, "$ref")}
        return self.breaks(candidate) and self.sampler.fits(rest, candidate)

    def outside(self, candidates: Sequence[Any]) -> Iterator[BoundaryValue]:
        """The candidates that break the keyword; those that break nothing else come first."""
        breaking = [one for one in candidates if self.breaks(one)]
        ordered = sorted(breaking, key=lambda one: not self.breaks_only(one))
        for one in ordered:
            yield BoundaryValue("outside", one, choice=True)


def boundary_values(keyword: Keyword) -> Iterator[BoundaryValue]:
    """Values at, inside and outside; nothing for a keyword that has no sides."""
    maker = _MAKERS.get(keyword.kind)
    if maker is not None:
        yield from maker(keyword)


# --- what a value is ---------------------------------------------------------------------------------------------


def _type(keyword: Keyword) -> Iterator[BoundaryValue]:
    sample = keyword.sample
    yield BoundaryValue("inside", sample)
    names = keyword.sampler.namer
    near: list[Any] = [json.dumps(sample)] if isinstance(sample, int | float | bool) else []
    others = (*near, *_OTHERS, [sample], {"id": sample}, names.integer_id("u"), names.external_id("u"))
    yield from keyword.outside(others)


def _enum(keyword: Keyword) -> Iterator[BoundaryValue]:
    values = keyword.value if keyword.kind == "enum" else [keyword.value]
    for number, one in enumerate(values[:MOST_VALUES]):
        yield BoundaryValue("at", one, further=0 < number < len(values) - 1)
    first = values[0]
    texts = [first.swapcase(), first + first[-1:], first[:-1], f" {first}"] if isinstance(first, str) else [None]
    yield from keyword.outside(texts)


def _format(keyword: Keyword) -> Iterator[BoundaryValue]:
    yield BoundaryValue("inside", keyword.sample)
    spoilt = _edits(keyword.sample) if keyword.value == "email" else []
    yield from keyword.outside([*_FORMATS.get(keyword.value, ()), *spoilt])


def _pattern(keyword: Keyword) -> Iterator[BoundaryValue]:
    yield BoundaryValue("inside", keyword.sample)
    yield from keyword.outside([*_edits(keyword.sample), *_ODD_TEXTS])


def _edits(text: Any) -> list[str]:
    """Texts that differ from `text` a little."""
    if not isinstance(text, str):
        return []
    middle = len(text) // 2
    spoilt = [text.replace("@", "'@"), text.replace("@", ""), text.replace("@", "@@"), text.partition("@")[0] + "@"]
    digits = [first + text[1:] for first in "09" if text[:1].isdigit()]
    other = [text[:-1], text + "\x00", text + ".", f"${text}", text.swapcase(), text[:middle] + " " + text[middle:]]
    return [
        one for one in (*digits, *spoilt, text.removeprefix("+"), *other, text + "!", text + "0" * 12) if one != text
    ]


# --- lengths and ranges ------------------------------------------------------------------------------------------


def sized_text(sample: Any, length: int, fits: Callable[[str], bool] = lambda text: True) -> str | None:
    """A text of `length` characters that begins or ends like `sample` and that `fits`; None where there is none."""
    text = sample if isinstance(sample, str) else ""
    if length < 0:
        return None
    if length <= len(text):
        return text[:length]
    filler = length - len(text)
    local, at, domain = text.partition("@")
    longer = (f"{local}{'x' * filler}{at}{domain}", "x" * filler + text, text + "0" * filler)
    return next((made for made in longer if fits(made)), longer[0])


def _max_length(keyword: Keyword) -> Iterator[BoundaryValue]:
    rest = {name: value for name, value in keyword.schema.items() if name != keyword.kind}
    for side, length in (("at", keyword.value), ("outside", keyword.value + 1), ("inside", keyword.value - 1)):
        text = sized_text(keyword.sample, length, lambda text: keyword.sampler.fits(rest, text))
        if text is not None:
            yield BoundaryValue(side, text, further=side == "inside")  # type: ignore[arg-type]
    for unit in ("é", "語") if keyword.sampler.fits(rest, "é") else ():
        yield BoundaryValue("at", unit * keyword.value, further=True)
        yield BoundaryValue("outside", unit * (keyword.value + 1), further=True)


def _min_length(keyword: Keyword) -> Iterator[BoundaryValue]:
    for side, length in (("at", keyword.value), ("outside", keyword.value - 1), ("inside", keyword.value + 1)):
        text = sized_text(keyword.sample, length)
        if text is not None:
            yield BoundaryValue(side, text, further=side == "inside")  # type: ignore[arg-type]


def _range(keyword: Keyword) -> Iterator[BoundaryValue]:
    bound, inwards = keyword.value, 1 if "inimum" in keyword.kind else -1
    if keyword.kind.startswith("exclusive"):
        yield BoundaryValue("outside", bound)
        yield BoundaryValue("inside", bound + inwards)
        yield BoundaryValue("outside", bound - inwards, further=True)
        return
    yield BoundaryValue("at", bound)
    yield BoundaryValue("outside", bound - inwards)
    yield BoundaryValue("inside", bound + inwards, further=True)


def _integer_range(keyword: Keyword) -> Iterator[BoundaryValue]:
    least, most = keyword.value
    for bound, outwards in ((most, 1), (least, -1)):
        yield BoundaryValue("at", bound)
        yield BoundaryValue("outside", bound + outwards)
        yield BoundaryValue("inside", bound - outwards, further=True)


def _years(keyword: Keyword) -> Iterator[BoundaryValue]:
    least, most = keyword.value
    yield BoundaryValue("at", f"{most:04}-12-31")
    yield BoundaryValue("outside", f"{most + 1:04}-01-01")
    yield BoundaryValue("at", f"{least:04}-01-01", further=True)
    yield BoundaryValue("inside", f"{most - 1:04}-12-31", further=True)


# --- counts and sizes --------------------------------------------------------------------------------------------


def _varied(keyword: Keyword, count: int) -> list[Any]:
    """An array of `count` elements, all different where they are texts."""
    sample = keyword.sample[0] if isinstance(keyword.sample, list) and keyword.sample else "a"
    if isinstance(sample, str) and count > 1:
        return [sample, *(f"{sample}{number}" for number in range(1, count))]
    return [sample] * count


def _items(keyword: Keyword) -> Iterator[BoundaryValue]:
    values = keyword.value if isinstance(keyword.value, list) else [keyword.value]
    outwards = -1 if keyword.kind == "minItems" else 1
    for number, count in enumerate(values):
        yield BoundaryValue("at", _varied(keyword, count), further=number > 0)
    if values[-1] + outwards >= 0:
        yield BoundaryValue("outside", _varied(keyword, values[-1] + outwards))
    yield BoundaryValue("inside", _varied(keyword, max(values[0] - outwards, 0)), further=True)


def _unique_items(keyword: Keyword) -> Iterator[BoundaryValue]:
    one = _varied(keyword, 1)
    yield BoundaryValue("inside", one)
    yield BoundaryValue("outside", one * 2)


def _properties(keyword: Keyword) -> Iterator[BoundaryValue]:
    outwards = -1 if keyword.kind == "minProperties" else 1
    sample = keyword.sample if isinstance(keyword.sample, dict) else {}
    for side, count in (("at", keyword.value), ("outside", keyword.value + outwards)):
        names = list(sample)[:count] if count <= len(sample) else [f"p{number:03}" for number in range(count)]
        yield BoundaryValue(side, {name: sample.get(name, 1) for name in names})  # type: ignore[arg-type]


def _distinct(keyword: Keyword) -> Iterator[BoundaryValue]:
    for side, count in (("at", keyword.value), ("outside", keyword.value + 1), ("inside", keyword.value - 1)):
        value = {f"p{number:03}": number for number in range(count)}
        yield BoundaryValue(side, value, further=side == "inside")  # type: ignore[arg-type]


def _max_bytes(keyword: Keyword) -> Iterator[BoundaryValue]:
    bounds = keyword.value if isinstance(keyword.value, list) else [keyword.value]
    for side, size, measure in (("at", bounds[0], loose_bytes), ("outside", bounds[-1] + 1, compact_bytes)):
        value = _filled(keyword, size, measure)
        if value is not None:
            yield BoundaryValue(side, value)  # type: ignore[arg-type]
    wide = _filled(keyword, bounds[-1] + 1, compact_bytes, "é")
    if wide is not None:  # over the bound in bytes, and not in characters
        yield BoundaryValue("outside", wide)


def _filled(keyword: Keyword, size: int, measure: Callable[[Any], int], character: str = "b") -> Any:
    """A value of exactly `size` bytes that fits the schema but for its size; None where none was found."""
    text = character * 240
    shapes: tuple[Callable[[list[str]], Any], ...] = (
        lambda these: {f"k{number:04}": one for number, one in enumerate(these)},
        lambda these: [{"k": one} for one in these],
        lambda these: {"$add": [{"k": one} for one in these]},
    )
    for shape in shapes:
        if keyword.sampler.fits(keyword.schema, shape([text])):
            each = measure(shape([text, text])) - measure(shape([text]))
            texts = [text] * max((size - measure(shape(["", ""]))) // each, 0)
            missing = size - measure(shape([*texts, "", ""]))
            return shape([*texts, "b" * (missing // 2), "b" * (missing - missing // 2)]) if missing >= 0 else None
    return None


# --- combinations ------------------------------------------------------------------------------------------------


def _required(keyword: Keyword) -> Iterator[BoundaryValue]:
    if isinstance(keyword.sample, dict):
        yield BoundaryValue("inside", keyword.sample)
        rest = {name: value for name, value in keyword.sample.items() if name != keyword.value}
        yield BoundaryValue("outside", rest)
        yield BoundaryValue("outside", {**keyword.sample, keyword.value: None}, further=True)


def _additional(keyword: Keyword) -> Iterator[BoundaryValue]:
    if isinstance(keyword.sample, dict):
        yield BoundaryValue("inside", keyword.sample)
        yield BoundaryValue("outside", {**keyword.sample, "unknown": keyword.sampler.namer.external_id("u")})


def _combined(keyword: Keyword) -> Iterator[BoundaryValue]:
    yield BoundaryValue("inside", keyword.sample)
    candidates: list[Any] = [*_OTHERS, *_edits(keyword.sample), "not one", [[["a"]]]]
    if isinstance(keyword.sample, dict):
        named = [name for branch in keyword.value for name in branch.get("required", ()) if isinstance(branch, dict)]
        without = {name: value for name, value in keyword.sample.items() if name not in named}
        candidates = [without, {**keyword.sample, "unknown": "a"}, *candidates]
    yield from keyword.outside(candidates)


def _forbidden(keyword: Keyword) -> Iterator[BoundaryValue]:
    yield BoundaryValue("inside", keyword.sample)
    wrong = keyword.value if isinstance(keyword.value, Mapping) else {}
    names = wrong.get("enum", wrong.get("propertyNames", {}).get("enum", ()))
    if isinstance(keyword.sample, dict):
        of_object = {name: value for name, value in keyword.sample.items() if name in names}
        contact = {"email": keyword.sampler.namer.email("u")}
        for candidate in (of_object, contact, {"inc": 1}):
            if candidate and keyword.breaks(candidate):
                yield BoundaryValue("outside", candidate)
                return
        return
    for number, one in enumerate([wrong["const"]] if "const" in wrong else names):
        yield BoundaryValue("outside", one, further=number >= MOST_VALUES)


def _dependent(keyword: Keyword) -> Iterator[BoundaryValue]:
    if not isinstance(keyword.sample, dict):
        return
    yield BoundaryValue("inside", keyword.sample)
    names = keyword.value.get("propertyNames", {}).get("not", {}).get("enum", ())
    aliases = {"user_alias": keyword.sampler.namer.alias("u"), "braze_id": keyword.sampler.namer.braze_id("u")}
    makers = {**aliases, "external_id": keyword.sampler.namer.external_id("u")}
    own = {name: one for name, one in makers.items() if name not in names}  # what the others may not stand beside
    for number, name in enumerate(name for name in names if name in makers):
        yield BoundaryValue("outside", {**keyword.sample, **own, name: makers[name]}, further=number > 0)


_MAKERS: Final[Mapping[str, Callable[[Keyword], Iterator[BoundaryValue]]]] = {
    "type": _type,
    "enum": _enum,
    "const": _enum,
    "format": _format,
    "pattern": _pattern,
    "maxLength": _max_length,
    "x-max-length": _max_length,
    "minLength": _min_length,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _range),
    "x-integer-range": _integer_range,
    "x-years": _years,
    **dict.fromkeys(("minItems", "maxItems", "x-max-elements"), _items),
    "uniqueItems": _unique_items,
    **dict.fromkeys(("minProperties", "maxProperties"), _properties),
    "x-max-distinct-properties": _distinct,
    "x-max-bytes": _max_bytes,
    "required": _required,
    "additionalProperties": _additional,
    **dict.fromkeys(("anyOf", "oneOf"), _combined),
    "not": _forbidden,
    "dependentSchemas": _dependent,
}

__all__ = ["CUSTOM", "BoundaryValue", "Keyword", "Side", "boundary_values", "sized_text"]
