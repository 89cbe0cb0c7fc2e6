"""What a finding means for a run: does it fail it, and is it the same one as the last run's? Pure rules, no I/O.

Every command and every report asks here, so that an exit code and a JUnit file can never disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tracksync.contract.clauses import Evidence, catalogue
from tracksync.model.events import Verdict

EXIT_CODES: Final[Mapping[Verdict, int]] = {"passed": 0, "failed": 1, "incomplete": 3}

_KINDS: Final = {Evidence.DOCUMENTED: "error", Evidence.OBSERVED: "warning", Evidence.ASSUMED: "note"}
# Names under these members are drawn by the generator, so they differ from run to run while the finding does not.
_DRAWN_NAMES: Final = frozenset({"custom_attributes", "attributes", "properties"})
_INDEX: Final = re.compile(r"\d+\Z")


def evidence_of(clause: str) -> Evidence:
    """The strength of the clause with this id; ASSUMED where the catalogue does not know it."""
    known = catalogue(None).get(clause)
    return known.evidence if known else Evidence.ASSUMED


def severity_of(evidence: Evidence | str) -> str:
    """The word for a broken clause of this strength: error, warning or note."""
    return _KINDS[Evidence(evidence)]


def fails(evidence: Evidence | str, *, strict: bool = False, known: bool = False) -> bool:
    """Whether a finding of this strength makes the verdict `failed`.

    A documented clause always does, an observed one when `strict`, an assumed one never. A `known` finding, one the
    reviewed baseline lists, does not.
    """
    if known:
        return False
    return evidence == Evidence.DOCUMENTED or (strict and evidence == Evidence.OBSERVED)


def fingerprint(clause: str, pointer: str) -> str:
    """What makes two findings of different runs the same: clause and place, without indexes and drawn names."""
    parts: list[str] = []
    after = ""
    for part in pointer.split("/"):
        drawn = after in _DRAWN_NAMES or _INDEX.match(part)
        # An index keeps the word before it in force: /attributes/0/<name> is drawn as well.
        after = after if _INDEX.match(part) and after in _DRAWN_NAMES else part
        parts.append("*" if drawn else part)
    return f"{clause} {'/'.join(parts)}".rstrip()
