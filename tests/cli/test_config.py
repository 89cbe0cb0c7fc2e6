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

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from process import refused, tracksync_here

from tracksync.cli import root
from tracksync.cli.schemas import SCHEMAS
from tracksync.config import SETTINGS

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
        refused(tracksync_here("config", name, cwd=tmp_path))


def test_settings_that_the_program_reads_fit_the_schema(tmp_path: Path) -> None:
    text = """
        endpoint = "https://rest.iad-01.braze.com"
        [workspace]
        shared = true
        [gate]
        command = ["npm", "test"]
        scenario = ["quick"]
        expect = { outage = "success" }
        timeout = 30
    """
    (tmp_path / "tracksync.toml").write_text(text)
    done = tracksync_here("config", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "tracksync.toml: settings, nothing is wrong\n"), done.stderr
    assert errors("settings", tomllib.loads(text)) == []


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
        "ours.toml: 1 scenarios, nothing is wrong\nmanifest.toml: a manifest of 0 cassettes, nothing is wrong\n"
    )


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
