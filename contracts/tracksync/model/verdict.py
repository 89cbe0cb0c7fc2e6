"""What a finding means for a run: its severity, whether it fails the run, and when two findings are the same. Pure.

Every command and every report uses these rules, so that an exit code and a JUnit file cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from tracksync.contract.clauses import Evidence, catalogue
from tracksync.model.events import Verdict

Severity = Literal["error", "warning", "note"]

EXIT_CODES: Final[Mapping[Verdict, int]] = {"passed": 0, "failed": 1, "incomplete": 3}

_SEVERITIES: Final[Mapping[Evidence, Severity]] = {
    Evidence.DOCUMENTED: "error",
    Evidence.OBSERVED: "warning",
    Evidence.ASSUMED: "note",
}
_RANKS: Final = {Evidence.DOCUMENTED: 0, Evidence.OBSERVED: 1, Evidence.ASSUMED: 2}
# Names under these members are generated: they differ from run to run while the finding is the same.
_GENERATED_NAMES: Final = frozenset({"custom_attributes", "attributes", "properties"})
_INDEX: Final = re.compile(r"\d+\Z")


class FailOn(StrEnum):
    """The mildest severity that fails a run. NEW: whatever the baseline does not list, of any severity."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEW = "new"


_LIMITS: Final = {FailOn.ERROR: 0, FailOn.WARNING: 1, FailOn.NOTE: 2, FailOn.NEW: 2}


def evidence_of(clause: str) -> Evidence:
    """What the clause with this id stands on; ASSUMED where the catalogue does not know the id."""
    known = catalogue(None).get(clause)
    return known.evidence if known else Evidence.ASSUMED


def severity_of(evidence: Evidence | str) -> Severity:
    """How a broken clause with this evidence counts: error, warning or note."""
    return _SEVERITIES[Evidence(evidence)]


def fails(
    evidence: Evidence | str, *, strict: bool = False, known: bool = False, fail_on: FailOn | str = FailOn.ERROR
) -> bool:
    """Whether a finding about a clause with this evidence makes the verdict `failed`.

    A documented clause does; an observed and an assumed one from `fail_on` on. `strict` is the same as
    FailOn.WARNING. A `known` finding, which the reviewed baseline lists, does not.
    """
    limit = max(_LIMITS[FailOn(fail_on)], int(strict))
    return not known and _RANKS[Evidence(evidence)] <= limit


def fingerprint(clause: str, pointer: str) -> str:
    """Equal texts for the same finding in different runs: clause and place, without indexes and generated names."""
    parts: list[str] = []
    parent = ""
    for part in pointer.split("/"):
        generated = parent in _GENERATED_NAMES or _INDEX.match(part)
        # An index does not end the scope of the member before it: in /attributes/0/NAME the name is generated too.
        parent = parent if _INDEX.match(part) and parent in _GENERATED_NAMES else part
        parts.append("*" if generated else part)
    return f"{clause} {'/'.join(parts)}".rstrip()
