"""Where the contract suite sends and checks: one target, one belief for the probes, a new one for each example.

Hypothesis repeats examples while it shrinks, so each one has users of its own and a belief that starts unknown:
what an earlier example showed must not decide about a later one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings

from tracksync.config import KEY_ENV, UNPRIVILEGED_KEY_ENV
from tracksync.contract.bounds import bounds
from tracksync.contract.clauses import catalogue, clause
from tracksync.engine.freshness import Prefixes, everything
from tracksync.engine.opening import harmful
from tracksync.engine.phases import is_not_offered
from tracksync.engine.plan import EMBEDDED_RATE, new_prefix
from tracksync.engine.session import Sent, Session, SessionConfig, TargetLost, Workspace
from tracksync.engine.targets import EmbeddedMock, HttpTarget, Target
from tracksync.engine.user_deletion import Cleaner
from tracksync.faults.catalogue import servers
from tracksync.generate.build import Step, attributes_request
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import Probe
from tracksync.mock import MockConfig
from tracksync.model.events import Event, ExchangeChecked
from tracksync.model.exchange import Exchange
from tracksync.model.finding import NOTHING, Finding
from tracksync.model.verdict import evidence_of, fails
from tracksync.oracle import Belief, Settings
from tracksync.report.exchange_text import curl, exchange_json, outcome_line, value_text
from tracksync.report.redact import Redactor


class ContractBroken(AssertionError):
    """A documented clause was broken; the message says which, where and how."""


@dataclass
class Harness:
    """One target and what has been learned about it in this session."""

    target: Target
    prefix: str
    embedded: bool
    seed: int | None
    rate_limit: int
    probe_rate_limit: bool
    renew: Callable[[], Target]
    redactor: Redactor
    covered: set[str] = field(default_factory=set)
    played: set[str] = field(default_factory=set)
    others: dict[str, str] = field(default_factory=dict)  # warnings and notes: told, not failed
    workspace: Workspace = field(default_factory=Workspace)
    requests: int = 0
    examples: int = 0
    cleaned: str = ""
    _session: Session | None = None

    # --- sending ------------------------------------------------------------------------------------------------

    def session(self) -> Session:
        """The one conversation of all probes."""
        if self._session is None:
            self._session = self._converse(self.target)
        return self._session

    def example(self) -> tuple[Session, Namer]:
        """A conversation for one example, with new users; on the embedded mock with a new one."""
        self.examples += 1
        namer = Namer(self.prefix, random.Random(0)).scope("x" if self.embedded else f"x{self.examples}")
        return self._converse(self.renew() if self.embedded else self.target), namer

    def _converse(self, target: Target) -> Session:
        belief = Belief.start(
            Settings(
                rate_limit=self.rate_limit,
                fresh=everything if self.embedded else Prefixes(self.prefix),
                clock_skew=target.clock_skew,
            )
        )
        config = SessionConfig(prefix=None if self.embedded else self.prefix)
        return Session(target, belief, self._note, config, Workspace() if self.embedded else self.workspace)

    def _note(self, event: Event) -> None:
        if isinstance(event, ExchangeChecked):
            self.requests += 1
            self.covered |= event.covered
            for finding in event.findings:
                if not fails(evidence_of(finding.clause)):
                    self.others.setdefault(finding.clause, finding.message)

    def play(self, probe: Probe) -> list[Sent]:
        """Send a probe. Returns what was sent; nothing where it was played before."""
        if probe.name in self.played:
            return []
        self.played.add(probe.name)
        session = self.session()
        begin = len(session.log)
        for step in probe.steps(Namer(self.prefix, random.Random(self.seed or 0))):
            exchange = session.send(step)
            if probe.optional and exchange is not None and is_not_offered(step, exchange):
                pytest.skip(f"the target does not offer {step.request.path} to this key")
        return session.log[begin:]

    def send(self, session: Session, step: Step) -> None:
        """Send one step of an example. Raises ContractBroken for a documented clause."""
        begin = len(session.log)
        session.send(step)
        self.hold(session.log, begin)

    # --- checking ------------------------------------------------------------------------------------------------

    def hold(self, log: Sequence[Sent], begin: int = 0) -> None:
        """Raise ContractBroken with each documented finding from `log[begin]` on."""
        parts = [
            self.explain(finding, sent.exchange)
            for sent in log[begin:]
            for finding in sent.findings
            if fails(evidence_of(finding.clause))
        ]
        if parts:
            head = f"{len(parts)} finding{'s' if len(parts) > 1 else ''} on {self.target.name}"
            raise ContractBroken("\n\n".join([head, *parts]))

    def explain(self, finding: Finding, exchange: Exchange) -> str:
        """A finding in words: clause, sentence, place, what was promised and what came, and the request."""
        clean = self.redactor
        shown = clean.json(exchange_json(clean.exchange(exchange)))
        lines = [f"{finding.clause}: {clause(finding.clause).sentence}", f"  {clean.text(finding.message)}"]
        if finding.pointer:
            lines.append(f"  at        {finding.pointer}")
        for name, value in (("expected", finding.expected), ("actual", finding.actual)):
            if value is not NOTHING:
                lines.append(f"  {name:<9} {value_text(clean.json(value), 500)}")
        lines += [f"  {curl(shown, self.target.name)[:1500]}", f"  → {outcome_line(shown)}"]
        return "\n".join(lines)

    def settings(self, max_examples: int, steps: int = 50) -> settings:
        """How Hypothesis is to search: always the same way, unless --hypothesis-seed chooses another."""
        return settings(
            max_examples=max_examples,
            stateful_step_count=steps,
            derandomize=self.seed is None,
            database=None,
            deadline=None,
            print_blob=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )

    # --- the end ------------------------------------------------------------------------------------------------

    def not_covered(self) -> list[str]:
        """The clauses that no response has covered so far."""
        return [id_ for id_ in catalogue() if id_ not in self.covered]

    def summary(self) -> list[str]:
        """What a person should know beside the verdicts."""
        left = self.not_covered()
        lines = [
            f"{self.requests} requests to {self.target.name}; {len(catalogue()) - len(left)} of {len(catalogue())} "
            "clauses covered"
        ]
        if left:
            lines.append(f"not covered: {', '.join(left)}")
        lines += [
            f"{evidence_of(id_)} clause, reported and not failed: {id_}: {self.redactor.text(message)}"
            for id_, message in self.others.items()
        ]
        return lines + ([self.cleaned] if self.cleaned else [])

    def close(self) -> None:
        """Delete the users that were made on a URL, as far as the key allows."""
        if self.workspace.users:
            done = Cleaner(self.target.send, self.target.sleep, deletion_timeout=30.0).clean(self.workspace.users)
            self.cleaned = f"{done.users} test users deleted" if not done.why else f"test users may be left: {done.why}"
        self.target.close()


def open_harness(
    url: str | None, *, rate_limit: int | None, probe_rate_limit: bool, faults: tuple[str, ...], seed: str | None
) -> Harness:
    """A harness for the URL, or for the embedded mock. Ends the session with a message where it cannot work."""
    number = int(seed) if seed and seed.isdigit() else None
    if url is None:
        config = MockConfig(rate_limit=rate_limit or EMBEDDED_RATE, faults=servers(faults))
        renew = partial(EmbeddedMock, config)
        return Harness(renew(), "ts-suite", True, number, config.rate_limit, True, renew, Redactor())
    if faults:
        pytest.exit("--fault is for the embedded mock; leave out --target", returncode=4)
    if not url.startswith(("http://", "https://")):
        pytest.exit(f"--target {url!r} is not a URL: it begins with http:// or https://", returncode=4)
    key, other = os.environ.get(KEY_ENV, "").strip(), os.environ.get(UNPRIVILEGED_KEY_ENV, "").strip()
    if not key:
        pytest.exit(f"there is no API key for this target: set {KEY_ENV}", returncode=4)
    prefix = new_prefix()
    target = HttpTarget(url, key, other or None, guard=lambda request: harmful(request, [prefix]))
    harness = Harness(
        target,
        prefix,
        False,
        number,
        rate_limit or bounds().rate_limit,
        probe_rate_limit,
        lambda: target,
        Redactor([key, other]),
    )
    _greet(harness)
    return harness


def _greet(harness: Harness) -> None:
    """One plain request first: a wrong key or address is a mistake in the call, not a hundred findings."""
    user = {"external_id": Namer(harness.prefix, random.Random(0)).scope("hello").external_id("first")}
    try:
        exchange = harness.session().send(Step(attributes_request(user, {"greeting": "hello"}), label="hello"))
    except TargetLost as lost:
        pytest.exit(str(lost), returncode=4)
    status = exchange.response.status if exchange and exchange.response else 0
    if status in (0, 401, 403, 404, 405):
        what = {0: "does not answer", 401: "refuses the key", 403: "says that the key lacks users.track.sync"}
        pytest.exit(f"{harness.target.name} {what.get(status, f'has no /users/track/sync ({status})')}", returncode=4)
