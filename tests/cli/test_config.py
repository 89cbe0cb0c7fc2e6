"""`tracksync config`: the check of files, and the schemas that editors read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from process import refused, tracksync_here

from tracksync.cli import COMMANDS, root
from tracksync.cli.nightly import Memory
from tracksync.cli.schemas import SCHEMAS
from tracksync.cli.shared import command_named
from tracksync.config import COMMAND_TABLES, SETTINGS
from tracksync.errors import ConfigError, UsageError
from tracksync.settings import long_name, reason_against, reasons

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "contracts" / "tracksync"


def errors(kind: str, document: Any) -> list[str]:
    """What the schema of this kind of file says about a document."""
    return [error.json_path for error in Draft202012Validator(SCHEMAS[kind]()).iter_errors(document)]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one_and_has_an_id_of_its_own(kind: str) -> None:
    printed = CliRunner().invoke(root, ["config", "--schema", kind])
    schema = json.loads(printed.output)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].startswith(f"urn:tracksync:{kind}:")


def test_the_files_of_this_repository_fit_their_schemas() -> None:
    assert errors("scenarios", tomllib.loads((PACKAGE / "mock" / "scenarios.toml").read_text("utf-8"))) == []
    manifests = list((ROOT / "cassettes").rglob("manifest.toml"))
    assert manifests
    for path in manifests:
        assert errors("manifest", tomllib.loads(path.read_text("utf-8"))) == [], path


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("settings", "endpont = 'https://rest.iad-01.braze.com'"),
        ("settings", "live = 'yes'"),
        ("settings", "[workspace]\nrate_limit = 0"),
        ("settings", "[workspace]\nprefix = 'UPPER'"),
        ("settings", "[budget]\nrequest = 3"),
        ("settings", "[gate]\nscenaro = ['normal']"),
        ("settings", "[gate]\nfail-on = 'everything'"),
        ("settings", "[gate]\nscenario = 'all'"),
        ("settings", "[fuzz]\ntimeout = 0"),
        ("settings", "[fuzz]\ntimeout = true"),
        ("settings", "[fuzz]\nmax-requests = 50"),
        ("settings", "[mock]\nport = 70000"),
        ("settings", "[mock]\nkey = ['secret']"),
        ("scenarios", "[mine]\nsentence = ''\nacts = [{ do = 'explode' }]"),
        ("scenarios", "[mine]\nacts = []"),
        ("scenarios", "[mine]\nsentence = ''\nacts = [{ do = 'pause', secondes = 1 }]"),
        ("scenarios", "[mine]\nsentence = ''\ninterpretations = { no-user = 'gone' }"),
        ("manifest", "['a.yaml']\ncovers = ['TS-OK-MESAGE']"),
        ("manifest", "['a.yaml']\nrate_limit = 'many'"),
    ],
)
def test_the_schema_finds_what_the_program_refuses(kind: str, text: str, tmp_path: Path) -> None:
    assert errors(kind, tomllib.loads(text))
    name = {"settings": "tracksync.toml", "manifest": "manifest.toml"}.get(kind, "scenarios.toml")
    (tmp_path / name).write_text(text)
    if text != "[mine]\nacts = []":  # a scenario without a sentence is read, and shown without one
        done = CliRunner().invoke(root, ["config", str(tmp_path / name)])
        assert isinstance(done.exception, ConfigError)
        assert name in str(done.exception)


FULL = """
    endpoint = "https://rest.iad-01.braze.com"
    [workspace]
    shared = true
    [gate]
    command = ["npm", "test"]
    scenario = ["quick"]
    expect = { outage = "success" }
    timeout = 30
    [fuzz]
    timeout = 5
    consistent-after = 60.5
    ca = "keys/ca.pem"
    phases = ["probes", "boundaries"]
    strict = true
    color = "never"
    journal = "journal"
    [replay]
    paths = ["logs"]
    [proxy]
    upstream = "http://127.0.0.1:8080"
    [race]
    clients = 3
    [mock]
    scenario = "error-503"
    interpretation = { no-user = "omitted" }
"""


def given(path: Path, name: str, *words: str) -> dict[str, Any]:
    """What a command is called with, where `path` holds the settings."""
    return command_named(name).make_context(name, ["--config", str(path), *words]).params


def test_settings_are_read_fit_the_schema_and_the_command_line_comes_before_them(tmp_path: Path) -> None:
    file = tmp_path / "tracksync.toml"
    file.write_text(FULL)
    assert errors("settings", tomllib.loads(FULL)) == []
    assert CliRunner().invoke(root, ["config", str(file)]).output == f"{file}: settings, nothing is wrong\n"
    fuzz = given(file, "fuzz")
    assert (fuzz["timeout"], fuzz["consistent_after"], fuzz["phases"], fuzz["strict"]) == (
        5,
        60.5,
        "probes,boundaries",
        True,
    )
    assert (fuzz["ca_path"], fuzz["json_path"]) == (tmp_path / "keys" / "ca.pem", None)
    again = given(file, "fuzz", "--timeout", "7", "--ca", "mine.pem", "--phases", "schema")
    assert (again["timeout"], again["ca_path"], again["phases"]) == (7, Path("mine.pem"), "schema")
    gate = given(file, "gate")
    assert (gate["words"], gate["expect"], gate["timeout"]) == (("npm", "test"), ("outage=success",), 30)
    assert given(file, "gate", "--", "go", "test")["words"] == ("go", "test")
    assert given(file, "replay")["paths"] == (tmp_path / "logs",)
    assert given(file, "proxy")["upstream"] == "http://127.0.0.1:8080"
    mock = given(file, "mock")
    assert (mock["scenario"], mock["pairs"]) == ("error-503", ("no-user=omitted",))
    # One journal serves all three, and who deletes reaches the workspace as who created did.
    assert [given(file, name)["journal_path"] for name in ("race", "clean")] == [tmp_path / "journal"] * 2
    assert given(file, "clean")["ca_path"] == fuzz["ca_path"]
    file.write_text(FULL + '[clean]\njournal = "other"\n')
    assert given(file, "clean")["journal_path"] == tmp_path / "other"


NAMES = """
    [fuzz]
    allow = [
      "TS-OK-MESAGE",
    ]
    phases = ["probes", "schem"]
    [gate]
    scenario = ["standard", "mine", "limited-long", "eror-503"]
    exclude = ["normall"]
    allow = ["TC-JSN"]
    expect = { mine = "success", outag = "success" }
    interpretation = { no-usr = "omitted" }
    scenario-file = ["ours.toml"]
    [proxy]
    allow = ["TS-RATE-REST"]
    [mock]
    fault = ["mesage-ok"]
    scenario = "rate-brst"
    interpretation = { no-user = "omited" }
"""


def test_each_wrong_name_in_the_settings_is_told_with_its_line_and_similar_ones(tmp_path: Path) -> None:
    (tmp_path / "tracksync.toml").write_text(NAMES)
    (tmp_path / "ours.toml").write_text('[mine]\nsentence = "It pauses."\nacts = [{ do = "pause", seconds = 1 }]\n')
    done = tracksync_here("config", "tracksync.toml", "ours.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "ours.toml: 1 scenario, nothing is wrong\n")
    said = re.findall(
        r"tracksync: error: tracksync.toml, line (\d+): (\S+) is wrong: .*; (?:did you mean|it has) ([^ ,?]+)",
        done.stderr,
    )
    assert len(said) == len(done.stderr.splitlines())
    assert set(said) == {
        ("3", "allow", "TS-OK-MESSAGE"),
        ("6", "phases", "schema"),
        ("8", "scenario", "error-503"),
        ("9", "exclude", "normal"),
        ("10", "allow", "TC-JSON"),
        ("11", "expect", "outage"),
        ("12", "interpretation", "no-user"),
        ("15", "allow", "TS-RATE-RESET"),
        ("17", "fault", "message-ok"),
        ("18", "scenario", "rate-burst"),
        ("19", "interpretation", "empty-list"),
    }
    for name in ("fuzz", "gate", "proxy", "mock"):  # a command says the first
        refused(tracksync_here(name, cwd=tmp_path), "tracksync.toml, line ", "did you mean")


def test_settings_of_a_command_can_stand_in_pyproject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.tracksync.fuzz]\ntimeout = 5\n[tool.tracksync.race]\nclients = 3\n")
    assert CliRunner().invoke(root, ["config"]).output == "pyproject.toml: settings, nothing is wrong\n"
    assert command_named("fuzz").make_context("fuzz", []).params["timeout"] == 5
    (tmp_path / "tracksync.toml").write_text("[fuzz]\nseed = 1\n")
    fuzz, race = (command_named(name).make_context(name, []).params for name in ("fuzz", "race"))
    assert (fuzz["timeout"], fuzz["seed"], race["clients"]) == (30, 1, 3)
    for text, said in (
        ("[tool.tracksync]\nendpoint = 'x'\n", "pyproject.toml, line 2: unknown key 'endpoint' in [tool.tracksync]"),
        ("[tool.tracksync.fuzz]\ntimeout = 'x'\n", "pyproject.toml, line 2: timeout has to be a number"),
        ("[project]\nname = 'x'\n", "pyproject.toml has no table such as [tool.tracksync.gate]"),
    ):
        file.write_text(text)
        assert said in str(CliRunner().invoke(root, ["config", "pyproject.toml"]).exception)


def test_help_and_completion_do_not_read_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tracksync.toml").write_text("[fuzz]\ntimeout = 'x'\n")
    assert CliRunner().invoke(root, ["fuzz", "--help"]).exit_code == 0
    command_named("fuzz").make_context("fuzz", ["--ca"], resilient_parsing=True)
    missing = CliRunner().invoke(root, ["fuzz", "--config", "none.toml"]).exception
    assert str(missing) == "there is no file none.toml; `tracksync init` writes one"


@pytest.mark.parametrize(("name", "words"), [("fuzz", ()), ("gate", ("--driver",)), ("gate", ())])
def test_a_baseline_that_is_missing_is_wrong_use_or_a_note_where_a_file_of_settings_names_it(
    name: str, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, file = tmp_path / "known.toml", tmp_path / "tracksync.toml"
    given = CliRunner().invoke(root, [name, *words, "--baseline", str(missing), *(["--", "true"] * (name == "gate"))])
    assert isinstance(given.exception, UsageError)
    assert str(given.exception) == f"there is no baseline {missing}; --update-baseline writes it"
    file.write_text("[gate]\nbaseline = 'known.toml'\n")
    with command_named(name).make_context(name, ["--config", str(file)]):
        Memory.recall(missing, False, None, live=False)
    assert "known.toml does not exist yet; --update-baseline writes it" in capsys.readouterr().err


def test_every_option_of_a_command_with_a_table_is_a_setting_or_has_a_reason_why_not() -> None:
    schema = SCHEMAS["settings"]()
    options = {
        name: {long_name(one) for one in command_named(name).params if isinstance(one, click.Option)}
        for name in COMMAND_TABLES
    }
    assert tuple(name for name in COMMANDS if name in COMMAND_TABLES) == COMMAND_TABLES
    for name, known in options.items():
        members = schema["properties"][name]["properties"]
        assert set(members) - {"command", "paths"} == {one for one in known if not reason_against(name, one)}
        assert all(member["description"] for member in members.values())
    for name, option in reasons():  # a reason about an option that is gone would be a mistake
        assert option == "help" or any(option in known for one, known in options.items() if name in ("", one))


def test_every_setting_is_in_the_schema_with_a_sentence() -> None:
    schema = SCHEMAS["settings"]()
    for table, form in SETTINGS.items():
        members = schema["$defs"][form.__name__]["properties"] if table else schema["properties"]
        assert members.keys() == set(form.__struct_fields__)
        assert all(member["description"].endswith(".") for member in members.values())


def test_other_files_are_checked_by_their_name(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('[mine]\nsentence = "It pauses."\nacts = [{ do = "pause", seconds = 1 }]\n')
    (tmp_path / "manifest.toml").write_text("")
    done = tracksync_here("config", "ours.toml", "manifest.toml", cwd=tmp_path)
    assert done.stdout == (
        "ours.toml: 1 scenario, nothing is wrong\nmanifest.toml: a manifest of 0 cassettes, nothing is wrong\n"
    )
    (tmp_path / "ours.toml").write_text("# nothing yet\n")
    refused(tracksync_here("config", "ours.toml", cwd=tmp_path), "ours.toml has no scenario in it")


def test_init_writes_the_schema_that_the_settings_name(tmp_path: Path) -> None:
    assert CliRunner().invoke(root, ["init", "--directory", str(tmp_path)]).exit_code == 0
    text = (tmp_path / "tracksync.toml").read_text("utf-8")
    named = re.match(r"#:schema \./(\S+)\n", text)
    assert named is not None
    schema = json.loads((tmp_path / named[1]).read_text("utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(tomllib.loads(text))) == []


def test_an_editor_finds_the_schema_by_the_first_line_and_names_a_mistake(tmp_path: Path) -> None:
    taplo = shutil.which("taplo", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert taplo is not None, "taplo is one of the tools in the group dev"
    assert CliRunner().invoke(root, ["init", "--directory", str(tmp_path)]).exit_code == 0
    for text, code in (("", 0), ('live = "yes"\n', 1), ("[workspace]\nrate_limt = 3\n", 1)):
        path = tmp_path / "tracksync.toml"
        path.write_text(path.read_text("utf-8") if not text else f"#:schema ./tracksync.schema.json\n{text}", "utf-8")
        done = subprocess.run([taplo, "check", "tracksync.toml"], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == code, done.stderr


def test_the_problem_matcher_finds_file_line_and_message(tmp_path: Path) -> None:
    matcher = json.loads((ROOT / ".github" / "problem-matcher.json").read_text("utf-8"))["problemMatcher"][0]
    (tmp_path / "tracksync.toml").write_text("[workspace]\nrate_limt = 60\n")
    line = tracksync_here("config", cwd=tmp_path).stderr.splitlines()[-1]
    pattern = matcher["pattern"][0]
    found = re.match(pattern["regexp"], line)
    assert found is not None
    assert (found[pattern["file"]], found[pattern["line"]]) == ("tracksync.toml", "2")
    assert found[pattern["message"]].startswith("unknown key 'rate_limt'")
    shown = (ROOT / "docs" / "editors.md").read_text("utf-8")
    assert json.dumps(pattern["regexp"]) in shown


def test_the_hooks_of_pre_commit_run(tmp_path: Path) -> None:
    hooks = {one["id"]: one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert set(hooks) == {"tracksync-replay", "tracksync-audit", "tracksync-config"}
    (tmp_path / "cassettes").symlink_to(ROOT / "cassettes")
    files = {
        "tracksync-replay": "cassettes/faults/success_body--message-ok.yaml",
        "tracksync-audit": "cassettes/faults/success_body--message-ok.yaml",
        "tracksync-config": "cassettes/faults/manifest.toml",
    }
    for id_, file in files.items():
        assert re.search(hooks[id_]["files"], file)
        program, *words = hooks[id_]["entry"].split()
        assert program == "tracksync"
        done = tracksync_here(*words, file, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
