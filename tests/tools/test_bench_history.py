"""The history of speed: ratios alone are kept, one line a run, and all runs are drawn."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cassette_harness import ROOT

spec = importlib.util.spec_from_file_location("bench_history", ROOT / "tools" / "bench_history.py")
assert spec is not None
assert spec.loader is not None
bench_history = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench_history)


def test_ratios_are_kept_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_history, "HISTORY", tmp_path / "speed.ndjson")
    monkeypatch.setattr(bench_history, "DRAWING", tmp_path / "speed.svg")
    for ratio in (20.0, 10.0):
        oracle = {"traffic ratio": ratio, "traffic µs": 99.0, "wanted_ratio": 5}
        bench_history.add({"python": "3.11", "oracle": oracle, "mock": {"ratio": 4.0}, "load": [1.0]}, "2026-11-27")
    lines = [json.loads(line) for line in (tmp_path / "speed.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [line["ratios"] for line in lines] == [
        {"oracle, traffic ratio": 20.0, "mock": 4.0},
        {"oracle, traffic ratio": 10.0, "mock": 4.0},
    ]
    drawn = ElementTree.parse(tmp_path / "speed.svg").getroot()
    assert len(drawn.findall("{*}polyline")) == 2
    assert len(drawn.findall("{*}circle")) == 4
