"""A harness that checks exchanges one after another: a belief, a clock, and short names for requests and responses."""

from __future__ import annotations

import json
from typing import Any

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.clauses import catalogue
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Request, Response
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import Belief, CheckResult, Settings, check

SYNC = "/users/track/sync"
START = 1_800_000_017.0
RESET = 1_800_000_060
TIME = "2022-12-06T19:20:45+01:00"
SHOWN = "2022-12-06T18:20:45.000Z"
LATER, LATER_SHOWN = "2023-01-01T00:00:00Z", "2023-01-01T00:00:00.000Z"
JSON = (("content-type", "application/json"),)
U, V = {"external_id": "u"}, {"external_id": "v"}
ALIAS = {"user_alias": {"alias_name": "a", "alias_label": "l"}}
EMAIL, PHONE = {"email": "e@example.com"}, {"phone": "+12025550100"}
ONLY, CREATE = {"_update_existing_only": True}, {"_update_existing_only": False}
EVENT = {"events": [{**U, "name": "seen", "time": TIME}]}
REFUSAL = {"message": "Valid data must be provided.", "errors": ["'time' is required"]}


def seen(names: dict[str, Any], **flag: Any) -> dict[str, Any]:
    return {"events": [{**names, "name": "seen", "time": TIME, **flag}]}


def request(body: Any, path: str = SYNC) -> Request:
    return Request("POST", path, JSON, json.dumps(body).encode())


def everything_new(kind: str, text: str) -> bool:
    return True


class OracleHarness:
    """Checks one exchange after another. Each takes ten milliseconds, and a second passes between two."""

    def __init__(self, *, new: bool = True, **settings: Any) -> None:
        fresh = {"fresh": everything_new} if new else {}
        self.belief = Belief.start(Settings(clock_skew=2.0, **fresh, **settings))
        self.now = START
        self.remaining = 500
        self.last: CheckResult | None = None

    def check(
        self,
        body: Any,
        shown: Any = None,
        status: int = 201,
        *,
        path: str = SYNC,
        method: str = "POST",
        credential: Credential = Credential.VALID,
        headers: dict[str, str | None] | None = None,
        media: str = "application/json",
        failure: FailureKind | None = None,
        took: float = 0.01,
        tags: tuple[str, ...] = (),
        in_flight: tuple[Request, ...] = (),
        wait: float = 0.01,
    ) -> list[Finding]:
        self.now += wait
        sent, received = self.now, self.now + took
        self.now = received
        self.remaining -= 1
        rate: dict[str, str | None] = {
            "x-ratelimit-limit": "500",
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(int(received // 60 * 60 + 60)),
        }
        if received >= RESET and self.remaining < 400:
            self.remaining = 499
            rate["x-ratelimit-remaining"] = "499"
        response_headers = {"content-type": "application/json", **rate, **(headers or {})}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = Request(method, path, (("content-type", media),), raw)
        response = None
        if failure is None:
            content = shown if isinstance(shown, bytes) else json.dumps(shown).encode()
            response = Response(status, tuple((k, v) for k, v in response_headers.items() if v is not None), content)
        exchange = Exchange(request, response, sent, received, credential, Failure(failure) if failure else None, tags)
        self.last = check(self.belief, exchange, in_flight)
        self.belief = self.last.belief
        named = {*self.last.covered, *(finding.clause for finding in self.last.findings)}
        assert named <= catalogue().keys(), f"no such clauses: {named - catalogue().keys()}"
        for finding in self.last.findings:
            leads_to_what_it_saw(finding, exchange)
        return list(self.last.findings)

    def queue(self, batch: dict[str, list[Any]], **how: Any) -> list[Finding]:
        """What is found in the right response to a batch for /users/track."""
        processed = {f"{section}_processed": len(objects) for section, objects in batch.items()}
        return self.check(batch, {"message": "success", **processed}, path="/users/track", **how)

    def clauses(self, *args: Any, **kwargs: Any) -> set[str]:
        return {finding.clause for finding in self.check(*args, **kwargs)}

    def event(self, count: int, first: str = SHOWN, last: str = SHOWN, *, time: str = TIME, **how: Any) -> set[str]:
        names = how.pop("names", {"external_id": "u"})
        name = how.pop("name", "seen")
        flag = how.pop("flag", {})
        return self.clauses(
            {"events": [{**names, "name": name, "time": time, **flag}]}, counted(names, name, first, last, count), **how
        )

    def write(self, values: dict[str, Any], shown: dict[str, Any] | None = None, **how: Any) -> set[str]:
        names = how.pop("names", {"external_id": "u"})
        control = how.pop("control", {})
        return self.clauses(
            {"attributes": [{**names, **values, **control}]},
            attributed(names, values if shown is None else shown),
            **how,
        )


# Clauses whose findings put what came in words or figures of their own.
SUMMED_UP = {
    "TS-INTERPRETATION-KEPT",
    "TS-USER-SPELLING",
    "TS-OK-USERS",
    "TS-OK-TIME-FORM",
    "TS-OK-IDENTIFIER",
    "TS-EXPORT-AGREES",
    "TS-EXPORT-USERS",
    "TS-TRACK-APPLIED",
    "TS-USER-FORMER-CONTACT",
}


def leads_to_what_it_saw(finding: Finding, exchange: Exchange) -> None:
    """A finding is a sentence, what was expected, and a pointer to what came in its place."""
    assert len(finding.message.split()) > 1, finding
    assert finding.pointer.startswith(("/request", "/response")), finding
    assert finding.expected not in (None, "") or "/custom_attributes/" in finding.pointer, finding
    if finding.clause == "TS-INTERPRETATION-KEPT":
        ambiguity, _, before = finding.expected.partition("=")
        now = finding.actual.removeprefix(f"{ambiguity}=")
        held, shown = before.split(" or "), now.split(" or ")
        assert {*held, *shown} <= set(ambiguity_catalogue()[ambiguity].interpretations), finding
        assert not {*held} & {*shown}, finding
    if exchange.response is None or not finding.pointer.startswith("/response/body/"):
        return
    there: Any = json.loads(exchange.response.body)
    for step in finding.pointer.split("/")[3:]:
        part = step.replace("~1", "/").replace("~0", "~")
        members = dict(enumerate(there)) if isinstance(there, list) else there
        key = int(part) if isinstance(there, list) and part.isdecimal() else part
        there = members.get(key, NOTHING) if isinstance(members, dict) else NOTHING
    shown = NOTHING if there is None and finding.actual is NOTHING else there
    assert finding.clause in SUMMED_UP or finding.actual == shown, (finding, there)


def counted(names: dict[str, Any], name: str, first: str, last: str, count: int) -> dict[str, Any]:
    element = {"name": name, "first": first, "last": last, "count": count}
    return {"users": [{**names, "custom_events": [element]}], "message": "success"}


def attributed(names: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    return {"users": [{**names, "custom_attributes": shown}], "message": "success"}


def purchase(**more: Any) -> dict[str, Any]:
    base = {"external_id": "u", "product_id": "sku", "currency": "EUR", "price": 9.99, "time": TIME}
    return {"purchases": [{key: value for key, value in (base | more).items() if value is not ...}]}


def bought(count: int, first: str = SHOWN, last: str = SHOWN, product: Any = "sku") -> dict[str, Any]:
    element = {"product_id": product, "first": first, "last": last, "count": count}
    return {"users": [{"external_id": "u", "purchase_events": [element]}], "message": "success"}


NO_USER = {"users": [], "message": "success"}


def only(findings: list[Finding]) -> Finding:
    """The one finding there is."""
    (found,) = findings
    return found


def covered(harness: OracleHarness) -> frozenset[str]:
    """The clauses that the last exchange covered."""
    assert harness.last is not None
    return harness.last.covered


def parts(found: Finding) -> tuple[str, str, Any, Any]:
    """What a finding names, without its sentence."""
    return found.clause, found.pointer, found.expected, found.actual
