"""A little server for `POST /users/track/sync`, written from the published facts alone.

It shares nothing with the project that it is used to test: a plain WSGI application over dictionaries,
with its own interpretation of times, values and identities, and its own sockets.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import re
import socket
import socketserver
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import attributes, dates
from .attributes import GONE, Law, UnchangedError
from .variants import BASE, FAULTS, INTERPRETATIONS

SECTIONS = ("attributes", "events", "purchases")
IDENTIFIERS = ("external_id", "user_alias", "braze_id", "email", "phone")
CONTROLS = {"_update_existing_only", "_merge_objects", "push_token_import"}
PROFILE = set(
    "alias_name alias_label braze_id country current_location date_of_first_session date_of_last_session dob email"
    " email_subscribe email_open_tracking_disabled email_click_tracking_disabled external_id facebook first_name gender"
    " home_city image_url language last_name marked_email_as_spam_at phone push_subscribe push_tokens"
    " subscription_groups time_zone twitter".split()
)
CURRENCIES = set(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF"
    " CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD"
    " GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP"
    " LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN"
    " PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS"
    " TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD"
    " XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL".split()
)
ROUTES = {
    "/users/track/sync": "sync",
    "/users/track": "track",
    "/users/delete": "delete",
    "/users/export/ids": "export",
}
LIMITS = {"track": 50_000, "delete": 20_000, "export": 250, "elsewhere": 250_000}
LARGEST = 4 * 1024 * 1024
REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 413: "Payload Too Large", 415: "Unsupported Media Type",
    422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
INVALID = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
NO_IDENTIFIER = "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
BAD_EMAIL = "The value provided for the 'email' field is not a valid email."
BEFORE_THE_ENDPOINT = ("not JSON", "not an object", "nested too deeply", "nothing to do", "too large", "content type")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
DELAY = 0.05


class RefusedError(Exception):
    """The request is turned down."""

    def __init__(self, detail: str, section: str = "attributes", index: int = 0, status: int = 400):
        super().__init__(detail)
        self.detail, self.section, self.index, self.status = detail, section, index, status


@dataclass
class Tally:
    first: datetime
    last: datetime
    count: int


@dataclass(eq=False)
class Profile:
    braze_id: str
    external_id: str | None = None
    aliases: list[tuple[str, str]] = field(default_factory=list)
    email: str | None = None
    phone: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    events: dict[str, Tally] = field(default_factory=dict)
    purchases: dict[str, Tally] = field(default_factory=dict)
    touched: int = 0
    writes: int = 0

    def snapshot(self) -> tuple[dict[str, Any], dict[str, Tally], dict[str, Tally]]:
        events = {name: Tally(**vars(tally)) for name, tally in self.events.items()}
        purchases = {name: Tally(**vars(tally)) for name, tally in self.purchases.items()}
        return dict(self.custom), events, purchases

    def restore(self, shot: tuple[dict[str, Any], dict[str, Tally], dict[str, Tally]]) -> None:
        self.custom, self.events, self.purchases = shot


@dataclass
class Plan:
    """One valid object of a request."""

    section: str
    item: dict[str, Any]
    lead: str
    key: Any
    update_only: bool
    custom: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    at: datetime | None = None
    times: int = 1


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    now: float = 0.0
    section: str = ""


@dataclass
class Reply:
    status: int
    body: Any
    window: dict[str, str]


def _settle(interpretation: dict[str, str] | None) -> dict[str, str]:
    chosen = dict(BASE)
    for ambiguity, value in (interpretation or {}).items():
        if ambiguity not in BASE:
            raise ValueError(f"unknown interpretation: {ambiguity}")
        if value != BASE[ambiguity] and f"{ambiguity}={value}" not in INTERPRETATIONS:
            raise ValueError(f"unknown value for the interpretation {ambiguity}: {value}")
        chosen[ambiguity] = value
    return chosen


class App:
    """The WSGI application."""

    def __init__(
        self,
        key: str,
        unprivileged_key: str | None,
        rate_limit: int,
        array_limit: int,
        interpretation: dict[str, str] | None,
        faults: Iterable[str],
        clock: Callable[[], float],
    ):
        self.bad = frozenset(faults)
        if unknown := self.bad - FAULTS.keys():
            raise ValueError(f"unknown faults: {', '.join(sorted(unknown))}")
        self.interpretation = _settle(interpretation)
        if self.interpretation["array_limit"] != "configured":
            array_limit = int(self.interpretation["array_limit"])
        self.law = Law(self.interpretation, self.bad, array_limit)
        self.key, self.unprivileged_key, self.rate_limit, self.clock = key, unprivileged_key, rate_limit, clock
        self.lock = threading.RLock()
        self.crashes: list[BaseException] = []
        self.windows: dict[str, list[int]] = {}
        self.profiles: dict[str, Profile] = {}
        self.index: dict[tuple[str, Any], list[Profile]] = {}
        self.common = Profile("common")
        self.jobs: list[tuple[float, Callable[[], None]]] = []
        self.turn = 0
        self.served = 0
        self.born = 0
        self.after_400 = False
        self.in_flight = 0
        self.lately: Reply | None = None

    # ---- the wire

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        headers["content-type"] = environ.get("CONTENT_TYPE") or ""
        length = environ.get("CONTENT_LENGTH") or ""
        body = environ["wsgi.input"].read(int(length) if length.isdigit() else 0)
        request = Request(environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "/", headers, body)
        if self.interpretation["pace"] == "slow":
            time.sleep(0.15)
        try:
            reply = self.handle(request)
        except Exception as crash:  # noqa: BLE001 (whatever it was, the wire must see a refusal)
            self.crashes.append(crash)
            reply = Reply(400, self.fatal(INVALID, "could not be read", "attributes", 0), {})
        return self.send(reply, headers, start_response)

    def send(self, reply: Reply, asked: dict[str, str], start_response: Callable[..., Any]) -> list[bytes]:
        interpretation, body = self.interpretation, reply.body
        if isinstance(body, dict):
            if interpretation["extra_fields"] == "present":
                body = {**body, "request_id": f"r{self.served}", "dispatch": {"queue": None}}
            if interpretation["key_order"] == "message_first":
                body = dict(sorted(body.items()))
        if isinstance(body, str):
            data = body.encode()
        else:
            data = json.dumps(
                body,
                ensure_ascii=interpretation["non_ascii"] == "escaped",
                indent=4 if interpretation["layout"] == "pretty" else None,
                separators=None if interpretation["layout"] == "pretty" else (",", ":"),
                sort_keys=interpretation["key_order"] == "sorted",
            ).encode()
        charset = "; charset=utf-8" if interpretation["content_type_out"] == "charset" else ""
        headers = [("Content-Type", f"application/json{charset}"), *reply.window.items()]
        if interpretation["extra_headers"] == "present":
            headers += [
                ("X-Request-Id", f"r{self.served}"),
                ("Vary", "Accept"),
                ("Strict-Transport-Security", "max-age=1"),
            ]
        if interpretation["retry_after"] == "present" and reply.status == 429:
            headers.append(("Retry-After", str(60 - int(self.clock()) % 60)))
        if interpretation["compression"] == "gzip" and "gzip" in asked.get("accept-encoding", ""):
            data = gzip.compress(data, 1)
            headers.append(("Content-Encoding", "gzip"))
        if interpretation["framing"] != "chunked":
            headers.append(("Content-Length", str(len(data))))
        if interpretation["connection"] == "close":
            headers.append(("Connection", "close"))
        if interpretation["header_case"] == "lower":
            headers = [(name.lower(), value) for name, value in headers]
        elif interpretation["header_case"] == "title":
            headers = [(name.title(), value) for name, value in headers]
        start_response(f"{reply.status} {REASONS.get(reply.status, 'Unknown')}", headers)
        return [data]

    # ---- the way of a request

    def handle(self, request: Request) -> Reply:
        bad = self.bad
        with self.lock:
            request.now = self.clock()
            self.in_flight += 1
            crowded = self.in_flight > 1
            for due in [job for job in self.jobs if job[0] <= request.now]:
                self.jobs.remove(due)
                due[1]()
        try:
            if "parallel_gives_400" in bad:
                if crowded:
                    return self.answer(request, "sync", 400, self.fatal(INVALID, "busy"))
                time.sleep(0.03)
            shots = self.parallel_shots(request)
            with self.lock:
                reply = self.route(request)
                if shots is not None and reply.status == 201:
                    self.overwrite(request, *shots)
            if "parallel_answers_mixed" in bad:
                self.lately = reply
                time.sleep(0.03)
                return self.lately
            return reply
        finally:
            with self.lock:
                self.in_flight -= 1

    def route(self, request: Request) -> Reply:
        bad, interpretation = self.bad, self.interpretation
        bucket = ROUTES.get(request.path, "elsewhere")
        window = bucket
        if bucket == "elsewhere" and interpretation["elsewhere_window"] == "sync":
            window = "sync"
        verdict = self.authorise(request)
        if verdict == 401:
            if "unauthorised_applied_anyway" in bad:
                self.sneak(request)
            if "state_lost_after_401" in bad:
                self.forget_everything()
            status = 403 if "unauthorised_gives_403" in bad else 400 if "unauthorised_gives_400" in bad else 401
            sent = request.headers.get("authorization", "").removeprefix("Bearer ")
            message = (
                f"Invalid API key: {sent}" if sent and interpretation["message_401"] == "echo" else "Invalid API Key"
            )
            body: dict[str, Any] = {"message": "success" if "unauthorised_says_success" in bad else self.word(message)}
            if interpretation["errors_401"] == "listed":
                body["errors"] = self.details("Invalid API key", "attributes", 0)
            return self.answer(request, window, status, body)
        if bucket == "elsewhere":
            status = 400 if "wrong_url_gives_400" in bad else 200 if "wrong_url_gives_200" in bad else 404
            return self.answer(request, window, status, self.gateway("Not found"))
        if request.method != "POST" and "get_accepted" in bad:
            return self.answer(request, window, 200, {"users": [], "message": "success"})
        if request.method != "POST":
            return self.answer(request, window, int(interpretation["wrong_method"]), self.gateway("Method not allowed"))
        if verdict == 403:
            if "forbidden_applied_anyway" in bad:
                self.sneak(request)
            if interpretation["forbidden_counted"] == "yes":
                self.take(window, request.now)
            status = 401 if "forbidden_gives_401" in bad else 400 if "forbidden_gives_400" in bad else 403
            return self.answer(request, window, status, self.gateway("This API key lacks the permission for this."))
        if not self.take(window, request.now):
            if "over_limit_applied_anyway" in bad:
                self.sneak(request)
            status = 503 if "over_limit_gives_503" in bad else 400 if "over_limit_gives_400" in bad else 429
            gateway = self.gateway("Over the rate limit: wait for the next window.")
            if "over_limit_says_success" in bad:
                gateway["message"] = "success"
            return self.answer(request, window, status, gateway)
        self.served += 1
        try:
            body = self.parse(request)
            status, answer = getattr(self, bucket)(request, body)
        except RefusedError as no:
            if interpretation["refused_counted"] == "no":
                self.windows[window][1] -= 1
            return self.refuse(request, window, no)
        except RecursionError:
            return self.refuse(request, window, RefusedError("nested too deeply"))
        if (request.section == "events" and "events_not_counted_in_window" in bad) or (
            request.section == "purchases" and "purchases_not_counted_in_window" in bad
        ):
            self.windows[window][1] -= 1
        return self.answer(request, window, status, answer)

    def refuse(self, request: Request, window: str, no: RefusedError) -> Reply:
        bad = self.bad
        self.after_400 = True
        if "state_lost_after_400" in bad:
            self.forget_everything()
        if "counts_reset_after_400" in bad:
            for profile in self.profiles.values():
                profile.events.clear()
                profile.purchases.clear()
        self.apply_despite(request)
        body: Any = self.fatal(INVALID, no.detail, no.section, no.index)
        if "refusal_lacks_errors" in bad:
            del body["errors"]
        if "refusal_errors_is_text" in bad:
            body["errors"] = no.detail
        if "refusal_lacks_message" in bad:
            del body["message"]
        if "refusal_says_success" in bad:
            body["message"] = "success"
        if "refusal_message_is_object" in bad:
            body["message"] = {"text": INVALID}
        if "refusal_is_not_json" in bad:
            body = "Bad Request"
        if "refusal_is_bare_list" in bad:
            body = [no.detail]
        status = no.status
        if "refusal_gives_201" in bad:
            status = 201
        if "refusal_gives_200" in bad:
            status = 200
        if "refusal_gives_422" in bad:
            status = 422
        if "refusal_gives_500" in bad:
            status = 500
        if "refusal_of_event_gives_422" in bad and no.section == "events":
            status = 422
        if "bad_syntax_gives_500" in bad and no.detail == "not JSON":
            status = 500
        return self.answer(request, window, status, body)

    def answer(self, request: Request, window: str, status: int, body: Any) -> Reply:
        return Reply(status, body, self.rate_headers(window, request, status))

    def word(self, text: str) -> str:
        return (
            text if self.interpretation["wording"] == "plain" else f"No: {text.lower()} Please see the manual. (E-17)"
        )

    def details(self, detail: str, section: str, index: int) -> list[Any]:
        detail = self.word(detail)
        if self.interpretation["errors_form"] == "texts":
            return [detail]
        if self.interpretation["errors_form"] == "by_level" and any(part in detail for part in BEFORE_THE_ENDPOINT):
            return [detail]
        if self.interpretation["errors_form"] == "nested":
            return [{section: {str(index): [detail]}}]
        if self.interpretation["errors_form"] == "coded":
            return [{"code": 17, "message": detail, "path": [section, index]}]
        return [{"type": detail, "input_array": section, "index": index}]

    def fatal(self, message: str, detail: str, section: str = "attributes", index: int = 0) -> dict[str, Any]:
        return {"message": self.word(message), "errors": self.details(detail, section, index)}

    def gateway(self, message: str) -> dict[str, Any]:
        if self.interpretation["errors_form"] == "by_level":
            return {"message": self.word(message), "errors": [self.word(message)]}
        if self.interpretation["gateway_errors"] == "listed":
            return self.fatal(message, message)
        return {"message": self.word(message)}

    # ---- keys and windows

    def authorise(self, request: Request) -> int:
        bad = self.bad
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        if "any_key_accepted" in bad and sent:
            return 200
        if "missing_key_accepted" in bad and not scheme:
            return 200
        if "empty_key_accepted" in bad and scheme and not sent.strip():
            return 200
        if "quoted_key_accepted" in bad:
            sent = sent.strip("\"'")
        if "key_case_ignored" in bad and sent.lower() == self.key.lower():
            sent = self.key
        if "key_prefix_accepted" in bad and len(sent) > 3 and self.key.startswith(sent):
            sent = self.key
        if "key_with_tail_accepted" in bad and sent.startswith(self.key):
            sent = self.key
        if scheme != "Bearer":
            return 401
        if sent == self.key:
            return 200
        if self.unprivileged_key is None or sent != self.unprivileged_key:
            return 401
        if "permission_unchecked" in bad:
            return 200
        if "permission_unchecked_for_events" in bad and b'"events"' in request.body:
            return 200
        if "permission_unchecked_for_purchases" in bad and b'"purchases"' in request.body:
            return 200
        return 403

    def limit(self, bucket: str) -> int:
        return self.rate_limit if bucket == "sync" else LIMITS[bucket]

    def window_start(self, bucket: str, now: float) -> int:
        bad, second = self.bad, int(now)
        if bucket == "elsewhere":
            return second - second % 3600
        if "window_of_an_hour" in bad:
            return second - second % 3600
        if "window_of_ten_seconds" in bad:
            return second - second % 10
        if "window_off_the_minute" in bad:
            return second - (second + 30) % 60
        if "window_starts_at_first_request" in bad:
            start = self.windows.get(bucket, [second, 0])[0]
            return start if second < start + 60 else second
        return second - second % 60

    def window(self, bucket: str, now: float) -> list[int]:
        start = self.window_start(bucket, now)
        held = self.windows.get(bucket)
        if held is None or held[0] != start:
            held = self.windows[bucket] = [start, 0]
        return held

    def take(self, bucket: str, now: float) -> bool:
        bad, held, limit = self.bad, self.window(bucket, now), self.limit(bucket)
        if "limit_not_enforced" in bad:
            held[1] += 1
            return True
        if "limit_off_by_one_up" in bad:
            limit += 1
        if "limit_off_by_one_down" in bad:
            limit -= 1
        if "limit_enforced_at_half" in bad:
            limit //= 2
        if held[1] >= limit:
            return False
        held[1] += 1
        return True

    def rate_headers(self, bucket: str, request: Request, status: int) -> dict[str, str]:
        bad = self.bad
        names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
        if status == 401 and self.interpretation["headers_401"] == "empty":
            values = ["", "", ""]
        else:
            start, used = self.window(bucket, request.now)
            limit = self.limit(bucket)
            length = 3600 if bucket == "elsewhere" or "window_of_an_hour" in bad else 60
            length = 10 if "window_of_ten_seconds" in bad else length
            values = self.rate_values(limit, used, start + length, request.now, status)
        if f"headers_missing_on_{status}" in bad:
            return {}
        if request.section and f"headers_missing_for_{request.section}" in bad:
            return {}
        drop = {"limit_header_missing": 0, "remaining_header_missing": 1, "reset_header_missing": 2}
        kept = [n for n in range(3) if not any(drop[fault] == n for fault in drop if fault in bad)]
        if "reset_header_missing_on_429" in bad and status == 429:
            kept.remove(2)
        return {names[n]: values[n] for n in kept}

    def rate_values(self, limit: int, used: int, reset: int, now: float, status: int) -> list[str]:
        bad = self.bad
        remaining = max(0, limit - used)
        if "remaining_never_falls" in bad:
            remaining = limit
        if "remaining_counts_up" in bad:
            remaining = used
        if "remaining_above_limit" in bad:
            remaining = limit + 10 - used
        if "remaining_negative_when_over" in bad and status == 429:
            remaining = -1
        if "remaining_positive_when_over" in bad and status == 429:
            remaining = 7
        if "remaining_falls_every_other_time" in bad:
            remaining = limit - used // 2
        shown_limit, shown_reset, shown = str(limit), str(reset), str(remaining)
        if "limit_header_wavers" in bad and self.served % 3 == 0:
            shown_limit = str(limit + 1)
        if "limit_header_is_remaining" in bad:
            shown_limit = shown
        if "limit_header_has_words" in bad:
            shown_limit = f"{limit} per minute"
        if "remaining_is_a_fraction" in bad:
            shown = f"{remaining / limit:.3f}"
        if "reset_in_milliseconds" in bad:
            shown_reset = str(reset * 1000)
        if "reset_as_seconds_left" in bad:
            shown_reset = str(reset - int(now))
        if "reset_as_date" in bad:
            shown_reset = dates.write(datetime.fromtimestamp(reset, UTC))
        if "reset_is_now" in bad:
            shown_reset = str(int(now))
        if "reset_one_minute_late" in bad:
            shown_reset = str(reset + 60)
        if "reset_one_second_late" in bad:
            shown_reset = str(reset + 1)
        if "reset_in_the_past" in bad:
            shown_reset = str(reset - 60)
        if "reset_a_minute_from_now" in bad:
            shown_reset = str(int(now) + 60)
        if "reset_wrong_on_429" in bad and status == 429:
            shown_reset = "0"
        return [shown_limit, shown, shown_reset]

    # ---- reading a request

    def parse(self, request: Request) -> dict[str, Any]:
        bad, interpretation = self.bad, self.interpretation
        if len(request.body) > LARGEST and interpretation["large_body"] != "accepted":
            raise RefusedError("too large", status=int(interpretation["large_body"]))
        if "body_limit_of_64_kilobytes" in bad and len(request.body) > 64 * 1024:
            raise RefusedError("too large", status=413)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and interpretation["content_type_in"] != "ignored":
            raise RefusedError("content type", status=int(interpretation["content_type_in"]))
        text = request.body
        if "truncated_json_accepted" in bad and text.rstrip()[-1:] not in (b"}", b""):
            text += b"}"

        def constant(name: str) -> float:
            raise ValueError(name)

        def number(name: str) -> float:
            value = float(name)
            if not math.isfinite(value):
                raise ValueError(name)
            return value

        try:
            body = json.loads(text.decode(), parse_constant=constant, parse_float=number)
            json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise RefusedError("not JSON") from None
        if _depth(body) > 100:
            raise RefusedError("nested too deeply")
        if "list_body_accepted" in bad and isinstance(body, list) and body and isinstance(body[0], dict):
            body = {"attributes": body[:1]}
        if not isinstance(body, dict):
            raise RefusedError("not an object")
        return body

    def single(self, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The one object of a synchronous request."""
        bad, interpretation = self.bad, self.interpretation
        found: list[tuple[str, Any]] = []
        for section in SECTIONS:
            if section not in body:
                continue
            items = body[section]
            if items is None and interpretation["null_section"] == "ignored":
                continue
            if items == [] and (interpretation["empty_sections"] == "ignored" or len(body) == 1):
                continue
            if isinstance(items, dict):
                if interpretation["bare_object"] == "refused":
                    raise RefusedError("must be an array", section)
                items = [items]
            elif "array_refused" in bad:
                raise RefusedError("must be an object", section)
            if not isinstance(items, list):
                raise RefusedError("must be an array", section)
            if not items:
                raise RefusedError("is empty", section)
            if len(items) > 1 and "two_objects_accepted" not in bad:
                raise RefusedError("more than one object", section, 1)
            found.append((section, items[0]))
        if interpretation["unknown_section"] == "refused" and body.keys() - {*SECTIONS, "partner"}:
            raise RefusedError("unknown field")
        if not found:
            if "nothing_accepted" in bad:
                return "", {}
            raise RefusedError("nothing to do")
        both = "events_with_attributes_accepted" in bad and [s for s, _ in found] == ["attributes", "events"]
        if len(found) > 1 and not both and "two_sections_accepted" not in bad:
            raise RefusedError("more than one kind of object", found[1][0])
        return found[0]

    def check(self, section: str, item: Any, now: float, index: int = 0) -> Plan:
        """A valid plan for one object, or RefusedError."""
        bad, interpretation = self.bad, self.interpretation

        def no(detail: str) -> RefusedError:
            return RefusedError(detail, section, index)

        if not isinstance(item, dict):
            raise no("is not an object")
        lead, key = self.identify(section, item, no)
        flag = item.get("_update_existing_only", lead == "user_alias")
        if not isinstance(flag, bool):
            raise no("'_update_existing_only' is not valid")
        plan = Plan(section, item, lead, key, self.update_only(section, lead, flag, item))
        if section == "attributes":
            self.check_attributes(plan, item, no)
            return plan
        if section == "events":
            name = item.get("name")
            if "event_without_name_accepted" in bad and name is None:
                name = "unnamed"
            if "event_name_may_be_number" in bad and isinstance(name, int):
                name = str(name)
            if not isinstance(name, str) or not name:
                raise no("'name' is required")
            if "event_name_with_space_refused" in bad and " " in name:
                raise no("'name' is not valid")
            plan.name = name
        else:
            self.check_purchase(plan, item, no)
        plan.at = self.check_time(section, item, now, no)
        self.check_properties(section, item.get("properties", {}), no)
        app = item.get("app_id", "")
        if not isinstance(app, str) and app is not None:
            raise no("'app_id' is not valid")
        if interpretation["unknown_app_id"] == "refused" and app:
            raise no("'app_id' is unknown")
        if section == "events" and "event_counted_per_app" in bad:
            plan.name = f"{plan.name}\0{app}"
        if section == "purchases" and "purchase_counted_per_currency" in bad:
            plan.name = f"{plan.name}\0{item['currency']}"
        if interpretation["quantity"] == "once":
            plan.times = 1
        return plan

    def identify(self, section: str, item: dict[str, Any], no: Callable[[str], RefusedError]) -> tuple[str, Any]:
        bad, interpretation = self.bad, self.interpretation
        orders = {"alias": (1, 0, 2, 3, 4), "braze_id": (2, 0, 1, 3, 4)}
        order = [IDENTIFIERS[n] for n in orders.get(interpretation["leading_identifier"], (0, 1, 2, 3, 4))]
        if "phone_leads_over_email" in bad:
            order[3:] = ["phone", "email"]
        named = []
        for name in order:
            if name not in item:
                continue
            value = item[name]
            if name in ("email", "phone") and value is None and section == "attributes":
                continue
            self.check_identifier(name, value, no)
            named.append(name)
        if not named:
            if "missing_identifier_accepted" in bad or f"missing_identifier_accepted_for_{section}" in bad:
                return "external_id", "nobody"
            raise no(NO_IDENTIFIER)
        if (
            interpretation["leading_identifier"] == "refused"
            and len(set(named) & {"external_id", "user_alias", "braze_id"}) > 1
        ):
            raise no("these identifiers cannot be combined")
        lead = named[0]
        if f"{lead}_refused" in bad or (f"{lead}_refused_for_{section}" in bad):
            raise no(NO_IDENTIFIER)
        value = item[lead]
        key: Any = str(value)
        if lead == "external_id" and "external_ids_collide" in bad:
            key = zlib.crc32(key.encode()) % 16
        if lead == "email" and "emails_collide_on_domain" in bad:
            key = key.partition("@")[2]
        if lead == "user_alias":
            alias = value if isinstance(value, dict) else {"alias_name": value}
            label, name = alias.get("alias_label"), alias.get("alias_name")
            key = (None if "alias_label_ignored" in bad else label, None if "alias_name_ignored" in bad else name)
            if "alias_swapped_is_same" in bad:
                key = tuple(sorted(map(str, key)))
        if (
            lead == "braze_id"
            and not self.index.get(("braze_id", key))
            and interpretation["unknown_braze_id"] == "refused"
        ):
            raise no("'braze_id' is unknown")
        return lead, key

    def check_identifier(self, name: str, value: Any, no: Callable[[str], RefusedError]) -> None:
        bad = self.bad
        if name == "external_id":
            number = isinstance(value, int) and not isinstance(value, bool)
            if not (isinstance(value, str) and value) and not number:
                raise no("'external_id' is not valid")
            if number and self.interpretation["integer_external_id"] == "refused":
                raise no("'external_id' is not a string")
        elif name == "user_alias":
            if not isinstance(value, dict):
                if "alias_as_text_accepted" in bad and isinstance(value, str):
                    return
                raise no("'user_alias' is not valid")
            for part in ("alias_name", "alias_label"):
                if f"{part}_optional" in bad and part not in value:
                    continue
                if not (isinstance(value.get(part), str) and value[part]):
                    raise no(f"'{part}' is required")
        elif name == "braze_id":
            if not (isinstance(value, str) and value):
                raise no("'braze_id' is not valid")
        elif name == "email":
            if not (isinstance(value, str) and EMAIL.fullmatch(value)):
                raise no(BAD_EMAIL)
        elif not (isinstance(value, str) and any(char.isdigit() for char in value)):
            raise no("'phone' is not valid")

    def update_only(self, section: str, lead: str, flag: bool, item: dict[str, Any]) -> bool:
        bad, told = self.bad, "_update_existing_only" in item
        if lead == "user_alias":
            if section != "attributes" and self.interpretation["alias_events"] == "never":
                flag = True
            if "alias_created_by_default" in bad and not told:
                return False
            if "alias_created_by_default_for_events" in bad and section == "events" and not told:
                return False
            if "alias_explicit_false_ignored" in bad and section == "attributes":
                return True
        if told and flag:
            if "update_only_ignored" in bad or f"update_only_ignored_for_{section}" in bad:
                return False
            if f"update_only_ignored_for_{lead}" in bad:
                return False
        if not told and lead != "user_alias":
            if "update_only_by_default" in bad or f"update_only_by_default_for_{section}" in bad:
                return True
            if f"update_only_by_default_for_{lead}" in bad:
                return True
        if told and not flag and "explicit_false_means_true" in bad:
            return True
        return flag

    def check_attributes(self, plan: Plan, item: dict[str, Any], no: Callable[[str], RefusedError]) -> None:
        bad, interpretation = self.bad, self.interpretation
        if not isinstance(item.get("_merge_objects", False), bool):
            raise no("'_merge_objects' is not valid")
        imported = item.get("push_token_import", False)
        if not isinstance(imported, bool):
            raise no("'push_token_import' is not valid")
        misplaced = plan.lead in ("external_id", "braze_id") or not item.get("push_tokens")
        if imported and misplaced and interpretation["push_token_import"] == "checked":
            raise no("'push_token_import' is not valid")
        for name, value in item.items():
            if name in IDENTIFIERS or name in CONTROLS:
                continue
            if name in PROFILE:
                if interpretation["bad_profile_field"] == "refused" and not _fits(name, value):
                    raise no(f"'{name}' is not valid")
                continue
            if interpretation["malformed_operation"] == "refused" and _malformed(value):
                raise no(f"'{name}' is not valid")
            if "false_attribute_refused" in bad and value is False:
                raise no(f"'{name}' is not valid")
            if "null_attribute_refused" in bad and value is None:
                raise no(f"'{name}' is not valid")
            if "nested_attribute_refused" in bad and isinstance(value, dict):
                raise no(f"'{name}' is not valid")
            if "non_ascii_name_refused" in bad and not name.isascii():
                raise no(f"'{name}' is not valid")
            plan.custom[name] = value

    def check_purchase(self, plan: Plan, item: dict[str, Any], no: Callable[[str], RefusedError]) -> None:
        bad, interpretation = self.bad, self.interpretation
        product = item.get("product_id")
        number = isinstance(product, int) and not isinstance(product, bool)
        if "purchase_without_product_accepted" in bad and product is None:
            product, number = "none", False
        if (not isinstance(product, str) or not product) and not number:
            raise no("'product_id' is required")
        if number and interpretation["integer_product_id"] == "refused":
            raise no("'product_id' is not a string")
        length = len(str(product))
        long = not number and attributes.too_long(product, self.law)
        if long and not ("product_id_of_256_accepted" in bad and length == 256):
            raise no("'product_id' is too long")
        if "product_id_of_255_refused" in bad and length == 255:
            raise no("'product_id' is too long")
        plan.name = str(product)
        currency = item.get("currency")
        if "purchase_without_currency_accepted" in bad and currency is None:
            item = {**item, "currency": "USD"}
            plan.item = item
            currency = "USD"
        if interpretation["currency_case"] == "ignored" and isinstance(currency, str):
            currency = currency.upper()
        known = {"USD", "EUR", "GBP"} if "currency_list_short" in bad else CURRENCIES
        if "currency_unchecked" in bad and isinstance(currency, str):
            known = {currency}
        if "currency_any_three_letters" in bad and isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency):
            known = {currency}
        if not isinstance(currency, str) or currency not in known:
            raise no("'currency' must be an ISO 4217 currency")
        price = item.get("price")
        if "purchase_without_price_accepted" in bad and price is None:
            price = 0
        if "price_as_text_accepted" in bad and isinstance(price, str):
            price = 0
        if isinstance(price, bool) or not isinstance(price, int | float):
            raise no("'price' is not valid")
        if ("negative_price_refused" in bad and price < 0) or (
            "integer_price_refused" in bad and isinstance(price, int)
        ):
            raise no("'price' is not valid")
        plan.times = self.check_quantity(item.get("quantity", 1), no)

    def check_quantity(self, quantity: Any, no: Callable[[str], RefusedError]) -> int:
        bad = self.bad
        if isinstance(quantity, float) and quantity.is_integer() and self.interpretation["quantity_2.0"] == "accepted":
            quantity = int(quantity)
        if "quantity_unchecked" in bad and not isinstance(quantity, dict | list):
            return 1
        if "quantity_as_text_accepted" in bad and isinstance(quantity, str):
            return 1
        if "quantity_fraction_accepted" in bad and isinstance(quantity, float):
            return max(1, int(quantity))
        if isinstance(quantity, bool) or not isinstance(quantity, int):
            raise no("'quantity' is not valid")
        if "quantity_101_accepted" in bad and quantity == 101:
            return quantity
        if "quantity_zero_accepted" in bad and quantity == 0:
            return 1
        if "quantity_negative_accepted" in bad and quantity < 0:
            return 1
        if "quantity_100_refused" in bad and quantity == 100:
            raise no("'quantity' is not valid")
        if not 1 <= quantity <= 100:
            raise no("'quantity' is not valid")
        if "quantity_plus_one" in bad and quantity > 1:
            return quantity + 1
        if "quantity_capped_at_ten" in bad:
            return min(quantity, 10)
        if "quantity_adds_nothing" in bad and quantity > 1:
            return 0
        return quantity

    def check_time(self, section: str, item: dict[str, Any], now: float, no: Callable[[str], RefusedError]) -> datetime:
        bad = self.bad
        sent = item.get("time")
        present = datetime.fromtimestamp(now, UTC)
        one = section[:-1]
        if f"{one}_without_time_accepted" in bad and sent is None:
            return present
        if f"{one}_time_unchecked" in bad and isinstance(sent, str) and dates.read(sent, True) is None:
            return present
        if f"{one}_time_as_number_accepted" in bad and isinstance(sent, int):
            return present
        at = dates.read(sent, loosely=True)
        if at is None:
            raise no("'time' is not valid")
        bare = re.fullmatch(r"\d{4}-\d\d-\d\d", sent)
        zoneless = not re.search(r"([zZ]|[+-]\d\d:?\d\d)$", sent[10:])
        if ("time_date_only_refused" in bad and bare) or ("time_with_slashes_refused" in bad and "/" in sent):
            raise no("'time' is not valid")
        if "time_without_zone_refused" in bad and zoneless:
            raise no("'time' is not valid")
        if "time_with_offset_refused" in bad and re.search(r"[+-]\d\d:?\d\d$", sent[10:]):
            raise no("'time' is not valid")
        if "future_time_refused" in bad and at > present:
            raise no("'time' is in the future")
        if "old_time_refused" in bad and at.year < 2000:
            raise no("'time' is too old")
        if "time_offset_ignored" in bad and not zoneless:
            at = dates.read(re.sub(r"([zZ]|[+-]\d\d:?\d\d)$", "", sent)) or at
        if "time_offset_applied_backwards" in bad and (hit := re.search(r"([+-])(\d\d):?(\d\d)$", sent[10:])):
            span = 2 * timedelta(hours=int(hit[2]), minutes=int(hit[3]))
            at = at + span if hit[1] == "+" else at - span
        if "time_offset_minutes_lost" in bad and (hit := re.search(r"([+-])\d\d:?(\d\d)$", sent[10:])):
            span = timedelta(minutes=int(hit[2]))
            at = at + span if hit[1] == "+" else at - span
        if "time_without_zone_is_local" in bad and zoneless:
            at -= timedelta(hours=9)
        if "time_day_and_month_swapped" in bad and "/" in sent and at.day <= 12:
            at = at.replace(month=at.day, day=at.month)
        if "milliseconds_lost" in bad or f"{one}_milliseconds_lost" in bad:
            at = at.replace(microsecond=0)
        if "seconds_lost" in bad:
            at = at.replace(second=0, microsecond=0)
        if f"{one}_time_is_arrival" in bad:
            return present
        if at > present and "future_time_kept" not in bad and f"{one}_future_time_kept" not in bad:
            at = present
        return at

    def check_properties(self, section: str, properties: Any, no: Callable[[str], RefusedError]) -> None:
        bad, interpretation = self.bad, self.interpretation
        if not isinstance(properties, dict):
            if "properties_of_any_kind_accepted" in bad:
                return
            raise no("'properties' is not valid")
        reserved = {"time", "event_name"}
        if "property_time_accepted" in bad:
            reserved.discard("time")
        if "property_event_name_accepted" in bad:
            reserved.discard("event_name")
        if "reserved_property_accepted_for_purchases" in bad and section == "purchases":
            reserved.clear()
        for name, value in properties.items():
            if name in reserved:
                raise no(f"'{name}' is a reserved property")
            wrong = not name or name.startswith("$") or (len(name) > 255 and attributes.too_long(name, self.law))
            if wrong and interpretation["bad_property_name"] == "refused":
                raise no("the name of a property is not valid")
            if (
                interpretation["long_property"] == "refused"
                and isinstance(value, str)
                and attributes.too_long(value, self.law)
            ):
                raise no(f"the property '{name}' is too long")
            if "nested_property_refused" in bad and isinstance(value, dict | list):
                raise no(f"the property '{name}' is not valid")
        if "many_properties_refused" in bad and len(properties) > 256:
            raise no("too many properties")
        if attributes.too_big(properties, self.law) and interpretation["large_properties"] == "refused":
            raise no("'properties' is too large")

    # ---- who is meant

    def put(self, kind: str, key: Any, profile: Profile) -> None:
        self.index.setdefault((kind, key), []).append(profile)

    def drop(self, kind: str, key: Any, profile: Profile) -> None:
        held = self.index.get((kind, key), [])
        if profile in held:
            held.remove(profile)

    def find(self, plan: Plan) -> Profile | None:
        bad, lead = self.bad, plan.lead
        held = self.index.get((lead, plan.key), [])
        if not held or f"{lead}_profile_made_anew" in bad:
            return None
        if lead == "user_alias" and "alias_found_only_with_flag" in bad and "_update_existing_only" not in plan.item:
            return None
        if lead not in ("email", "phone"):
            return held[-1]
        known = [profile for profile in held if profile.external_id is not None]
        loose = [profile for profile in held if profile.external_id is None]
        if f"{lead}_misses_identified_users" in bad:
            known = []
        if f"{lead}_prefers_unidentified" in bad and loose:
            known = []
        pool = known or loose
        if f"{lead}_goes_to_oldest" in bad:
            return min(pool, key=lambda profile: profile.touched, default=None)
        if f"{lead}_goes_to_first_created" in bad:
            return pool[0] if pool else None
        return max(pool, key=lambda profile: profile.touched, default=None)

    def create(self, plan: Plan) -> Profile | None:
        if plan.lead == "braze_id" and "unknown_braze_id_creates" not in self.bad:
            return None
        self.born += 1
        profile = Profile(f"{zlib.crc32(b'%d' % self.born):08x}{self.born:016x}")
        self.profiles[profile.braze_id] = profile
        self.put("braze_id", profile.braze_id, profile)
        if plan.lead == "external_id":
            profile.external_id = str(plan.item.get("external_id", plan.key))
        elif plan.lead == "user_alias":
            alias = plan.item["user_alias"]
            if isinstance(alias, dict):
                profile.aliases.append((alias.get("alias_label", ""), alias.get("alias_name", "")))
        elif plan.lead in ("email", "phone"):
            setattr(profile, plan.lead, plan.item[plan.lead])
        self.put(plan.lead, plan.key, profile)
        return profile

    def remove(self, profile: Profile) -> None:
        self.profiles.pop(profile.braze_id, None)
        for held in self.index.values():
            if profile in held:
                held.remove(profile)

    def forget_everything(self) -> None:
        self.profiles.clear()
        self.index.clear()

    # ---- what a plan does

    def apply(self, plan: Plan, now: float) -> tuple[Profile, dict[str, str]] | None:
        """Apply a plan. None when there is nobody to apply it to; otherwise what became of each attribute."""
        bad = self.bad
        profile = self.find(plan)
        if (
            profile is not None
            and plan.item.get("_update_existing_only") is True
            and "update_only_skips_existing" in bad
        ):
            return None
        if profile is None:
            if plan.update_only:
                if "update_only_creates_behind" in bad and plan.lead != "braze_id":
                    self.create(plan)
                return None
            profile = self.create(plan)
            if profile is None:
                return None
        self.turn += 1
        if plan.section == "attributes" or profile.writes == 0 or self.interpretation["recency"] == "any_write":
            profile.touched = self.turn
        profile.writes += 1
        if plan.section == "attributes":
            return profile, self.apply_attributes(plan, profile)
        if self.interpretation["contacts_beside_events"] == "set":
            self.give_contacts(plan, profile)
        assert plan.at is not None
        store = self.store(plan, profile)
        book = store.events if plan.section == "events" else store.purchases
        self.tally(plan, profile, book, datetime.fromtimestamp(now, UTC))
        return profile, {}

    def store(self, plan: Plan, profile: Profile) -> Profile:
        """Where the data of this user are kept."""
        bad = self.bad
        if f"{plan.section}_shared_across_users" in bad or f"{plan.lead}_users_share_data" in bad:
            return self.common
        return profile

    def give_contacts(self, plan: Plan, profile: Profile) -> None:
        """An email or phone beside a stronger identifier becomes the profile's."""
        bad, item = self.bad, plan.item
        for name in ("email", "phone"):
            if name in item and name != plan.lead and f"{name}_change_ignored" not in bad:
                old = getattr(profile, name)
                if item[name] is None and self.interpretation["email_null"] == "ignored":
                    continue
                if old is not None and f"old_{name}_still_found" not in bad:
                    self.drop(name, old, profile)
                setattr(profile, name, item[name])
                if item[name] is not None and profile not in self.index.get((name, item[name]), []):
                    self.put(name, item[name], profile)

    def apply_attributes(self, plan: Plan, profile: Profile) -> dict[str, str]:
        bad, item = self.bad, plan.item
        self.give_contacts(plan, profile)
        for name, value in item.items():
            if name in PROFILE and name not in IDENTIFIERS:
                profile.fields.pop(name, None)
                if value is not None and _fits(name, value):
                    profile.fields[name] = value
        merge = item.get("_merge_objects", False)
        store = self.store(plan, profile)
        custom = store.custom
        if "attributes_replace_all" in bad:
            for name in set(custom) - set(plan.custom):
                del custom[name]
        outcome = {}
        sent = dict(plan.custom)
        if "attributes_only_first_applied" in bad:
            sent = dict(list(sent.items())[:1])
        if "attribute_names_lowercased" in bad:
            sent = {name.lower(): value for name, value in sent.items()}
        for name, value in sent.items():
            old = custom.get(name, GONE)
            if "new_attributes_after_tenth_ignored" in bad and old is GONE and len(custom) >= 10:
                outcome[name] = "kept"
                continue
            try:
                new = attributes.resolve(old, value, merge, self.law)
            except UnchangedError:
                outcome[name] = "kept"
                if "refused_update_removes" in bad:
                    custom.pop(name, None)
                continue
            if new is GONE:
                if "removal_only_shown" not in bad:
                    custom.pop(name, None)
                if "removal_takes_neighbour" in bad and custom:
                    custom.pop(next(iter(custom)))
                outcome[name] = "removed"
            else:
                custom[name] = attributes.as_double(new) if self.interpretation["integers"] == "doubles" else new
                outcome[name] = "set"
        if "refused_update_drops_others" in bad and "kept" in outcome.values():
            for name in [name for name, what in outcome.items() if what == "set"]:
                custom.pop(name, None)
                outcome[name] = "kept"
        if "attributes_reset_counts" in bad:
            profile.events.clear()
            profile.purchases.clear()
        return outcome

    def tally(self, plan: Plan, profile: Profile, book: dict[str, Tally], present: datetime) -> None:
        bad, at, times = self.bad, plan.at, plan.times
        one = plan.section[:-1]
        assert at is not None

        def hit(fault: str) -> bool:
            return f"{one}_{fault}" in bad

        old = book.get(plan.name)
        if old is None:
            start = {"starts_at_zero": 0, "starts_at_two": 2}
            count = next((n for fault, n in start.items() if hit(fault)), times)
            book[plan.name] = Tally(at, at, count)
            return
        if hit("equal_ones_swallowed") and at == old.last:
            return
        if hit("same_second_swallowed") and abs((at - old.last).total_seconds()) < 1:
            return
        if hit("older_ones_swallowed") and at < old.last:
            return
        if hit("count_stuck_at_one"):
            times = 0
        if hit("count_doubles"):
            times = old.count
        if hit("count_stops_at_three"):
            times = min(times, max(0, 3 - old.count))
        if hit("third_one_lost") and old.count == 2:
            return
        if hit("count_with_properties_lost") and plan.item.get("properties"):
            times = 0
        if hit("older_ones_not_counted") and at < old.last:
            times = 0
        if hit("count_stuck_for_alias") and plan.lead == "user_alias":
            times = 0
        if hit("count_stuck_for_email") and plan.lead == "email":
            times = 0
        if hit("count_stuck_for_phone") and plan.lead == "phone":
            times = 0
        old.count += times
        if hit("first_follows_arrival"):
            old.first = at
        elif hit("first_is_latest"):
            old.first = max(old.first, at)
        elif not hit("first_never_moves"):
            old.first = min(old.first, at)
        if hit("last_follows_arrival") or (hit("last_follows_arrival_for_alias") and plan.lead == "user_alias"):
            old.last = at
        elif hit("last_is_earliest"):
            old.last = min(old.last, at)
        elif not hit("last_never_moves"):
            old.last = max(old.last, at)
        if hit("last_is_time_of_request"):
            old.last = present

    # ---- the synchronous endpoint

    def sync(self, request: Request, body: dict[str, Any]) -> tuple[int, Any]:
        bad, now = self.bad, request.now
        section, item = self.single(body)
        if not section:
            return 201, {"users": [], "message": "success"}
        request.section = section
        plan = self.check(section, item, now)
        before = self.find(plan)
        shot = before.snapshot() if before is not None else ({}, {}, {})
        stale = Profile("stale")
        stale.restore(before.snapshot() if before is not None else ({}, {}, {}))
        done = self.apply(plan, now)
        if done is None:
            self.after_400 = False
            return self.nobody(plan)
        profile, outcome = done
        if self.ignored(plan, profile):
            profile.restore(shot)
            outcome = dict.fromkeys(outcome, "kept")
        store = self.store(plan, profile)
        if "answer_shows_state_before" in bad or ("second_answer_is_stale" in bad and profile.writes == 2):
            store = stale
        entry = self.entry(plan, profile, store, outcome)
        if self.forgotten(plan, profile):
            profile.restore(shot)
        elif "applied_late" in bad or ("applied_late_for_emails" in bad and plan.lead == "email"):
            profile.restore(shot)
            if before is None:
                self.remove(profile)
            self.jobs.append((now + 0.4, lambda: self.again(plan, now)))
        self.after_400 = False
        return self.success(plan, entry, profile, before is None)

    def again(self, plan: Plan, now: float) -> None:
        self.apply(plan, now)

    def ignored(self, plan: Plan, profile: Profile) -> bool:
        """Faults: the write is not made, and the answer says so."""
        bad = self.bad
        return (
            ("second_update_ignored" in bad and profile.writes == 2)
            or ("alias_update_ignored" in bad and plan.lead == "user_alias" and plan.section == "attributes")
            or ("merging_update_ignored_for_email" in bad and plan.lead == "email" and "_merge_objects" in plan.item)
            or ("after_400_update_ignored" in bad and self.after_400 and plan.section == "attributes")
        )

    def forgotten(self, plan: Plan, profile: Profile) -> bool:
        """Faults: the answer is right, but nothing is kept."""
        bad = self.bad
        return (
            "nothing_kept" in bad
            or f"{plan.section}_not_kept" in bad
            or f"{plan.section}_not_kept_for_{plan.lead}" in bad
            or ("every_fifth_not_kept" in bad and self.served % 5 == 0)
            or ("not_kept_after_400" in bad and self.after_400)
            or ("second_write_not_kept" in bad and profile.writes == 2)
            or ("not_kept_when_told_update_only" in bad and plan.item.get("_update_existing_only") is True)
            or ("not_kept_with_explicit_false" in bad and plan.item.get("_update_existing_only") is False)
        )

    def nobody(self, plan: Plan) -> tuple[int, Any]:
        bad = self.bad
        if "nobody_gives_400" in bad:
            raise RefusedError("no such user", plan.section)
        if "nobody_gives_404" in bad:
            raise RefusedError("no such user", plan.section, status=404)
        status = 200 if "nobody_gives_200" in bad else 201
        if "nobody_shows_values" in bad:
            ghost = Profile("ghost")
            outcome = {}
            if plan.section == "attributes":
                outcome = self.apply_attributes(plan, ghost)
                for name in ("email", "phone"):
                    self.drop(name, getattr(ghost, name), ghost)
            else:
                book = ghost.events if plan.section == "events" else ghost.purchases
                self.tally(plan, ghost, book, datetime.now(UTC))
            return status, {"users": [self.entry(plan, ghost, ghost, outcome)], "message": "success"}
        message = "no users found" if "nobody_message_is_not_success" in bad else "success"
        if "nobody_users_is_null" in bad:
            return status, {"users": None, "message": message}
        if self.interpretation["no_user"] == "omitted":
            return status, {"message": message}
        return status, {"users": [], "message": message}

    def entry(self, plan: Plan, profile: Profile, store: Profile, outcome: dict[str, str]) -> dict[str, Any]:
        """The entry for the user in `users`."""
        bad, interpretation = self.bad, self.interpretation
        entry = self.naming(plan, profile)
        if interpretation["unused_sections"] == "empty":
            entry |= {"custom_attributes": {}, "custom_events": [], "purchase_events": []}
        if interpretation["unused_sections"] == "null":
            entry |= dict.fromkeys(("custom_attributes", "custom_events", "purchase_events"))
        if plan.section == "attributes":
            shown = self.shown_attributes(plan, store, outcome)
            if shown or interpretation["no_custom_attributes"] == "empty":
                entry["custom_attributes"] = shown
            if "attributes_as_list" in bad:
                entry["custom_attributes"] = [{"name": name, "value": value} for name, value in shown.items()]
            if "attributes_section_missing" in bad:
                entry.pop("custom_attributes", None)
            if "attributes_beside_identifier" in bad:
                entry |= entry.pop("custom_attributes", {})
        else:
            events = plan.section == "events"
            book = store.events if events else store.purchases
            label = "name" if events else "product_id"
            listed = self.shown_tallies(plan, book, label)
            where = "custom_events" if events else "purchase_events"
            if "events_section_renamed" in bad and events:
                where = "events"
            if "purchases_section_renamed" in bad and not events:
                where = "purchases"
            if "purchase_answered_as_event" in bad and not events:
                where = "custom_events"
            if f"{plan.section}_section_missing" in bad:
                entry.pop(where, None)
            else:
                entry[where] = listed
            if f"{plan.section}_section_is_object" in bad and listed:
                entry[where] = listed[0]
            if "event_properties_become_attributes" in bad and events and plan.item.get("properties"):
                entry["custom_attributes"] = plan.item["properties"]
        if interpretation["extra_fields"] == "present":
            entry["updated"] = True
        return entry

    def naming(self, plan: Plan, profile: Profile) -> dict[str, Any]:
        """The identifiers in the answer."""
        bad, interpretation, lead = self.bad, self.interpretation, plan.lead
        value = plan.item.get(lead)
        if lead == "external_id" and interpretation["integer_external_id"] == "as_string" and value is not None:
            value = str(value)
        named = {lead: value}
        if interpretation["identifiers_echoed"] == "nulls":
            named = dict.fromkeys(IDENTIFIERS) | named
        if interpretation["identifiers_echoed"] == "all":
            named |= {name: plan.item[name] for name in IDENTIFIERS if plan.item.get(name) is not None}
            named[lead] = value
        if interpretation["extra_identifiers"] != "none":
            named["braze_id"] = plan.item.get("braze_id", profile.braze_id)
        if interpretation["extra_identifiers"] == "all":
            for name in ("external_id", "email", "phone"):
                if name not in named and getattr(profile, name) is not None:
                    named[name] = getattr(profile, name)
        if "identifier_missing" in bad or (f"{lead}_missing_in_answer" in bad):
            named.pop(lead)
        if "alias_flattened" in bad and lead == "user_alias":
            named |= named.pop("user_alias", None) or {}
        if "alias_answered_without_label" in bad and lead == "user_alias":
            named["user_alias"] = {"alias_name": value["alias_name"]}
        if "alias_answered_swapped" in bad and lead == "user_alias":
            named["user_alias"] = {"alias_name": value["alias_label"], "alias_label": value["alias_name"]}
        if "identifier_always_braze_id" in bad:
            named = {"braze_id": profile.braze_id}
        if "email_answered_by_external_id" in bad and lead == "email" and profile.external_id:
            named.pop("email", None)
            named["external_id"] = profile.external_id
        if "external_id_uppercased" in bad and lead == "external_id":
            named["external_id"] = str(value).upper()
        if "external_id_cut_in_answer" in bad and lead == "external_id" and isinstance(value, str):
            named["external_id"] = value[:12]
        if "email_masked" in bad and lead == "email":
            named["email"] = re.sub(r"^.*@", "***@", value)
        if "phone_without_plus" in bad and lead == "phone":
            named["phone"] = value.lstrip("+")
        if "phone_as_number" in bad and lead == "phone" and value.lstrip("+").isdecimal():
            named["phone"] = int(value.lstrip("+"))
        if "answer_names_first_user" in bad and lead == "external_id":
            known = [other.external_id for other in self.profiles.values() if other.external_id is not None]
            named["external_id"] = known[0] if known else value
        return named

    def shown_attributes(self, plan: Plan, store: Profile, outcome: dict[str, str]) -> dict[str, Any]:
        bad, interpretation, form = self.bad, self.interpretation, self.interpretation["time_form"]
        shown: dict[str, Any] = {}
        for name in plan.custom:
            what = outcome.get(name, "kept")
            if what == "removed" and (name not in store.custom or "removal_only_shown" in bad):
                if interpretation["removed"] == "null":
                    shown[name] = None
                continue
            if what == "kept":
                if "refused_update_shown_as_made" in bad:
                    shown[name] = plan.custom[name]
                    continue
                if name in store.custom and not interpretation["refused_update"].startswith("omitted"):
                    shown[name] = attributes.show(store.custom[name], self.law, form)
                elif interpretation["refused_update"] == "null":
                    shown[name] = None
                continue
            if name in store.custom:
                shown[name] = attributes.show(store.custom[name], self.law, form)
        if "answer_echoes_request" in bad:
            shown = dict(plan.custom)
        if "answer_lists_all_attributes" in bad:
            shown |= {name: attributes.show(value, self.law, form) for name, value in store.custom.items()}
        if "answer_lists_control_keys" in bad:
            shown |= {name: plan.item[name] for name in CONTROLS if name in plan.item}
        if "answer_lists_profile_fields" in bad:
            shown |= {name: plan.item[name] for name in sorted(PROFILE - set(IDENTIFIERS)) if name in plan.item}
        if "answer_lacks_last_attribute" in bad and len(shown) > 1:
            shown.popitem()
        if "answer_lacks_false" in bad:
            shown = {name: value for name, value in shown.items() if value is not False}
        if "answer_lacks_empty_values" in bad:
            shown = {name: value for name, value in shown.items() if value not in ("", []) or value is False}
        if "answer_values_as_text" in bad:
            shown = {name: v if isinstance(v, str) or v is None else attributes.mark(v) for name, v in shown.items()}
        return shown

    def shown_tallies(self, plan: Plan, book: dict[str, Tally], label: str) -> list[dict[str, Any]]:
        bad = self.bad
        one = plan.section[:-1]
        names = [plan.name] if plan.name in book else []
        if f"answer_lists_all_{plan.section}" in bad:
            names = list(book)
        if f"answer_lists_no_{plan.section}" in bad:
            names = []
        form = self.interpretation["time_form"]
        out = []
        for name in names:
            tally = book[name]
            first, last = dates.write(tally.first, form), dates.write(tally.last, form)
            if f"{one}_first_and_last_swapped" in bad:
                first, last = last, first
            shown: Any = name.partition("\0")[0] if "\0" in plan.name else name
            if name == plan.name:
                sent = plan.item.get("name" if label == "name" else "product_id")
                if isinstance(sent, int) and self.interpretation["integer_product_id"] == "as_integer":
                    shown = sent
            ambiguity: dict[str, Any] = {label: shown, "first": first, "last": last, "count": tally.count}
            if f"{one}_count_as_text" in bad:
                ambiguity["count"] = str(tally.count)
            for part in ("first", "last", "count"):
                if f"{one}_{part}_missing" in bad:
                    del ambiguity[part]
            if f"{one}_name_missing" in bad:
                del ambiguity[label]
            if "purchase_named_name" in bad and one == "purchase":
                ambiguity["name"] = ambiguity.pop("product_id")
            if f"{one}_name_lowercased" in bad:
                ambiguity[label] = str(ambiguity[label]).lower()
            if f"{one}_name_trimmed" in bad:
                ambiguity[label] = str(ambiguity[label])[:20]
            if f"{one}_times_as_numbers" in bad:
                ambiguity |= {"first": int(tally.first.timestamp()), "last": int(tally.last.timestamp())}
            if f"{one}_times_as_dates" in bad:
                ambiguity |= {"first": first[:10], "last": last[:10]}
            if f"{one}_times_not_iso" in bad:
                ambiguity |= {"first": formatdate(tally.first.timestamp()), "last": formatdate(tally.last.timestamp())}
            out.append(ambiguity)
        return out

    def success(self, plan: Plan, entry: dict[str, Any], profile: Profile, fresh: bool) -> tuple[int, Any]:
        bad = self.bad
        status = 201
        if "success_gives_200" in bad or f"success_gives_200_for_{plan.section}" in bad:
            status = 200
        if "success_gives_200_for_known_user" in bad and not fresh:
            status = 200
        if "success_gives_202" in bad:
            status = 202
        body: dict[str, Any] = {"users": [entry], "message": "success"}
        if "success_message_other" in bad:
            body["message"] = "ok"
        if "success_message_capitalised" in bad:
            body["message"] = "Success"
        if "success_message_missing" in bad:
            del body["message"]
        if "success_message_missing_for_purchases" in bad and plan.section == "purchases":
            del body["message"]
        if "success_users_missing" in bad:
            del body["users"]
        if "success_users_empty" in bad or (
            "success_users_empty_for_known_phone" in bad and plan.lead == "phone" and not fresh
        ):
            body["users"] = []
        if "success_users_is_object" in bad:
            body["users"] = entry
        if "success_user_twice" in bad:
            body["users"] = [entry, entry]
        if "success_user_of_previous_request" in bad:
            body["users"] = [getattr(self, "previous", entry)]
            self.previous = entry
        if "success_lists_errors" in bad:
            body["errors"] = self.details("something was not right", plan.section, 0)
        if "success_wrapped" in bad:
            body = {"data": body}
        if plan.section == "attributes" and "success_lists_errors_for_refused_update" in bad:
            wanted = entry.get("custom_attributes", {})
            if any(value is not None and name not in wanted for name, value in plan.custom.items()):
                body["errors"] = self.details("not updated", plan.section, 0)
        if "success_is_not_json" in bad:
            return status, json.dumps(body)[:-1] + ",}"
        return status, body

    # ---- faults that come beside the ordinary way

    def sneak(self, request: Request) -> None:
        """Apply a request that was turned away."""
        with contextlib.suppress(RefusedError):
            section, item = self.single(self.parse(request))
            self.apply(self.check(section, item, request.now), request.now)

    def apply_despite(self, request: Request) -> None:
        """Apply part of a request that was refused as invalid."""
        bad = self.bad
        if not any(fault.endswith("_despite_400") for fault in bad):
            return
        wrong = (RefusedError, ValueError, AttributeError, KeyError, TypeError, IndexError, RecursionError)
        with contextlib.suppress(*wrong):
            body = json.loads(request.body)
            present = [section for section in SECTIONS if body.get(section)]
            items = body[present[0]]
            if "two_objects_applied_despite_400" in bad and len(items) > 1:
                for item in items:
                    self.apply(self.check(present[0], item, request.now), request.now)
            if "two_sections_applied_despite_400" in bad and len(present) > 1:
                for section in present:
                    self.apply(self.check(section, body[section][0], request.now), request.now)
            if "purchase_counted_despite_400" in bad and present == ["purchases"]:
                mended = {"currency": "USD", "price": 1, "time": "2020-01-01"} | dict(items[0])
                mended |= {"currency": "USD", "price": 1, "quantity": 1, "properties": {}}
                self.apply(self.check("purchases", mended, request.now), request.now)
            if "event_counted_despite_400" in bad and present == ["events"]:
                mended = {"time": "2020-01-01"} | dict(items[0]) | {"properties": {}}
                if dates.read(mended["time"], loosely=True) is None:
                    mended["time"] = "2020-01-01"
                self.apply(self.check("events", mended, request.now), request.now)

    def parallel_shots(self, request: Request) -> tuple[Profile, Any] | None:
        """Read the profile before the lock is held, as a careless server does."""
        if not {"parallel_attributes_lost", "parallel_events_lost", "parallel_purchases_lost"} & self.bad:
            return None
        shot = None
        with self.lock, contextlib.suppress(Exception):
            body = json.loads(request.body)
            section = next(section for section in SECTIONS if body.get(section))
            if f"parallel_{section}_lost" in self.bad:
                profile = self.find(self.check(section, body[section][0], request.now))
                if profile is not None:
                    shot = profile, profile.snapshot()
        time.sleep(0.03)
        return shot

    def overwrite(self, request: Request, profile: Profile, shot: Any) -> None:
        item = json.loads(request.body)[request.section][0]
        if request.section == "attributes":
            kept = {name: profile.custom[name] for name in item if name in profile.custom}
            profile.custom = {name: value for name, value in shot[0].items() if name not in item} | kept
        elif request.section == "events":
            profile.events = shot[1] | {item["name"]: profile.events[item["name"]]}
        else:
            name = str(item["product_id"])
            profile.purchases = shot[2] | {name: profile.purchases[name]}

    # ---- the neighbours

    def neighbour(self) -> int:
        return int(self.interpretation["neighbour_status"])

    def later(self, now: float, job: Callable[[], None]) -> None:
        self.jobs.append((now + (1.0 if self.interpretation["queue"] == "slow" else DELAY), job))

    def track(self, request: Request, body: dict[str, Any]) -> tuple[int, Any]:
        found: list[tuple[str, int, Any]] = []
        for section in SECTIONS:
            items = body.get(section)
            items = [items] if isinstance(items, dict) else items
            if items is None:
                continue
            if not isinstance(items, list):
                raise RefusedError("must be an array", section)
            found += [(section, index, item) for index, item in enumerate(items)]
        if not found:
            raise RefusedError("nothing to do")
        if len(found) > 75:
            raise RefusedError("more than 75 objects", found[75][0], found[75][1])
        plans: list[Plan] = []
        refused: list[RefusedError] = []
        for section, index, item in found:
            try:
                plans.append(self.check(section, item, request.now, index))
            except RefusedError as no:
                refused.append(no)
        if not plans:
            raise refused[0]
        now = request.now
        for plan in plans:
            self.later(now, lambda plan=plan: self.again(plan, now))
        answer: dict[str, Any] = {"message": "success"}
        for section in SECTIONS:
            if count := sum(plan.section == section for plan in plans):
                answer[f"{section}_processed"] = count
        if refused:
            answer["errors"] = [part for no in refused for part in self.details(no.detail, no.section, no.index)]
        return 201, answer

    def meant(self, body: dict[str, Any]) -> tuple[list[Profile], list[Any], int]:
        """The profiles that a list of identifiers names, those not found, and how many were named."""
        lists = {
            "external_ids": ("external_id", str),
            "user_aliases": ("user_alias", lambda alias: (alias["alias_label"], alias["alias_name"])),
            "braze_ids": ("braze_id", str),
            "email_addresses": ("email", lambda entry: entry["email"] if isinstance(entry, dict) else str(entry)),
            "phone_numbers": ("phone", lambda entry: entry["phone"] if isinstance(entry, dict) else str(entry)),
        }
        body = dict(body)
        for one, many in {
            "braze_id": "braze_ids",
            "email_address": "email_addresses",
            "phone": "phone_numbers",
        }.items():
            if one in body:
                body[many] = [body.pop(one)]
        found, missing, named = [], [], 0
        for many, (kind, read) in lists.items():
            entries = body.get(many, [])
            if not isinstance(entries, list) or len(entries) > 50:
                raise RefusedError(f"'{many}' is not valid")
            for entry in entries:
                named += 1
                try:
                    key: Any = read(entry)  # type: ignore[operator]
                    if kind == "external_id" and "external_ids_collide" in self.bad:
                        key = zlib.crc32(key.encode()) % 16
                    held = self.index.get((kind, key), [])
                except (KeyError, TypeError):
                    raise RefusedError(f"'{many}' is not valid") from None
                found += [profile for profile in held if profile not in found]
                if not held:
                    missing.append(entry)
        if not named:
            raise RefusedError("no identifiers")
        return found, missing, named

    def delete(self, request: Request, body: dict[str, Any]) -> tuple[int, Any]:
        for many in ("email_addresses", "phone_numbers"):
            entries = body.get(many)
            told = "prioritization" in body or not isinstance(entries, list)
            if not told and not all(isinstance(entry, dict) and "prioritization" in entry for entry in entries):
                raise RefusedError("'prioritization' is required")
        found, _, named = self.meant(body)
        for profile in found:
            self.later(request.now, lambda profile=profile: self.remove(profile))
        count = named if self.interpretation["deleted_count"] == "named" else len(found)
        return self.neighbour(), {"deleted": count, "message": "success"}

    def export(self, request: Request, body: dict[str, Any]) -> tuple[int, Any]:
        found, missing, _ = self.meant(body)
        wanted = body.get("fields_to_export")
        if wanted is not None and not isinstance(wanted, list):
            raise RefusedError("'fields_to_export' is not valid")
        form = self.interpretation["time_form"]

        def ambiguities(book: dict[str, Tally]) -> list[dict[str, Any]]:
            return [
                {"name": name, "first": dates.write(t.first, form), "last": dates.write(t.last, form), "count": t.count}
                for name, t in book.items()
            ]

        users = []
        for profile in found:
            data: dict[str, Any] = {
                "external_id": profile.external_id,
                "user_aliases": [{"alias_name": name, "alias_label": label} for label, name in profile.aliases],
                "braze_id": profile.braze_id,
                "email": profile.email,
                "phone": profile.phone,
                **profile.fields,
                "custom_attributes": {k: attributes.show(v, self.law, form) for k, v in profile.custom.items()},
                "custom_events": ambiguities(profile.events),
                "purchases": ambiguities(profile.purchases),
            }
            if self.interpretation["export_of_nothing"] == "null":
                data = {name: None if value in ([], {}) else value for name, value in data.items()}
            else:
                data = {name: value for name, value in data.items() if value not in (None, [], {})}
            users.append(data if wanted is None else {name: value for name, value in data.items() if name in wanted})
        answer: dict[str, Any] = {"users": users, "message": "success"}
        if missing:
            answer["invalid_user_ids"] = missing
        return self.neighbour(), answer


def _depth(value: Any) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        inner, depth = stack.pop()
        deepest = max(deepest, depth)
        if isinstance(inner, dict):
            stack += [(part, depth + 1) for part in inner.values()]
        elif isinstance(inner, list):
            stack += [(part, depth + 1) for part in inner]
    return deepest


def _fits(name: str, value: Any) -> bool:
    """Whether a profile field has the form that the documents give it."""
    if value is None:
        return True
    if name == "gender":
        return value in ("M", "F", "O", "N", "P")
    if name in ("email_subscribe", "push_subscribe"):
        return value in ("opted_in", "unsubscribed", "subscribed")
    if name == "dob":
        return (
            isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)) and dates.read(value) is not None
        )
    if name in ("country", "language"):
        return isinstance(value, str)
    if name == "current_location":
        return isinstance(value, dict) and {"longitude", "latitude"} <= value.keys()
    if name in ("push_tokens", "subscription_groups"):
        return isinstance(value, list)
    if name in ("email_open_tracking_disabled", "email_click_tracking_disabled"):
        return isinstance(value, bool)
    if name in ("facebook", "twitter"):
        return isinstance(value, dict)
    return isinstance(value, str)


def _malformed(value: Any) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    if value.keys() == {"inc"}:
        return isinstance(value["inc"], bool) or not isinstance(value["inc"], int)
    if value.keys() <= {"add", "remove"}:
        return not all(isinstance(part, list) for part in value.values())
    if value.keys() <= {"$add", "$update", "$remove"}:
        return not all(isinstance(part, list) for part in value.values())
    return False


def create(
    key: str,
    unprivileged_key: str | None = None,
    rate_limit: int = 500,
    array_limit: int = 500,
    interpretation: dict[str, str] | None = None,
    faults: Iterable[str] = (),
    clock: Callable[[], float] = time.time,
) -> App:
    """The application. Names that are in no table raise ValueError."""
    return App(key, unprivileged_key, rate_limit, array_limit, interpretation, faults, clock)


# ---- sockets


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            out = b""
            while True:
                try:
                    size = int(self.rfile.readline(100).partition(b";")[0], 16)
                except ValueError:
                    return None
                if not 0 <= size <= 4 * LARGEST or len(out) > 4 * LARGEST:
                    return None
                if size == 0:
                    while self.rfile.readline(65537).strip():
                        pass
                    return out
                out += self.rfile.read(size)
                self.rfile.readline(3)
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > 16 * LARGEST:
            return None
        return self.rfile.read(int(length))

    def serve(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self.send_error(400)
            return
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": self.path.partition("?")[0],
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": _Input(body),
        }
        for name, value in self.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        started: list[Any] = []
        data = b"".join(self.server.app(environ, lambda *start: started.extend(start)))  # type: ignore[attr-defined]
        status, headers = started
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        self.send_header("Date", self.date_time_string())
        names = set()
        for name, value in headers:
            names.add(name.lower())
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Transfer-Encoding", "chunked")
            half = len(data) // 2
            parts = [part for part in (data[:half], data[half:]) if part]
            data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve  # noqa: N815


class _Input:
    def __init__(self, body: bytes):
        self.body = body

    def read(self, size: int = -1) -> bytes:
        return self.body if size < 0 else self.body[:size]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, app: App, port: int = 0):
        self.app = app
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news."""


def run(app: App, port: int) -> tuple[_Server, str]:
    """A server that is bound and not yet serving, and its URL."""
    server = _Server(app, port)
    return server, f"http://127.0.0.1:{server.server_address[1]}"


@contextlib.contextmanager
def serving(port: int = 0, **config: Any) -> Iterator[str]:
    """Serve `create(**config)` from a thread and yield its base URL."""
    config.setdefault("key", "key")
    server, url = run(create(**config), port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for connection in list(server.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
