"""The oracle inside plain schemathesis: every response of a run is checked, also against what earlier ones have shown.

    SCHEMATHESIS_HOOKS=tracksync.schemathesis_hooks st run spec/openapi.yaml --url URL -H 'Authorization: Bearer KEY'

Schemathesis makes the cases. These hooks make them harmless before they are sent, check each exchange when its response
arrives, and fail the case whose response breaks a documented clause. One belief per server and process holds what was
seen so far; workers may run in parallel.

A run on the project's own document uses its lenient form (`tracksync spec --lenient`), and what it leaves open is held
against no server.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import RejectedPositiveData

from tracksync.config import KEY_ENV, UNPRIVILEGED_KEY_ENV, is_loopback
from tracksync.contract import spec
from tracksync.contract.classify import classify_body
from tracksync.contract.clauses import clause
from tracksync.contract.lenient import lenient
from tracksync.contract.refusals import RequestClass
from tracksync.engine.confirmation import words_of
from tracksync.engine.freshness import Prefixes
from tracksync.engine.plan import new_prefix
from tracksync.engine.shrink import related
from tracksync.generate.build import Step, encode
from tracksync.generate.harmless import Namer, is_harmless
from tracksync.generate.schema_cases import made_harmless
from tracksync.model import exchange as wire
from tracksync.model.exchange import Credential, Exchange, FailureKind, Request
from tracksync.model.finding import NOTHING, Finding
from tracksync.model.verdict import evidence_of, fails
from tracksync.oracle import Belief, Settings, check
from tracksync.report.exchange_text import curl, exchange_json, outcome_line, value_text
from tracksync.report.redact import Redactor

REMEMBERED: Final = 500  # exchanges that a reproduction may reach back to
SHOWN: Final = 6  # exchanges of a reproduction


@dataclass(slots=True)
class _ServerSession:
    """One server: the belief about it, the requests under way, and the findings."""

    base: str
    prefix: str = field(default_factory=new_prefix)
    belief: Belief = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)
    under_way: dict[int, tuple[float, Request]] = field(default_factory=dict)  # by thread
    log: list[Exchange] = field(default_factory=list)
    found: dict[int, str] = field(default_factory=dict)  # by response: the explanation
    names: Namer = field(init=False)

    def __post_init__(self) -> None:
        self.names = Namer(self.prefix, random.Random(0))
        skew = 5.0 if is_loopback(self.base) else 300.0
        self.belief = Belief.start(Settings(fresh=Prefixes(self.prefix), clock_skew=skew))

    def begin(self, request: Request) -> None:
        with self.lock:
            self.under_way[threading.get_ident()] = (_now(), request)

    def end(self, exchange: Exchange) -> tuple[Finding, ...]:
        """Check an exchange. Exchanges are checked in the order of their responses."""
        with self.lock:
            self.under_way.pop(threading.get_ident(), None)
            check_result = check(self.belief, exchange, [request for _, request in self.under_way.values()])
            self.belief = check_result.belief
            self.log = [*self.log[-REMEMBERED:], exchange]
            return tuple(one for one in check_result.findings if fails(evidence_of(one.clause)))

    def sent_at(self, otherwise: float) -> float:
        with self.lock:
            return min(self.under_way.get(threading.get_ident(), (otherwise,))[0], otherwise)

    def explain(self, findings: tuple[Finding, ...], exchange: Exchange, redactor: Redactor) -> str:
        """What was broken, where, and the exchanges that led to it, as commands."""
        lines: list[str] = []
        for finding in findings:
            lines += [f"{finding.clause}: {clause(finding.clause).sentence}", redactor.text(finding.message)]
            lines += [f"at {finding.pointer}"] if finding.pointer else []
            for name, value in (("expected", finding.expected), ("actual", finding.actual)):
                if value is not NOTHING:
                    lines.append(f"{name}: {value_text(redactor.json(value), 500)}")
        with self.lock:
            log = list(self.log)
        index = max(number for number, one in enumerate(log) if one is exchange)
        steps = [Step(one.request, label=str(number)) for number, one in enumerate(log)]
        chosen = related(steps, index, lambda step: words_of(step, self.prefix))
        lines += ["", "What led to it, the first request first:"]
        for step in chosen[-SHOWN:]:
            shown = redactor.json(exchange_json(redactor.exchange(log[int(step.label)])))
            lines += [curl(shown, self.base)[:2000], f"# {outcome_line(shown, 300)}"]
        return "\n".join(lines)


@cache
def _session(base: str) -> _ServerSession:
    return _ServerSession(base)


_OPENING: Final = threading.Lock()


def _session_of(case: Case[Any]) -> _ServerSession:
    parts = urlsplit(case.operation.base_url or "")
    with _OPENING:
        return _session(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}")


def _now() -> float:
    return time.monotonic() + _OFFSET


_OFFSET: Final = time.time() - time.monotonic()


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """A run on our own document takes the lenient form, for negative cases that a server may accept are none."""
    if raw_schema.get("paths") == spec.document()["paths"]:
        raw_schema.update(lenient(raw_schema))


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Whether a failure stands: a request that the contract leaves open may be accepted or refused."""
    if not isinstance(failure, AcceptedNegativeData | RejectedPositiveData):
        return True
    path, body = case.operation.path, case.body
    if path not in spec.document()["paths"] or not isinstance(body, dict | list | str | int | float | None):
        return True
    return classify_body(path, body).request_class is not RequestClass.OPEN


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Make a case harmless, and note that it is under way.

    Here and not while bodies are generated, because the cases of all phases pass here, and because schemathesis checks
    afterwards whether the changed body is valid.
    """
    harness = _session_of(case)
    body = case.body
    if isinstance(body, dict | list | str | int | float):
        safe = _addressed(made_harmless(body, harness.names))
        if safe != body:
            case.body = safe
    request = Request(case.method.upper(), case.operation.path, (), _bytes(case.body))
    if is_harmless(request, harness.prefix) is not None:
        case.body = {}
        request = Request(case.method.upper(), case.operation.path, (), b"{}")
    harness.begin(request)


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """Check the exchange."""
    harness = _session_of(case)
    received = _now()
    sent = harness.sent_at(received - response.elapsed)
    headers = tuple((name, value) for name, values in response.headers.items() for value in values)
    keys = _keys(case)
    exchange = Exchange(
        _request(response.request, harness.base),
        wire.Response(response.status_code, headers, response.content or b""),
        sent,
        received,
        _credential(response.request.headers, keys),
    )
    findings = harness.end(exchange)
    if findings:
        harness.found[id(response)] = harness.explain(findings, exchange, Redactor([*keys.values()]))


@schemathesis.hook
def after_network_error(context: HookContext, case: Case[Any], request: Any) -> None:
    """A request without a response may have been applied or not."""
    harness = _session_of(case)
    received = _now()
    failure = wire.Failure(FailureKind.RESET, "schemathesis received no response")
    sent = harness.sent_at(received)
    credential = _credential(request.headers, _keys(case))
    harness.end(Exchange(_request(request, harness.base), None, sent, received, credential, failure))


@schemathesis.check
def tracksync(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """The response keeps every documented clause, also those about what earlier requests have stored."""
    words = _session_of(case).found.pop(id(response), None)
    if words is not None:
        identity = words.partition(":")[0]
        raise Failure(operation=case.operation.label, title=f"Contract broken: {identity}", message=words)


def _addressed(body: Any) -> Any:
    """`body` with braze_ids as external_ids: an invented braze_id finds no user, so nothing would be stored."""
    if not isinstance(body, dict):
        return body
    return {
        section: [_named(one) for one in value] if isinstance(value, list) else value for section, value in body.items()
    }


def _named(one: Any) -> Any:
    if not isinstance(one, dict) or not isinstance(one.get("braze_id"), str) or "external_id" in one:
        return one
    return {"external_id" if key == "braze_id" else key: value for key, value in one.items()}


def _request(prepared: Any, base: str) -> Request:
    """The request as it was sent, without the key."""
    parts = urlsplit(prepared.url)
    path = parts.path.removeprefix(urlsplit(base).path) + (f"?{parts.query}" if parts.query else "")
    headers = tuple(
        (name, value if isinstance(value, str) else value.decode("latin-1"))
        for name, value in prepared.headers.items()
        if name.lower() != "authorization"
    )
    body = prepared.body or b""
    return Request(prepared.method, path, headers, body.encode() if isinstance(body, str) else _bytes(body))


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return encode(body) if isinstance(body, dict | list | str | int | float) or body is None else b""


def _keys(case: Case[Any]) -> Mapping[Credential, str]:
    """The keys that are known to be valid: from the environment, or from the headers given to `st run`."""
    configured = case.operation.schema.config.headers_for(operation=case.operation) or {}
    header = next((value for name, value in configured.items() if name.lower() == "authorization"), "")
    keys = {
        Credential.VALID: os.environ.get(KEY_ENV, "").strip() or header.removeprefix("Bearer ").strip(),
        Credential.UNPRIVILEGED: os.environ.get(UNPRIVILEGED_KEY_ENV, "").strip(),
    }
    return {kind: key for kind, key in keys.items() if key}


def _credential(headers: Mapping[str, Any], keys: Mapping[Credential, str]) -> Credential:
    sent = next((value for name, value in headers.items() if name.lower() == "authorization"), None)
    if sent is None:
        return Credential.MISSING
    text = sent.decode("latin-1") if isinstance(sent, bytes) else str(sent)
    for kind, key in keys.items():
        if text == f"Bearer {key}":
            return kind
    # It is not known what another key permits, or a known key in another spelling.
    known = any(key in text for key in keys.values())
    return Credential.INVALID if Credential.VALID in keys and not known else Credential.UNKNOWN
