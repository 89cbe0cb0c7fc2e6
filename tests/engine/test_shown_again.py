"""Every finding is shown once, and by a sequence that shows it again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fuzz_plans import fuzz_plan

from tracksync.cli import root
from tracksync.engine import fuzz
from tracksync.engine.confirmation import kind_of
from tracksync.engine.freshness import everything
from tracksync.engine.plan import EMBEDDED_RATE
from tracksync.model.events import Event, FindingConfirmed
from tracksync.oracle import Belief, Settings, check

FAULTS = ["event-count-stuck", "null-as-word"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_sequence_under_a_finding_shows_it_to_an_oracle_that_saw_nothing_else(fault: str) -> None:
    events: list[Event] = []
    fuzz(fuzz_plan(seed=3, faults=(fault,), phases=("probes",), requests=130), events.append)
    confirmed = [event for event in events if isinstance(event, FindingConfirmed)]
    assert confirmed
    kinds = [kind_of(event.finding) for event in confirmed]
    assert len(set(kinds)) == len(kinds)
    settings = Settings(rate_limit=EMBEDDED_RATE, fresh=everything, clock_skew=1.0)
    for event in confirmed:
        belief, last = Belief.start(settings), None
        for exchange in event.exchanges:
            last = check(belief, exchange)
            belief = last.belief
        assert last is not None
        shown = event.finding.clause in {finding.clause for finding in last.findings}
        assert shown or event.excerpt, event.finding


@pytest.mark.parametrize(
    "plan",
    [
        {"seed": 5, "only": ("TS-OK-MESSAGE",), "faults": ("message-ok",)},
        {"seed": 7, "phases": ("probes",), "requests": 5, "faults": ("event-count-stuck", "message-ok")},
    ],
)
def test_the_line_under_a_finding_shows_its_clause_again(plan: dict[str, Any]) -> None:
    events: list[Event] = []
    fuzz(fuzz_plan(**plan), events.append)
    confirmed = [event for event in events if isinstance(event, FindingConfirmed)]
    assert confirmed
    (line,) = {event.reproduce for event in confirmed}
    program, *arguments = shlex.split(line)
    again = CliRunner().invoke(root, [*arguments, "--json", "-"])
    result = json.loads(again.stdout)
    assert (program, result["verdict"]) == ("tracksync", "failed")
    assert [one["clause"] for one in result["findings"]] == [event.finding.clause for event in confirmed]


def test_the_line_names_the_file_with_the_interpretations_to_which_the_server_is_held(tmp_path: Path) -> None:
    file = tmp_path / "held.toml"
    file.write_text('[interpretations]\nno-user = "omitted"\n')
    plan = ["fuzz", "--only", "TS-USER-UPDATE-ONLY", "--interpretations", str(file), "--json", "-"]
    first = json.loads(CliRunner().invoke(root, plan).stdout)
    _, *arguments = shlex.split(first["findings"][0]["reproduce"])
    again = json.loads(CliRunner().invoke(root, [*arguments, "--json", "-"]).stdout)
    clauses = [[one["clause"] for one in result["findings"]] for result in (first, again)]
    assert clauses == [["TS-INTERPRETATION-KEPT"]] * 2
