"""The pytest plugin: the list of its parts. Every pytest run loads it, so it imports little."""

from __future__ import annotations

pytest_plugins = (
    "tracksync.cassettes.pytest_fixtures",
    "tracksync.gate.pytest_fixtures",
    "tracksync.admin.pytest_fixtures",
)
