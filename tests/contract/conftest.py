"""Options and fixtures of the contract suite: `pytest tests/contract --target URL` tests any server.

Without --target the embedded mock is checked. Keys come from TRACKSYNC_API_KEY and TRACKSYNC_UNPRIVILEGED_KEY.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contract_harness import Harness, open_harness

HARNESS: pytest.StashKey[Harness] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "the contract of /users/track/sync")
    group.addoption("--target", metavar="URL", help="base URL of the server to check (default: the embedded mock)")
    group.addoption("--rate-limit", type=int, metavar="N", help="the workspace's requests a minute, where it is known")
    group.addoption("--probe-rate-limit", action="store_true", help="go over the rate limit of a URL on purpose")
    group.addoption("--fault", action="append", metavar="NAME", help="a fault for the embedded mock to carry")


@pytest.fixture(scope="session")
def harness(pytestconfig: pytest.Config) -> Iterator[Harness]:
    """The target with everything that checks it. At the end the users that were made on a URL are deleted."""
    made = open_harness(
        pytestconfig.getoption("--target", default=None),
        rate_limit=pytestconfig.getoption("--rate-limit", default=None),
        probe_rate_limit=pytestconfig.getoption("--probe-rate-limit", default=False),
        faults=tuple(pytestconfig.getoption("--fault", default=None) or ()),
        seed=pytestconfig.getoption("--hypothesis-seed", default=None),
    )
    pytestconfig.stash[HARNESS] = made
    yield made
    made.close()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    made = config.stash.get(HARNESS, None)
    if made is not None:
        terminalreporter.section("contract")
        for line in made.summary():
            terminalreporter.write_line(line)
