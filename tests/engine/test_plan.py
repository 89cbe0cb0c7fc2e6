"""The line that reproduces a finding repeats every option that changes the run."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from fuzz_plans import fuzz_plan

from tracksync.engine.plan import reproduce_line


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        ({"seed": 7}, ["--seed", "7"]),
        ({"only": ("TS-OK-MESSAGE", "TS-EVENT-COUNT")}, ["--only", "TS-OK-MESSAGE", "--only", "TS-EVENT-COUNT"]),
        ({"phases": ("probes", "schema")}, ["--phases", "probes,schema"]),
        ({"mock_interpretations": {"array-overflow": "newest"}}, ["--interpretation", "array-overflow=newest"]),
        ({"faults": ("event-count-stuck",)}, ["--fault", "event-count-stuck"]),
        ({"rate_limit": 60}, ["--rate-limit", "60"]),
        ({"probe_rate_limit": True}, ["--probe-rate-limit"]),
        ({"seconds": 90.5}, ["--max-time", "90.5"]),
        ({"data_points": 12}, ["--max-data-points", "12"]),
        ({"shared": True}, ["--shared"]),
        ({"consistent_after": 1.5}, ["--consistent-after", "1.5"]),
        ({"strict": True}, ["--strict"]),
        ({"verify": "our ca.pem"}, ["--ca", "our ca.pem"]),
        ({"address": "http://127.0.0.1:1"}, ["--target", "http://127.0.0.1:1"]),
    ],
)
def test_the_line_repeats(flat: dict[str, Any], words: list[str]) -> None:
    line = shlex.split(reproduce_line(fuzz_plan(**flat)))
    start = line.index(words[0])
    assert line[start : start + len(words)] == words


def test_the_line_holds_no_key() -> None:
    line = reproduce_line(fuzz_plan(address="http://127.0.0.1:1", key="secret-key", unprivileged_key="other-key"))
    assert "secret" not in line
    assert "other" not in line


def test_the_line_leaves_out_what_is_the_default() -> None:
    assert reproduce_line(fuzz_plan()) == "tracksync fuzz --seed 0 --max-requests 500"
