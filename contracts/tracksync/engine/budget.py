"""What a run may spend, what it has spent, and what it keeps back for its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tracksync.contract.bounds import SYNC, TRACK, bounds
from tracksync.generate.build import Step
from tracksync.values.jsontext import read_json

SHRINK_SHARE: Final = 5  # at most one in so many requests of the budget is kept for making findings short


class BudgetSpent(Exception):
    """Requests, seconds or data points are used up; the message says which."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend. None: without limit. `requests` counts every request, `seconds` is the target's time."""

    requests: int | None = None
    seconds: float | None = None
    data_points: int | None = None


@dataclass(frozen=True, slots=True)
class Reserve:
    """What of a budget is kept for later: requests and seconds."""

    requests: int = 0
    seconds: float = 0.0


NO_RESERVE: Final = Reserve()


@dataclass(slots=True)
class Spending:
    """What a session has spent of `budget` since `started`, in seconds of the target's clock."""

    budget: Budget
    started: float
    now: Callable[[], float]
    requests: int = 0
    data_points: int = 0
    waited: float = 0.0  # seconds that responses took, in all

    def left(self) -> int:
        """How many requests the budget still allows; a very large number where it has no limit."""
        return 10**9 if self.budget.requests is None else max(self.budget.requests - self.requests, 0)

    def seconds_left(self, reserve: Reserve = NO_RESERVE) -> float:
        """How many seconds the budget still allows; infinity where it has no limit."""
        if self.budget.seconds is None:
            return float("inf")
        return self.budget.seconds - reserve.seconds - (self.now() - self.started)

    def over(self, reserve: Reserve = NO_RESERVE, data_points: int = 0) -> str:
        """Why not one more request of so many data points may be sent, "" where it may."""
        budget = self.budget
        if budget.requests is not None and self.requests >= budget.requests - reserve.requests:
            return f"the budget of {budget.requests} requests is spent"
        if self.seconds_left(reserve) <= 0:
            return f"the budget of {budget.seconds:g} seconds is spent"
        if budget.data_points is not None and data_points and self.data_points + data_points > budget.data_points:
            return f"the budget of {budget.data_points} data points is spent"
        return ""

    def check(self, reserve: Reserve, data_points: int) -> None:
        """Raise BudgetSpent where one more request of so many data points may not be sent."""
        reason = self.over(reserve, data_points)
        if reason:
            raise BudgetSpent(reason)


def data_points(step: Step) -> int:
    """What a request may cost: every custom attribute sent to the endpoint is one data point (SYNC)."""
    if step.request.path not in (SYNC, TRACK) or b"attributes" not in step.request.body:
        return 0
    value = read_json(step.request.body).value
    section = value.get("attributes") if isinstance(value, dict) else None
    objects = section if isinstance(section, list) else [section]
    return sum(
        1
        for target in objects
        if isinstance(target, dict)
        for key in target
        if key not in bounds().object_members["attributes"]
    )
