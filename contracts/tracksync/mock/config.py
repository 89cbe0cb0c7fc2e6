"""What a mock is started with. Plain frozen data; arguments are checked here, early, with words that help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tracksync.contract import ambiguities
from tracksync.mock import limits, scenarios
from tracksync.mock.scenarios import Scenario

if TYPE_CHECKING:
    from tracksync.mock.core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class MockConfig:
    """The settings of one mock workspace.

    `interpretations` maps ambiguities to interpretations; ambiguities left out follow their default. `faults` are
    subclasses of the server that each break something (`tracksync.faults.catalogue.servers` has them by name).
    `scenario` is a name from scenarios.toml, or a scenario that was read from another file. `async_delay` is the mean
    delay in seconds before a queued object of /users/track is applied. `window_seconds` is the length of the rate
    window, which begins at multiples of that length since the epoch. `journal` is how many exchanges to remember for
    inspection. Raises UnknownInterpretation and UnknownScenario for names that their tables do not have, ValueError
    for other values that are not allowed.
    """

    key: str = field(default="mock-key", repr=False)
    unprivileged_key: str = field(default="mock-key-without-permission", repr=False)
    rate_limit: int = limits.RATE_PER_MINUTE
    array_limit: int = limits.ARRAY_MAX
    interpretations: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[type[Core], ...] = ()
    scenario: str | Scenario = "normal"
    seed: int = 0
    async_delay: float = 0.05
    window_seconds: int = 60
    journal: int = 0

    def __post_init__(self) -> None:
        for ambiguity, interpretation in self.interpretations.items():
            ambiguities.require_interpretation(ambiguity, interpretation)
        for name in ("rate_limit", "array_limit", "window_seconds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        self.played()
        if self.async_delay < 0:
            raise ValueError(f"async_delay is in seconds and cannot be negative: {self.async_delay}")
        if self.key == self.unprivileged_key:
            raise ValueError("key and unprivileged_key must differ: one has the permission, the other has not")

    def played(self) -> Scenario:
        """The scenario."""
        return scenarios.scenario(self.scenario) if isinstance(self.scenario, str) else self.scenario

    def in_scenario(self) -> MockConfig:
        """This configuration with the settings that its scenario brings along."""
        played = self.played()
        return replace(
            self,
            rate_limit=played.rate_limit or self.rate_limit,
            window_seconds=played.window_seconds or self.window_seconds,
            interpretations=dict(self.interpretations) | dict(played.interpretations),
        )

    def all_interpretations(self) -> dict[str, str]:
        """Every ambiguity with the interpretation that this mock follows."""
        return ambiguities.defaults() | dict(self.interpretations)
