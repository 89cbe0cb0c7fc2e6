"""A command's run from its first event to the exit code, whatever happens between."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from report_samples import DOCUMENTED, OBSERVED, finding, run

from tracksync import cli
from tracksync.cli import COMMANDS, root
from tracksync.cli import run as running
from tracksync.cli.names import known_name
from tracksync.cli.shared import Outputs, wants_colour
from tracksync.contract.clauses import catalogue
from tracksync.errors import Incomplete, TracksyncError, UsageError
from tracksync.model.events import (
    Emit,
    Event,
    ExchangeChecked,
    FindingConfirmed,
    Paused,
    PhaseStarted,
    Retried,
    RunStarted,
)
from tracksync.report import Redactor, json_result
from tracksync.report.progress import Progress

KEY = "canary-key-0123456789"


def session(events: list[Event], tmp_path: Path, error: BaseException | None = None) -> tuple[int, dict[str, Any]]:
    def drive(emit: Emit) -> None:
        for event in events:
            emit(event)
        if error is not None:
            raise error

    code = running.run(drive, outputs=Outputs(json=tmp_path / "r.json"), redactor=Redactor([KEY]))
    return code, json_result.read(tmp_path / "r.json")


@pytest.mark.parametrize(
    ("events", "code"),
    [
        (run(), 0),
        (run(finding(DOCUMENTED)), 1),
        (run(finding(OBSERVED), verdict="passed"), 0),
        (run(finding(OBSERVED), strict=True), 1),
        (run(finding(DOCUMENTED), known=True, verdict="passed"), 0),
        (run(verdict="incomplete"), 3),
    ],
)
def test_the_exit_code_is_the_verdict(events: list[Event], code: int, tmp_path: Path) -> None:
    assert session(events, tmp_path)[0] == code


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyboardInterrupt(), "stopped by hand"),
        (Incomplete("the target went away"), "the target went away"),
        (TracksyncError("something else"), "something else"),
        (ValueError(f"odd {KEY}"), "tracksync itself failed: ValueError: odd [redacted]"),
    ],
)
def test_a_run_that_is_cut_short_reports_its_finding_and_says_why(
    error: BaseException, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = session(run(finding())[:-2], tmp_path, error)
    assert code == 3
    assert (result["verdict"], result["reason"]) == ("incomplete", reason)
    assert [found["clause"] for found in result["findings"]] == [DOCUMENTED]
    captured = capsys.readouterr()
    assert KEY not in captured.out + captured.err
    assert ("Traceback" in captured.err) is isinstance(error, ValueError)


def test_wrong_use_is_raised_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        session([], tmp_path, UsageError("wrong"))
    assert list(tmp_path.iterdir()) == []


def test_the_run_does_not_start_if_a_result_cannot_be_written(tmp_path: Path) -> None:
    driven: list[int] = []
    with pytest.raises(UsageError, match="cannot write"):
        running.run(
            lambda emit: driven.append(1), outputs=Outputs(json=tmp_path / "no" / "r.json"), redactor=Redactor()
        )
    assert driven == []


def test_when_one_result_cannot_be_written_the_others_are(tmp_path: Path) -> None:
    outputs = Outputs(json=tmp_path / "gone" / "r.json", html=tmp_path / "r.html")
    with pytest.raises(UsageError, match=r"cannot write .*r\.json"):
        outputs.write(json_result_of_run())
    assert (tmp_path / "r.html").exists()


def json_result_of_run() -> dict[str, Any]:
    from report_samples import result_of

    return result_of(run())


# --- progress ---------------------------------------------------------------------------------------------------


def shown(events: list[Event], *, every: float = 10.0, step: float = 0.0, live: bool = False) -> str:
    stream, now = io.StringIO(), [0.0]

    def clock() -> float:
        now[0] += step
        return now[0]

    with Progress(stream, redactor=Redactor([KEY]), clock=clock, live=live, every=every) as progress:
        for event in events:
            progress(event)
    return stream.getvalue()


def test_progress_shows_phase_requests_what_is_left_and_findings() -> None:
    lines = shown(run(finding())).splitlines()
    assert lines[0].startswith("directed | 0 of 500 requests (500 left)")
    assert lines[1] == f"found {DOCUMENTED}: the message is another one"
    assert lines[-1].startswith("directed | 2 of 500 requests (498 left)")
    assert lines[-1].endswith("2 data points | 1 finding")


def test_progress_without_a_terminal_is_a_line_every_so_often() -> None:
    start, phase, checked, *_ = run()
    assert shown([start, phase, *[checked] * 100], every=10, step=1).count("\n") == 1 + 10
    assert shown([start, phase, *[checked] * 100], every=10, step=0).count("\n") == 1


def test_progress_shows_pauses_and_retries_of_a_real_server_only() -> None:
    waits: list[Event] = [Paused(12.4, f"429 for {KEY}"), Paused(0.1, "short"), Retried(2, "503\x1b[31m")]
    text = shown([RunStarted("fuzz", "http://localhost", 0.0), *waits])
    assert text == "waiting 12 s: 429 for [redacted]\nretry (attempt 2): 503\\u001b[31m\n"
    assert shown([RunStarted("fuzz", "mock", 0.0), *waits]) == ""


def test_a_finding_not_yet_confirmed_is_announced_as_such() -> None:
    events = [event for event in run(finding()) if not isinstance(event, FindingConfirmed)]
    assert shown(events).splitlines()[-1].endswith("0 findings, 1 to confirm")


def test_on_a_terminal_the_line_is_live_and_findings_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = shown(run(finding(message="odd [bold]text[/bold]")), live=True)
    assert "odd [bold]text[/bold]" in text
    assert "\x1b[" in text


def test_progress_never_shows_the_key() -> None:
    events: list[Event] = [*run(finding(message=f"said {KEY}")), PhaseStarted(KEY)]
    assert isinstance(events[2], ExchangeChecked)
    assert KEY not in shown(events)


# --- commands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(root, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Examples:" in shown.output
    assert f"tracksync {name}" in shown.output
    assert root.get_command(click.Context(root), name).name == name  # type: ignore[union-attr]


def test_the_list_of_clauses_has_every_id_and_sentence() -> None:
    shown = CliRunner().invoke(root, ["clauses"])
    for id_, entry in catalogue().items():
        assert id_ in shown.output
        assert " ".join(entry.sentence.split()) in shown.output


def test_a_clause_is_explained_with_source_evidence_and_interpretations() -> None:
    text = CliRunner().invoke(root, ["clauses", "TS-OK-IDENTIFIER"]).output
    for part in ("exactly as the request did", "SYNC", "documented", "integer-identifiers", "braze-id:", "--only"):
        assert part in text


def test_clauses_as_json(tmp_path: Path) -> None:
    import json

    everything = json.loads(CliRunner().invoke(root, ["clauses", "--json", "-"]).stdout)
    assert list(everything["clauses"]) == list(catalogue(None))
    shown = CliRunner().invoke(root, ["clauses", "TS-OK-IDENTIFIER", "--json", str(tmp_path / "c.json")])
    assert shown.output == f"wrote {tmp_path / 'c.json'}\n"
    one = json.loads((tmp_path / "c.json").read_text())["clauses"]
    assert one == {"TS-OK-IDENTIFIER": everything["clauses"]["TS-OK-IDENTIFIER"]}
    assert "refused" in one["TS-OK-IDENTIFIER"]["ambiguities"]["integer-identifiers"]["interpretations"]


def test_a_defect_of_tracksync_is_reported_as_such_and_without_the_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRACKSYNC_API_KEY", KEY)

    def fail(**_: Any) -> None:
        raise ValueError(f"odd {KEY}")

    monkeypatch.setattr(root, "main", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main(["clauses"])
    assert ended.value.code == 3
    err = capsys.readouterr().err
    assert "this is a defect of tracksync itself" in err
    assert "ValueError: odd [redacted]" in err


@pytest.mark.parametrize(
    ("terminal", "environment", "colour"),
    [
        (False, {"TERM": "xterm", "FORCE_COLOR": "1"}, True),
        (True, {"TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (True, {"TERM": "xterm"}, True),
        (False, {"TERM": "xterm"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    terminal: bool, environment: dict[str, str], colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_colour(Stream()) is colour


def test_an_unknown_name_is_answered_with_similar_ones() -> None:
    assert known_name("normal", ["normal", "mixed-faults"], "scenario") == "normal"
    with pytest.raises(UsageError, match=r"there is no scenario 'norml'; did you mean normal\?"):
        known_name("norml", ["normal", "mixed-faults"], "scenario")
    with pytest.raises(UsageError, match="the names are normal, mixed-faults"):
        known_name("zzz", ["normal", "mixed-faults"], "scenario")


# --- the command line -------------------------------------------------------------------------------------------


def invoke(*arguments: str, **environment: str) -> str:
    shown = CliRunner().invoke(root, list(arguments), env=environment)
    assert shown.exit_code == 0, shown.output
    return shown.output


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Usage: tracksync [OPTIONS] COMMAND")


def test_the_faults_the_scenarios_and_the_interpretations_can_be_listed() -> None:
    assert "message-ok" in invoke("mock", "--list-faults")
    assert "rate-burst" in invoke("mock", "--list-scenarios")
    shown = invoke("mock", "--list-interpretations")
    assert "array-overflow: " in shown
    assert "  unchanged: The update is not made. (default)" in shown


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("tracksync cl", {"clauses", "clean"}),
        ("tracksync clauses TS-OK-M", {"TS-OK-MESSAGE"}),
        ("tracksync mock --fault message-ok", {"message-ok"}),
        ("tracksync mock --interpretation no-user=o", {"no-user=omitted"}),
        ("tracksync mock --scenario rate-b", {"rate-burst"}),
    ],
)
def test_the_shell_completes_names(words: str, completed: set[str]) -> None:
    number = str(words.count(" "))
    environment = {"_TRACKSYNC_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": number}
    shown = CliRunner().invoke(root, [], env=environment, prog_name="tracksync")
    assert {line.partition(",")[2] for line in shown.output.split()} == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_for_completion(shell: str) -> None:
    assert f"_TRACKSYNC_COMPLETE={shell}_complete" in invoke("completion", shell)


@pytest.mark.parametrize(
    ("words", "coloured"), [((), False), (("--color", "always"), True), (("--color", "never"), False)]
)
def test_color_decides_over_the_environment(words: tuple[str, ...], coloured: bool, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json_result.render(json_result_of_run()))
    assert ("\x1b[" in invoke("report", str(path), *words)) is coloured


def test_quiet_shows_the_headline_only_and_writes_the_files(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    shown = CliRunner().invoke(root, ["fuzz", "-q", "--only", "TS-OK-MESSAGE", "--seed", "1", "--json", str(path)])
    assert shown.output.count("\n") == 1
    assert shown.output.startswith("PASSED: no findings; ")
    assert json_result.read(path)["verdict"] == "passed"


def test_on_github_every_command_annotates(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    running.run(lambda emit: [emit(one) for one in run(finding())] and None, outputs=Outputs(), redactor=Redactor())
    assert f"::error title={DOCUMENTED}::the message is another one" in capsys.readouterr().out


def test_on_github_every_command_writes_the_summary_of_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    for on_github in ("false", "true"):
        monkeypatch.setenv("GITHUB_ACTIONS", on_github)
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        running.run(lambda emit: [emit(one) for one in run()] and None, outputs=Outputs(), redactor=Redactor())
    assert summary.read_text().startswith("before\n## ")
    assert summary.read_text().count("## ") == 1


def test_middleware_sees_every_event_and_may_add_some(tmp_path: Path) -> None:
    def doubled(emit: Emit) -> Emit:
        def take(event: Event) -> None:
            emit(event)
            if isinstance(event, ExchangeChecked):
                emit(event)

        return take

    outputs = Outputs(json=tmp_path / "r.json")
    running.run(
        lambda emit: [emit(one) for one in run()] and None, outputs=outputs, redactor=Redactor(), middleware=doubled
    )
    assert json_result.read(tmp_path / "r.json")["requests"] == 4


@pytest.mark.parametrize("site", ["ftp://example.com", "example.com", "https://example.com/a b", 'https://e.com/"><p>'])
def test_the_address_of_the_pages_has_to_be_one(site: str) -> None:
    done = CliRunner().invoke(root, ["fuzz", "--docs-url", site])
    assert isinstance(done.exception, UsageError)
    assert "--docs-url" in str(done.exception)


def test_a_result_remembers_where_the_pages_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tracksync.toml").write_text('docs_url = "https://docs.example.com"\n')
    words = ["fuzz", "--only", "TS-OK-MESSAGE", "--fault", "message-ok", "--json", "result.json", "--html", "r.html"]
    CliRunner().invoke(root, words)
    Path("tracksync.toml").unlink()
    assert "https://docs.example.com/clauses/TS-OK-MESSAGE.html" in Path("r.html").read_text()
    assert "https://docs.example.com/options/fault.html" in Path("r.html").read_text()
    shown = CliRunner().invoke(root, ["report", "result.json"]).output
    assert "https://docs.example.com/clauses/TS-OK-MESSAGE.html" in shown
    monkeypatch.setenv("TRACKSYNC_DOCS_URL", "https://other.example.com")
    shown = CliRunner().invoke(root, ["report", "result.json"]).output
    assert "https://other.example.com/clauses/TS-OK-MESSAGE.html" in shown
