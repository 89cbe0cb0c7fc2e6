"""How long a string is, by either reading of a character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.values.text import fits, length

UNITS = tuple(ambiguity_catalogue()["string-length"].interpretations)


@pytest.mark.parametrize(
    ("text", "code_points", "utf16"),
    [
        ("", 0, 0),
        ("abc", 3, 3),
        ("é", 1, 1),
        ("e\u0301", 2, 2),
        ("한", 1, 1),
        ("\uffff", 1, 1),
        ("\U00010000", 1, 2),
        ("😀", 1, 2),
        ("\ud83d", 1, 1),
        ("\0", 1, 1),
    ],
)
def test_an_astral_character_is_one_code_point_and_two_units(text: str, code_points: int, utf16: int) -> None:
    assert (length(text, "code-points"), length(text, "utf16")) == (code_points, utf16)


@given(st.text())
def test_utf16_length_is_that_of_the_encoding(text: str) -> None:
    assert length(text, "utf16") == len(text.encode("utf-16-le", "surrogatepass")) // 2


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("character", "units"), [("a", 1), ("é", 1), ("😀", 2)])
def test_exactly_255_characters_fit_and_one_more_does_not(unit: str, character: str, units: int) -> None:
    most = 255 // units if unit == "utf16" else 255
    assert fits(character * most, unit, 255)
    assert not fits(character * (most + 1), unit, 255)


@given(st.text(max_size=20), st.sampled_from(UNITS), st.integers(0, 20))
def test_a_text_fits_exactly_if_its_length_is_within_the_limit(text: str, unit: str, limit: int) -> None:
    assert fits(text, unit, limit) is (length(text, unit) <= limit)


@pytest.mark.parametrize("text", ["a", "é"])
def test_bytes_are_no_unit(text: str) -> None:
    with pytest.raises(ValueError, match="'bytes'"):
        length(text, "bytes")
