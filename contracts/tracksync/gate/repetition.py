"""What the command repeats of itself is not a second try: a suite whose tests begin alike sends one request many times.

Pure. Where nothing fails nothing is tried again, so the run under `normal` shows how often the command sends a request.
Without it every repetition counts as a try.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tracksync.gate.plan import ScenarioRun
from tracksync.gate.retries import TRIES, request_key
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding

# How often a request may be sent for each time that the command asks for it.
_FOR_EACH: Final[Mapping[str, int]] = {"TC-NO-RETRY": 1, "TC-APPLIED-TWICE": 1, "TC-RETRY-BOUNDED": TRIES}


def without_repetition(run: ScenarioRun, normal: ScenarioRun) -> ScenarioRun:
    """`run` without the findings about tries that are explained by what the command repeats under `normal` as well."""
    asked, sent = (Counter(request_key(one.exchange) for one in checked) for checked in (normal.checked, run.checked))

    def stands(finding: Finding, exchange: Exchange) -> bool:
        key = request_key(exchange)
        return finding.clause not in _FOR_EACH or sent[key] > asked[key] * _FOR_EACH[finding.clause]

    return replace(
        run,
        found=tuple(seen for seen in run.found if not seen.exchanges or stands(seen.finding, seen.exchanges[-1])),
        checked=tuple(
            replace(one, findings=tuple(finding for finding in one.findings if stands(finding, one.exchange)))
            for one in run.checked
        ),
    )
