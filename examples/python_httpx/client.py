"""A client of POST /users/track/sync with httpx: tries again where that is safe, and says what is true.

It is an example that may be copied. The rules that it keeps, each in a function of its own:

- a 429 is waited out until the reset time, by every call of this client, if the deadline allows it;
- a 5XX is tried again after a pause that doubles; a 400, 401, 403, 404 or 413 never is;
- a count (event, purchase, increment) is not sent again when it is not known whether it was applied;
- for one user the next request goes out after the response to the one before;
- success is what the response shows, not its status.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

ATTEMPTS = 5
FIRST_PAUSE = 0.1  # seconds; doubles each time
TIME_OUT = 30.0  # seconds to wait for a response


@dataclass
class Result:
    """What became of a call: `outcome` is one of the six words of the protocol."""

    outcome: str
    values: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0
    message: str = ""


class Client:
    """One workspace. May be used by several threads."""

    def __init__(self, endpoint: str, key: str) -> None:
        self._url = f"{endpoint}/users/track/sync"
        self._http = httpx.Client(timeout=TIME_OUT, headers={"Authorization": f"Bearer {key}"})
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()
        self._not_before = 0.0  # the reset time of the last 429

    # --- calls --------------------------------------------------------------------------------------------------
    def set(self, user: dict[str, Any], attributes: dict[str, Any], deadline: float, **more: Any) -> Result:
        """Set custom attributes."""

        def shown(entry: dict[str, Any]) -> dict[str, Any] | None:
            values = entry.get("custom_attributes") or {}
            return values if all(self.same(values.get(name), value) for name, value in attributes.items()) else None

        return self._call("attributes", {**user, **attributes, **more}, shown, deadline, repeatable=True)

    def increment(self, user: dict[str, Any], name: str, by: int, deadline: float, **more: Any) -> Result:
        """Add to a number."""

        def shown(entry: dict[str, Any]) -> dict[str, Any] | None:
            values = entry.get("custom_attributes") or {}
            return values if name in values else None

        return self._call("attributes", {**user, name: {"inc": by}, **more}, shown, deadline, repeatable=False)

    def event(self, user: dict[str, Any], name: str, deadline: float, **more: Any) -> Result:
        """Record an event; `more` has its time, and perhaps properties."""
        shown = self._listed("custom_events", "name", name)
        return self._call("events", {**user, "name": name, **more}, shown, deadline, repeatable=False)

    def purchase(self, user: dict[str, Any], product_id: str, deadline: float, **more: Any) -> Result:
        """Record a purchase; `more` has its currency, price and time."""
        shown = self._listed("purchase_events", "product_id", product_id)
        return self._call("purchases", {**user, "product_id": product_id, **more}, shown, deadline, repeatable=False)

    def _listed(self, member: str, key: str, name: str) -> Any:
        def shown(entry: dict[str, Any]) -> dict[str, Any] | None:
            found = [one for one in entry.get(member) or [] if one.get(key) == name]
            return {"count": found[0]["count"]} if found else None

        return shown

    def same(self, a: Any, b: Any) -> bool:
        """Whether a response shows the value that was sent. JSON's true is not its 1, which Python's is."""
        return type(a) is type(b) and a == b if isinstance(b, bool) else bool(a == b)

    # --- one call -----------------------------------------------------------------------------------------------
    def _call(self, section: str, target: dict[str, Any], shown: Any, deadline: float, *, repeatable: bool) -> Result:
        with self.turn(target):
            return self._try(section, target, shown, time.monotonic() + deadline, repeatable=repeatable)

    def turn(self, target: dict[str, Any]) -> Any:
        """The lock of a user: requests for one user go out one after the other."""
        name = str(target.get("external_id") or target.get("email"))
        with self._guard:
            return self._locks[name]

    def _try(self, section: str, target: dict[str, Any], shown: Any, until: float, *, repeatable: bool) -> Result:
        pause = FIRST_PAUSE
        result = Result("failed")
        while True:
            if not self.wait(max(self._not_before - time.time(), 0.0), until):
                return Result("rate_limited", attempts=result.attempts, message="the limit outlasts the deadline")
            result.attempts += 1
            try:
                response = self._http.post(self._url, json={section: [target]})
            except httpx.HTTPError as error:
                result.outcome, result.message = "failed", type(error).__name__
                again = self.may_repeat_lost(repeatable)
                if not again or not self.pause(result, pause, until):
                    return result
                pause = self.longer(pause)
                continue
            if response.status_code == 429:
                result.outcome = "rate_limited"
                self.note_limit(response, result.attempts)
                if result.attempts >= ATTEMPTS:
                    return result
            elif response.status_code >= 500:
                result.outcome, result.message = "failed", f"answered {response.status_code}"
                again = self.may_repeat(response.status_code, repeatable)
                if not again or not self.pause(result, pause, until):
                    return result
                pause = self.longer(pause)
            elif response.status_code >= 400:
                result.outcome = self.refused(response)
                result.message = f"answered {response.status_code}"
                if not self.may_repeat_refused() or result.attempts > 2:
                    return result
            else:
                body = self.read(response)
                if body is not None:
                    self.conclude(result, body, shown)
                    return result
                result.outcome, result.message = "failed", "the response cannot be read"
                again = self.may_repeat_lost(repeatable)
                if not again or not self.pause(result, pause, until):
                    return result
                pause = self.longer(pause)

    # --- decisions ----------------------------------------------------------------------------------------------
    def pause(self, result: Result, seconds: float, until: float) -> bool:
        """Sleep before the next try, if there is to be one."""
        return result.attempts < ATTEMPTS and self.wait(seconds, until)

    def wait(self, seconds: float, until: float) -> bool:
        """Sleep, unless that would end after the deadline."""
        if time.monotonic() + seconds > until:
            return False
        time.sleep(seconds)
        return True

    def longer(self, pause: float) -> float:
        """The pause after `pause`."""
        return pause * 2

    def note_limit(self, response: httpx.Response, attempt: int) -> None:
        """Remember until when nothing may be sent. Where the clocks differ the reset time may seem past."""
        reset = float(response.headers.get("x-ratelimit-reset") or 0)
        self._not_before = reset + 0.05 if reset > time.time() else time.time() + attempt

    def may_repeat(self, status: int, repeatable: bool) -> bool:
        """Whether to try again after a 5XX: a 500 or 504 may have been applied."""
        return repeatable or status not in (500, 504)

    def may_repeat_lost(self, repeatable: bool) -> bool:
        """Whether to try again when the response was lost or cannot be read."""
        return repeatable

    def may_repeat_refused(self) -> bool:
        """Whether to send again what was refused: never, it will be refused again."""
        return False

    def refused(self, response: httpx.Response) -> str:
        """The outcome after a refusal."""
        return "unauthorised" if response.status_code in (401, 403) else "rejected"

    def read(self, response: httpx.Response) -> dict[str, Any] | None:
        """The body of a success, or None where there is none that can be read."""
        try:
            body = response.json()
        except ValueError:
            return None
        return body if isinstance(body, dict) and body.get("message") == "success" else None

    def conclude(self, result: Result, body: dict[str, Any], shown: Any) -> None:
        """What a complete response says."""
        users = body.get("users") or []
        values = shown(users[0]) if users else None
        result.message = ""
        if values is None:
            result.outcome = "not_applied"
        else:
            result.outcome, result.values = "applied", values
