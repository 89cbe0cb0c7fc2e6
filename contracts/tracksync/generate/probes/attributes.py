"""Probes of attributes with one value: every type, the length limit, null, inc, dates; and profile fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tracksync.generate.build import Step, attributes_request
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import probe, send

TEXTS: Final = {
    "plain": "red",
    "empty": "",
    "spaces": "  two  spaces and a tab\t ",
    "lines": "a\nb\r\nc",
    "quotes": "\"quoted\" \\ / 'single'",
    "markup": "<b>&amp;</b> {{name}} ${x} %s",
    "control": "\x01\x1f\x7f",
    "accents": "Zoë Łódź ñ",
    "combining": "Zoe\u0308 n\u0303",
    "astral": "🎉 👩‍👩‍👧 𝔘",
    "right to left": "مرحبا שלום",
    "direction marks": "a\u200eb\u202bc\u202cd\u2066e\u2069",
    "selectors": "❤\ufe0f 1\ufe0f\u20e3",
    "wide": "日本語 ﾊﾝｶｸ Ａｂ１",
    "separators": "a\u2028b\u2029c\u00a0d\u200be",
    "encoded": "a+b%20c%2B&d=e",
    "digits": "007",
    "number": "1e3",
    "float text": "219.98",
    "true text": "true",
    "null text": "null",
    "nil text": "nil",
    "None text": "None",
    "undefined text": "undefined",
    "yes text": "yes",
    "off text": "off",
    "byte order": "\ufeffmark\ufeff",
    "object text": '{"inc": 1}',
}
LENGTHS: Final = {
    "ascii 255": "x" * 255,
    "two bytes 255": "é" * 255,
    "three bytes 255": "語" * 255,
    "astral 127": "🎉" * 127,
    "spaces 255": " " * 254 + ".",
}
OVER: Final = "y" * 256
INTEGERS: Final = {
    "zero": 0,
    "one": 1,
    "minus one": -1,
    "short": 65_536,
    "int32": 2**31 - 1,
    "past int32": 2**31,
    "below int32": -(2**31) - 1,
    "past uint32": 2**32 + 1,
    "past double": 2**53 + 1,
    "below double": -(2**53) - 1,
    "int64": 2**63 - 1,
    "lowest": -(2**63),
}
FLOATS: Final = {
    "euros": 219.98,
    "tiny": 1e-7,
    "tenth": 0.1,
    "third": 0.3333333333333333,
    "negative float": -2.5,
    "past single": 1.5e39,
    "large float": 1.5e299,
}
# Attribute names that differ in case, spaces or Unicode form only, and names that look like other things.
NAMES: Final[dict[str, Any]] = {
    "Colour": "a",
    "colour": "b",
    "COLOUR": "c",
    " colour": "d",
    "colour ": "e",
    "Zoë": "f",
    "Zoe\u0308": "g",
    "🎨": "h",
    "Country": "i",
    "name": "j",
    "time": "k",
    "count": 1,
    "users": "l",
    "inc": 2,
    "null": "m",
    "constructor": "o",
    "toString": "p",
    "length": "q",
    "0": "n",
}


@probe(
    "attribute-values",
    "TS-ATTR-STRING",
    "TS-ATTR-EMPTY-STRING",
    "TS-ATTR-BOOLEAN",
    "TS-ATTR-INTEGER",
    "TS-ATTR-FLOAT",
    "TS-ATTR-LENGTH-KEPT",
    "TS-ATTR-LENGTH-OVER",
    "TS-ATTR-NULL",
    "TS-ATTR-INC",
    "TS-ATTR-INDEPENDENT",
    "TS-USER-SPELLING",
    "TS-STATE-KEYS-APART",
    "TS-OK-ONLY-ATTRIBUTES",
    "TS-OK-SHOWS",
    "TS-INTERPRETATION-KEPT",
)
def values(name: Namer) -> Iterator[Step]:
    """Every type at once; then every update that leaves a trace; then updates that show what was stored.

    An over-long text is not applied, and its response shows the value before; `inc` by nothing shows a number.
    """
    user = {"external_id": name.external_id("u")}
    counters = {"up": 10, "down": 0, "carry": 2**31 - 1, "through zero": -5, "exact": 2**53}
    yield send(
        "every type",
        attributes_request(
            user,
            {
                **TEXTS,
                **LENGTHS,
                **INTEGERS,
                **FLOATS,
                **NAMES,
                **counters,
                "yes": True,
                "no": False,
                "gone text": "here",
                "gone number": 5,
                "gone flag": True,
                "text to number": "five",
                "number to text": 5,
                "text to list": "t",
                "list to object": ["t"],
                "gone list": ["a"],
                "gone object": {"a": 1},
                "back again": "first",
                "untouched": "stays",
                "untouched number": 77,
            },
        ),
    )
    yield send(
        "changes, removals, sums and over-long texts",
        attributes_request(
            user,
            {
                "plain": "green",
                "empty": "full",
                "accents": "",
                "astral": "🎊" * 3,
                "zero": 12,
                "one": -1,
                "int64": 2**62 + 1,
                "euros": 0.07,
                "yes": False,
                "no": True,
                "Colour": "A",
                "colour ": "E",
                "🎨": "H",
                **{key: text + "z" for key, text in LENGTHS.items() if key != "astral 127"},
                "three bytes 255": "語" * 256,
                "spaces 255": " " * 256,
                "astral 127": "🎉" * 256,
                "never 256": OVER,
                "astral 128": "🎉" * 128,
                "astral 255": "🎉" * 255,
                "up": {"inc": 5},
                "down": {"inc": -3},
                "carry": {"inc": 1},
                "through zero": {"inc": 12},
                "exact": {"inc": 1},
                "text to number": 5,
                "number to text": "five",
                "text to list": ["t"],
                "list to object": {"t": 1},
                "fresh sum": {"inc": 4},
                "gone text": None,
                "gone number": None,
                "gone flag": None,
                "gone list": None,
                "gone object": None,
                "back again": None,
                "never was": None,
            },
        ),
    )
    yield send(
        "what was stored",
        attributes_request(
            user,
            {
                **dict.fromkeys(TEXTS, OVER),
                **dict.fromkeys(LENGTHS, OVER),
                **{key: OVER for key, value in NAMES.items() if isinstance(value, str)},
                **{key: {"inc": 0} for key in (*INTEGERS, "down", "exact", "fresh sum", "untouched number")},
                "up": {"inc": -20},
                "carry": {"inc": 2**31},
                "through zero": {"inc": -7},
                "never 256": "no longer",
                "astral 128": "🎊" * 128,
                "gone text": OVER,
                "gone number": {"inc": 7},
                "back again": "second",
                "yes": False,
                "untouched": OVER,
            },
        ),
    )


@probe("attribute-names", "TS-USER-SPELLING", "TS-STATE-KEYS-APART", "TS-STATE-VISIBLE", "TS-ATTR-NULL", "TS-ATTR-INC")
def names(name: Namer) -> Iterator[Step]:
    """Names that a careless server takes for one another; one of them is removed, another counted up."""
    user = {"external_id": name.external_id("u")}
    alike = (
        "имя",
        "год",
        "a b",
        "a-b",
        "a_b",
        "pre",
        "prefix",
        "prefixes",
        "Ключ",
        "ключ",
        "x" * 60 + "1",
        "x" * 60 + "2",
        *("_pre", "-pre", "pre ", " pre", "PRE", "pre/1", "pre#1", "pre%20", "pre\u200b", "1", "01", "é", "e\u0301"),
        *("🎉", "🎊", "id", "ID", "name", "time", "user_id", "null", "true", "events"),
    )
    yield send("names alike", attributes_request(user, {one: 10 * number for number, one in enumerate(alike, start=1)}))
    yield send(
        "one removed, one counted up",
        attributes_request(user, {"pre": None, "prefix": {"inc": 1}, "год": {"inc": 1}}, _update_existing_only=True),
    )
    yield send("all of them", attributes_request(user, {one: {"inc": 0} for one in alike if one != "pre"}))
    yield send("a text with a NUL", attributes_request(user, {"nul": "before\0after"}))


@probe("attribute-dates", "TS-ATTR-DATE", "TS-ATTR-DATE-RANGE", "TS-ATTR-LENGTH-OVER", "TS-ATTR-STRING")
def dates(name: Namer) -> Iterator[Step]:
    """Dates in every documented form, at the edges of the range, and texts that only look like dates."""
    user = {"external_id": name.external_id("u")}
    forms = {
        "utc": "2022-12-06T18:20:45Z",
        "east": "2022-12-06T19:20:45+01:00",
        "far east": "2022-12-07T08:20:45+14:00",
        "half hour west": "2022-12-06T12:50:45-05:30",
        "no zone": "2022-12-06T18:20:45",
        "a space": "2022-12-06 18:20:45",
        "milliseconds": "2022-12-06T18:20:45.123Z",
        "colon milliseconds": "2022-12-06T18:20:45:123Z",
        "day": "2022-12-06",
        "american": "12/06/2022",
        "leap day": "2024-02-29T23:59:59Z",
        "before 1970": "1815-12-10T00:00:00Z",
        "year 44": "0044-03-15T12:00:00Z",
        "year 3000": "3000-12-31T23:59:59Z",
        "year 3001": "3001-01-01T00:00:00Z",
        "year 9999": "9999-12-31T23:59:59Z",
        "year below 0": "-0044-03-15T12:00:00Z",
        "month 13": "2022-13-45",
        "word": "yesterday",
        "clock": "18:20",
        "sentence": "born 2022-12-06",
    }
    yield send("dates of every form", attributes_request(user, forms))
    yield send("what was stored", attributes_request(user, dict.fromkeys(forms, OVER)))


@probe("profile-fields", "TS-PROFILE-ACCEPTED", "TS-OK-CUSTOM-ONLY", "TS-OK-ONLY-ATTRIBUTES")
def profile(name: Namer) -> Iterator[Step]:
    """Profile fields in their documented formats, beside a custom attribute; then control keys and nulls."""
    user = {"external_id": name.external_id("u")}
    yield send(
        "every harmless profile field",
        attributes_request(
            user,
            {"custom": "beside", "n": 1},
            first_name="Ada",
            last_name="Lovelace 🎩",
            country="GB",
            language="en",
            dob="1815-12-10",
            gender="F",
            home_city="London",
            time_zone="Europe/London",
            current_location={"longitude": -0.1276, "latitude": 51.5072},
            email=name.email("u"),
            phone=name.phone("u"),
            email_open_tracking_disabled=True,
            email_click_tracking_disabled=False,
        ),
    )
    yield send(
        "another gender",
        attributes_request(user, {"custom": "beside", "n": {"inc": 1}}, gender="O", home_city=" Rome "),
    )
    yield send(
        "control keys, nulls, another gender",
        attributes_request(
            user,
            {"custom": None, "second": 2, "n": {"inc": 1}},
            _update_existing_only=True,
            _merge_objects=True,
            gender="P",
            country=None,
            first_name=None,
            language="de",
            date_of_first_session="2022-12-06T19:20:45+01:00",
            date_of_last_session="2023-01-01T00:00:00Z",
            facebook={"likes": [], "num_friends": 0},
            twitter={"screen_name": name.external_id("u"), "followers_count": 0},
        ),
    )
