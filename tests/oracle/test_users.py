"""Whom a request is about: which identifier leads, who holds an email or phone, and who may be gone."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from oracle_harness import (
    ALIAS,
    CREATE,
    EMAIL,
    NOBODY,
    ONLY,
    PHONE,
    TIME,
    OracleHarness,
    U,
    V,
    attributed,
    request,
    seen,
)

from tracksync.model.exchange import Credential, Exchange, FailureKind
from tracksync.oracle import Belief
from tracksync.oracle.attribute_outcomes import AttributeWrite
from tracksync.oracle.belief import Link, User, identifier_of
from tracksync.oracle.request import ParsedRequest, read_request
from tracksync.oracle.users import Candidate, candidates, linked

BRAZE = {"braze_id": "b"}
SURELY, PERHAPS = Link(0), Link(0, sure=False)
DELETED = {"deleted": 1, "message": "success"}


def read(body: dict[str, Any]) -> ParsedRequest:
    return read_request(Exchange(request(body), None, 0.0, 0.0, Credential.VALID))


def given(harness: OracleHarness, who: dict[str, Any], contact: dict[str, Any]) -> None:
    assert harness.write({"given": True}, who=who, control=contact) == set()


def delete(harness: OracleHarness, name: str) -> None:
    assert harness.hear({"external_ids": [name]}, DELETED, path="/users/delete") == []


# --- which of several identifiers leads -------------------------------------------------------------------------------


def test_a_write_that_fits_every_identifier_goes_to_the_one_that_leads() -> None:
    harness = OracleHarness()
    harness.write({"n": 1}, who=U)
    harness.write({"n": 10}, who=ALIAS, control=CREATE)
    both = {**U, **ALIAS}
    assert harness.write({"n": {"inc": 1}}, {"n": 11}, who=both) == set()
    assert harness.belief.interpretations()["identifier-precedence"] == "alias"
    assert harness.write({"n": 5}, who=both) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 6}, who=both) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, who=U) == set()


@pytest.mark.parametrize(
    ("who", "leading"),
    [
        ({**U, **ALIAS}, {"external-id": "external_id", "alias": "user_alias", "braze-id": "external_id"}),
        ({**U, **BRAZE}, {"external-id": "external_id", "alias": "external_id", "braze-id": "braze_id"}),
        ({**ALIAS, **BRAZE}, {"external-id": "user_alias", "alias": "user_alias", "braze-id": "braze_id"}),
        ({**U, **ALIAS, **BRAZE}, {"external-id": "external_id", "alias": "user_alias", "braze-id": "braze_id"}),
    ],
)
def test_of_several_identifiers_one_leads_by_each_interpretation(who: dict[str, Any], leading: dict[str, str]) -> None:
    parsed = read(seen(who))
    found = candidates(Belief.start(), parsed)
    assert {one.requires: one.kind for one in found} == {
        (("identifier-precedence", interpretation),): kind for interpretation, kind in leading.items()
    }


def known(
    who: dict[str, Any], link: Link, pending_by_contact: tuple[Any, ...] = ()
) -> tuple[Belief, ParsedRequest, Candidate]:
    """A belief in which the identifier of `who` leads to user 0, a request of that user, and the user."""
    parsed = read(seen(who))
    key = identifier_of(*parsed.identifiers[0])
    user = User(exists=True, fresh=True, external=True)
    belief = Belief.start()
    links, users = belief.links.insert(key, (link,)), belief.users.insert(0, user)
    belief = replace(belief, links=links, users=users, users_made=1)
    if pending_by_contact:
        belief = replace(belief, pending_by_contact=belief.pending_by_contact.insert(key, pending_by_contact))
    return belief, parsed, Candidate(0, user, parsed.identifiers[0][0])


@pytest.mark.parametrize("who", [U, ALIAS, EMAIL])
def test_what_may_have_reached_a_user_makes_no_doubtful_link_sure(who: dict[str, Any]) -> None:
    belief, parsed, candidate = known(who, PERHAPS)
    after, _ = linked(belief, parsed, candidate, candidate.user, proven=False)
    assert list(after.links.values()) == [(PERHAPS,)]
    after, _ = linked(belief, parsed, candidate, candidate.user)
    assert list(after.links.values()) == [(SURELY,)]


def test_a_floating_write_reaches_whom_an_email_leads_to_once() -> None:
    pending_by_contact = ((("attributes", "a"), AttributeWrite(1)),)
    belief, parsed, candidate = known(EMAIL, SURELY, pending_by_contact)
    after, _ = linked(belief, parsed, candidate, candidate.user)
    assert after.users[0] == candidate.user
    belief, parsed, candidate = known(EMAIL, PERHAPS, pending_by_contact)
    after, _ = linked(belief, parsed, candidate, candidate.user)
    assert after.users[0].update_time_unknown


def test_who_was_not_there_is_who_comes_by_that_name_later() -> None:
    harness = OracleHarness()
    assert harness.hear(seen(U, **ONLY), NOBODY) == []
    found = candidates(harness.belief, read(seen(U)))
    assert [(one.uid, one.user.exists) for one in found] == [(0, False)]


def test_a_phone_beside_the_leading_email_may_be_taken_over_or_not() -> None:
    for answer in (NOBODY, None):
        harness = OracleHarness()
        assert harness.write({"a": 1}, who={**EMAIL, **PHONE}) == set()
        if answer:
            assert harness.hear(seen(PHONE, **ONLY), answer) == []
        else:
            assert harness.write({"a": {"inc": 1}}, {"a": 2}, who=PHONE, control=ONLY) == set()


def test_an_alias_that_has_led_to_somebody_new_leads_there() -> None:
    harness = OracleHarness()
    harness.event(1, who={**U, **ALIAS})
    for count in (2, 3):
        harness.event(count, who=U)
    assert harness.event(1, who=ALIAS, flag={"_update_existing_only": False}) == set()
    assert harness.event(4, who=ALIAS) != set()


def test_whatever_stands_beside_an_external_id_may_lead_to_its_user_or_not() -> None:
    harness = OracleHarness()
    harness.event(1, who={**U, **EMAIL, **PHONE})
    assert harness.event(2, who=PHONE) == set()
    for first in ({**U, **EMAIL, **PHONE}, {**U, **EMAIL}):
        for count in (1, 3):
            harness = OracleHarness()
            harness.event(1, who=first)
            harness.event(2, who={**U, **EMAIL, **PHONE})
            assert harness.event(count, who=PHONE) == set()
        harness = OracleHarness()
        harness.event(1, who=first)
        harness.event(2, who={**U, **EMAIL, **PHONE})
        assert harness.event(7, who=PHONE) != set()


# --- who holds an email or a phone ------------------------------------------------------------------------------------


def test_of_two_holders_of_an_email_the_less_recent_one_is_not_meant() -> None:
    harness = OracleHarness()
    harness.event(1, who=U)
    given(harness, U, EMAIL)
    given(harness, V, EMAIL)
    assert harness.event(2, who=EMAIL) == {"TS-USER-EMAIL-FINDS"}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_event_may_count_as_an_update_of_the_profile_or_not(count: int) -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    given(harness, V, EMAIL)
    harness.event(1, who=U)
    assert bool(harness.event(count, who=EMAIL)) == (count == 3)  # the second of u, the first of v, or nobody's


def test_any_holder_of_a_phone_may_be_meant_and_nobody_else() -> None:
    for count, right in ((1, True), (2, True), (3, False)):
        harness = OracleHarness()
        harness.event(1, who=U)
        given(harness, U, PHONE)
        given(harness, V, PHONE)
        assert (harness.event(count, who=PHONE) == set()) == right


def test_a_holder_with_an_external_id_is_meant_before_one_without() -> None:
    harness = OracleHarness()
    harness.write({"n": 10}, who=EMAIL)
    harness.write({"n": 20}, who=U, control=EMAIL)
    assert harness.write({"n": {"inc": 1}}, {"n": 21}, who=EMAIL) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 11}, who=EMAIL) != set()


# --- who may be gone --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_after_a_deletion_an_email_or_phone_may_lead_to_the_other_holder(contact: dict[str, Any]) -> None:
    harness = OracleHarness()
    given(harness, V, contact)
    given(harness, U, contact)
    delete(harness, "u")
    assert harness.event(1, who=contact) == set()
    assert harness.event(2, who=V) == set()


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
@pytest.mark.parametrize("gone", [True, False])
def test_after_a_deletion_an_email_or_phone_may_lead_to_somebody_new(contact: dict[str, Any], gone: bool) -> None:
    harness = OracleHarness()
    harness.event(1, who=U)
    given(harness, U, contact)
    delete(harness, "u")
    assert harness.event(1, who=contact) == set()
    if gone:
        assert harness.hear(seen(U, **ONLY), NOBODY) == []
    assert harness.event(1, who=U) == set()


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_who_is_known_to_be_gone_is_not_found_by_email_or_phone(contact: dict[str, Any]) -> None:
    harness = OracleHarness()
    given(harness, U, contact)
    delete(harness, "u")
    assert harness.hear(seen(U, **ONLY), NOBODY) == []
    assert harness.event(1, who=contact) == set()
    assert harness.hear(seen(U, **ONLY), NOBODY) == []


def test_a_deletion_of_one_holder_says_nothing_of_the_other() -> None:
    harness = OracleHarness()
    given(harness, V, EMAIL)
    harness.event(1, who=V)
    delete(harness, "u")
    assert harness.event(3, who=EMAIL) != set()


# --- lost writes by an email or a phone -------------------------------------------------------------------------------


def test_a_lost_write_by_an_unknown_email_may_have_made_somebody() -> None:
    for count in (1, 2):
        harness = OracleHarness()
        harness.hear(seen(EMAIL), failure=FailureKind.TIMEOUT)
        assert harness.event(count, who=EMAIL) == set()
    harness = OracleHarness()
    harness.hear(seen(EMAIL), failure=FailureKind.TIMEOUT)
    assert harness.event(3, who=EMAIL) != set()


def test_a_lost_write_by_an_unknown_email_may_make_somebody_later() -> None:
    harness = OracleHarness()
    harness.hear(seen(EMAIL), failure=FailureKind.TIMEOUT)
    assert harness.hear(seen(EMAIL, **ONLY), NOBODY) == []
    assert harness.event(2, who=EMAIL, flag=ONLY) == set()
    assert harness.hear(seen(EMAIL, **ONLY), NOBODY) != []


def test_a_lost_write_by_an_email_may_make_somebody_also_where_everybody_was_forgotten() -> None:
    harness = OracleHarness()
    harness.hear(seen(EMAIL), failure=FailureKind.TIMEOUT)
    assert harness.hear({}, {"message": "success"}, 200, path="/users/merge") == []
    for _ in range(2):
        assert harness.hear(seen(EMAIL, **ONLY), NOBODY) == []
    assert harness.event(2, who=EMAIL, flag=ONLY) == set()


def test_a_lost_write_by_an_email_reaches_who_is_given_it_meanwhile() -> None:
    harness = OracleHarness()
    harness.hear(seen(EMAIL), failure=FailureKind.TIMEOUT)
    given(harness, U, EMAIL)
    assert harness.event(2, who=U) == set()
    assert harness.event(4, who=U) != set()


def test_a_lost_write_by_a_phone_may_make_its_holder_the_most_recent_of_an_email() -> None:
    for contacts in ({**EMAIL, **PHONE}, EMAIL):
        harness = OracleHarness()
        given(harness, U, contacts)
        harness.event(1, who=U)
        given(harness, V, EMAIL)
        harness.hear({"attributes": [{**PHONE, "late": 1}]}, failure=FailureKind.TIMEOUT)
        assert (harness.event(2, who=EMAIL) == set()) == (contacts != EMAIL)


def test_a_lost_write_may_make_a_profile_the_most_recent() -> None:
    for lost, right in ((True, True), (False, False)):
        harness = OracleHarness()
        given(harness, U, EMAIL)
        harness.event(1, who=U)
        given(harness, V, EMAIL)
        if lost:
            harness.hear({"attributes": [{**U, "late": 1}]}, failure=FailureKind.TIMEOUT)
        assert (harness.event(2, who=EMAIL) == set()) == right


def test_every_lost_write_by_an_email_may_reach_who_is_given_it() -> None:
    for count, right in ((1, True), (2, True), (3, True), (4, False)):
        harness = OracleHarness()
        for _ in range(2):
            harness.hear(seen(EMAIL), failure=FailureKind.TIMEOUT)
        given(harness, U, EMAIL)
        assert (harness.event(count, who=U) == set()) == right


def test_a_write_that_was_lost_before_its_phone_led_to_anybody_may_do_so_too() -> None:
    harness = OracleHarness()
    harness.hear({"attributes": [{**PHONE, "late": 1}]}, failure=FailureKind.TIMEOUT)
    given(harness, U, {**EMAIL, **PHONE})
    harness.event(1, who=U)
    given(harness, V, EMAIL)
    assert harness.event(2, who=EMAIL) == set()


def test_a_lost_write_by_a_doubtful_phone_leaves_it_doubtful() -> None:
    harness = OracleHarness()
    harness.write({"a": 1}, who={**EMAIL, **PHONE})
    harness.hear(seen(PHONE), failure=FailureKind.TIMEOUT)
    assert harness.hear(seen(PHONE, **ONLY), NOBODY) == []


def test_who_is_shown_by_a_phone_holds_it_beside_the_others() -> None:
    harness = OracleHarness()
    given(harness, U, PHONE)
    for count in (1, 2, 3):
        harness.event(count, who=U)
    harness.write({"a": 1}, who={**EMAIL, **PHONE})
    harness.event(1, who=EMAIL)
    assert harness.event(2, who=PHONE) == set()
    assert harness.event(4, who=PHONE) == set()


# --- lost writes that give an email or a phone ------------------------------------------------------------------------


def test_a_lost_write_that_gives_an_email_may_have_given_it_or_not() -> None:
    for count in (1, 2):
        harness = OracleHarness()
        harness.event(1, who=U)
        harness.hear({"attributes": [{**U, **EMAIL, "a": 1}]}, failure=FailureKind.TIMEOUT)
        assert harness.event(count, who=EMAIL) == set()
    harness = OracleHarness()
    harness.event(1, who=U)
    harness.hear({"attributes": [{**U, **EMAIL, "a": 1}]}, failure=FailureKind.TIMEOUT)
    assert harness.event(3, who=EMAIL) != set()


def test_a_lost_write_that_gives_an_email_may_have_taken_the_former_one() -> None:
    for lost, right in (({"attributes": [{**U, "email": "new@example.com", "a": 1}]}, True), (seen(U), False)):
        harness = OracleHarness()
        given(harness, U, EMAIL)
        harness.write({"n": 5}, who=U)
        harness.hear(lost, failure=FailureKind.TIMEOUT)
        assert (harness.write({"n": 1}, who=EMAIL, control=ONLY) == set()) is True
        harness = OracleHarness()
        given(harness, U, EMAIL)
        harness.hear(lost, failure=FailureKind.TIMEOUT)
        assert (harness.hear(seen(EMAIL, **ONLY), NOBODY) == []) == right


def test_who_may_have_got_another_email_may_get_a_phone_too() -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    harness.event(1, who=U)
    harness.hear({"attributes": [{**U, "email": "new@example.com", "a": 1}]}, failure=FailureKind.TIMEOUT)
    assert harness.write({"b": 1}, who=U, control={**EMAIL, **PHONE}) == set()
    assert harness.event(2, who=PHONE) == set()


def test_a_lost_event_gives_nobody_an_email() -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    harness.event(1, who=U)
    harness.hear({"events": [{**U, "email": "new@example.com", "name": "other", "time": TIME}]},
               failure=FailureKind.TIMEOUT)  # fmt: skip
    assert harness.clauses(seen(EMAIL, **ONLY), NOBODY) == {"TS-USER-UPDATE-KNOWN"}


def test_a_lost_write_by_email_and_phone_gives_neither_to_anybody_who_has_them() -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    harness.event(1, who=U)
    harness.hear({"attributes": [{**EMAIL, **PHONE, "a": 1}]}, failure=FailureKind.TIMEOUT)
    assert harness.clauses(seen(EMAIL, **ONLY), NOBODY) == {"TS-USER-UPDATE-KNOWN"}


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_what_track_was_sent_by_email_or_phone_may_have_reached_another(contact: dict[str, Any]) -> None:
    harness = OracleHarness()
    given(harness, U, contact)
    harness.event(1, who=U)
    assert harness.hear(seen(contact), {"message": "success"}, path="/users/track") == []
    assert harness.event(2, who=U, wait=400.0) == set()
    assert harness.event(4, who=U) == set()


def test_who_is_shown_by_an_email_is_the_one_who_is_updated() -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    assert harness.hear({"attributes": [{**EMAIL, "n": 1}]}, attributed(EMAIL, {"n": 1})) == []
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, who=U) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, who=U) != set()
