"""What a run of `tracksync gate -- COMMAND` is made from, and what comes of it. Frozen data, no behaviour."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from tracksync.contract.bounds import SYNC
from tracksync.gate.command import CommandEnd
from tracksync.gate.scenarios import Expect
from tracksync.mock.scenarios import Scenario
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.model.verdict import FailOn, evidence_of, fails, fingerprint

EndpointForm = Literal["url", "host", "sync-url"]
UNLIMITED: Final = 1_000_000  # requests a minute: a test suite may be faster than a workspace allows


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservePlan:
    """What to run and how.

    `scenarios` are played in this order, `jobs` of them at a time; `excluded` are named in the result as not run.
    `endpoint_form`: what the endpoint variable holds: url (http://127.0.0.1:1), host (127.0.0.1:1) or sync-url (the
    URL with the documented path). `timeout`: seconds that the command may take under one scenario.
    `expected`: how the command is to end under a scenario, where it is not what the scenario implies. `aware`: the
    command reads TRACKSYNC_SCENARIO and succeeds where its client does the right thing, so that success is expected
    of it everywhere. `allowed`: clauses whose findings are known, `known`: fingerprints of findings that are; neither
    fails the run. `options`: the words of the command line that a line which reproduces a finding has to repeat.
    """

    command: Sequence[str]
    scenarios: Sequence[Scenario]
    excluded: Sequence[str] = ()
    jobs: int = 1
    endpoint_vars: Sequence[str] = ("BRAZE_REST_ENDPOINT",)
    key_vars: Sequence[str] = ("BRAZE_API_KEY",)
    endpoint_form: EndpointForm = "url"
    timeout: float = 600.0
    seed: int = 0
    port: int = 0
    fail_on: FailOn = FailOn.ERROR
    aware: bool = False
    expected: Mapping[str, Expect] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    interpretations: Mapping[str, str] = field(default_factory=dict)
    rate_limit: int = UNLIMITED
    options: Sequence[str] = ()
    key: str = field(default_factory=lambda: str(uuid.uuid4()), repr=False)

    def environment(self, url: str, scenario: Scenario) -> dict[str, str]:
        """What is added to the command's environment; `url` is the base URL of the mock."""
        endpoint = {"url": url, "host": urlsplit(url).netloc, "sync-url": url + SYNC}[self.endpoint_form]
        return {
            **dict.fromkeys(self.endpoint_vars, endpoint),
            **dict.fromkeys(self.key_vars, self.key),
            "TRACKSYNC_SCENARIO": scenario.name,
        }

    def is_known(self, finding: Finding) -> bool:
        """Whether the finding is listed as known, by its clause or in the baseline."""
        return finding.clause in self.allowed or fingerprint(finding.clause, finding.pointer) in self.known

    def fails(self, finding: Finding) -> bool:
        """Whether the finding makes the run fail."""
        return fails(evidence_of(finding.clause), known=self.is_known(finding), fail_on=self.fail_on)


@dataclass(frozen=True, slots=True)
class SeenFinding:
    """A finding, the exchanges that show it (the one at fault last), and the moment at which it was seen, in words."""

    finding: Finding
    exchanges: tuple[Exchange, ...]
    moment: str


@dataclass(frozen=True, slots=True)
class CheckedExchange:
    """One exchange with the findings about it and the clauses that it bore on."""

    exchange: Exchange
    findings: tuple[Finding, ...]
    covered: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRun:
    """What one run of the command under one scenario showed.

    `end` is None where the run was stopped before the command had ended. `excused`: requests that were under way when
    we ended the command. `covered`: clauses that the end of the command bore on.
    `disturbed`: the last exchange that failed. `unapplied`: the last that completed without being applied. `risky`: a
    prudent client may have left something undone, since a request may or may not have been applied.
    """

    scenario: Scenario
    end: CommandEnd | None
    begun: float
    seconds: float
    checked: tuple[CheckedExchange, ...] = ()
    found: tuple[SeenFinding, ...] = ()
    covered: frozenset[str] = frozenset()
    excused: int = 0
    disturbed: Exchange | None = None
    unapplied: Exchange | None = None
    risky: bool = False

    @property
    def last(self) -> Exchange | None:
        """The last exchange that was checked."""
        return self.checked[-1].exchange if self.checked else None

    @property
    def timed_out(self) -> bool:
        """Whether the command did not end in time."""
        return self.end is not None and self.end.timed_out

    @property
    def succeeded(self) -> bool:
        """Whether the command ended with exit status 0."""
        return self.end is not None and not self.end.failed
