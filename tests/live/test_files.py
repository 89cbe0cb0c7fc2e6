"""The files of a nightly run: the baseline, tracksync.toml and the workflow, the page, the example database."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis.database import DirectoryBasedExampleDatabase, MultiplexedDatabase
from required_programs import program

from tracksync import config
from tracksync.cli import root
from tracksync.cli.nightly import Memory
from tracksync.errors import ConfigError
from tracksync.live import baseline
from tracksync.live.baseline import Known
from tracksync.live.examples import ARTIFACT, example_database
from tracksync.model.events import (
    Cleaned,
    ExchangeChecked,
    FindingConfirmed,
    InterpretationLearned,
    Retried,
    RunEnded,
    RunStarted,
)
from tracksync.model.exchange import Exchange, Request, Response
from tracksync.model.finding import Finding
from tracksync.report import Redactor, Tally, compare, html, json_result, markdown, nightly, terminal
from tracksync.report.tally import Result

COUNT = "/response/body/users/0/custom_events/0/count"


def exchange(body: bytes = b'{"message":"success","users":[]}') -> Exchange:
    headers = (("x-ratelimit-limit", "500"),)
    request = Request("POST", "/users/track/sync", (("Content-Type", "application/json"),), b'{"events":[]}')
    return Exchange(request, Response(201, headers, body), 1_800_000_000.0, 1_800_000_000.5)


def result_of(*findings: Finding, interpretation: str = "empty-list", verdict: str = "failed") -> Result:
    tally = Tally(Redactor())
    tally(RunStarted("fuzz", "https://localhost:1", 1_800_000_000.0, 7, max_requests=100, max_data_points=50))
    tally(ExchangeChecked(1, exchange(), findings, frozenset({"TS-EVENT-COUNT", "TS-OK-MESSAGE"}), data_points=3))
    tally(Retried(2, "503"))
    tally(InterpretationLearned("no-user", interpretation, exchange(interpretation.encode())))
    for finding in findings:
        tally(FindingConfirmed(finding, (exchange(),), "tracksync fuzz --seed 7"))
    tally(Cleaned(12))
    tally(RunEnded("failed" if findings else "passed", "all was sent", 1_800_000_009.0))  # type: ignore[arg-type]
    result = tally.result()
    return json_result.checked(result, "a result")


WRONG_COUNT = Finding("TS-EVENT-COUNT", "the count is off", COUNT, 2, 3)
WRONG_MESSAGE = Finding("TS-OK-MESSAGE", "no success", "/response/body/message", "success", "ok")


# --- the baseline ---------------------------------------------------------------------------------------------------


def test_what_is_added_to_the_baseline_is_known_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "tracksync-baseline.toml"
    baseline.write(path, baseline.updated((), result_of(WRONG_COUNT)))
    (entry,) = baseline.read(path)
    assert entry.fingerprint == "TS-EVENT-COUNT /response/body/users/*/custom_events/*/count"
    assert entry.message == "the count is off"
    assert baseline.settle([entry], result_of(WRONG_COUNT)) == {"known": 1, "fixed": [], "unseen": []}
    again = baseline.updated([entry], result_of(WRONG_COUNT, WRONG_MESSAGE))
    assert [one.clause for one in again] == ["TS-EVENT-COUNT", "TS-OK-MESSAGE"]


def test_a_known_finding_that_is_gone_is_announced_as_fixed_only_where_its_clause_was_covered() -> None:
    entries = [Known("TS-EVENT-COUNT", COUNT, note="ticket 12"), Known("TS-PURCHASE-COUNT", "/response/body")]
    settled = baseline.settle(entries, result_of())
    assert [one["clause"] for one in settled["fixed"]] == ["TS-EVENT-COUNT"]
    assert [one["clause"] for one in settled["unseen"]] == ["TS-PURCHASE-COUNT"]


def test_a_note_with_odd_characters_is_read_back_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "baseline.toml"
    note = 'quotes " and \\ and \x7f and \n and é 🎉'
    baseline.write(path, [Known("TS-EVENT-COUNT", note=note)])
    assert baseline.read(path)[0].note == note


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[known]]\nclause = "TS-EVENT-CUONT"', "line 1: there is no clause 'TS-EVENT-CUONT'; did you mean"),
        ('[[known]]\nclaus = "TS-EVENT-COUNT"', "did you mean clause"),
        ("[[known]]\npointer = ''", "names no clause"),
        ("[[known]]\nclause = 3", "has to be a string"),
        ("[other]", "unknown key 'other'"),
        ("[[known]", "this is not TOML"),
    ],
)
def test_a_mistake_in_the_baseline_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "baseline.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        baseline.read(path)


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert baseline.read(tmp_path / "none.toml") == ()


# --- the comparison with an earlier run -----------------------------------------------------------------------------


def compared() -> Result:
    result = result_of(WRONG_COUNT, interpretation="omitted")
    result["baseline"] = {"file": "b.toml", **baseline.settle([Known("TS-OK-MESSAGE", note="ticket 3")], result)}
    nightly.add(result, compare.compare(result_of(WRONG_MESSAGE), result))
    return json_result.checked(result, "the result")


@pytest.mark.parametrize("render", [html.render, markdown.render, terminal.render])
def test_every_report_shows_new_and_fixed_findings_drift_and_the_network(render: Any) -> None:
    text = render(compared()).replace("\\", "").replace("&#39;", "'")
    for expected in (
        "Changes since the earlier run",
        "new",
        "fixed: remove the entry",
        "ticket 3",
        "Drift",
        "no-user",
        "empty-list",
        "omitted",
        "Network",
        "1 after 503",
        "12 test users named, none left",
        "1 of 500",
        "curl",
        "tracksync fuzz --seed 7",
    ):
        assert expected in text, expected


def test_drift_shows_both_exchanges_side_by_side() -> None:
    (section,) = [one for one in compared()["sections"] if one["title"] == "Drift"]
    ((ambiguity, then, now),) = section["rows"]
    assert ambiguity == "no-user"
    assert then.startswith("empty-list: curl")
    assert then.endswith("201 empty-list")
    assert now.endswith("201 omitted")


def test_two_results_are_compared_by_command(tmp_path: Path) -> None:
    for name, result in (("a.json", result_of(WRONG_COUNT)), ("b.json", result_of(interpretation="omitted"))):
        (tmp_path / name).write_text(json_result.render(result))
    shown = CliRunner().invoke(root, ["report", str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert shown.exit_code == 0, shown.output
    assert "fixed: 1" in shown.output
    assert "no-user: empty-list -> omitted" in shown.output
    assert "Drift" in shown.output


def test_a_comparison_needs_an_earlier_result(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json_result.render(result_of(WRONG_COUNT)))
    memory = Memory.recall(None, False, tmp_path / "a.json", live=False)
    result = result_of()
    memory.conclude(result)
    assert ["fixed", "TS-EVENT-COUNT", "the count is off"] in result["sections"][0]["rows"]


CHROMIUM = program("chromium", "chromium-browser", "google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_page_is_whole_in_a_browser_and_loads_nothing_from_the_network(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    page = tmp_path / "result.html"
    page.write_text(html.render(compared()), encoding="utf-8")
    picture = tmp_path / "result.png"
    words = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    offline = "--host-resolver-rules=MAP * ~NOTFOUND"
    shown = subprocess.run(
        [*words, offline, "--enable-logging=stderr", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "<h1>FAILED" in shown.stdout
    assert "Network" in shown.stdout
    assert "Refused to" not in shown.stderr  # nothing that its own content policy forbids
    subprocess.run([*words, offline, f"--screenshot={picture}", page.as_uri()], capture_output=True, timeout=120)
    assert picture.stat().st_size > 10_000


# --- init -----------------------------------------------------------------------------------------------------------


def test_what_init_writes_is_read_by_fuzz_and_by_github(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        root, ["init", "--directory", str(tmp_path), "--endpoint", "https://rest.fra-02.braze.eu/"]
    )
    assert done.exit_code == 0, done.output
    read = config.load(tmp_path / "tracksync.toml")
    assert read.endpoint == "https://rest.fra-02.braze.eu"
    assert read.live is False
    assert read.budget.data_points
    workflow = yaml.safe_load((tmp_path / ".github/workflows/tracksync.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = " ".join(step.get("run", "") for step in steps)
    for expected in ("tracksync gate", "tracksync fuzz --target live", "tracksync clean"):
        assert expected in commands
    assert ARTIFACT in [step.get("with", {}).get("name") for step in steps]
    assert "secrets.TRACKSYNC_API_KEY" in (tmp_path / ".github/workflows/tracksync.yml").read_text()


def test_every_setting_that_init_leaves_as_a_comment_is_one_that_can_be_set(tmp_path: Path) -> None:
    assert CliRunner().invoke(root, ["init", "--directory", str(tmp_path)]).exit_code == 0
    text = (tmp_path / "tracksync.toml").read_text()
    opened = "\n".join(
        line[2:] if line.startswith("# ") and " = " in line and line[2:].split(" = ")[0].isidentifier() else line
        for line in text.splitlines()
    )
    read = config.parse(opened, tmp_path / "tracksync.toml")
    assert read.workspace.rate_limit == 500
    assert read.workspace.shared is True


def test_init_overwrites_only_when_forced(tmp_path: Path) -> None:
    (tmp_path / "tracksync.toml").write_text("live = true\n")
    refused = CliRunner().invoke(root, ["init", "--directory", str(tmp_path)])
    assert refused.exit_code != 0
    assert (tmp_path / "tracksync.toml").read_text() == "live = true\n"
    assert not (tmp_path / ".github").exists()
    assert CliRunner().invoke(root, ["init", "--directory", str(tmp_path), "--force"]).exit_code == 0
    assert "endpoint" in (tmp_path / "tracksync.toml").read_text()


# --- the example database -----------------------------------------------------------------------------------------


def test_examples_are_kept_in_a_directory_and_read_from_ci_only_outside_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    local = example_database(tmp_path)
    local.save(b"key", b"example")
    assert set(DirectoryBasedExampleDatabase(tmp_path).fetch(b"key")) == {b"example"}
    assert isinstance(example_database(tmp_path, "owner/name"), MultiplexedDatabase)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert isinstance(example_database(tmp_path, "owner/name"), DirectoryBasedExampleDatabase)
