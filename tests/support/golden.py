"""Golden files: what the oracle finds in many exchanges, written down once and reviewed by a person.

    PYTHONPATH=contracts python tests/support/golden.py          # writes tests/golden/ again; review the diff
    PYTHONPATH=contracts python tests/support/golden.py NAME     # prints one file

A rule is proven by the tests on it. These files show what a change does elsewhere: a clause that is no longer found or
covered, another clause, another pointer, another expected value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import alterations
import request_pages
from disturbed_runs import disturbances_of, interpretations_of, run_disturbed
from faults_by_clause import findings_of_fault, first_fault

from tracksync.contract.clauses import catalogue as clause_catalogue
from tracksync.model.finding import Finding

FOLDER: Final = Path(__file__).resolve().parents[1] / "golden"
MAX_CHARACTERS: Final = 80  # of one value
ALTERATIONS: Final = 10  # of each request and of each response
SHOWN: Final = 3  # of these, where the oracle finds the same clauses
DISTURBED: Final = ((3, ""), (7, ""), (5, "event-count-third-lost"), (9, "track-applies-nothing"))
PROBES: Final = (  # a selection: the other recordings show the same rules again
    "arrays",
    "arrays-of-objects",
    "attribute-dates",
    "attribute-values",
    "delete",
    "event-names",
    "event-refused",
    "event-times",
    "export",
    "flags-and-lists",
    "keys",
    "objects",
    "other-forms",
    "profile-fields",
    "purchase-counts",
    "purchase-refused",
    "rate-burst",
    "refused-forms",
    "refused-identifiers",
    "routes",
    "track",
    "user-alias",
    "user-email-leads",
    "user-email-phone",
    "user-external-id",
    "user-found-by-email",
    "user-integer-id",
    "user-precedence",
    "users-apart",
)


def page_of_clauses() -> str:
    """What is found in one fault for each clause, by the probes for that clause alone."""
    return "".join(map(lines_of_clause, clause_catalogue()))


def lines_of_clause(clause: str) -> str:
    """What is found in one fault for `clause`; nothing where no fault is led by it."""
    fault = first_fault(clause)
    return _text(f"{fault}: {_line(finding)}" for finding in findings_of_fault(clause, fault)) if fault else ""


def page_of_disturbed_run(seed: int, fault: str) -> str:
    """What is found, learned and covered in a run in which every third response is lost."""
    run = run_disturbed(
        seed,
        disturbances_of(seed, 0.3),
        interpretations=interpretations_of(seed),
        requests=400,
        faults=(fault,) if fault else (),
        shrink=False,
    )
    findings = [f"{index} {_line(finding)}" for index, finding in sorted(run.findings, key=lambda one: one[0])]
    learned = [f"{ambiguity}={answer}" for ambiguity, answer in sorted(run.ended.interpretations.items())]
    return _text([*findings, *learned, *(f"covered {clause}" for clause in sorted(run.covered))])


def page_of_alterations(probe: str) -> str:
    """What is found in the recording of a correct server, where one place of one exchange is altered."""
    original = alterations.recorded(probe)
    lines = []
    covered: frozenset[str] = frozenset()
    for index, exchange in enumerate(original.exchanges):
        lines.append(f"{index} {exchange.request.method} {exchange.request.path}: {', '.join(exchange.tags)}")
        further = sorted(original.covered[index] - covered)
        lines += [f"  covers {' '.join(further)}"] if further else []
        covered |= original.covered[index]
        for what, responses in (("response", True), ("request", False)):
            groups: dict[tuple[str, ...], list[str]] = {}
            for one in alterations.altered(probe, index, responses, ALTERATIONS):
                groups.setdefault(one.clauses, []).append(ascii(one.alteration)[1:-1])
            for clauses, group in sorted(groups.items()):
                more = f" and {len(group) - SHOWN} more" if len(group) > SHOWN else ""
                lines.append(f"  {what} {', '.join(group[:SHOWN])}{more}: {' '.join(clauses) or 'nothing'}")
    lines += [f"{ambiguity}={answer}" for ambiguity, answer in sorted(original.interpretations.items())]
    return _text(lines)


def _line(finding: Finding) -> str:
    expected, actual = (ascii(value)[:MAX_CHARACTERS] for value in (finding.expected, finding.actual))
    return f"{finding.clause} {finding.pointer}: expected {expected}, got {actual}"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def pages() -> Mapping[str, Callable[[], str]]:
    """Every golden file by its name, and what writes it."""
    disturbed = {
        f"disturbed-{seed}{fault and f'-{fault}'}": partial(page_of_disturbed_run, seed, fault)
        for seed, fault in DISTURBED
    }
    altered = {f"altered-{probe}": partial(page_of_alterations, probe) for probe in PROBES}
    requests = {name: partial(request_pages.page_of_requests, name) for name in request_pages.PAGES}
    return {"clauses": page_of_clauses, **disturbed, **altered, **requests}


def written(name: str) -> str:
    """The golden file as it was reviewed; nothing where there is none."""
    path = FOLDER / f"{name}.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main() -> None:
    for name in sys.argv[1:]:
        print(pages()[name](), end="")
    if sys.argv[1:]:
        return
    made = {name: write() for name, write in pages().items()}
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.txt"):
        stale.unlink()
    for name, page in made.items():
        (FOLDER / f"{name}.txt").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
