"""The interpretations that the rules name are those of the catalogue."""

from __future__ import annotations

import pytest

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.oracle import interpretations
from tracksync.oracle.interpretations import Interpretation
from tracksync.oracle.users import LEADERS

NAMED = [one for one in vars(interpretations).values() if isinstance(one, Interpretation)]


@pytest.mark.parametrize("interpretation", [*NAMED, *LEADERS], ids="=".join)
def test_an_interpretation_that_a_rule_names_is_one_of_its_ambiguity(interpretation: Interpretation) -> None:
    assert interpretation.answer in ambiguity_catalogue()[interpretation.ambiguity].interpretations


def test_each_interpretation_is_named_once() -> None:
    assert len(set(NAMED)) == len(NAMED) > 20
