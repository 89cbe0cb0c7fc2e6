"""Findings that one defect explains differ from what was expected in one way; two defects stay two causes."""

from __future__ import annotations

import pytest
from replayed_findings import ATTRIBUTES, EVENTS, EXPORTED, PURCHASES, STATUS, shown

from tracksync.engine.causes import causes
from tracksync.engine.replayed_finding import ReplayedFinding
from tracksync.model.finding import NOTHING


def test_values_that_differ_in_two_ways_are_two_causes() -> None:
    folded = shown("TS-ATTR-STRING", pointer=ATTRIBUTES + "1", expected="é", actual="e")
    cut = shown("TS-ATTR-INTEGER", pointer=ATTRIBUTES + "2", expected=300, actual=255)
    assert len(causes([folded, cut])) == 2
    texts = [
        shown(f"TS-ATTR-{name}", expected=value, actual=str(value)) for name, value in (("FLOAT", 1.5), ("NULL", 1))
    ]
    assert len(causes([shown("TS-ATTR-BOOLEAN", expected=True, actual="true"), *texts])) == 1
    assert (
        len(
            causes(
                [
                    shown("TS-EVENT-LAST", pointer=EVENTS[:-5] + "last", expected="2024", actual="2023"),
                    shown("TS-PURCHASE-COUNT", pointer=PURCHASES, expected=2, actual=1),
                ]
            )
        )
        == 2
    )


@pytest.mark.parametrize(
    ("expected", "actual", "groups"),
    [(3, 2, 1), (3, 4, 2), ([3, 4], 2, 1), ([1, 2], 3, 2), ([1, 3], 2, 1), (3, NOTHING, 1), (None, 3, 2), (3, "2", 2)],
)
def test_counts_that_are_wrong_in_two_ways_are_two_causes(expected: object, actual: object, groups: int) -> None:
    stuck = shown("TS-EVENT-COUNT", pointer=EVENTS, expected=2, actual=1)
    assert (
        len(causes([stuck, shown("TS-PURCHASE-COUNT", pointer=PURCHASES, expected=expected, actual=actual)])) == groups
    )


def test_what_differs_in_arrays_may_show_in_any_way() -> None:
    kept = shown("TS-ARRAY-KEPT", pointer=ATTRIBUTES, expected=[1, "1"], actual=["1"])
    assert len(causes([kept, shown("TS-ARRAY-SET", pointer=ATTRIBUTES + "b", expected=[1], actual=["1"])])) == 1
    added = shown("TS-ARRAY-ADD", pointer=ATTRIBUTES, expected=None, actual=["d"])
    assert len(causes([kept, added])) == 1


def test_headers_of_one_concern_are_one_cause_whatever_they_show() -> None:
    headers = [
        shown(f"TS-RATE-{name.upper()}", pointer=f"/response/headers/x-ratelimit-{name}", expected=120, actual=actual)
        for name, actual in (("limit", 119), ("remaining", 121))
    ]
    assert len(causes(headers)) == 1


def accepted(clause: str, message: str = "", actual: int = 201) -> ReplayedFinding:
    return shown(clause, pointer=STATUS, expected=400, actual=actual, message=f"{message or clause} is accepted")


def test_requests_that_are_not_refused_are_one_cause_where_they_are_of_many_kinds_or_for_one_reason() -> None:
    syntax, times = accepted("TS-REFUSE-SYNTAX"), accepted("TS-EVENT-TIME-VALID", "'yesterday'")
    assert len(causes([syntax, times])) == 2
    assert len(causes([times, accepted("TS-PURCHASE-TIME-REQUIRED", "'9 o'clock'")])) == 1
    many = [syntax, times, accepted("TS-REFUSE-TYPE"), accepted("TS-DELETE-REFUSED")]
    assert (len(causes(many[:3])), len(causes(many))) == (3, 1)


def test_what_one_section_shows_explains_nothing_in_another() -> None:
    form = shown("TS-OK-FORM", pointer="/response/body/users/0/custom_attributes", expected="an object", actual=[])
    for where, groups in ((EVENTS, 2), (ATTRIBUTES, 1)):
        found = shown("TS-USER-EMAIL-FINDS", "TS-OK-FORM", pointer=where, earlier=("TS-OK-FORM",), expected=2, actual=1)
        assert len(causes([form, found])) == groups
    unlisted = shown("TS-EXPORT-ANSWER", pointer=EXPORTED, expected="a list")
    queued = shown("TS-TRACK-APPLIED", unlisted.clause, pointer=ATTRIBUTES, expected={"a": 1}, actual={})
    assert len(causes([unlisted, queued])) == 2


def test_what_a_user_holds_does_not_explain_that_there_is_one() -> None:
    last = shown("TS-EVENT-LAST", pointer=EVENTS[:-5] + "last", expected="2024", actual="2027")
    created = shown(
        "TS-USER-ALIAS-DEFAULT", "TS-EVENT-LAST", pointer="/response/body/users", expected="no entry", actual=[1]
    )
    assert len(causes([last, created])) == 2


def test_what_has_to_do_with_one_kind_of_identifier_does_not_count_as_lost_state() -> None:
    counted, over = shown("TS-EVENT-COUNT", pointer=EVENTS), shown("TS-ATTR-LENGTH-OVER")
    kept = shown("TS-STATE-KEYS-APART", pointer=ATTRIBUTES)
    assert len(causes([counted, over, shown("TS-ARRAY-ADD"), kept])) == 1
    assert len(causes([counted, over, shown("TS-ARRAY-ADD", kinds=("email",)), kept])) == 4


def test_what_is_lost_after_one_kind_of_identifier_is_one_cause() -> None:
    lost = shown("TS-STATE-VISIBLE", pointer=ATTRIBUTES, named=("external_id", "phone"))
    for kinds, groups in ((("email", "external_id", "phone"), 1), (("email", "external_id"), 2)):
        found = shown("TS-USER-EMAIL-FINDS", pointer=EVENTS, kinds=("email",), named=kinds)
        assert len(causes([lost, found])) == groups
    exported = shown("TS-EXPORT-AGREES", pointer=ATTRIBUTES, named=("external_id", "email"))
    queued = shown("TS-TRACK-APPLIED", pointer=EVENTS, named=("external_id", "email"))
    assert len(causes([exported, queued])) == 2
