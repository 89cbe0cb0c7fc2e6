"""One nightly run: a plan, its journal, and resuming where an earlier process was killed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tracksync.engine import FuzzPlan
from tracksync.engine.plan import new_prefix
from tracksync.engine.targets import Target
from tracksync.errors import UsageError
from tracksync.generate.renaming import Identifier, derived_prefix
from tracksync.live import journal as journals
from tracksync.live.journal import FORM, Journal, Record
from tracksync.live.journaling_target import JournalingTarget
from tracksync.model.events import Cleaned, Event, ExchangeChecked
from tracksync.model.exchange import Exchange
from tracksync.report.redact import Redactor


class NightlyRun:
    """A run on a workspace with its journal. Give `plan` and `wrap` to the engine, and its events to `watch`."""

    def __init__(self, plan: FuzzPlan, journal: Journal, redactor: Redactor, past: list[Record]) -> None:
        self.plan = plan
        self.journal = journal
        self._redactor = redactor
        self._past = past
        self._left: tuple[Identifier, ...] | None = None
        self._touched = False

    @classmethod
    def begin(
        cls, plan: FuzzPlan, named: str, directory: Path, redactor: Redactor, stem: str | None = None
    ) -> NightlyRun:
        """Begin a run. `named`: the target as given by the user; `stem`: the beginning of its prefix."""
        prefix = new_prefix(stem or "ts")
        plan = replace(plan, users=replace(plan.users, prefix=prefix))
        header = {"target": plan.target.address, "named": named, "plan": _plan_record(plan)}
        return cls(plan, Journal.create(directory, header, prefix, time.time()), redactor, [])

    @classmethod
    def resume(cls, path: Path, keys: Mapping[str, str | None], redactor: Redactor) -> NightlyRun:
        """Resume the run of the journal at `path`, with `keys` for `key` and `unprivileged_key`.

        If its users were deleted meanwhile, the run continues with a new prefix, since deletions may be pending.
        """
        journal = Journal.open(path)
        past = list(journals.records(path))
        state = journals.read(path)
        if state is None or state.header.get("form") != FORM:
            journal.close()
            raise UsageError(f"{path} was not written by this version of tracksync; start a new run")
        header = state.header
        prefix = str(header["prefix"])
        current = state.prefixes[-1]
        resumptions = sum(record["record"] == "resumed" for record in past)
        if state.cleaned:
            current = derived_prefix(prefix, -1 - resumptions)
        now = time.time()
        idle = max(0.0, now - _last_moment(past))
        journal.write("resumed", prefix=current, at=now, idle=round(idle, 3))
        past.append({"record": "resumed", "prefix": current, "at": now})
        plan = _plan(header["plan"], keys)
        away = idle + sum(float(record.get("idle", 0.0)) for record in past)
        seconds = None if plan.budget.seconds is None else plan.budget.seconds + away
        others = tuple(one for one in (*state.prefixes, current) if one != prefix)
        plan = replace(
            plan,
            budget=replace(plan.budget, seconds=seconds),
            users=replace(plan.users, more=tuple(dict.fromkeys(others))),
        )
        return cls(plan, journal, redactor, past)

    def wrap(self, target: Target, prefixes: Sequence[str]) -> Target:
        """The target, with its exchanges recorded in the journal."""
        return JournalingTarget(target, self.journal, self._redactor, prefixes, self._past)

    def watch(self, event: Event) -> None:
        """Take in an event of the run."""
        if isinstance(event, Cleaned):
            self._left = event.left
        elif isinstance(event, ExchangeChecked):
            self._touched = self._touched or _may_have_created(event.exchange)

    def close(self) -> None:
        """The run's results are written. Its journal is deleted, unless users are left for `tracksync clean`."""
        state = journals.read(self.journal.path)
        if not self._touched or (self._left == () and state is not None):
            self.journal.remove()
            return
        left = self._left if self._left is not None else (state.users if state else ())
        self.journal.write("ended", left=left, at=time.time())
        self.journal.close()


def _may_have_created(exchange: Exchange) -> bool:
    response = exchange.response
    return response is None or response.status < 300 or response.status >= 500


def _last_moment(past: list[Record]) -> float:
    times = [float(record.get("received") or record.get("at") or 0.0) for record in past]
    return max(times, default=0.0)


def _plan_record(plan: FuzzPlan) -> dict[str, Any]:
    """A plan as JSON data, without its keys."""
    target = replace(plan.target, key=None, unprivileged_key=None)
    record: dict[str, Any] = msgspec.to_builtins(replace(plan, target=target))
    return record


def _plan(record: Mapping[str, Any], keys: Mapping[str, str | None]) -> FuzzPlan:
    plan = msgspec.convert(record, FuzzPlan)
    target = replace(plan.target, key=keys.get("key"), unprivileged_key=keys.get("unprivileged_key"))
    return replace(plan, target=target)
