"""Findings that one defect explains differ from what was expected in one way; two defects stay two causes."""

from __future__ import annotations

from replayed_findings import ATTRIBUTES, EVENTS, EXPORTED, PURCHASES, STATUS, shown

from tracksync.engine.causes import causes
from tracksync.engine.replayed_finding import ReplayedFinding


def test_values_that_differ_in_two_ways_are_two_causes() -> None:
    folded = shown("TS-ATTR-STRING", pointer=ATTRIBUTES + "1", expected="é", actual="e")
    cut = shown("TS-ATTR-INTEGER", pointer=ATTRIBUTES + "2", expected=300, actual=255)
    assert len(causes([folded, cut])) == 2
    assert (
        len(causes([folded, shown("TS-ATTR-INTEGER", pointer=folded.finding.pointer, expected=300, actual=255)])) == 1
    )
    texts = [
        shown(f"TS-ATTR-{name}", expected=value, actual=str(value)) for name, value in (("FLOAT", 1.5), ("NULL", 1))
    ]
    assert len(causes([shown("TS-ATTR-BOOLEAN", expected=True, actual="true"), *texts])) == 1
    assert len(causes([shown("TS-EVENT-LAST", pointer=EVENTS[:-5] + "last", expected="2024", actual="2023"),
                       shown("TS-PURCHASE-COUNT", pointer=PURCHASES, expected=2, actual=1)])) == 2  # fmt: skip


def test_what_differs_in_arrays_may_show_in_any_way() -> None:
    kept = shown("TS-ARRAY-KEPT", pointer=ATTRIBUTES, expected=[1, "1"], actual=["1"])
    assert len(causes([kept, shown("TS-ARRAY-SET", pointer=ATTRIBUTES + "b", expected=[1], actual=["1"])])) == 1


def accepted(clause: str, message: str = "", actual: int = 201) -> ReplayedFinding:
    return shown(clause, pointer=STATUS, expected=400, actual=actual, message=f"{message or clause} is accepted")


def test_requests_that_are_not_refused_are_one_cause_where_they_are_of_many_kinds_or_for_one_reason() -> None:
    syntax, times = accepted("TS-REFUSE-SYNTAX"), accepted("TS-EVENT-TIME-VALID", "'yesterday'")
    assert len(causes([syntax, times])) == 2
    assert len(causes([times, accepted("TS-PURCHASE-TIME-REQUIRED", "'9 o'clock'")])) == 1
    many = [syntax, times, accepted("TS-REFUSE-TYPE"), accepted("TS-DELETE-REFUSED")]
    assert (len(causes(many[:3])), len(causes(many))) == (3, 1)


def test_an_indirect_finding_that_differs_in_another_way_is_a_cause_of_its_own() -> None:
    stored = shown("TS-ATTR-LENGTH-OVER", pointer=ATTRIBUTES, expected=None, actual="long")
    for beside, groups in (((), 2), (("TS-ATTR-LENGTH-OVER",), 1)):
        missing = shown("TS-EXPORT-AGREES", *beside, pointer=ATTRIBUTES + "b", expected=1)
        assert len(causes([stored, missing])) == groups
    kept = shown("TS-STATE-KEYS-APART", pointer=ATTRIBUTES, nearer=stored.clause, expected="a", actual="b")
    missing = shown("TS-EXPORT-AGREES", pointer=ATTRIBUTES + "b", expected=1)
    assert len(causes([stored, kept, missing])) == 2
    removed = shown("TS-ATTR-STRING", pointer=ATTRIBUTES, expected="a", actual=None)
    assert len(causes([removed, missing])) == 1
    changed = shown(
        "TS-INTERPRETATION-KEPT", pointer=PURCHASES, expected="purchase-count=one", actual="purchase-count=x"
    )
    assert len(causes([shown("TS-PURCHASE-COUNT", pointer=PURCHASES, expected=3, actual=1), changed])) == 1
    unlisted = shown("TS-EXPORT-ANSWER", pointer=EXPORTED, expected="a list")
    assert len(causes([shown("TS-PURCHASE-COUNT", pointer=PURCHASES, expected=3, actual=1), unlisted])) == 2


def test_what_a_clause_on_state_says_may_be_of_any_value_and_explains_what_is_near() -> None:
    kept = shown("TS-STATE-KEYS-APART", pointer=ATTRIBUTES, expected=2, actual=1)
    assert causes([kept, shown("TS-ATTR-STRING", pointer=ATTRIBUTES, expected="b", actual="a")]) == ((1, 0),)
    created = shown("TS-USER-ALIAS-DEFAULT", "TS-STATE-USERS-APART", pointer="/response/body/users", actual=[1])
    apart = shown("TS-STATE-USERS-APART", "TS-USER-ALIAS-DEFAULT", pointer=EVENTS, expected=1, actual=2)
    queued = shown("TS-TRACK-APPLIED", pointer=EVENTS, expected=[1, 2], actual=4)
    assert len(causes([created, apart, queued])) == 1


def test_an_export_that_shows_more_than_a_count_before_it_follows_from_that_count() -> None:
    stale = shown("TS-EVENT-COUNT", pointer=EVENTS, expected=2, actual=1)
    exported = shown("TS-EXPORT-AGREES", stale.clause, pointer=EVENTS, earlier=(stale.clause,), expected=1, actual=2)
    assert len(causes([stale, exported])) == 1
    assert len(causes([stale, shown("TS-EXPORT-AGREES", pointer=EVENTS, expected=1, actual=2)])) == 2


def test_what_differs_in_many_ways_explains_what_differs_in_another() -> None:
    late = [
        shown("TS-ATTR-STRING", pointer=ATTRIBUTES, expected=one, actual=other) for one, other in (("b", "a"), (2, 1))
    ]
    late.append(shown("TS-ATTR-NULL", pointer=ATTRIBUTES, expected=None, actual="a"))
    exported = shown("TS-EXPORT-AGREES", pointer=ATTRIBUTES + "b", expected=True, actual=False)
    assert (len(causes([*late[:2], exported])), len(causes([*late, exported]))) == (2, 1)


def test_a_count_that_is_wrong_in_one_way_explains_one_of_the_other_section() -> None:
    stuck = shown("TS-EVENT-COUNT", pointer=EVENTS, expected=3, actual=2)
    for actual, groups in ((0, 1), (4, 2)):
        assert len(causes([stuck, shown("TS-EXPORT-AGREES", pointer=EXPORTED, expected=2, actual=actual)])) == groups


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


def test_state_that_a_smaller_request_explains_is_not_lost() -> None:
    found = [shown("TS-EVENT-COUNT", pointer=EVENTS), shown("TS-ARRAY-ADD"), shown("TS-ATTR-LENGTH-OVER")]
    kept = shown("TS-STATE-KEYS-APART", pointer=ATTRIBUTES, nearer="TS-ATTR-LENGTH-OVER")
    assert len(causes([*found, kept])) == 3
    assert len(causes([*found, shown("TS-STATE-KEYS-APART", pointer=ATTRIBUTES)])) == 1
    by_email = shown("TS-ARRAY-ADD", kinds=("email",))  # has to do with emails, and not with lost state
    assert len(causes([found[0], by_email, found[2], shown("TS-STATE-KEYS-APART", pointer=ATTRIBUTES)])) == 4


def test_what_is_lost_after_one_kind_of_identifier_is_one_cause() -> None:
    lost = shown("TS-STATE-VISIBLE", pointer=ATTRIBUTES, named=("external_id", "phone"))
    for kinds, groups in ((("email", "external_id", "phone"), 1), (("email", "external_id"), 2)):
        found = shown("TS-USER-EMAIL-FINDS", pointer=EVENTS, kinds=("email",), named=kinds)
        assert len(causes([lost, found])) == groups


def test_the_form_of_the_list_of_users_explains_no_value() -> None:
    form = shown("TS-OK-USERS", pointer="/response/body/users", expected="a list", actual={"external_id": "u"})
    escaped = shown("TS-ATTR-STRING", form.clause, pointer=ATTRIBUTES, expected="<", actual="&lt;")
    assert len(causes([form, escaped])) == 2
