"""Looks behind the responses: reads profiles back by /users/export/ids and lets the oracle compare.

The platform may lag (LIMITS: usually milliseconds, at most minutes), so that a profile which does not agree yet is
read again, later and later, until it agrees or no lag explains it any more; only then the oracle has a finding.
Counts requests instead of looking at a clock, so that the same run asks the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from tracksync.contract.bounds import EXPORT, SYNC
from tracksync.engine.session import Session
from tracksync.generate.build import Step, json_request
from tracksync.generate.renaming import identifiers_of
from tracksync.model.exchange import Exchange
from tracksync.oracle import check
from tracksync.oracle.belief import CONSISTENT_AFTER

EVERY: Final = 40  # writes between two exports: far below the 250 exports a minute that EXPORT allows
USERS: Final = 50  # of one export
FIELDS: Final = ("external_id", "custom_attributes", "custom_events", "purchases")
AGREES: Final = "TS-EXPORT-AGREES"


@dataclass(slots=True)
class Verifier:
    """Call `note` after each exchange and `finish` at the end. `why_not` says why nothing could be verified."""

    session: Session
    prefix: str
    every: int = EVERY
    consistency_timeout: float = CONSISTENT_AFTER + 5.0  # seconds for which profiles that disagree are read again
    why_not: str = ""
    _first: dict[str, None] = field(default_factory=dict)  # the users that were written first, at most USERS
    _touched: dict[str, None] = field(default_factory=dict)
    _doubtful: dict[str, float] = field(default_factory=dict)  # user → when it was first seen to disagree
    _writes: int = 0
    _rounds: int = 0

    def note(self, exchange: Exchange | None) -> None:
        """Take in an exchange of the run, and read profiles back when it is time."""
        if self.why_not or exchange is None or exchange.response is None:
            return
        if exchange.request.path != SYNC or exchange.response.status != 201:
            return
        for identifier in identifiers_of(exchange.request, self.prefix):
            if identifier[0] == "external_id":
                self._touched[identifier[1]] = None
                if len(self._first) < USERS:
                    self._first[identifier[1]] = None
        self._writes += 1
        if self._writes % self.every == 0:
            self._look()

    def finish(self, sleep: Callable[[float, str], None]) -> None:
        """Read back what is left, and the first users once more: a store may forget with time.

        Waits for those that disagree until no lag explains it. `sleep` takes a reason.
        """
        self._touched.update(self._first)
        if self._touched and not self.why_not:
            self._look()
        wait = 1.0
        while self._doubtful and not self.why_not:
            now = self.session.target.now()
            oldest = min(self._doubtful.values())
            if now - oldest > self.consistency_timeout:
                break
            seconds = min(wait, max(oldest + self.consistency_timeout + 1.0 - now, 1.0))
            sleep(seconds, f"{len(self._doubtful)} exported profiles do not agree yet")
            wait = min(wait * 2, 60.0)
            self._touched.update(dict.fromkeys(self._doubtful))
            self._look()

    def _look(self) -> None:
        """Export the users written since the last time, and every fourth time also those that did not agree."""
        self._rounds += 1
        wanted = list(self._touched)
        if self._rounds % 4 == 0:
            wanted += [user for user in self._doubtful if user not in self._touched]
        self._touched.clear()
        for start in range(0, len(wanted), USERS):
            batch = wanted[start : start + USERS]
            body = {"external_ids": batch, "fields_to_export": list(FIELDS)}
            before = self.session.belief
            exchange = self.session.send(Step(json_request(body, path=EXPORT), label="is that what the profile holds?"))
            if exchange is None or exchange.response is None:
                continue
            status = exchange.response.status
            if status in (401, 403, 404):
                self.why_not = f"/users/export/ids is not open to this key ({status}: needs users.export.ids)"
                return
            if 200 <= status < 300:
                later = replace(exchange, sent=exchange.sent + 2 * CONSISTENT_AFTER)
                late = check(before, replace(later, received=exchange.received + 2 * CONSISTENT_AFTER))
                agrees = not any(finding.clause == AGREES for finding in late.findings)
                for user in batch:
                    if agrees:
                        self._doubtful.pop(user, None)
                    else:
                        self._doubtful.setdefault(user, exchange.sent)
