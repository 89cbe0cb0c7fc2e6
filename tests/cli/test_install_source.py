"""What another machine installs to have this tracksync: never the name of an unpublished package."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tracksync import __version__
from tracksync.cli import install_source
from tracksync.cli.install_source import InstallSource, of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def from_git(url: str, **more: Any) -> InstallSource:
    return of({"url": url, "vcs_info": {"vcs": "git", "commit_id": COMMIT, "requested_revision": "main"}, **more})


def checkout(**answers: str) -> InstallSource:
    """The source of an editable checkout where git answers so; `status` is clean unless given."""
    said = {"rev-parse": COMMIT, "status": "", "branch": "origin/main", "remote": "https://github.com/a/b", **answers}
    return of({"url": "file:///src", "dir_info": {"editable": True}}, lambda folder, word, *more: said[word])


def test_what_came_from_an_index_is_pinned_to_its_version() -> None:
    assert of(None) == InstallSource(f"tracksync=={__version__}")


def test_what_came_from_git_is_pinned_to_its_commit_and_not_to_a_branch() -> None:
    assert from_git("https://git.example.com/tools/it.git") == InstallSource(
        f"tracksync @ git+https://git.example.com/tools/it.git@{COMMIT}"
    )


def test_a_commit_on_github_is_an_action_too() -> None:
    assert from_git("https://github.com/owner/it.git").action == f"owner/it@{COMMIT}"


def test_an_action_is_not_in_a_subdirectory() -> None:
    source = from_git("https://github.com/owner/it", subdirectory="tools/tracksync")
    assert source == InstallSource(f"tracksync @ git+https://github.com/owner/it@{COMMIT}#subdirectory=tools/tracksync")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://name:token@git.example.com/it", "https://git.example.com/it"),
        ("https://token@git.example.com:8443/it", "https://git.example.com:8443/it"),
        ("ssh://git@git.example.com/it", "ssh://git@git.example.com/it"),
        ("ssh://git:password@git.example.com/it", "ssh://git@git.example.com/it"),
    ],
)
def test_a_token_in_the_address_is_left_out(url: str, shown: str) -> None:
    assert from_git(url).requirement == f"tracksync @ git+{shown}@{COMMIT}"


def test_a_wheel_at_an_address_is_pinned_to_its_hash() -> None:
    url = f"https://files.example.com/tracksync-{__version__}-py3-none-any.whl"
    source = of({"url": url, "archive_info": {"hashes": {"sha256": "ab" * 32}}})
    assert source == InstallSource(f"tracksync @ {url}#sha256={'ab' * 32}")


@pytest.mark.parametrize(
    "direct_url",
    [
        {"url": "file:///home/me/tracksync-0.1.0-py3-none-any.whl", "archive_info": {}},
        {"url": "file:///home/me/tracksync", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
        {"url": "file:///home/me/tracksync", "dir_info": {}},
    ],
)
def test_what_only_this_machine_has_is_no_requirement(direct_url: dict[str, Any]) -> None:
    assert of(direct_url) == InstallSource()


def test_an_editable_checkout_is_pinned_to_its_commit() -> None:
    assert checkout() == InstallSource(f"tracksync @ git+https://github.com/a/b@{COMMIT}", f"a/b@{COMMIT}")
    assert (
        checkout(remote="git@github.com:a/b.git").requirement
        == f"tracksync @ git+ssh://git@github.com/a/b.git@{COMMIT}"
    )


@pytest.mark.parametrize("answers", [{"status": " M README.md"}, {"branch": ""}, {"remote": "/srv/git/it"}])
def test_a_checkout_that_no_other_machine_can_have_is_no_requirement(answers: dict[str, str]) -> None:
    assert checkout(**answers) == InstallSource()


def test_a_directory_without_git_is_no_requirement(tmp_path: Path) -> None:
    assert of({"url": tmp_path.as_uri(), "dir_info": {"editable": True}}) == InstallSource()


def test_a_real_checkout_is_read(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=n@example.com"]
        done = subprocess.run(["git", "-C", tmp_path, *identity, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    git("remote", "add", "origin", "https://git.example.com/it")
    direct_url = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
    assert of(direct_url) == InstallSource()  # the origin does not have the commit
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    commit = git("rev-parse", "HEAD")
    assert of(direct_url) == InstallSource(f"tracksync @ git+https://git.example.com/it@{commit}")
    (tmp_path / "new").write_text("")
    assert of(direct_url) == InstallSource()


def test_without_an_installation_there_is_no_requirement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_source, "NAME", "tracksync-that-is-not-installed")
    assert install_source.installed() == InstallSource()


def test_pip_reads_what_is_written() -> None:
    for source in (of(None), checkout(), from_git("ssh://git@git.example.com/it", subdirectory="a")):
        assert Requirement(source.requirement).name == "tracksync"
