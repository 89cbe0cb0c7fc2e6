"""What a race shall do, and what the oracle is told of its target. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tracksync.contract.bounds import bounds
from tracksync.engine.freshness import Prefixes
from tracksync.mock.scenarios import scenario
from tracksync.oracle import Settings
from tracksync.race.workload import Endpoint

MOCK_RATE: Final = 1_000_000  # requests a minute of the mock that a race starts: the limit is not its subject

Endpoints = Literal["sync", "track", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RacePlan:
    """What a race shall do. `target` is "mock", which is then served on a free port of this machine, or a base URL.

    `operations` counts what the clients begin; retries come on top. `users` and `cells` (of each user) 0: as many as
    suit the clients. `endpoint`: where writes go. `overlap`: clients do not wait for each other on a cell.
    `strict`: a cell that is not linearizable fails the run even where no order is promised. `settle`: seconds until
    everything that /users/track accepted is surely applied. `rate_limit`: the workspace's, None where it is unknown.
    `ca`: a file of the certificates to trust.
    `faults`, `mock_interpretations`, `scenario`, `window_seconds`: how the mock behaves. `stop_at_finding`: end the
    run at the first finding. Times are in seconds. `reproduce`: the command line that repeats the race; which requests
    meet is left to chance, so that it may take several runs.
    """

    target: str = "mock"
    key: str | None = None
    endpoint: Endpoints = "sync"
    overlap: bool = False
    clients: int = 8
    operations: int = 600
    users: int = 0
    cells: int = 0
    seed: int = 0
    max_seconds: float | None = None
    max_data_points: int | None = None
    strict: bool = False
    interpretations: Mapping[str, str] = field(default_factory=dict)
    rate_limit: int | None = None
    prefix_stem: str | None = None
    timeout: float = 30.0
    ca: Path | None = None
    settle: float | None = None
    faults: tuple[str, ...] = ()
    mock_interpretations: Mapping[str, str] = field(default_factory=dict)
    scenario: str = "normal"
    window_seconds: int = 60
    stop_at_finding: bool = False
    reproduce: str = ""

    @property
    def own_mock(self) -> bool:
        """Whether the run starts the mock that it checks."""
        return self.target == "mock"

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where writes go, one round each."""
        return ("sync", "track") if self.endpoint == "both" else (self.endpoint,)

    @property
    def user_count(self) -> int:
        """How many users the clients share."""
        return self.users or (2 if self.overlap else 3)

    def cell_count(self) -> int:
        """How many cells each user has in a round.

        Many on sync, so that no client has to wait for one. Few with overlap, so that clients meet on a cell, and few
        on /users/track, so that the next write comes before the last one is applied.
        """
        if self.cells:
            return self.cells
        if self.overlap:
            return 4
        share = -(-self.clients // self.user_count)
        return max(10, 2 * share) if self.endpoint == "sync" else max(4, share + 1)


def settings(plan: RacePlan, prefix: str, *, clock_skew: float) -> Settings:
    """What the oracle is told. `clock_skew` is the target's, in seconds.

    A scenario of the mock may have a limit, a window and a clock of its own.
    """
    played = scenario(plan.scenario)
    return Settings(
        rate_limit=played.rate_limit or plan.rate_limit or (MOCK_RATE if plan.own_mock else bounds().rate_limit),
        array_limit=None,
        fresh=Prefixes(prefix),
        interpretations=plan.interpretations,
        clock_skew=clock_skew + abs(played.clock_ahead),
        window=played.window_seconds or (plan.window_seconds if plan.own_mock else None),
    )
