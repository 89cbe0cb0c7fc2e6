"""Which user a request is about: which identifier leads, which profile has an email or phone, which may not exist."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from oracle_harness import (
    ALIAS,
    CREATE,
    EMAIL,
    NO_USER,
    ONLY,
    PHONE,
    OracleHarness,
    U,
    V,
    request,
    seen,
)

from tracksync.model.exchange import Credential, Exchange
from tracksync.oracle import Belief
from tracksync.oracle.attribute_outcomes import AttributeWrite
from tracksync.oracle.belief import User
from tracksync.oracle.identifiers import Link, identifier_of
from tracksync.oracle.request import ParsedRequest, read_request
from tracksync.oracle.users import Candidate, candidates, linked

BRAZE = {"braze_id": "b"}
OTHER_PHONE = {"phone": "+12025550101"}
SURELY, PERHAPS = Link(0), Link(0, sure=False)
DELETED = {"deleted": 1, "message": "success"}


def read(body: dict[str, Any]) -> ParsedRequest:
    return read_request(Exchange(request(body), None, 0.0, 0.0, Credential.VALID))


def given(harness: OracleHarness, names: dict[str, Any], contact: dict[str, Any]) -> None:
    assert harness.write({"given": True}, names=names, control=contact) == set()


def delete(harness: OracleHarness, name: str) -> None:
    assert harness.check({"external_ids": [name]}, DELETED, path="/users/delete") == []


# --- which of several identifiers leads -------------------------------------------------------------------------------


def test_a_write_that_fits_every_identifier_goes_to_the_one_that_leads() -> None:
    harness = OracleHarness()
    harness.write({"n": 1}, names=U)
    harness.write({"n": 10}, names=ALIAS, control=CREATE)
    both = {**U, **ALIAS}
    assert harness.write({"n": {"inc": 1}}, {"n": 11}, names=both) == set()
    assert harness.belief.interpretations()["identifier-precedence"] == "alias"
    assert harness.write({"n": 5}, names=both) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 6}, names=both) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, names=U) == set()


@pytest.mark.parametrize(
    ("names", "leading"),
    [
        ({**U, **ALIAS}, {"external-id": "external_id", "alias": "user_alias", "braze-id": "external_id"}),
        ({**U, **BRAZE}, {"external-id": "external_id", "alias": "external_id", "braze-id": "braze_id"}),
        ({**ALIAS, **BRAZE}, {"external-id": "user_alias", "alias": "user_alias", "braze-id": "braze_id"}),
        ({**U, **ALIAS, **BRAZE}, {"external-id": "external_id", "alias": "user_alias", "braze-id": "braze_id"}),
    ],
)
def test_of_several_identifiers_one_leads_by_each_interpretation(
    names: dict[str, Any], leading: dict[str, str]
) -> None:
    parsed = read(seen(names))
    found = candidates(Belief.start(), parsed)
    assert {one.requires: one.kind for one in found} == {
        (("identifier-precedence", interpretation),): kind for interpretation, kind in leading.items()
    }


def known(
    names: dict[str, Any], link: Link, pending_by_identifier: tuple[Any, ...] = ()
) -> tuple[Belief, ParsedRequest, Candidate]:
    """A belief in which the identifier of `names` leads to user 0, a request of that user, and the user."""
    parsed = read(seen(names))
    key = identifier_of(*parsed.identifiers[0])
    user = User(exists=True, fresh=True, external=True)
    belief = Belief.start()
    links, users = belief.links.insert(key, (link,)), belief.users.insert(0, user)
    belief = replace(belief, links=links, users=users, users_made=1)
    if pending_by_identifier:
        belief = replace(belief, pending_by_identifier=belief.pending_by_identifier.insert(key, pending_by_identifier))
    return belief, parsed, Candidate(0, user, parsed.identifiers[0][0])


@pytest.mark.parametrize("names", [U, ALIAS, EMAIL])
def test_an_unproven_write_leaves_a_doubtful_link_doubtful(names: dict[str, Any]) -> None:
    belief, parsed, candidate = known(names, PERHAPS)
    after, _ = linked(belief, parsed, candidate, candidate.user, proven=False)
    assert list(after.links.values()) == [(PERHAPS,)]
    after, _ = linked(belief, parsed, candidate, candidate.user)
    assert list(after.links.values()) == [(SURELY,)]


def test_a_pending_write_reaches_the_user_of_an_email_once() -> None:
    pending_by_identifier = ((("attributes", "a"), AttributeWrite(1)),)
    belief, parsed, candidate = known(EMAIL, SURELY, pending_by_identifier)
    after, _ = linked(belief, parsed, candidate, candidate.user)
    assert after.users[0] == candidate.user
    belief, parsed, candidate = known(EMAIL, PERHAPS, pending_by_identifier)
    after, _ = linked(belief, parsed, candidate, candidate.user)
    assert after.users[0].update_time_unknown


def test_a_user_that_did_not_exist_is_the_one_that_its_identifier_leads_to_later() -> None:
    harness = OracleHarness()
    assert harness.check(seen(U, **ONLY), NO_USER) == []
    found = candidates(harness.belief, read(seen(U)))
    assert [(one.uid, one.user.exists) for one in found] == [(0, False)]


def test_a_phone_beside_the_leading_email_may_be_taken_over_or_not() -> None:
    for response in (NO_USER, None):
        harness = OracleHarness()
        assert harness.write({"a": 1}, names={**EMAIL, **PHONE}) == set()
        if response:
            assert harness.check(seen(PHONE, **ONLY), response) == []
        else:
            assert harness.write({"a": {"inc": 1}}, {"a": 2}, names=PHONE, control=ONLY) == set()


def test_a_former_phone_may_lead_there_no_longer_where_it_is_unclear_who_was_given_the_new_one() -> None:
    for response in (NO_USER, None):
        harness = OracleHarness()
        given(harness, U, PHONE)
        unclear = {**BRAZE, **OTHER_PHONE, **EMAIL}
        harness.check({"attributes": [{**U, **unclear, "a": 1}]}, {"users": [{**U, "custom_attributes": {"a": 1}}]})
        if response:
            assert harness.check(seen(PHONE, **ONLY), response) == []
        else:
            assert harness.event(1, names=PHONE, flag=ONLY) == set()


def test_an_alias_that_has_led_to_a_new_user_leads_there() -> None:
    harness = OracleHarness()
    harness.event(1, names={**U, **ALIAS})
    for count in (2, 3):
        harness.event(count, names=U)
    assert harness.event(1, names=ALIAS, flag={"_update_existing_only": False}) == set()
    assert harness.event(4, names=ALIAS) != set()


def test_an_identifier_beside_an_external_id_may_lead_to_its_user_or_not() -> None:
    harness = OracleHarness()
    harness.event(1, names={**U, **EMAIL, **PHONE})
    assert harness.event(2, names=PHONE) == set()
    for first in ({**U, **EMAIL, **PHONE}, {**U, **EMAIL}):
        for count in (1, 3):
            harness = OracleHarness()
            harness.event(1, names=first)
            harness.event(2, names={**U, **EMAIL, **PHONE})
            assert harness.event(count, names=PHONE) == set()
        harness = OracleHarness()
        harness.event(1, names=first)
        harness.event(2, names={**U, **EMAIL, **PHONE})
        assert harness.event(7, names=PHONE) != set()


# --- which profile has an email or a phone ----------------------------------------------------------------------------


def test_an_email_does_not_lead_to_the_less_recent_of_two_profiles() -> None:
    harness = OracleHarness()
    harness.event(1, names=U)
    given(harness, U, EMAIL)
    given(harness, V, EMAIL)
    assert harness.event(2, names=EMAIL) == {"TS-USER-EMAIL-FINDS"}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_event_may_count_as_an_update_of_the_profile_or_not(count: int) -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    given(harness, V, EMAIL)
    harness.event(1, names=U)
    assert bool(harness.event(count, names=EMAIL)) == (count == 3)  # the second of u, the first of v, or a new user's


def test_a_phone_may_lead_to_any_profile_that_has_it_and_to_no_other() -> None:
    for count, right in ((1, True), (2, True), (3, False)):
        harness = OracleHarness()
        harness.event(1, names=U)
        given(harness, U, PHONE)
        given(harness, V, PHONE)
        assert (harness.event(count, names=PHONE) == set()) == right


def test_an_email_leads_to_a_profile_with_an_external_id_before_one_without() -> None:
    harness = OracleHarness()
    harness.write({"n": 10}, names=EMAIL)
    harness.write({"n": 20}, names=U, control=EMAIL)
    assert harness.write({"n": {"inc": 1}}, {"n": 21}, names=EMAIL) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 11}, names=EMAIL) != set()


# --- users that may not exist -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_after_a_deletion_an_email_or_phone_may_lead_to_the_other_profile(contact: dict[str, Any]) -> None:
    harness = OracleHarness()
    given(harness, V, contact)
    given(harness, U, contact)
    delete(harness, "u")
    assert harness.event(1, names=contact) == set()
    assert harness.event(2, names=V) == set()


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
@pytest.mark.parametrize("gone", [True, False])
def test_after_a_deletion_an_email_or_phone_may_lead_to_a_new_profile(contact: dict[str, Any], gone: bool) -> None:
    harness = OracleHarness()
    harness.event(1, names=U)
    given(harness, U, contact)
    delete(harness, "u")
    assert harness.event(1, names=contact) == set()
    if gone:
        assert harness.check(seen(U, **ONLY), NO_USER) == []
    assert harness.event(1, names=U) == set()


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_a_deleted_user_is_not_found_by_email_or_phone(contact: dict[str, Any]) -> None:
    harness = OracleHarness()
    given(harness, U, contact)
    delete(harness, "u")
    assert harness.check(seen(U, **ONLY), NO_USER) == []
    assert harness.event(1, names=contact) == set()
    assert harness.check(seen(U, **ONLY), NO_USER) == []


def test_a_deletion_of_one_profile_leaves_the_other() -> None:
    harness = OracleHarness()
    given(harness, V, EMAIL)
    harness.event(1, names=V)
    delete(harness, "u")
    assert harness.event(3, names=EMAIL) != set()
