"""One night: a plan, its journal, and going on where an earlier process was killed."""

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
        cls, plan: FuzzPlan, asked: str, directory: Path, redactor: Redactor, stem: str | None = None
    ) -> NightlyRun:
        """Begin a run. `asked` is the target as the user named it; `stem` is what its identifiers begin with."""
        prefix = new_prefix(stem or "ts")
        plan = replace(plan, users=replace(plan.users, prefix=prefix))
        header = {"target": plan.target.address, "asked": asked, "plan": _plan_record(plan)}
        return cls(plan, Journal.create(directory, header, prefix, time.time()), redactor, [])

    @classmethod
    def resume(cls, path: Path, keys: Mapping[str, str | None], redactor: Redactor) -> NightlyRun:
        """Go on with the run of the journal at `path`, with `keys` for `key` and `unprivileged_key`.

        Users that were deleted meanwhile are not addressed again, since their deletion may still be under way: the
        run then goes on with a new prefix.
        """
        journal = Journal.open(path)
        past = list(journals.records(path))
        story = journals.read(path)
        if story is None or story.header.get("form") != FORM:
            journal.close()
            raise UsageError(f"{path} was not written by this version of tracksync; start a new run")
        header = story.header
        prefix = str(header["prefix"])
        current = story.prefixes[-1]
        turns = sum(record["record"] == "resumed" for record in past)
        if story.cleaned:
            current = derived_prefix(prefix, -1 - turns)
        now = time.time()
        idle = max(0.0, now - _last_moment(past))
        journal.write("resumed", prefix=current, at=now, idle=round(idle, 3))
        past.append({"record": "resumed", "prefix": current, "at": now})
        plan = _plan(header["plan"], keys)
        away = idle + sum(float(record.get("idle", 0.0)) for record in past)
        seconds = None if plan.budget.seconds is None else plan.budget.seconds + away
        others = tuple(one for one in (*story.prefixes, current) if one != prefix)
        plan = replace(
            plan,
            budget=replace(plan.budget, seconds=seconds),
            users=replace(plan.users, more=tuple(dict.fromkeys(others))),
        )
        return cls(plan, journal, redactor, past)

    def wrap(self, target: Target, prefixes: Sequence[str]) -> Target:
        """The target with the journal in front of it."""
        return JournalingTarget(target, self.journal, self._redactor, prefixes, self._past)

    def watch(self, event: Event) -> None:
        """Take in an event of the run."""
        if isinstance(event, Cleaned):
            self._left = event.left
        elif isinstance(event, ExchangeChecked):
            self._touched = self._touched or _may_have_created(event.exchange)

    def close(self) -> None:
        """The run's results are written. Its journal goes, unless users are left for `tracksync clean`."""
        story = journals.read(self.journal.path)
        if not self._touched or (self._left == () and story is not None):
            self.journal.remove()
            return
        left = self._left if self._left is not None else (story.users if story else ())
        self.journal.write("ended", left=left, at=time.time())
        self.journal.close()


def _may_have_created(exchange: Exchange) -> bool:
    response = exchange.response
    return response is None or response.status < 300 or response.status >= 500


def _last_moment(past: list[Record]) -> float:
    times = [float(record.get("received") or record.get("at") or 0.0) for record in past]
    return max(times, default=0.0)


def _plan_record(plan: FuzzPlan) -> dict[str, Any]:
    """A plan as JSON, without its keys."""
    target = replace(plan.target, key=None, unprivileged_key=None)
    record: dict[str, Any] = msgspec.to_builtins(replace(plan, target=target))
    return record


def _plan(record: Mapping[str, Any], keys: Mapping[str, str | None]) -> FuzzPlan:
    plan = msgspec.convert(record, FuzzPlan)
    target = replace(plan.target, key=keys.get("key"), unprivileged_key=keys.get("unprivileged_key"))
    return replace(plan, target=target)
