"""Route, key, permission and rate of a request, and how it is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from . import dates
from .facts import (
    BEFORE_THE_ENDPOINT,
    INVALID,
    LIMITS,
    ROUTES,
)
from .state import RefusedError, Reply, Request


class Admission:
    """A part of the application; see server.py."""

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
            return self.respond(request, window, status, body)
        if bucket == "elsewhere":
            status = 400 if "wrong_url_gives_400" in bad else 200 if "wrong_url_gives_200" in bad else 404
            return self.respond(request, window, status, self.gateway("Not found"))
        if request.method != "POST" and "get_accepted" in bad:
            return self.respond(request, window, 200, {"users": [], "message": "success"})
        if request.method != "POST":
            return self.respond(
                request, window, int(interpretation["wrong_method"]), self.gateway("Method not allowed")
            )
        if verdict == 403:
            if "forbidden_applied_anyway" in bad:
                self.sneak(request)
            if interpretation["forbidden_counted"] == "yes":
                self.take(window, request.now)
            status = 401 if "forbidden_gives_401" in bad else 400 if "forbidden_gives_400" in bad else 403
            return self.respond(request, window, status, self.gateway("This API key lacks the permission for this."))
        if not self.take(window, request.now):
            if "over_limit_applied_anyway" in bad:
                self.sneak(request)
            status = 503 if "over_limit_gives_503" in bad else 400 if "over_limit_gives_400" in bad else 429
            gateway = self.gateway("Over the rate limit: wait for the next window.")
            if "over_limit_says_success" in bad:
                gateway["message"] = "success"
            return self.respond(request, window, status, gateway)
        self.served += 1
        try:
            body = self.parse(request)
            status, response = getattr(self, bucket)(request, body)
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
        return self.respond(request, window, status, response)

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
        return self.respond(request, window, status, body)

    def respond(self, request: Request, window: str, status: int, body: Any) -> Reply:
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
