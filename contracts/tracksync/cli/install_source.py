"""What this tracksync was installed from, so that another machine can install the same.

Reads the metadata of the installation: https://packaging.python.org/en/latest/specifications/direct-url/
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

from tracksync import __version__

NAME: Final = "tracksync"
_GITHUB: Final = "github.com"


@dataclass(frozen=True, slots=True)
class InstallSource:
    """`requirement` is what pip installs; empty where no other machine can install the same. `action` is what a GitHub
    workflow `uses`; empty where the source is not a commit on GitHub."""

    requirement: str = ""
    action: str = ""


Git = Callable[..., str]


def installed() -> InstallSource:
    """The source of the running tracksync."""
    try:
        written = metadata.distribution(NAME).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return InstallSource()  # run from a directory that was never installed
    return of(json.loads(written) if written else None)


def of(direct_url: dict[str, Any] | None, git: Git | None = None) -> InstallSource:
    """The source that a `direct_url.json` describes; None stands for an index, where the version is enough."""
    git = git or _git
    if direct_url is None:
        return InstallSource(f"{NAME}=={__version__}")
    url = _public(str(direct_url["url"]))
    if "vcs_info" in direct_url:
        subdirectory = direct_url.get("subdirectory")
        return _commit(
            url, direct_url["vcs_info"]["commit_id"], f"#subdirectory={subdirectory}" if subdirectory else ""
        )
    if "dir_info" in direct_url:
        # A copy of a directory may be older than the directory; an editable installation is the directory.
        editable = direct_url["dir_info"].get("editable", False)
        return _checkout(Path(url2pathname(urlsplit(url).path)), git) if editable else InstallSource()
    if not _reachable(url):
        return InstallSource()
    hashes = direct_url.get("archive_info", {}).get("hashes", {})
    return InstallSource(f"{NAME} @ {url}" + (f"#sha256={hashes['sha256']}" if "sha256" in hashes else ""))


def _checkout(folder: Path, git: Git) -> InstallSource:
    """The commit of a git checkout, if nothing in it was changed and a branch of its origin has that commit."""
    try:
        commit = git(folder, "rev-parse", "HEAD")
        if git(folder, "status", "--porcelain") or not git(folder, "branch", "--remotes", "--contains", commit):
            return InstallSource()
        origin = git(folder, "remote", "get-url", "origin")
    except (OSError, subprocess.CalledProcessError):
        return InstallSource()
    if "://" not in origin and ":" in origin:  # user@host:path, which pip does not read
        host, _, path = origin.partition(":")
        origin = f"ssh://{host}/{path}"
    return _commit(_public(origin), commit, "")


def _commit(url: str, commit: str, fragment: str) -> InstallSource:
    if not _reachable(url):
        return InstallSource()
    parts = urlsplit(url)
    repository = parts.path.strip("/").removesuffix(".git")
    action = f"{repository}@{commit}" if parts.hostname == _GITHUB and not fragment else ""
    return InstallSource(f"{NAME} @ git+{url}@{commit}{fragment}", action)


def _public(url: str) -> str:
    """`url` without a password, and without a user name where that may be a token; `git@` of ssh stays."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}@" if parts.scheme == "ssh" and parts.username else ""
    return urlunsplit(parts._replace(netloc=user + host))


def _reachable(url: str) -> bool:
    return urlsplit(url).scheme in {"https", "http", "ssh"}


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 - a fixed program with fixed words
        ["git", "-C", str(folder), *words],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
