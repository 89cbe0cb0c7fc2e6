"""What happens during a run, as a stream of plain frozen data. Every command emits it, every report consumes it.

Knows exchanges and findings, and nothing of how they came about. Consumers must not rely on more than the order:
one `RunStarted` first, one `RunEnded` last, everything else between them.
Exchanges carry no key by construction (`Credential` stands for it), but a body may echo one: whoever writes an
event anywhere passes it through `tracksync.report.redact.Redactor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tracksync.model.exchange import Exchange
from tracksync.model.figures import Figure, Section
from tracksync.model.finding import Finding

Command = Literal["fuzz", "gate", "replay", "race", "selfcheck", "proxy"]
Verdict = Literal["passed", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins. Budgets are what the run may spend at most; None means without limit.

    `at` is seconds since the epoch, UTC. `target` is what is checked, without credentials.
    """

    command: Command
    target: str
    at: float
    seed: int | None = None
    max_requests: int | None = None
    max_seconds: float | None = None
    max_data_points: int | None = None
    strict: bool = False  # warnings (observed clauses) fail the run too


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A part of the run begins: `directed`, `random`, `shrinking`, `cleaning` or a command's own word."""

    name: str
    expected_requests: int | None = None


@dataclass(frozen=True, slots=True)
class ExchangeChecked:
    """The oracle checked one exchange.

    `index` counts from 1 within the run. `findings` are what this exchange broke, unshrunk and unconfirmed.
    `data_points` is what this one request cost, not a running total.
    """

    index: int
    exchange: Exchange
    findings: tuple[Finding, ...] = ()
    covered: frozenset[str] = frozenset()
    phase: str = ""
    data_points: int = 0


@dataclass(frozen=True, slots=True)
class Paused:
    """The run waits `seconds` before it sends again, and says why (rate window, backoff)."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Retried:
    """A request is sent again; `attempt` is 2 for the first repetition."""

    attempt: int
    why: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An interaction that was not checked (a recording of another path, an unreadable entry), and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class FindingConfirmed:
    """A finding in its final form, reported once per run.

    `exchanges` is the shortest sequence that shows it, `reproduce` a command line, `known` whether the baseline
    lists it, `excerpt` whether
    `exchanges` is a part of the run that was not replayed, `cassette` where the sequence was recorded ("" for nowhere), `figure` a drawing of it.
    """

    finding: Finding
    exchanges: tuple[Exchange, ...]
    reproduce: str
    known: bool = False
    cassette: str = ""
    figure: Figure | None = None
    excerpt: bool = False


@dataclass(frozen=True, slots=True)
class InterpretationLearned:
    """The target was seen to follow one lawful reading of a ambiguity; `exchange` is what showed it."""

    ambiguity: str
    interpretation: str
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The run deleted the users that it made. `left` are those that are, or may be, still there; `why` says why.

    A user is given as the kind of its identifier and the texts that make it up. `requests`: what it took, which the
    budget counts. `verified`: an export showed that the others are gone.
    """

    users: int
    left: tuple[tuple[str, ...], ...] = ()
    why: str = ""
    requests: int = 0
    verified: bool = False


@dataclass(frozen=True, slots=True)
class SectionAdded:
    """A command has something to report that is no finding."""

    section: Section


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over. `reason` is a sentence for a person; `at` is seconds since the epoch.

    `why_not` gives, for clauses that were never covered, the reason known to the command (clause id to sentence).
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
    | Paused
    | Retried
    | Skipped
    | FindingConfirmed
    | InterpretationLearned
    | Cleaned
    | SectionAdded
    | RunEnded
)
