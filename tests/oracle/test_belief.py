"""What a belief holds, and what it drops."""

from __future__ import annotations

import pickle
from dataclasses import replace

from msgspec import structs
from oracle_harness import LATER, LATER_SHOWN, RESET, OracleHarness, everything_new

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.model.exchange import FailureKind
from tracksync.oracle.belief import (
    ABSENT,
    CONSISTENT_AFTER,
    OMITTED,
    UNKNOWN,
    Belief,
    Cell,
    Counter,
    Settings,
    State,
    User,
)
from tracksync.oracle.identifiers import Identifier, Link, identifier_of
from tracksync.oracle.parts import Effect, shared_of, with_effect


def two_users() -> OracleHarness:
    """Ada with an email, and Bob, and a pending write by a phone that no user has."""
    harness = OracleHarness()
    harness.write({"a": 1}, names={"external_id": "ada"}, control={"email": "ada@example.com"})
    harness.write({"b": 1}, names={"external_id": "bob"}, control={"email": "bob@example.com"})
    harness.event(1, names={"external_id": "bob"})
    harness.check({"attributes": [{"phone": "+12025550100", "c": 1}]}, failure=FailureKind.TIMEOUT)
    return harness


ADA, BOB = Identifier("external_id", "ada"), Identifier("external_id", "bob")
ADAS_EMAIL, BOBS_EMAIL = Identifier("email", "ada@example.com"), Identifier("email", "bob@example.com")
PHONE = Identifier("phone", "+12025550100")


def test_an_alias_is_known_by_its_name_and_its_label() -> None:
    alias = identifier_of("user_alias", {"alias_name": "a", "alias_label": "l"})
    assert alias == Identifier("user_alias", "a", "l") != Identifier("user_alias", "l", "a")
    assert [alias.is_any(one.__eq__) for one in ("a", "l", "al")] == [True, True, False]
    assert not ADA.is_any(lambda text: text != "ada")
    assert identifier_of("external_id", 5) == identifier_of("external_id", "5") == Identifier("external_id", "5")


def test_a_user_that_is_never_addressed_again_is_dropped_with_its_links() -> None:
    belief = two_users().belief
    left = belief.without(lambda text: text in ("bob", "bob@example.com", "+12025550100"))
    assert set(left.links) == {ADA, ADAS_EMAIL}
    assert set(left.spellings.values()) == {(ADA,), (ADAS_EMAIL,)}
    (ada,) = left.users.values()
    assert [key for key, _ in ada.cells.items()] == [("attributes", "a")]
    assert set(left.writers) == {("attributes", "a")}
    assert set(belief.pending_by_identifier) == {PHONE}
    assert set(left.pending_by_identifier) == set()
    assert left.ambiguities is belief.ambiguities


def test_a_user_with_another_identifier_stays_and_loses_the_one_that_is_gone() -> None:
    belief = two_users().belief
    left = belief.without(lambda text: text == "ada@example.com")
    by_name = {key: left.users[links[0].uid] for key, links in left.links.items()}
    assert by_name[ADA].held == ()
    assert by_name[BOB].held == (BOBS_EMAIL,)
    assert set(left.writers) == set(belief.writers)
    assert set(left.pending_by_identifier) == {PHONE}
    left = belief.without(lambda text: text == "ada")
    assert left.users[left.links[ADAS_EMAIL][0].uid].held == (ADAS_EMAIL,)


def test_a_user_to_whom_a_remaining_identifier_may_lead_stays() -> None:
    harness = OracleHarness()
    harness.write({"a": 1}, names={"email": "e@example.com", "phone": "+12025550100"})
    belief = harness.belief
    assert belief.links[PHONE] == (Link(0, sure=False),)
    assert set(belief.without(lambda text: text == "e@example.com").users) == {0}
    harness.write({"a": 1}, names={"external_id": "v"})
    assert set(harness.belief.without(lambda text: text != "+12025550100").users) == {0}


def test_among_strangers_only_the_interpretations_stay() -> None:
    harness = two_users()
    assert harness.write({"a": None}, names={"external_id": "ada"}) == set()
    belief = harness.belief.among_strangers(lambda kind, text: text == "new")
    assert belief.interpretations() == harness.belief.interpretations() != {}
    start = Belief.start()
    for name in ("links", "users", "windows", "writers"):
        assert getattr(belief, name) == getattr(start, name)
    assert belief.settings == replace(harness.belief.settings, fresh=belief.settings.fresh)
    assert belief.settings.fresh("external_id", "new")
    assert not belief.settings.fresh("external_id", "old")


def test_nothing_is_known_at_the_start_but_what_was_told() -> None:
    belief = Belief.start(
        Settings(interpretations={"removed-attribute": "null", "no-such-row": "x", "no-user": "no-such"})
    )
    assert belief.interpretations() == {"removed-attribute": "null"}
    assert belief.ambiguities["no-user"] == frozenset(ambiguity_catalogue()["no-user"].interpretations)
    assert not Settings().fresh("external_id", "u")
    assert (Settings().clock_skew, Settings().window, Settings().shared) == (300.0, None, False)
    assert CONSISTENT_AFTER == 300.0  # LIMITS: five minutes between calls that depend on each other


def test_an_ambiguity_that_is_not_learned_is_not_an_interpretation_of_the_server() -> None:
    single = {
        name
        for name, ambiguity in ambiguity_catalogue().items()
        if len(ambiguity.interpretations) == 1 or not ambiguity.learned
    }
    assert not single & Belief.start().interpretations().keys()
    configured = Belief.start(
        Settings(
            interpretations={
                name: sorted(ambiguity.interpretations)[0] for name, ambiguity in ambiguity_catalogue().items()
            }
        )
    )
    assert configured.interpretations().keys() == ambiguity_catalogue().keys() - single


def test_interpretations_are_narrowed_only_where_every_outcome_requires_one() -> None:
    belief = Belief.start()
    kept = (("removed-attribute", "omitted"),)
    other = (("removed-attribute", "null"),)
    assert belief.narrow([]) is belief
    assert belief.narrow([kept, ()]) is belief
    assert belief.narrow([kept, other]).ambiguities == belief.ambiguities
    narrowed = belief.narrow([kept])
    assert narrowed.interpretations() == {"removed-attribute": "omitted"}
    assert narrowed.narrow([kept]) is narrowed
    assert narrowed.narrow([other]).interpretations() == {"removed-attribute": "omitted"}
    assert not narrowed.allows(other)
    assert narrowed.allows(kept)
    assert narrowed.allows(())


def test_a_belief_begins_with_no_exchange() -> None:
    belief = Belief.start(Settings(fresh=everything_new))
    assert (belief.moment, belief.users_made, belief.answered) == (0, 0, 0)
    harness = OracleHarness()
    harness.event(1)
    assert (harness.belief.moment, harness.belief.users_made, harness.belief.answered) == (1, 1, 1)
    (user,) = harness.belief.users.values()
    assert (user.updated, user.profile_updated) == (1, 0)
    harness.write({"a": 1})
    (user,) = harness.belief.users.values()
    assert (user.updated, user.profile_updated) == (2, 2)
    (window,) = harness.belief.windows.values()
    assert (window.reset, window.accepted, window.requests, window.unshown) == (RESET, 2, 2, 0)


def test_a_user_of_whom_nothing_was_known_may_have_any_value() -> None:
    assert OracleHarness().write({"n": {"inc": 1}}, {"n": 8}) != set()
    harness = OracleHarness(new=False)
    assert harness.write({"n": {"inc": 1}}, {"n": 8}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 8}) != set()
    assert harness.event(3, LATER_SHOWN, LATER_SHOWN, time=LATER) == set()


def test_the_markers_are_not_json_values_and_survive_pickling() -> None:
    for marker in (ABSENT, UNKNOWN, OMITTED):
        assert not isinstance(marker, (type(None), bool, int, float, str, list, dict))
        assert pickle.loads(pickle.dumps(marker)) is marker
    assert len({id(marker) for marker in (ABSENT, UNKNOWN, OMITTED)}) == 3


def test_a_user_never_seen_has_no_history() -> None:
    user = User(exists=None, fresh=False, external=True)
    assert (user.updated, user.profile_updated, user.held, user.due) == (0, 0, (), None)
    assert user.cell(("attributes", "a")) == Cell((State(UNKNOWN),))
    assert user.cell(("events", "e")) == Cell((State(Counter(None)),))
    new = User(exists=False, fresh=True, external=True)
    assert new.cell(("attributes", "a")) == Cell((State(ABSENT),))
    assert new.cell(("purchases", "p")) == Cell((State(Counter(0)),))
    assert Cell((State(1),)).before is None
    assert Belief.start().wide_integers is None


def test_what_another_part_knows_of_deletions_does_not_end_a_later_one_of_this_part() -> None:
    here, there = (structs.replace(Belief.start(Settings()), unsettled_until=until) for until in (50.0, 10.0))
    assert with_effect(here, Effect(shared_of(there))).unsettled_until == 50.0
    assert with_effect(there, Effect(shared_of(here))).unsettled_until == 50.0
