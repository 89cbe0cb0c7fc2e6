"""What a fuzz run shall do: all of it said before the run begins, in small frozen parts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tracksync.engine.budget import Budget
from tracksync.model.events import PHASES
from tracksync.model.verdict import FailOn

EXAMPLES: Final = Path(".hypothesis/examples")  # where Hypothesis keeps its own
EMBEDDED_RATE: Final = 120  # requests a minute of the embedded mock: small, so that a short run sees the limit too


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """Where to send and what is known of it. `address` is "mock" or a base URL; keys are needed for a URL only.

    `rate_limit`, `array_limit`: the workspace's, None where not known. `shared`: other jobs use its rate limit too.
    `timeout`: seconds to wait for a response. `verify`: False, or a file with certificates to trust. `outage_timeout`:
    seconds for which an outage is waited out, and slow deletion. `consistent_after`: seconds after which what is queued
    has been applied and is exported; None for what the documents say.
    """

    address: str = "mock"
    key: str | None = None
    unprivileged_key: str | None = None
    rate_limit: int | None = None
    array_limit: int | None = None
    shared: bool = False
    timeout: float = 30.0
    verify: bool | str = True
    outage_timeout: float = 300.0
    consistent_after: float | None = None

    @property
    def embedded(self) -> bool:
        """Whether the target is the mock in this process."""
        return self.address == "mock"


@dataclass(frozen=True, slots=True, kw_only=True)
class MockPlan:
    """How the embedded mock behaves."""

    faults: tuple[str, ...] = ()
    interpretations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPlan:
    """What the identifiers of the run begin with: None for a prefix that no earlier run had. `more` may be sent too."""

    prefix: str | None = None
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPlan:
    """What becomes of findings. `known`: fingerprints of a baseline. `allowed`: clauses whose findings are known too.

    `fail_on`: the mildest severity that fails the run.
    """

    known: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    fail_on: FailOn = FailOn.ERROR
    shrink: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzPlan:
    """A fuzz run. The same plan on the embedded mock gives the same run.

    `phases`: names of PHASES. `only`: clause ids; probes that cover none of them are left out, and every other phase.
    `interpretations`: what the server is held to. `reproduce`: the command line that carries out this plan again.
    `probe_rate_limit`: go over the limit of a URL on purpose.
    `second_document`: a file with an OpenAPI document of other hands, for more schema cases and held against responses.
    `examples`: a directory with Hypothesis's example database. Stateful sequences that failed are stored there and come
    first in the next run; None stores nothing.
    `read_back`: hold exported profiles against the responses; the embedded mock is probed for that only.
    """

    target: TargetPlan = TargetPlan()
    mock: MockPlan = MockPlan()
    budget: Budget = Budget(requests=500)  # noqa: RUF009 - frozen
    users: UserPlan = UserPlan()
    findings: FindingPlan = FindingPlan()
    seed: int = 0
    phases: tuple[str, ...] = PHASES
    only: tuple[str, ...] = ()
    interpretations: Mapping[str, str] = field(default_factory=dict)
    probe_rate_limit: bool = False
    read_back: bool = True
    second_document: str | None = None
    examples: str | None = None
    reproduce: str = ""

    @property
    def max_requests(self) -> int:
        """How many requests the run may send; a very large number without a limit."""
        return 10**9 if self.budget.requests is None else self.budget.requests

    @property
    def default_examples(self) -> str | None:
        """Where failures are stored unless said otherwise: nowhere on the embedded mock, for one seed gives one run."""
        return None if self.target.embedded else str(EXAMPLES)

    def prefix(self) -> str:
        """The prefix of the run's users: the same for the same seed on the embedded mock, elsewhere a new one."""
        if self.users.prefix is not None:
            return self.users.prefix
        return f"ts{self.seed % 10**8:08d}" if self.target.embedded else new_prefix()


def new_prefix(stem: str = "ts") -> str:
    """A prefix that no earlier run has; `stem` is what people recognise it by."""
    return f"{stem}{'' if stem == 'ts' else '-'}{random.SystemRandom().getrandbits(48):012x}"
