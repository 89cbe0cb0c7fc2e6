"""The files for CI systems: what `init` writes, the action, the workflows and hooks of this repository.

Linters of others read them: the schemas of check-jsonschema, and zizmor for the safety of GitHub workflows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

from tracksync import __version__
from tracksync.cli import install_source, root
from tracksync.cli.init import CI_FILES
from tracksync.cli.install_source import InstallSource
from tracksync.contract import spec

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENT = "tracksync @ git+https://git.example.com/it@0123456789abcdef"
SCHEMAS = {"github": "github-workflows", "gitlab": "gitlab-ci", "circleci": "circle-ci"}


def init(folder: Path, *options: str) -> str:
    done = CliRunner().invoke(root, ["init", "--directory", str(folder), *options])
    assert done.exit_code == 0, done.output
    return done.output


def written(folder: Path, ci: str) -> Path:
    init(folder, "--ci", ci, "--install", REQUIREMENT, "--force")
    return folder / CI_FILES[ci][1]


def valid(path: Path, schema: str) -> None:
    transform = ["--data-transform", "gitlab-ci"] if schema == "gitlab-ci" else []
    done = CliRunner().invoke(check_jsonschema, ["--builtin-schema", f"vendor.{schema}", *transform, str(path)])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("ci", SCHEMAS)
def test_the_schema_of_the_ci_system_accepts_what_init_writes(ci: str, tmp_path: Path) -> None:
    valid(written(tmp_path, ci), SCHEMAS[ci])


@pytest.mark.parametrize("ci", CI_FILES)
def test_every_ci_system_has_the_gate_the_nightly_run_and_the_requirement_once(ci: str, tmp_path: Path) -> None:
    text = written(tmp_path, ci).read_text(encoding="utf-8")
    for expected in (
        "tracksync gate --",
        "tracksync clean --discard",
        "tracksync fuzz --target live",
        "tracksync clean\n",
    ):
        assert expected in text.replace("'", "\n"), expected
    assert text.count(REQUIREMENT) == 1
    assert not re.search(r"@[A-Z]+@", text)
    assert len(re.findall(r"pip install", text)) == len(re.findall(r'pip install "\$REQUIREMENT"', text)) > 0


def test_the_schema_refuses_a_workflow_with_a_mistake(tmp_path: Path) -> None:
    path = written(tmp_path, "github")
    path.write_text(path.read_text(encoding="utf-8").replace("runs-on:", "runs:"), encoding="utf-8")
    with pytest.raises(AssertionError):
        valid(path, "github-workflows")


def test_only_the_steps_that_send_requests_have_the_key(tmp_path: Path) -> None:
    workflow: dict[str, Any] = yaml.safe_load(written(tmp_path, "github").read_text(encoding="utf-8"))
    assert "secrets." not in str(workflow["env"])
    for job in workflow["jobs"].values():
        assert "secrets." not in str({name: value for name, value in job.items() if name != "steps"})
        for step in job["steps"]:
            sends = re.search(r"tracksync (fuzz --target live|clean)", step.get("run", "")) is not None
            assert ("secrets.TRACKSYNC_API_KEY" in str(step.get("env", ""))) is sends, step
    jenkins = written(tmp_path, "jenkins").read_text(encoding="utf-8")
    outside = re.sub(r"withCredentials\(.*?\) \{.*?\}", "", jenkins, flags=re.DOTALL)
    assert "tracksync clean" not in outside
    assert "--target live" not in outside


def vendor_script(ci: str, text: str) -> str:
    """The commands that compare the vendor's document, from the file of a CI system."""
    if ci == "jenkins":
        (found,) = [one for one in re.findall(r"'''(.*?)'''", text, re.DOTALL) if "spec diff" in one]
        return textwrap.dedent(found).replace(".venv/bin/", "")
    file: dict[str, Any] = yaml.safe_load(text)
    if ci == "gitlab":
        return "\n".join(file["tracksync-vendor-document"]["script"][1:])
    job = file["jobs"]["nightly" if ci == "github" else "vendor-document"]
    runs = [one.get("run", "") if isinstance(one, dict) else "" for one in job["steps"]]
    commands = [one["command"] if isinstance(one, dict) else one for one in runs]
    return "\n".join(one for one in commands if "spec diff" in one or one.startswith("mkdir"))


@pytest.mark.parametrize("ci", CI_FILES)
def test_the_vendor_document_is_compared_with_the_stored_copy_and_a_change_is_told_once(
    ci: str, tmp_path: Path
) -> None:
    script = vendor_script(ci, written(tmp_path, ci).read_text(encoding="utf-8"))
    bin_, summary = tmp_path / "bin", tmp_path / "summary"
    bin_.mkdir()
    (bin_ / "tracksync").write_text(f'#!/bin/sh\nexec {sys.executable} -m tracksync "$@"\n')
    (bin_ / "tracksync").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "contracts"),
        "GITHUB_STEP_SUMMARY": str(summary),
        "VENDOR_SPEC_URL": (tmp_path / "published.yaml").as_uri(),
    }
    published = spec.path().read_text(encoding="utf-8")
    changed = published.replace("maxLength: 75", "maxLength: 60")
    codes, said = [], ""
    # That nothing is said twice, and that a file which is not a document changes nothing, is asked of one system only.
    for document in (published, changed, *((changed, "not a document") if ci == "github" else ())):
        (tmp_path / "published.yaml").write_text(document, encoding="utf-8")
        done = subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
        codes.append(done.returncode)
        said += done.stdout
    assert codes == [0, 1, 0, 2][: len(codes)]
    assert "maxLength: 75, then 60" in said
    assert ci != "github" or "maxLength: 75, then 60" in summary.read_text(encoding="utf-8")
    assert (tmp_path / ".tracksync/vendor-spec.yaml").read_text(encoding="utf-8") == changed


def test_the_vendor_document_is_optional_and_its_job_has_no_key(tmp_path: Path) -> None:
    workflow: dict[str, Any] = yaml.safe_load(written(tmp_path, "github").read_text(encoding="utf-8"))
    (step,) = [one for one in workflow["jobs"]["nightly"]["steps"] if "spec diff" in one.get("run", "")]
    assert step["env"] == {"VENDOR_SPEC_URL": "${{ vars.VENDOR_SPEC_URL }}"}
    assert "vars.VENDOR_SPEC_URL != ''" in step["if"]
    gitlab = yaml.safe_load(written(tmp_path, "gitlab").read_text(encoding="utf-8"))["tracksync-vendor-document"]
    assert gitlab["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule" && $VENDOR_SPEC_URL'}]
    assert "environment" not in gitlab
    circleci = yaml.safe_load(written(tmp_path, "circleci").read_text(encoding="utf-8"))
    assert "vendor-document" in circleci["workflows"]["nightly"]["jobs"]  # by its name alone: without a context
    assert circleci["jobs"]["vendor-document"]["steps"][0]["run"].startswith('test -n "$VENDOR_SPEC_URL" || ')
    jenkins = written(tmp_path, "jenkins").read_text(encoding="utf-8")
    assert "expression { env.VENDOR_SPEC_URL }" in jenkins


def test_init_says_so_where_ci_cannot_install_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_source, "installed", InstallSource)
    assert "set REQUIREMENT in .github/workflows/tracksync.yml" in init(tmp_path)
    assert 'REQUIREMENT: ""' in (tmp_path / ".github/workflows/tracksync.yml").read_text(encoding="utf-8")


def test_init_names_the_action_of_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_source, "installed", lambda: InstallSource(REQUIREMENT, "owner/it@0123"))
    assert "uses: owner/it@0123" in init(tmp_path)


@pytest.mark.parametrize("requirement", ["", 'a"b', "a$(b)", "a\nb", "a'b", "a`b", "a\\b"])
def test_a_requirement_that_would_change_the_file_is_refused(requirement: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(root, ["init", "--directory", str(tmp_path), "--install", requirement])
    assert done.exit_code != 0
    assert list(tmp_path.iterdir()) == []


def test_the_action_and_the_workflows_of_this_repository_are_valid() -> None:
    valid(ROOT / "action.yml", "github-actions")
    for workflow in (ROOT / ".github" / "workflows").iterdir():
        valid(workflow, "github-workflows")


def test_a_linter_for_the_safety_of_workflows_finds_nothing(tmp_path: Path) -> None:
    zizmor = shutil.which("zizmor", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert zizmor is not None, "zizmor is one of the tools in the group dev"
    ours = [ROOT / "action.yml", *(ROOT / ".github" / "workflows").iterdir()]
    command = [zizmor, "--offline", "--no-progress", "--config", ROOT / ".github" / "zizmor.yml"]
    done = subprocess.run([*command, *ours, written(tmp_path, "github")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def release_steps(job: str) -> list[str]:
    """What the jobs of the release workflow run themselves."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
    return [step["run"] for step in workflow["jobs"][job]["steps"] if "run" in step]


def bash(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step of GitHub's: `bash -e`, with pipefail."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_a_release_is_built_from_the_tag_of_the_version_alone_by_make_package() -> None:
    tag, build = release_steps("build")
    codes = [bash(tag, ROOT, GITHUB_REF_NAME=name).returncode for name in (f"v{__version__}", "v99.0.0", __version__)]
    assert codes == [0, 1, 1]
    planned = bash(build.replace("make", "make --no-print-directory --dry-run", 1), ROOT)
    assert planned.returncode == 0, planned.stderr
    *_, install, run = planned.stdout.splitlines()
    assert install.endswith("-e '.[package]'")
    assert (ROOT / run.split()[1]).is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {re.split(r"[^\w-]", one)[0] for one in project["optional-dependencies"]["package"]} == {
        *re.findall(r'sys.executable, "-m", "(\w+)"', (ROOT / run.split()[1]).read_text(encoding="utf-8"))
    }


def test_a_release_shows_all_files_and_publishes_those_that_an_index_takes(tmp_path: Path) -> None:
    files = {"tracksync-1.tar.gz", "tracksync-1-py3-none-any.whl", "tracksync-linux.pyz"}
    (tmp_path / "dist").mkdir()
    for name in files:
        (tmp_path / "dist" / name).touch()
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > words\n')
    gh.chmod(0o755)
    (step,) = release_steps("publish")
    done = bash(step, tmp_path, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}", GITHUB_REF_NAME="v1")
    assert done.returncode == 0, done.stderr
    words = (tmp_path / "words").read_text().split()
    assert words[:3] == ["release", "create", "v1"]
    assert {Path(word).name for word in words if word.startswith("dist/")} == files
    assert {path.suffix for path in (tmp_path / "dist").iterdir()} == {".gz", ".whl"}
