"""The pytest plugin: a list of the commands' own plugins. Loaded in every pytest run, so it stays light."""

from __future__ import annotations

pytest_plugins = ("tracksync.cassettes.pytest_fixtures", "tracksync.gate.pytest_fixtures")
