"""A target that keeps the journal, and that answers from it what was answered before.

A run that goes on is the same run: the same seed sends the same requests in the same order, and as long as the
journal knows the responses, they come from there. So the belief, the findings and the budget are rebuilt by the very
code that built them, and nothing is sent twice. A request whose response the kill cut off counts as sent and lost.
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

BODY_KEPT: Final = 65_536  # bytes of a request's body; longer ones are made again from the seed


class JournalingTarget:
    """Sends by way of `inner` and writes down everything in `journal`.

    `past` are the records of an earlier process's part of the run, in order. `prefixes` are those of the run's users,
    a list that grows; steps carry the first, or that of a replay.
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
        self._told = 0
        self._known: set[tuple[str, ...]] = set()
        self._past: deque[Record] = deque(_paired(past))
        self._number = 0
        self._then = 0.0
        self.recalled = 0
        self._take_turns()

    # --- the Target protocol ------------------------------------------------------------------------------------

    def now(self) -> float:
        """The recorded time while responses come from the journal, then the real one."""
        return self._then if self._past else self._inner.now()

    def sleep(self, seconds: float) -> None:
        """Let time pass; what was waited for before is not waited for again."""
        if not self._past:
            self._inner.sleep(seconds)

    def can(self, credential: Credential) -> bool:
        """Whether a key of this kind is at hand."""
        return self._inner.can(credential)

    def hurry(self, seconds: float) -> None:
        """Wait for a response no longer than `seconds` from now on."""
        self._inner.hurry(seconds)

    def close(self) -> None:
        """Let go of connections; the journal stays open."""
        self._inner.close()

    def send(self, step: Step) -> Exchange:
        """Answer from the journal as long as it knows the response, then send."""
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
            prefixes=list(self._prefixes[self._told :]),
            at=self._inner.now(),
        )
        self._told = len(self._prefixes)
        exchange = self._inner.send(step)
        self._journal.write("exchange", n=self._number, **exchange_record(self._redactor.exchange(exchange)))
        return exchange

    # --- what was before ----------------------------------------------------------------------------------------

    def _recall(self, step: Step, digest: str) -> Exchange:
        record = self._past.popleft()
        if record.get("digest") != digest:
            raise UsageError(
                f"{self._journal.path} cannot be resumed: request {record.get('n')} of the journal is not the one that "
                "this run would send, so it was written by another version or in another way; `tracksync clean` "
                "deletes its users, and a new run starts over"
            )
        self.recalled += 1
        self._known.update(tuple(user) for user in record["users"])
        self._then = record["received"]
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
        """Pass over the places where a process went on: from there on the steps carry its prefix."""
        while self._past and self._past[0]["record"] == "resumed":
            self._current = self._past.popleft()["prefix"]
        if self._past and not self._then:
            self._then = self._past[0]["sent"]


def _paired(past: Iterable[Record]) -> list[Record]:
    """Each request with its response in one record. One that was cut off is lost at the moment of the resumption."""
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
    """What makes a request of the journal the same as one that is to be sent."""
    request = step.request
    parts = (request.method.encode(), request.path.encode(), step.credential.value.encode(), request.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def exchange_record(exchange: Exchange) -> dict[str, Any]:
    """An exchange as members of a record. It is read back by number and digest; the request stands for people."""
    request, response, failure = exchange.request, exchange.response, exchange.failure
    record: dict[str, Any] = {"sent": exchange.sent, "received": exchange.received}
    if len(request.body) <= BODY_KEPT:
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
