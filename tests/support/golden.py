"""What the oracle says of many exchanges, word by word: written down once and read by a person, then held to.

    PYTHONPATH=contracts python tests/support/golden.py            # writes tests/golden/ anew, to be read as a diff
    PYTHONPATH=contracts python tests/support/golden.py NAME       # prints one page at full length

A rule is proven by the tests that name it. These pages see what falls between: a pointer, an expected value, a clause
that is no longer covered, a possibility that is no longer followed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

import alterations
import odd_requests
from disturbed_runs import Weather, Weathered, interpretations_of, weather_of, weathered

from tracksync.contract.clauses import catalogue as clause_catalogue
from tracksync.faults.catalogue import catalogue
from tracksync.model.finding import Finding

FOLDER: Final = Path(__file__).resolve().parents[1] / "golden"
LONGEST: Final = 160  # characters of one value
NORMAL: Final = Weather(share=0.0)
CHANGES: Final = 48  # of each exchange, for the pages about changed answers and changed requests
SHOWN: Final = 4  # of these, where the oracle names the same clauses


def page_of_a_clause(clause: str) -> str:
    """What is said first of a fault that breaks `clause`, by the probes for that clause alone."""
    breaking = [name for name, one in catalogue().items() if one.clauses[:1] == (clause,) and not one.beyond]
    if not breaking:
        return ""
    name = min(breaking)
    night = weathered(4, NORMAL, requests=140, faults=(name,), only=(clause,), random=False, shrink=False, shared=False)
    said: dict[str, Finding] = {}
    for _, finding in sorted(night.findings, key=lambda one: (one[0], one[1].clause, one[1].pointer)):
        said.setdefault(finding.clause, finding)
    lines = [f"{name}: {_line(finding)}" for finding in said.values()]
    return "\n".join([*lines, _covered(night)]) + "\n"


def page_of_a_disturbed_run(seed: int, fault: str = "") -> str:
    """What is said in a storm, where every third answer is lost, and which interpretations are left at its end."""
    chosen = (fault,) if fault else ()
    night = weathered(
        seed,
        weather_of(seed, 0.3),
        interpretations=interpretations_of(seed),
        requests=400,
        faults=chosen,
        shrink=False,
    )
    lines = [f"{index} {line}" for index, line in sorted((index, _line(one)) for index, one in night.findings)]
    lines += [
        f"{ambiguity} = {interpretation}" for ambiguity, interpretation in sorted(night.ended.interpretations.items())
    ]
    return "\n".join([*lines, _covered(night)]) + "\n"


def page_of_changes(probe: str, answers: bool, whole: bool = False) -> str:
    """What is said of a right server's exchanges, each changed in one place: by clauses, with a mark for the words."""
    lines = []
    for index, exchange in enumerate(alterations.recorded(probe).exchanges):
        lines.append(f"{index} {exchange.request.method} {exchange.request.path}: {', '.join(exchange.tags)}")
        heard: dict[tuple[str, ...], list[alterations.Said]] = {}
        for said in alterations.drawn(probe, index, answers, CHANGES):
            heard.setdefault(said.clauses, []).append(said)
        for clauses, group in sorted(heard.items()):
            words = [_words(said) for said in group]
            mark = sha256("\n".join(words).encode("utf-8", "replace")).hexdigest()[:6]
            changes = ", ".join(
                [*(ascii(said.change)[1:-1] for said in group[:SHOWN]), *["..."] * (len(group) > SHOWN)]
            )
            lines.append(f"  {len(group)} {' '.join(clauses) or 'nothing'} [{mark}]: {changes}")
            lines += words if whole else ()
    return "\n".join(lines) + "\n"


def _words(said: alterations.Said) -> str:
    lines = [f"    {said.change!a}: covered {', '.join(sorted(said.covered))}; {dict(said.interpretations)}"]
    lines += [f"      {'+' * later}{_line(finding)}" for later, finding in said.findings]
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    expected, actual = (repr(value)[:LONGEST] for value in (finding.expected, finding.actual))
    return f"{finding.clause} at {finding.pointer}: {finding.message}; expected {expected}, not {actual}"


def _covered(night: Weathered) -> str:
    counted = Counter(
        clause for event in night.events if hasattr(event, "covered") for clause in getattr(event, "covered", ())
    )
    return "covered " + ", ".join(f"{clause} {number}" for clause, number in sorted(counted.items()))


def pages() -> Mapping[str, Callable[[], str]]:
    """Every page by its name, and what writes it."""
    pages_by_clause = {clause: partial(page_of_a_clause, clause) for clause in clause_catalogue()}
    disturbed_runs = {f"storm-{seed}": partial(page_of_a_disturbed_run, seed) for seed in (3, 6, 7, 8, 12, 16)}
    lost = {
        f"storm-{seed}-{fault}": partial(page_of_a_disturbed_run, seed, fault)
        for seed, fault in ((5, "event-count-third-lost"), (9, "track-applies-nothing"), (13, "null-ignored"))
    }
    changed = {
        f"{what}-{probe}": partial(page_of_changes, probe, answers)
        for probe in alterations.names()
        for what, answers in (("answers", True), ("requests", False))
    }
    read = {name: partial(odd_requests.page_of_requests, name) for name in odd_requests.PAGES}
    return {**pages_by_clause, **disturbed_runs, **lost, **changed, **read}


def written(name: str) -> str:
    """The page that was read and kept; nothing where there is none."""
    path = FOLDER / f"{name}.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main() -> None:
    for name in sys.argv[1:]:
        what, _, probe = name.partition("-")
        in_short = what in ("answers", "requests")
        print(page_of_changes(probe, what == "answers", whole=True) if in_short else pages()[name](), end="")
    if sys.argv[1:]:
        return
    made = {name: page for name, write in pages().items() if (page := write())}
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.txt"):
        stale.unlink()
    for name, page in made.items():
        (FOLDER / f"{name}.txt").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
