"""Clauses and ambiguities as the documents have them."""

from __future__ import annotations

import pytest

from tracksync.contract.ambiguities import (
    Ambiguity,
    UnknownInterpretation,
    ambiguity_catalogue,
    defaults,
    require_interpretation,
)
from tracksync.contract.clauses import Clause, Evidence, Side, UnknownClause, catalogue, clause


def test_a_clause_is_documented_and_leaves_nothing_open_unless_its_table_says_so() -> None:
    plain = clause("TS-OK-MESSAGE")
    assert (plain.evidence, plain.ambiguities, plain.indirect) == (Evidence.DOCUMENTED, (), False)
    assert clause("TS-OK-USERS").indirect
    ambiguities = [ambiguity for one in catalogue(None).values() for ambiguity in one.ambiguities]
    assert ambiguities
    assert set(ambiguities) <= set(ambiguity_catalogue())
    assert {one.evidence for one in catalogue(None).values()} == set(Evidence)
    assert all(one.sentence.endswith(".") and one.source for one in catalogue(None).values())
    assert Clause("TS-X", "A promise.", "SYNC") == Clause("TS-X", "A promise.", "SYNC", Evidence.DOCUMENTED, ())


def test_each_side_has_its_own_clauses_and_both_together_have_all() -> None:
    server, client = catalogue(), catalogue(Side.CLIENT)
    assert {one.side for one in server.values()} == {Side.SERVER}
    assert {one.side for one in client.values()} == {Side.CLIENT}
    assert dict(catalogue(None)) == {**server, **client}
    assert all(name == one.id and name.startswith("TS-") for name, one in server.items())
    assert all(name == one.id and name.startswith("TC-") for name, one in client.items())
    assert clause("TS-OK-MESSAGE") == server["TS-OK-MESSAGE"]
    assert [str(one) for one in (*Evidence, *Side)] == ["documented", "observed", "assumed", "server", "client"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("TS-OK-MESAGE", "no clause is called 'TS-OK-MESAGE'; did you mean TS-OK-MESSAGE"),
        ("ts-ok-message", "did you mean TS-OK-MESSAGE"),
        ("TS-OK-MESAGE", "did you mean TS-OK-MESSAGE, TS-OK-USERS, TS-OK-STATUS?"),
        ("TS-BODY", "did you mean TS-REFUSE-BODY, TC-BODY-SIZE, TC-ORDER?"),  # the last is not much like it
        ("~~~", "no clause is called '~~~'; `tracksync clauses` lists them all"),
    ],
)
def test_an_unknown_clause_is_answered_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UnknownClause) as error:
        clause(name)
    assert str(error.value).startswith(message) or message in str(error.value)
    assert str(error.value).count("TS-") + str(error.value).count("TC-") <= 4


def test_an_ambiguity_has_a_default_and_each_interpretation_a_sentence() -> None:
    assert list(defaults()) == list(ambiguity_catalogue())
    for name, ambiguity in ambiguity_catalogue().items():
        assert ambiguity.name == name
        assert defaults()[name] == ambiguity.default == next(iter(ambiguity.interpretations))
        assert len(ambiguity.interpretations) > 1
        assert all(sentence for sentence in ambiguity.interpretations.values())
        assert ambiguity.question
        assert ambiguity.source
    numbers = [ambiguity.number for ambiguity in ambiguity_catalogue().values()]
    assert set(numbers) == set(range(1, max(numbers) + 1))
    assert {ambiguity.learned for ambiguity in ambiguity_catalogue().values()} == {True, False}
    assert Ambiguity("r", 1, "?", "SYNC", {"a": "A."}).learned is True


def test_an_interpretation_is_checked_against_its_ambiguity() -> None:
    require_interpretation("array-overflow", "newest")
    with pytest.raises(
        UnknownInterpretation, match=r"no ambiguity is called 'aray-overflow'; did you mean array-overflow\?"
    ):
        require_interpretation("aray-overflow", "newest")
    with pytest.raises(
        UnknownInterpretation, match=r"did you mean removed-attribute\?$"
    ):  # refused-attribute is less like it
        require_interpretation("removed-atribute", "newest")
    with pytest.raises(
        UnknownInterpretation,
        match="ambiguity 'array-overflow' has no interpretation 'oldest'; it has unchanged, newest",
    ):
        require_interpretation("array-overflow", "oldest")
    with pytest.raises(UnknownInterpretation, match="--list-interpretations` lists them all"):
        require_interpretation("~~~", "newest")
