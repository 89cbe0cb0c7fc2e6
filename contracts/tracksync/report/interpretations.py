"""The interpretations that a run learned, as a TOML file for `--interpretations` of a later run or of the mock."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.report.tally import Result


def render(result: Result) -> str:
    """A file of interpretations: one line per ambiguity that `result` learned, with the question as a comment."""
    interpretations: Mapping[str, str] = result.get("interpretations", {})
    lines = [
        f"# Interpretations learned by tracksync {result['tracksync']} from {json.dumps(result.get('target', ''))}",
        f"# on {result.get('started', 'an unknown date')}. An ambiguity that is not here was not seen.",
        "",
        "[interpretations]",
    ]
    for name, interpretation in sorted(interpretations.items()):
        known = ambiguity_catalogue().get(name)
        lines += [f"# {known.question}"] if known else []
        lines.append(f"{name} = {json.dumps(interpretation)}")
    return "\n".join(lines) + "\n"
