"""A target that writes the journal, and that replays it when a run is resumed.

A resumed run sends the same requests from the same seed in the same order. As long as the journal has their responses,
these are returned and nothing is sent. So belief, findings and budget are built by the same code as before. A request
without a recorded response counts as sent, with its response lost.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tracksync.engine.targets import Target
from tracksync.errors import UsageError
from tracksync.generate.build import Step
from tracksync.generate.renaming import identifiers_of, renamed
from tracksync.live.journal import Journal, Record
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Response
from tracksync.report.redact import Redactor

LONGEST_BODY: Final = 65_536  # bytes of a request's body; longer ones are generated again from the seed


class JournalingTarget:
    """Sends with `inner` and records everything in `journal`.

    `past`: the records of earlier processes of the run, in order. `prefixes`: those of the run's users, a list that
    grows; steps carry the first one, or that of a replay.
    """

    def __init__(
        self,
        inner: Target,
        journal: Journal,
        redactor: Redactor,
        prefixes: Sequence[str],
        past: Iterable[Record] = (),
    ) -> None:
        self.name = inner.name
        self.clock_skew = inner.clock_skew
        self.settling = inner.settling
        self._inner = inner
        self._journal = journal
        self._redactor = redactor
        self._prefixes = prefixes
        self._prefix = self._current = prefixes[0]
        self._recorded_prefixes = 0
        self._known: set[tuple[str, ...]] = set()
        self._past: deque[Record] = deque(_paired(past))
        self._number = 0
        self._recorded_time = 0.0
        self._take_turns()

    # --- the Target protocol ------------------------------------------------------------------------------------

    def now(self) -> float:
        """The recorded time while responses come from the journal, then the target's time."""
        return self._recorded_time if self._past else self._inner.now()

    def sleep(self, seconds: float) -> None:
        """Wait, except while responses come from the journal."""
        if not self._past:
            self._inner.sleep(seconds)

    def can(self, credential: Credential) -> bool:
        """Whether a key of this kind is at hand."""
        return self._inner.can(credential)

    def hurry(self, seconds: float) -> None:
        """Wait for a response no longer than `seconds` from now on."""
        self._inner.hurry(seconds)

    def close(self) -> None:
        """Close the connections; the journal stays open."""
        self._inner.close()

    def send(self, step: Step) -> Exchange:
        """Return the recorded response while there is one, then send."""
        step = renamed(step, self._prefix, self._current) if self._current != self._prefix else step
        self._number += 1
        digest = digest_of(step)
        if self._past:
            return self._recall(step, digest)
        named = [one for one in identifiers_of(step.request, self._prefixes[-1]) if one not in self._known]
        self._known.update(named)
        self._journal.write(
            "sending",
            n=self._number,
            digest=digest,
            path=step.request.path,
            label=step.label,
            credential=step.credential.value,
            users=named,
            prefixes=list(self._prefixes[self._recorded_prefixes :]),
            at=self._inner.now(),
        )
        self._recorded_prefixes = len(self._prefixes)
        exchange = self._inner.send(step)
        self._journal.write("exchange", n=self._number, **exchange_record(self._redactor.exchange(exchange)))
        return exchange

    # --- the recorded part of the run ---------------------------------------------------------------------------

    def _recall(self, step: Step, digest: str) -> Exchange:
        record = self._past.popleft()
        if record.get("digest") != digest:
            raise UsageError(
                f"{self._journal.path} cannot be resumed: request {record.get('n')} of the journal is not the one that "
                "this run would send, so another version or other options wrote it; `tracksync clean` "
                "deletes its users, and a new run starts over"
            )
        self._known.update(tuple(user) for user in record["users"])
        self._recorded_time = record["received"]
        self._take_turns()
        response, failure = record.get("response"), record.get("failure")
        return Exchange(
            step.request,
            response and Response(response["status"], _pairs(response["headers"]), _bytes(response["body"])),
            record["sent"],
            record["received"],
            step.credential,
            failure and Failure(FailureKind(failure["kind"]), failure["detail"]),
            tuple(record.get("tags", ())),
        )

    def _take_turns(self) -> None:
        """Skip the records of resumptions: from there on the steps carry the prefix of that process."""
        while self._past and self._past[0]["record"] == "resumed":
            self._current = self._past.popleft()["prefix"]
        if self._past and not self._recorded_time:
            self._recorded_time = self._past[0]["sent"]


def _paired(past: Iterable[Record]) -> list[Record]:
    """Each request with its response in one record. A response that was cut off is lost at the time of resumption."""
    paired: list[Record] = []
    for record in past:
        if record["record"] == "sending":
            paired.append({**record, "sent": record["at"], "received": record["at"], "failure": dict(_CUT_OFF)})
        elif record["record"] == "exchange":
            sent = paired[-1]
            sent.pop("failure", None)
            sent.update({name: value for name, value in record.items() if name != "record"})
        elif record["record"] == "resumed":
            if paired and paired[-1].get("failure") == _CUT_OFF:
                paired[-1]["received"] = max(record["at"], paired[-1]["sent"])
            paired.append(dict(record))
    return paired


_CUT_OFF: Final = {"kind": FailureKind.RESET.value, "detail": "the run was killed before the response came"}


def digest_of(step: Step) -> str:
    """Identifies a request: equal for a recorded step and the same step to be sent."""
    request = step.request
    parts = (request.method.encode(), request.path.encode(), step.credential.value.encode(), request.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def exchange_record(exchange: Exchange) -> dict[str, Any]:
    """An exchange as members of a record. The request is there for readers; it is never read back."""
    request, response, failure = exchange.request, exchange.response, exchange.failure
    record: dict[str, Any] = {"sent": exchange.sent, "received": exchange.received}
    if len(request.body) <= LONGEST_BODY:
        record["request"] = {
            "method": request.method,
            "headers": [list(pair) for pair in request.headers],
            "body": _text(request.body),
        }
    if response is not None:
        record["response"] = {
            "status": response.status,
            "headers": [list(pair) for pair in response.headers],
            "body": _text(response.body),
        }
    if failure is not None:
        record["failure"] = {"kind": failure.kind.value, "detail": failure.detail}
    if exchange.tags:
        record["tags"] = list(exchange.tags)
    return record


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _pairs(headers: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers)
