"""An unknown name is answered with those that are like it."""

from __future__ import annotations

from tracksync.values.near_names import near_names, suggestion

NAMES = ["array-overflow", "array-repeats", "no-user", "TS-OK-MESSAGE"]


def test_the_most_similar_name_comes_first_and_others_are_left_out() -> None:
    assert near_names("aray-overflow", NAMES)[0] == "array-overflow"
    assert near_names("array", NAMES, most=1) == ["array-repeats"]
    assert near_names("~~~", NAMES) == []


def test_case_makes_no_difference_and_the_known_spelling_is_given() -> None:
    assert near_names("ts-ok-mesage", NAMES) == ["TS-OK-MESSAGE"]
    assert near_names("NO-USR", NAMES) == ["no-user"]


def test_where_no_name_is_similar_the_advice_or_the_whole_list_is_given() -> None:
    assert suggestion("no-usr", NAMES) == "did you mean no-user?"
    assert suggestion("~~~", NAMES, "`tracksync clauses` lists them all") == "`tracksync clauses` lists them all"
    assert suggestion("~~~", ["a", "b"]) == "the names are a, b"
