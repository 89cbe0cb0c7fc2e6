"""What is found in a fault for each clause is what was reviewed, and every finding points to what is wrong."""

from __future__ import annotations

import pytest
from faults_by_clause import first_fault, run_of_fault
from oracle_harness import leads_to_what_it_saw

from golden import lines_of_clause, written
from tracksync.contract.clauses import catalogue
from tracksync.model.events import ExchangeChecked

FAULTS = {clause: fault for clause in catalogue() if (fault := first_fault(clause)) is not None}


def test_most_clauses_have_a_fault() -> None:
    assert len(FAULTS) > 110


def test_every_line_that_was_reviewed_is_of_one_of_them() -> None:
    assert {line.partition(":")[0] for line in written("clauses").splitlines()} <= set(FAULTS.values())


@pytest.mark.parametrize("clause", FAULTS)
def test_its_findings_are_those_that_were_reviewed_and_lead_to_what_is_wrong(clause: str) -> None:
    lines = "".join(
        line for line in written("clauses").splitlines(keepends=True) if line.startswith(f"{FAULTS[clause]}: ")
    )
    assert lines_of_clause(clause) == lines, "if this is right, write the golden files again, and review the diff"
    for event in run_of_fault(clause, FAULTS[clause]).events:
        if isinstance(event, ExchangeChecked):
            for finding in event.findings:
                leads_to_what_it_saw(finding, event.exchange)
