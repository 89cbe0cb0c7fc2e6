"""What a correct client does about each clause: complete, and the page that is made from it is up to date."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tracksync.contract.clauses import Side, catalogue
from tracksync.gate.client_page import render
from tracksync.gate.guidance import advice, guidance, scenarios_for
from tracksync.gate.retries import TRIES
from tracksync.mock import scenarios

ROOT = Path(__file__).resolve().parents[2]


def test_every_clause_of_a_client_has_guidance_and_nothing_else_has() -> None:
    assert guidance().keys() == catalogue(Side.CLIENT).keys()
    assert all(advice(id_).endswith(".") for id_ in guidance())
    assert advice("TS-OK-MESSAGE") == ""


def test_guidance_names_scenarios_that_exist() -> None:
    assert {name for entry in guidance().values() for name in entry.scenarios} <= scenarios.catalogue().keys()
    assert scenarios_for("TC-RATE-WAIT")[0] == "rate-burst"
    assert scenarios_for("TC-URL") == ()


@pytest.mark.parametrize("clause", [id_ for id_, entry in guidance().items() if entry.python])
def test_python_code_of_guidance_is_python(clause: str) -> None:
    ast.parse(guidance()[clause].python)


@pytest.mark.parametrize("clause", [id_ for id_, entry in guidance().items() if entry.python or entry.javascript])
def test_code_is_given_in_both_languages(clause: str) -> None:
    assert bool(guidance()[clause].python) == bool(guidance()[clause].javascript)


def test_the_page_of_the_clients_contract_is_what_the_clauses_say() -> None:
    page = ROOT / "docs" / "client-contract.md"
    assert page.read_text(encoding="utf-8") == render(), "run tools/client-contract"
    assert all(f"## {id_}\n" in render() for id_ in catalogue(Side.CLIENT))


def test_the_clause_about_tries_names_as_many_as_the_gate_counts() -> None:
    assert TRIES == 12
    assert "more than twelve times in a row" in catalogue(Side.CLIENT)["TC-RETRY-BOUNDED"].sentence
