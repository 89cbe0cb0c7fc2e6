"""Findings become cassettes: the same each time, each sequence once, named after clause and probe."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest
import vcr
from cassette_harness import command, replayed, served
from process import tracksync, tracksync_here

from tracksync.cassettes.audit import Auditor
from tracksync.cassettes.corpus import record
from tracksync.cassettes.generating import CassetteDirectory, GeneratedCassette, generate_cassette
from tracksync.cassettes.manifest import ManifestEntry, read_manifest, render
from tracksync.cassettes.normalising import EPOCH, steady
from tracksync.cassettes.reading import read_recording
from tracksync.engine.targets import HttpTarget
from tracksync.errors import ConfigError
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import PROBES
from tracksync.model.exchange import Exchange, Request, Response, header
from tracksync.report.redact import Redactor

FAULTS = ("--fault", "event-count-stuck", "--fault", "array-sorted")


def fuzz(folder: Path, *words: str, run: Callable[..., CompletedProcess[str]] = tracksync_here) -> str:
    done = run("fuzz", "--seed", "3", "--phases", "probes", "--record", folder, *words, cwd=folder.parent)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.*"))}


def test_each_finding_of_a_run_becomes_a_cassette_that_shows_it(tmp_path: Path) -> None:
    said = fuzz(tmp_path, *FAULTS, "--json", str(tmp_path / "r.json"))
    result = json.loads((tmp_path / "r.json").read_text())
    named = {finding["clause"]: finding["cassette"] for finding in result["findings"]}
    assert "TS-EVENT-COUNT" in named
    assert "recorded in" in said
    manifest = read_manifest(tmp_path)
    for clause, cassette in named.items():
        name = Path(cassette).name
        assert clause in manifest[name].breaks
        replay_events = replayed(Path(cassette))
        assert clause in replay_events.broken
        assert replay_events.verdict == "passed", "it breaks what its manifest says"
    name = next(name for name in manifest if name.startswith("ts-event-count--"))
    assert name.split("--")[1].removesuffix(".yaml") == manifest[name].probe


def test_every_probe_of_a_run_is_recorded_whole_and_breaks_nothing_where_the_run_found_nothing(tmp_path: Path) -> None:
    assert "no findings" in fuzz(tmp_path, "--record-probes")
    manifest = read_manifest(tmp_path)
    assert [name for name, entry in manifest.items() if entry.breaks] == []
    namer = Namer("tscassette", random.Random(0))
    for probe in PROBES:
        if not probe.heavy and f"probe--{probe.name}.yaml" in manifest:
            recorded = read_recording(tmp_path / f"probe--{probe.name}.yaml").interactions
            sent = [step.label for step in probe.steps(namer) if f"-{probe.name}-".encode() in step.request.body]
            tried = [one.exchange for one in recorded if f"-{probe.name}-".encode() in one.exchange.request.body]
            # What was answered 429, as the window was used up, was sent again.
            assert [one.tags[0] for one in tried if one.response and one.response.status != 429] == sent, probe.name


def test_recording_again_gives_the_same_files(tmp_path: Path) -> None:
    for folder, run in (("one", tracksync_here), ("two", tracksync)):  # another process hashes differently
        fuzz(tmp_path / folder, *FAULTS, "--record-probes", "--only", "TS-EVENT-COUNT,TS-ARRAY-SET", run=run)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_recording_again_on_a_served_target_gives_the_same_files_although_clock_and_prefix_differ(
    tmp_path: Path,
) -> None:
    probe = next(probe for probe in PROBES if probe.name == "event-future")
    made = []
    with served(rate_limit=100_000) as url:
        for prefix in ("ts0123456789ab", "tsba9876543210"):
            target = HttpTarget(url, "mock-key")
            steps = probe.steps(Namer(prefix, random.Random(1)))
            generated = generate_cassette(
                [target.send(step) for step in steps], ManifestEntry(fresh="tscassette"), Redactor(["mock-key"])
            )
            target.close()
            made.append(generated)
    assert made[0].text == made[1].text
    assert made[0].entry == made[1].entry
    assert "TS-EVENT-FUTURE" in made[0].entry.covers
    assert not made[0].entry.breaks


def test_the_fixed_clock_keeps_the_rate_headers_consistent() -> None:
    def exchange(at: float, left: int, **more: str) -> Exchange:
        reset = int(at // 60 * 60 + 60)
        rates = {
            "x-ratelimit-limit": "500",
            "x-ratelimit-remaining": str(left),
            "x-ratelimit-reset": str(reset),
            **more,
        }
        response = Response(400, (("date", "x"), ("x-request-id", "abc"), *rates.items()), b"{}")
        return Exchange(Request("POST", "/users/track/sync", (), b"{}"), response, at, at + 0.1)

    moved = steady([exchange(1_700_000_000.0, 77), exchange(1_700_000_010.0, 70), exchange(1_700_000_050.0, 400)])
    responses = [one.response for one in moved if one.response]
    assert [header(one.headers, "x-ratelimit-remaining") for one in responses] == ["499", "492", "499"]
    assert [header(one.headers, "x-ratelimit-reset") for one in responses] == [
        str(int(EPOCH) + 60), str(int(EPOCH) + 60), str(int(EPOCH) + 120)
    ]  # fmt: skip
    assert [header(one.headers, "x-request-id") for one in responses] == [
        "recorded-0001",
        "recorded-0002",
        "recorded-0003",
    ]


def test_vcrpy_plays_a_generated_cassette(tmp_path: Path) -> None:
    probe = next(probe for probe in PROBES if probe.name == "event-times")
    import random

    steps = probe.steps(Namer("tscassette", random.Random(0)))
    path = tmp_path / "c.yaml"
    path.write_text(record(probe.name, steps).text)
    with vcr.use_cassette(str(path), record_mode="none") as cassette:
        for step in steps:
            response = httpx.post(f"https://rest.tracksync.example{step.request.path}", content=step.request.body)
            response.json()
        assert cassette.all_played


def test_a_sequence_is_stored_once_whatever_its_name(tmp_path: Path) -> None:
    cassettes = CassetteDirectory(tmp_path, Auditor())
    generated = generate_cassette(
        [Exchange(Request("POST", "/users/track/sync"), Response(400), 1.0, 2.0)], ManifestEntry(), Redactor()
    )
    assert cassettes.put("a.yaml", generated) == "a.yaml"
    assert cassettes.put("b.yaml", generated) == "a.yaml"
    cassettes.close()
    again = CassetteDirectory(tmp_path, Auditor())
    assert again.put("c.yaml", generated) == "a.yaml"
    assert [path.name for path in tmp_path.glob("*.yaml")] == ["a.yaml"]


def test_two_sequences_with_one_name_are_both_stored(tmp_path: Path) -> None:
    cassettes = CassetteDirectory(tmp_path, Auditor())
    first, second = (
        generate_cassette(
            [Exchange(Request("POST", "/users/track/sync", (), body), Response(400), 1.0, 2.0)],
            ManifestEntry(),
            Redactor(),
        )
        for body in (b"1", b"2")
    )
    assert [cassettes.put("a.yaml", first), cassettes.put("a.yaml", second)] == ["a.yaml", "a-2.yaml"]


def test_what_the_audit_would_refuse_is_not_written(tmp_path: Path) -> None:
    cassettes = CassetteDirectory(tmp_path, Auditor())
    assert cassettes.put("a.yaml", GeneratedCassette("interactions: []\n# ada@corp.io\n", ManifestEntry())) == ""
    assert list(tmp_path.iterdir()) == []
    assert "email address" in cassettes.refused[0]


def test_lost_responses_are_recorded_as_such_and_read_back(tmp_path: Path) -> None:
    from tracksync.model.exchange import Failure, FailureKind

    lost = Exchange(
        Request("POST", "/users/track/sync"), None, 1.0, 2.0, failure=Failure(FailureKind.TIMEOUT, "waited")
    )
    path = tmp_path / "c.yaml"
    path.write_text(generate_cassette([lost], ManifestEntry(), Redactor()).text)
    assert read_recording(path).interactions[0].exchange.failure == lost.failure


def test_bodies_of_any_bytes_are_read_back_unchanged(tmp_path: Path) -> None:
    for body in (
        b"\xff\xfe\x00",
        "\x85\u2028\ufeff\x07é🐈".encode(),
        b"  two\r\nlines\n\n",
        b"- ~",
        b"'\"",
        bytes(range(256)),
    ):
        exchange = Exchange(Request("POST", "/x", (), body), Response(400, (), body), 1.0, 2.0)
        path = tmp_path / "c.yaml"
        path.write_text(generate_cassette([exchange], ManifestEntry(), Redactor()).text)
        read = read_recording(path).interactions[0].exchange
        assert read.response is not None
        assert (read.request.body, read.response.body) == (body, body)


def test_a_manifest_is_read_back_unchanged(tmp_path: Path) -> None:
    entry = ManifestEntry(
        covers=("TS-OK-STATUS",), breaks=("TS-OK-MESSAGE",), interpretations={"time-form": "utc-micros"},
        recorded_at="now", against='a "mock"', probe="p", fresh="*", rate_limit=5, array_limit=6, clock_skew=1,
        note="ü",
    )  # fmt: skip
    (tmp_path / "manifest.toml").write_text(render({"a/b.yaml": entry}))
    assert read_manifest(tmp_path) == {"a/b.yaml": entry}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a]\nbreaks = ['TS-NO-SUCH']", "there is no clause 'TS-NO-SUCH'"),
        ("[a]\ninterpretations = { time-form = 'sundial' }", "has no interpretation 'sundial'"),
        ("[a]\nbreak = []", "no member 'break'"),
        ("[a]\nbreaks = 'TS-OK-MESSAGE'", "another kind"),
        ("[a\n", "manifest.toml"),
    ],
)
def test_a_mistake_in_a_manifest_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_manifest(tmp_path)


def test_record_probes_needs_a_directory() -> None:
    done = command("fuzz", "--record-probes")
    assert done.returncode == 2
    assert "--record DIR" in done.stderr


def test_the_manifest_that_comes_with_tracksync_is_toml_for_any_reader() -> None:
    from cassette_harness import ROOT

    tables = tomllib.loads((ROOT / "cassettes" / "manifest.toml").read_text(encoding="utf-8"))
    on_disk = {path.relative_to(ROOT / "cassettes").as_posix() for path in (ROOT / "cassettes").rglob("*.yaml")}
    assert set(tables) == on_disk
