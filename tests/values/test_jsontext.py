"""What a body says: strict syntax, and the quirks on which servers lawfully differ."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracksync.values.jsontext import DEPTH, JsonText, read_json
from tracksync.values.numbers import same

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES, st.booleans())
def test_whatever_is_written_as_json_is_read_back_without_quirks(value: Any, ascii_only: bool) -> None:
    read = read_json(json.dumps(value, ensure_ascii=ascii_only).encode())
    assert (read.valid, read.quirks) == (True, frozenset())
    assert same(read.value, value)


@given(
    st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0123d8eE+-.nulltrfasNI \ufeff', max_size=60).map(str.encode)
)
def test_no_body_makes_it_raise_and_bad_syntax_has_no_value(body: bytes) -> None:
    read = read_json(body)
    assert read.valid or (read.value is None and not read.quirks)


@given(JSON_VALUES, st.integers(min_value=0))
def test_a_body_cut_short_is_never_read_as_an_object(value: Any, at: int) -> None:
    whole = json.dumps({"a": value}).encode()
    assert not read_json(whole[: at % len(whole)]).valid


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b'{"a":1,}',
        b"{'a':1}",
        b"{a:1}",
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"0x10",
        b"[1] [2]",
        b"// note\n1",
        b"nul",
        b"True",
        b'"\\x41"',
        b'"\\u12"',
        b'"open',
        b'"a\x00b"',
        b'"a\nb"',
        b"\x00",
        b"\xff",
        b"\xa0 1",
        b"-NaN",
    ],
)
def test_bad_syntax_is_invalid(body: bytes) -> None:
    read = read_json(body)
    assert (read.value, read.valid) == (None, False)


@pytest.mark.parametrize(
    "body", [b"\t 1\r\n", b'"\\u0000"', b'"\x7f"', '"\u2028"'.encode(), b"-0", b"1E+2", b'{"":{}}']
)
def test_lawful_oddities_are_no_quirks(body: bytes) -> None:
    read = read_json(body)
    assert (read.valid, read.quirks) == (True, frozenset())


@pytest.mark.parametrize(
    ("body", "value", "quirk"),
    [
        (b'{"a":1,"a":2}', {"a": 2}, "duplicate-keys"),
        (b'{"a":1,"\\u0061":2}', {"a": 2}, "duplicate-keys"),
        (b'[{"x":{"a":1,"a":1}}]', [{"x": {"a": 1}}], "duplicate-keys"),
        (b"[NaN]", [math.nan], "nan"),
        (b"[Infinity,-Infinity]", [math.inf, -math.inf], "nan"),
        (b"\xef\xbb\xbf[1]", [1], "bom"),
        (b'"\xe9"', "\ufffd", "not-utf8"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd", "not-utf8"),
        ('{"a":1}'.encode("utf-16-le"), {"a": 1}, "not-utf8"),
        ('{"a":1}'.encode("utf-32-be"), {"a": 1}, "not-utf8"),
        (b'"\\ud83d"', "\ud83d", "lone-surrogate"),
        (b'"\\uDE00\\uD83D"', "\ude00\ud83d", "lone-surrogate"),
        (b'{"\\udc00":1}', {"\udc00": 1}, "lone-surrogate"),
        (b"1e400", math.inf, "huge-number"),
        (b"-1e400", -math.inf, "huge-number"),
        (b"1e-400", 0.0, "huge-number"),
        (b"1" + b"0" * 309, 10**309, "huge-number"),
        (b"9" * 5000, math.inf, "huge-number"),
    ],
)
def test_a_quirk_is_named_and_the_likeliest_value_given(body: bytes, value: Any, quirk: str) -> None:
    read = read_json(body)
    assert (read.valid, read.quirks) == (True, frozenset({quirk}))
    assert same(read.value, value)


@pytest.mark.parametrize("body", [b'"\\ud83d\\ude00"', b'"\\\\ud83d"', b"0.0", b"0e9", b"1e308", b"1" + b"0" * 307])
def test_what_only_resembles_a_quirk_is_none(body: bytes) -> None:
    assert read_json(body).quirks == frozenset()


def test_several_quirks_of_one_body_are_all_named() -> None:
    read = read_json(b'\xef\xbb\xbf{"a":NaN,"a":"\\ud800","b":1e999}')
    assert read.quirks == {"bom", "duplicate-keys", "nan", "lone-surrogate", "huge-number"}


def test_a_number_beyond_two_to_the_63rd_keeps_every_digit() -> None:
    assert read_json(b"123456789012345678901234567890").value == 123456789012345678901234567890


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_is_read_to_the_depth_and_no_further(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        return opening * depth + b"1" + closing * depth

    assert read_json(nested(DEPTH)).quirks == frozenset()
    deeper = read_json(nested(DEPTH + 1))
    assert (deeper.valid, deeper.quirks) == (True, frozenset({"too-deep"}))
    assert "1" not in repr(deeper.value)


def test_a_hundred_thousand_brackets_do_not_exhaust_the_stack() -> None:
    assert not read_json(b"[" * 100_000).valid
    assert read_json(b"[" * 100_000 + b"]" * 100_000).quirks == {"too-deep"}
    assert not read_json(b'{"a":' * 100_000).valid


def test_many_brackets_are_not_deep_nesting() -> None:
    assert read_json(b"[" + b"[]," * 5000 + b"[]]").quirks == frozenset()
    in_a_string = json.dumps("[" * 5000 + '"{\\' * 5000).encode()
    assert read_json(in_a_string).value == "[" * 5000 + '"{\\' * 5000


def test_an_unterminated_string_full_of_brackets_is_bad_syntax() -> None:
    assert not read_json(b'["' + b'\\"[' * 5000).valid


def test_a_hundred_levels_are_read_and_one_more_is_not() -> None:
    for depth, quirks in ((100, set()), (101, {"too-deep"})):
        inner = depth - 1
        body = b"[[]," + b"[" * inner + b"1" + b"]" * inner + b"]"
        assert read_json(body).quirks == quirks
        assert ("1" in repr(read_json(body).value)) is not bool(quirks)


def test_an_ordinary_number_beside_a_quirk_is_no_quirk() -> None:
    read = read_json(b'{"a": 1.5, "a": 2.5, "b": 12}')
    assert read.quirks == {"duplicate-keys"}
    assert read.value == {"a": 2.5, "b": 12}


def test_zero_with_an_exponent_is_zero() -> None:
    for body in (b"0E5", b"0e5", b"0.0E-7", b"-0E1"):
        assert read_json(body).value == 0
        assert read_json(body).quirks == set()


def test_the_longest_integer_that_python_reads_is_exact_and_a_longer_one_infinite() -> None:
    assert read_json(b"1" * 4300).value == int("1" * 4300)
    longer = read_json(b"1" * 4301)
    assert longer.valid
    assert longer.value == float("inf")
    assert longer.quirks == {"huge-number"}


def test_bad_syntax_has_no_quirks() -> None:
    assert read_json(b"{").quirks == frozenset()


def test_a_byte_order_mark_is_seen_in_either_order_of_bytes() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        read = read_json(mark + "{}".encode(encoding))
        assert read.value == {}
        assert read.quirks == {"bom", "not-utf8"}


@given(JSON_VALUES)
def test_a_short_body_in_the_form_of_most_clients_is_read_like_any_other(value: Any) -> None:
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    read, spaced = read_json(compact), read_json(compact + b" " * 400)
    assert (read.valid, read.quirks) == (spaced.valid, spaced.quirks)
    assert repr(read.value) == repr(spaced.value) == repr(json.loads(compact))


def test_a_mark_of_utf_32_is_a_mark() -> None:
    assert read_json("\ufeff{}".encode("utf-32-be")).quirks == {"bom", "not-utf8"}


def test_brackets_behind_an_escaped_line_end_are_inside_of_the_string() -> None:
    read = read_json(b'["\\\n' + b"[" * 150 + b'"]')
    assert (read.valid, read.quirks) == (False, frozenset())


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_that_is_never_closed_is_not_json_at_any_depth(opening: bytes, closing: bytes) -> None:
    for levels in (100, 101, 20_000):
        assert read_json(opening * levels) == JsonText(None, False, frozenset())
    assert read_json(opening * 60 + b"1" + closing * 60 + opening * 60).quirks == frozenset()


def test_many_brackets_beside_a_nesting_make_it_no_deeper() -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = opening * (DEPTH - 2) + b"0" + closing * (DEPTH - 2)
        for others in (b"[],", b"{},", b"[{}],"):
            body = b"[" + others * DEPTH + deep + b"]"
            assert read_json(body).quirks == frozenset()
            deeper = b"[" + others * DEPTH + opening * 2 + deep + closing * 2 + b"]"
            assert read_json(deeper).quirks == {"too-deep"}


def test_of_a_nesting_that_is_too_deep_all_above_that_depth_is_read() -> None:
    deep = b"[" * (DEPTH - 1) + b'{"lost": 1}' + b"]" * (DEPTH - 1)
    read = read_json(b'{"a": 1, "b": ' + deep + b', "c": "]"}')
    assert (read.valid, read.quirks) == (True, {"too-deep"})
    assert (read.value["a"], read.value["c"]) == (1, "]")
    assert "lost" not in repr(read.value)


def test_a_nesting_that_is_too_deep_excuses_no_mistake_outside_of_it() -> None:
    deep = b"[" * 150 + b"]" * 150
    assert not read_json(b'{"a": ' + deep + b', "b": 01}').valid


@pytest.mark.parametrize(
    "body", [rb'{"a": "\u00e9", "b": 1}', rb'{"a":"\u00e9, \": ","b":[1,2]}', rb'{"a, b": "c\": d"}']
)
def test_each_usual_form_is_read_alike(body: bytes) -> None:
    assert read_json(body) == JsonText(json.loads(body), True, frozenset())


@pytest.mark.parametrize("space", ["", " "])
def test_a_repeated_key_is_seen_in_every_form(space: str) -> None:
    for key in ("a", "\\u00e9", "b, c", 'd\\": e'):
        body = f'{{"{key}":{space}1,{space}"{key}":{space}2}}'.encode()
        assert read_json(body).quirks == {"duplicate-keys"}


def test_a_huge_number_is_seen_in_a_body_of_any_length() -> None:
    for size in (0, 10, 1000):
        for digits in (301, 400):
            body = b'{"a":"' + b"x" * size + b'","b":' + b"9" * digits + b"}"
            huge = math.isinf(float("9" * digits))
            assert read_json(body).quirks == ({"huge-number"} if huge else frozenset())


@pytest.mark.parametrize("depth", list(range(1, DEPTH)))
def test_no_depth_below_the_limit_is_too_deep(depth: int) -> None:
    body = b"[" + b"[]," * DEPTH + b"[" * depth + b"]" * depth + b"]"
    assert read_json(body).quirks == frozenset()
