"""Hypothesis's example database over nightly runs: a directory, and read from CI on a laptop."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)

from tracksync.engine.plan import EXAMPLES

ARTIFACT = "hypothesis-example-db"  # as the workflow of `tracksync init` uploads it


def example_database(directory: Path = EXAMPLES, repository: str = "") -> ExampleDatabase:
    """The database for a settings profile: the directory, and what CI found in `repository` ("owner/name").

    CI's examples are read and never written; GITHUB_TOKEN, where set, is what Hypothesis reads them with. Without a
    repository it is the directory alone, which the nightly workflow keeps in a cache.
    """
    local = DirectoryBasedExampleDatabase(directory)
    owner, slash, name = repository.partition("/")
    if not slash or os.environ.get("GITHUB_ACTIONS"):
        return local
    return MultiplexedDatabase(local, ReadOnlyDatabase(GitHubArtifactDatabase(owner, name, artifact_name=ARTIFACT)))
