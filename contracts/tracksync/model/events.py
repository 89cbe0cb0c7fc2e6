"""The events of a run: a stream of plain frozen data that every command emits and every report consumes.

Knows exchanges and findings, and nothing of how they came about. The order of a stream: one `RunStarted` first, one
`RunEnded` last, everything else between them. Consumers must not rely on more.
An exchange carries no key (`Credential` stands for it), but a response may echo one: whatever is written somewhere
passes through `tracksync.report.redact.Redactor` first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tracksync.model.counts import Counts
from tracksync.model.exchange import Exchange
from tracksync.model.figures import Figure, Section
from tracksync.model.finding import Finding

Command = Literal["fuzz", "gate", "replay", "race", "selfcheck", "proxy"]
Verdict = Literal["passed", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins.

    `target` is what is checked, without credentials. `at` is in seconds since the epoch, UTC. `max_…` is what the run
    may spend at most; None means without limit. `strict`: broken observed clauses (warnings) fail the run too.
    `fail_on`: the mildest severity that fails it; see `tracksync.model.verdict.FailOn`.
    """

    command: Command
    target: str
    at: float
    seed: int | None = None
    max_requests: int | None = None
    max_seconds: float | None = None
    max_data_points: int | None = None
    strict: bool = False
    fail_on: str = "error"


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase of the run begins."""

    name: str


@dataclass(frozen=True, slots=True)
class ExchangeChecked:
    """The oracle checked one exchange.

    `index` counts from 1 within the run. `findings` are the clauses that this exchange broke, before they are
    confirmed and shrunk. `covered` are the ids of the clauses that it bore on. `data_points` is the cost of this one
    request.
    """

    index: int
    exchange: Exchange
    findings: tuple[Finding, ...] = ()
    covered: frozenset[str] = frozenset()
    phase: str = ""
    data_points: int = 0


@dataclass(frozen=True, slots=True)
class ExchangesChecked:
    """Exchanges were checked by another process: what they add up to.

    `firsts`: of each clause that they broke, the first exchange that did, with those findings only.
    """

    counts: Counts
    firsts: tuple[ExchangeChecked, ...] = ()


@dataclass(frozen=True, slots=True)
class Paused:
    """The run waits `seconds` before it sends the next request; `why` says for what (rate window, backoff)."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Retried:
    """A request is sent again after a transient failure; `attempt` is 2 for the first retry."""

    attempt: int
    why: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An interaction was not checked (a recording of another path, an unreadable entry); `why` says the reason."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class FindingConfirmed:
    """A finding in its final form, emitted once per run.

    `exchanges` is the minimal sequence that shows it; where `excerpt` is true the sequence could not be replayed, and
    they are a part of the run. `reproduce` is a command line that shows it again. `known`: the baseline lists it.
    `cassette` is the file that the sequence was recorded to, or "". `figure` is a drawing of it.
    `cause`: findings with one number are explained by one defect, the first of them leads; 0 for a cause of its own.
    """

    finding: Finding
    exchanges: tuple[Exchange, ...]
    reproduce: str
    known: bool = False
    cassette: str = ""
    figure: Figure | None = None
    excerpt: bool = False
    cause: int = 0


@dataclass(frozen=True, slots=True)
class InterpretationLearned:
    """The target was seen to follow one interpretation of an ambiguity; `exchange` is what showed it."""

    ambiguity: str
    interpretation: str
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The run deleted the users that it created.

    `users` is how many it tried to delete. `left` are those that are, or may be, still there, each as the kind of its
    identifier and its texts; `why` is the reason. `requests` is how many requests the clean-up took; the budget counts
    them. `verified`: an export showed that the deleted users are gone.
    """

    users: int
    left: tuple[tuple[str, ...], ...] = ()
    why: str = ""
    requests: int = 0
    verified: bool = False


@dataclass(frozen=True, slots=True)
class ConstraintsCounted:
    """How many constraints of the OpenAPI document bound requests, and how many of them were tried on both sides.

    `not_covered`: JSON Pointer of each other one, and the reason.
    """

    total: int
    covered: int
    not_covered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SectionAdded:
    """A command adds a section of its own to the reports."""

    section: Section


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over.

    `reason` is a sentence for a person. `at` is in seconds since the epoch, UTC. `interpretations` maps each ambiguity
    to the interpretation that the target was seen to follow. `why_not` maps clauses that were not covered to the
    reason, where the command knows it.
    """

    verdict: Verdict
    reason: str
    at: float
    interpretations: Mapping[str, str] = field(default_factory=dict)
    why_not: Mapping[str, str] = field(default_factory=dict)


Event = (
    RunStarted
    | PhaseStarted
    | ExchangeChecked
    | ExchangesChecked
    | Paused
    | Retried
    | Skipped
    | FindingConfirmed
    | InterpretationLearned
    | Cleaned
    | ConstraintsCounted
    | SectionAdded
    | RunEnded
)

PHASES: Final = ("probes", "boundaries", "schema", "stateful")
"""The phases of a fuzz run, in their order."""

Emit = Callable[[Event], None]
Middleware = Callable[[Emit], Emit]  # stands between a command and the reports; may look at events, or add some


def unchanged(emit: Emit) -> Emit:
    """The middleware that passes every event on and adds none."""
    return emit
