"""A disturbed workspace in process, with a clock of its own: a run takes seconds.

Every disturbance is lawful: a gateway answers instead of the workspace, a response is lost, a write takes effect late,
another job uses up the rate window. So every finding of a run here is false. The same seed gives the same
disturbances.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import partial
from itertools import count
from typing import Final

from fuzz_plans import fuzz_plan

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.bounds import SYNC
from tracksync.engine import fuzz
from tracksync.engine.targets import Target, authorization
from tracksync.faults.catalogue import servers
from tracksync.generate.build import Step
from tracksync.mock import MockApp, MockConfig
from tracksync.model.events import Cleaned, Event, ExchangeChecked, FindingConfirmed, RunEnded
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Request, Response
from tracksync.model.finding import Finding

KEY: Final = "disturbed-key"
UNPRIVILEGED: Final = "disturbed-key-without-the-permission"
BEGIN: Final = 1_800_000_017.0
TRIES_SPARED: Final = 3  # a request that failed so often in a row is let through

KINDS: Final = (
    "5xx-lost",
    "5xx-applied",
    "5xx-late",
    "429",
    "timeout-lost",
    "timeout-applied",
    "timeout-late",
    "reset-before",
    "reset-after",
    "reset-late",
    "cut-short",
    "unreachable",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbances:
    """`share` of the requests go wrong in one of `kinds`; a late write comes through within `late` seconds.

    `queued`: mean seconds until what was queued is applied. `ahead`: seconds by which the server's clock is ahead.
    """

    share: float = 0.02
    kinds: tuple[str, ...] = KINDS
    late: float = 2.5
    queued: float = 0.05
    ahead: float = 0.0
    timeout: float = 2.0
    limit: int = 500


@dataclass
class DisturbedRun:
    """A target: the mock in process, disturbed, with a clock that jumps over every pause."""

    seed: int
    disturbances: Disturbances
    interpretations: dict[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    name: str = "https://disturbed.example"
    clock_skew: float = 300.0
    settling: float = 2.0
    began: float = BEGIN
    time: float = BEGIN
    sent: int = 0
    disturbed: dict[str, int] = field(default_factory=dict)
    app: MockApp = field(init=False)
    _rng: random.Random = field(init=False)
    _late: list[tuple[float, int, Request]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)
    _wrong: dict[bytes, int] = field(default_factory=dict)
    _moment: float = 0.0

    def __post_init__(self) -> None:
        disturbances = self.disturbances
        self._rng = random.Random(self.seed)
        self._moment = self.time
        config = MockConfig(
            key=KEY,
            unprivileged_key=UNPRIVILEGED,
            rate_limit=disturbances.limit,
            interpretations=self.interpretations,
            faults=servers(self.faults),
            seed=self.seed,
            async_delay=disturbances.queued,
        )
        self.app = MockApp(config, clock=lambda: self._moment + disturbances.ahead)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += max(seconds, 0.0)

    def can(self, credential: Credential) -> bool:
        return True

    def close(self) -> None:
        return None

    def hurry(self, seconds: float) -> None:
        return None

    def send(self, step: Step) -> Exchange:
        value = authorization(step, KEY, UNPRIVILEGED)
        request = step.request
        if value is not None:
            request = replace(request, headers=(*request.headers, ("Authorization", value)))
        self.sent += 1
        self.time += 0.001
        began = self.time
        self.time += self._rng.uniform(0.02, 0.3)
        self.settle(self.time)
        kind = self._kind(request)
        if kind:
            self.disturbed[kind] = self.disturbed.get(kind, 0) + 1
            outcome = self._disturb(kind, request)
        else:
            outcome = self._apply(request)
        self.time += 0.01
        response = outcome if isinstance(outcome, Response) else None
        failure = outcome if isinstance(outcome, Failure) else None
        return Exchange(step.request, response, began, self.time, step.credential, failure, (step.label,))

    def settle(self, until: float) -> None:
        """Let the writes that are late come through, as far as their time has come."""
        due = sorted(one for one in self._late if one[0] <= until)
        self._late = [one for one in self._late if one[0] > until]
        for moment, _, request in due:
            self._moment = moment
            self.app.handle(request)
        self._moment = until

    def users(self) -> int:
        """How many exist when all is quiet."""
        self.settle(self.time + 1000.0)
        self.app._core.settle(self.time + 2000.0)
        return len(self.app.store)

    def _kind(self, request: Request) -> str:
        before = self._wrong.pop(request.body, 0)
        if self._rng.random() >= self.disturbances.share or before >= TRIES_SPARED:
            return ""
        self._wrong[request.body] = before + 1
        return self._rng.choice(self.disturbances.kinds)

    def _apply(self, request: Request) -> Response:
        self._moment = self.time
        response = self.app.handle(request)
        date = formatdate(self.time + self.disturbances.ahead, usegmt=True)
        return replace(response, headers=(*response.headers, ("date", date)))

    def _later(self, request: Request) -> None:
        moment = self.time + self._rng.uniform(0.0, self.disturbances.late)
        self._late.append((moment, next(self._number), request))

    def _disturb(self, kind: str, request: Request) -> Response | Failure:
        what, _, ending = kind.partition("-")
        if what == "429":
            if request.path != SYNC:
                return Response(429, (("content-type", "application/json"),), b'{"message":"too many requests"}')
            window = self.app._core.windows[SYNC]
            window.roll(self.time + self.disturbances.ahead)
            window.used = window.limit
            return self._apply(request)
        if ending in ("applied", "after", "short"):
            self._apply(request)
        elif ending == "late":
            self._later(request)
        if what == "timeout":
            self.time += self.disturbances.timeout
            return Failure(FailureKind.TIMEOUT, "")
        if what == "5xx":
            return Response(self._rng.choice((500, 502, 503, 504)), (("content-type", "text/html"),), b"<html>bad")
        if what == "unreachable":
            return Failure(FailureKind.UNREACHABLE, "")
        return Failure(FailureKind.TRUNCATED if what == "cut" else FailureKind.RESET, "")


@dataclass(slots=True)
class DisturbedResult:
    """The result of a disturbed run."""

    disturbed_run: DisturbedRun
    events: list[Event]

    @property
    def findings(self) -> list[tuple[int, Finding]]:
        """Everything that was found, each with the number of its exchange."""
        return [
            (event.index, finding)
            for event in self.events
            if isinstance(event, ExchangeChecked)
            for finding in event.findings
        ]

    @property
    def confirmed(self) -> list[FindingConfirmed]:
        return [event for event in self.events if isinstance(event, FindingConfirmed)]

    @property
    def ended(self) -> RunEnded:
        return next(event for event in self.events if isinstance(event, RunEnded))

    @property
    def cleaned(self) -> Cleaned:
        return next(event for event in self.events if isinstance(event, Cleaned))

    @property
    def covered(self) -> set[str]:
        return {clause for event in self.events if isinstance(event, ExchangeChecked) for clause in event.covered}


def disturbances_of(seed: int, share: float) -> Disturbances:
    """A disturbances for a seed: mostly short delays, now and then long ones, and a server whose clock is off."""
    rng = random.Random(f"disturbances {seed}")
    kinds = KINDS if rng.random() < 0.6 else tuple(rng.sample(KINDS, 3))
    return Disturbances(
        share=share,
        kinds=kinds,
        late=rng.choice((0.5, 2.5, 2.5, 20.0, 100.0)),
        queued=rng.choice((0.05, 0.05, 1.0, 20.0, 150.0)),
        ahead=rng.choice((0.0, 0.0, 0.0, -100.0, 1.7, 40.0)),
        timeout=rng.choice((2.0, 30.0)),
    )


def interpretations_of(seed: int) -> dict[str, str]:
    """Every ambiguity with one interpretation, drawn."""
    rng = random.Random(f"interpretations {seed}")
    if rng.random() < 0.3:
        return {}
    return {name: rng.choice(sorted(ambiguity.interpretations)) for name, ambiguity in ambiguity_catalogue().items()}


def run_disturbed(
    seed: int,
    disturbances: Disturbances,
    *,
    requests: int = 700,
    interpretations: dict[str, str] | None = None,
    faults: Sequence[str] = (),
    **more: object,
) -> DisturbedResult:
    """A whole run with the disturbances of `seed`."""
    disturbed_run = DisturbedRun(seed, disturbances, dict(interpretations or {}), tuple(faults))
    events: list[Event] = []
    plan = fuzz_plan(
        **{
            "address": disturbed_run.name,
            "key": KEY,
            "unprivileged_key": UNPRIVILEGED,
            "seed": seed,
            "requests": requests,
            "rate_limit": disturbances.limit,
            "prefix": f"disturb-{seed:012x}"[-18:],
            "shared": True,
            "phases": ("probes", "stateful") if seed % 4 == 0 else ("stateful",),
            **more,
        }
    )
    fuzz(plan, events.append, partial(_instead, disturbed_run))
    return DisturbedResult(disturbed_run, events)


def _instead(disturbed_run: DisturbedRun, target: Target, prefixes: Sequence[str]) -> Target:
    target.close()
    return disturbed_run
