"""What a mock is started with. Plain frozen data; arguments are checked here, early, with words that help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tracksync import ledger, limits


@dataclass(frozen=True, slots=True, kw_only=True)
class MockConfig:
    """The settings of one mock workspace.

    `readings` maps ledger rows to readings; rows left out follow their default. `faults` are names from faults.toml,
    `scenario` one from scenarios.toml. `async_delay` is the mean delay in seconds before a queued object of
    /users/track is applied. `window_seconds` is the length of the rate window, whose borders are its multiples since
    the epoch. `journal` is how many exchanges to remember for inspection.
    Raises tracksync.ledger.UnknownReading for a row or reading that the ledger does not have, ValueError otherwise.
    """

    key: str = field(default="mock-key", repr=False)
    unprivileged_key: str = field(default="mock-key-without-permission", repr=False)
    rate_limit: int = limits.RATE_PER_MINUTE
    array_limit: int = limits.ARRAY_MAX
    readings: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    scenario: str = "calm"
    seed: int = 0
    async_delay: float = 0.05
    window_seconds: int = 60
    journal: int = 0

    def __post_init__(self) -> None:
        for row, reading in self.readings.items():
            ledger.check(row, reading)
        for name in ("rate_limit", "array_limit", "window_seconds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.async_delay < 0:
            raise ValueError(f"async_delay is in seconds and cannot be negative: {self.async_delay}")
        if self.key == self.unprivileged_key:
            raise ValueError("key and unprivileged_key must differ: one has the permission, the other has not")

    def all_readings(self) -> dict[str, str]:
        """Every ledger row with the reading that this mock follows."""
        return ledger.defaults() | dict(self.readings)
