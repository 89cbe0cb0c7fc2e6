"""Every finding in a fault of the mock points to what is wrong; which clauses are found is in golden/clauses.txt."""

from __future__ import annotations

import pytest
from faults_by_clause import first_fault, run_of_fault
from oracle_harness import leads_to_what_it_saw

from tracksync.contract.clauses import catalogue
from tracksync.model.events import ExchangeChecked

FAULTS = {clause: fault for clause in catalogue() if (fault := first_fault(clause)) is not None}


def test_most_clauses_have_a_fault() -> None:
    assert len(FAULTS) > 110


@pytest.mark.parametrize("clause", FAULTS)
def test_every_finding_leads_to_what_is_wrong(clause: str) -> None:
    for event in run_of_fault(clause, FAULTS[clause]).events:
        if isinstance(event, ExchangeChecked):
            for finding in event.findings:
                leads_to_what_it_saw(finding, event.exchange)
