"""The cassettes that come with tracksync, checked: each breaks exactly the clauses that its manifest lists."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import pytest
from cassette_harness import ROOT, replayed
from process import tracksync, tracksync_here

from tracksync.cassettes.generating import generate_cassette
from tracksync.cassettes.manifest import EVERYTHING, ManifestEntry, read_manifest
from tracksync.cassettes.normalising import OURS
from tracksync.cassettes.overlapping import overlaps, record_overlap
from tracksync.cassettes.reading import read_recording
from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.faults.catalogue import catalogue
from tracksync.generate.harmless import Namer
from tracksync.mock import MockConfig
from tracksync.report import Redactor, json_result

CASSETTES = ROOT / "cassettes"


def test_cassettes_break_clauses_where_a_fault_was_and_nowhere_else() -> None:
    for name, entry in read_manifest(CASSETTES).items():
        assert bool(entry.breaks) == name.startswith("faults/"), name


def test_there_is_one_fault_of_every_family() -> None:
    families = {path.name.split("--")[0] for path in (CASSETTES / "faults").glob("*.yaml")}
    too_large = {"extremes", "sizes"}  # they show in bodies of up to 4 MB, and in what no probe sends
    assert families >= {fault.family for fault in catalogue().values()} - too_large


def test_every_race_has_a_cassette_in_which_requests_overlap() -> None:
    races = {fault.name for fault in catalogue().values() if fault.family == "race"}
    there = {path.stem.removeprefix("race--"): path for path in (CASSETTES / "faults").glob("race--*.yaml")}
    # The same sequence is stored once: here writing back all attributes looks like writing back the profile.
    assert races - there.keys() <= {"attributes-written-back"}
    for path in there.values():
        times = [(one.exchange.sent, one.exchange.received) for one in read_recording(path).interactions]
        assert any(later[0] < earlier[1] for earlier, later in pairwise(times)), path.name


def test_overlapping_requests_alone_break_nothing() -> None:
    for overlap in overlaps(Namer(OURS, random.Random(0)).scope("race")):
        exchanges = record_overlap(MockConfig(), overlap)
        assert generate_cassette(exchanges, ManifestEntry(fresh=EVERYTHING), Redactor()).entry.breaks == (), overlap


def test_ambiguities_that_the_wire_shows_have_a_cassette_for_every_other_interpretation() -> None:
    there = {path.parent.name for path in (CASSETTES / "interpretations").glob("*/*.yaml")}
    wanted = {
        f"{ambiguity.name}.{interpretation}"
        for ambiguity in ambiguity_catalogue().values()
        for interpretation in list(ambiguity.interpretations)[1:]
    }
    assert wanted - there <= {"body-size.bad-request", "body-size.accepted"}  # these need a body over 4 MB


def test_the_cassettes_are_small_enough_for_a_repository() -> None:
    assert sum(path.stat().st_size for path in CASSETTES.rglob("*.*")) < 6 * 1024**2


def test_the_same_replay_gives_the_same_result(tmp_path) -> None:
    results = []
    for name, run in (("a.json", tracksync_here), ("b.json", tracksync)):  # another process hashes differently
        done = run("replay", CASSETTES / "faults", "--json", name, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        result = json.loads((tmp_path / name).read_text())
        results.append({key: value for key, value in result.items() if key not in ("started", "seconds")})
    assert results[0] == results[1]


def test_every_cassette_shows_what_its_manifest_says(tmp_path) -> None:
    """By the command without a path, which takes the directory `cassettes`."""
    done = tracksync_here("replay", "--json", tmp_path / "r.json", "--junit", tmp_path / "r.xml", cwd=ROOT)
    assert done.returncode == 0, done.stdout
    assert "PASSED" in done.stdout
    result = json_result.read(tmp_path / "r.json")
    assert result["requests"] > 1000
    assert result["findings"]
    assert all(finding["known"] for finding in result["findings"])


@pytest.mark.parametrize("clause", ["TS-OK-MESSAGE"])
def test_a_fault_that_is_no_longer_seen_fails_the_replay(tmp_path, clause: str) -> None:
    source = next(path for path in (CASSETTES / "probes").glob("event-times.yaml"))
    (tmp_path / "c.yaml").write_text(source.read_text())
    (tmp_path / "manifest.toml").write_text(f'["c.yaml"]\nbreaks = ["{clause}"]\nfresh = "*"\n')
    replay_events = replayed(tmp_path)
    assert replay_events.verdict == "failed"
    assert replay_events.broken == [clause]
    assert "expected to break a clause, and did not" in replay_events.end.reason


def test_a_break_that_the_manifest_does_not_name_fails_the_replay(tmp_path) -> None:
    source = next((CASSETTES / "faults").glob("success_body--*.yaml"))
    (tmp_path / "c.yaml").write_text(source.read_text())
    replay_events = replayed(tmp_path)
    assert replay_events.verdict == "failed"
