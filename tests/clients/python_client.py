"""A small correct client of POST /users/track/sync, with variants that each break one clause.

    python python_client.py [VARIANT]

It plays a client team's test suite: it takes endpoint and key from the environment, makes a few calls, prints what it
does and ends with 1 if a call failed. `variants.toml` says which clause each variant breaks, and where that shows.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from typing import Any

import httpx

VARIANT = sys.argv[1] if len(sys.argv) > 1 else ""
ENDPOINT = os.environ.get("BRAZE_REST_ENDPOINT", "")
KEY = os.environ.get("BRAZE_API_KEY", "")
ATTEMPTS = 6


class Failed(Exception):
    """A call that did not do what was asked for."""


def is_(*names: str) -> bool:
    return VARIANT in names


class Client:
    def __init__(self) -> None:
        self._http = httpx.Client(timeout=1.0 if is_("impatient") else 30.0)

    # --- the request ------------------------------------------------------------------------------------------
    def _url(self) -> str:
        path = {
            "url-slash": "/users/track/sync/",
            "url-version": "/v2/users/track/sync",
            "big-batch": "/users/track",
        }.get(VARIANT, "/users/track/sync")
        return ENDPOINT + path + (f"?api_key={KEY}" if is_("key-in-url") else "")

    def _headers(self) -> dict[str, str]:
        value = {
            "key-quoted": f'Bearer "{KEY}"',
            "key-bare": KEY,
            "key-basic": "Basic " + base64.b64encode(f"api:{KEY}".encode()).decode(),
        }.get(VARIANT, f"Bearer {KEY}")
        headers = {"Content-Type": "application/json", "Authorization": value}
        if is_("no-content-type"):
            del headers["Content-Type"]
        if is_("form-content-type"):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if is_("key-missing"):
            del headers["Authorization"]
        if is_("key-in-header"):
            headers["X-Api-Key"] = KEY
        return headers

    def _content(self, body: dict[str, Any]) -> bytes:
        if is_("key-in-body"):
            body = {**body, "api_key": KEY}
        if is_("python-repr"):
            return repr(body).encode()
        text = json.dumps(body)
        if is_("big-body"):
            text += " " * 4 * 1024 * 1024
        return (b"\xef\xbb\xbf" if is_("bom") else b"") + text.encode()

    # --- trying -----------------------------------------------------------------------------------------------
    def send(self, body: dict[str, Any], *, repeatable: bool) -> dict[str, Any]:
        """Send `body` until it is answered. Raises Failed."""
        pause = 0.1
        attempts = 15 if is_("endless") else ATTEMPTS
        for attempt in range(attempts):
            try:
                method = "PUT" if is_("method-put") else "POST"
                response = self._http.request(method, self._url(), content=self._content(body), headers=self._headers())
            except httpx.HTTPError as error:
                if not repeatable:
                    raise Failed(f"it is not known whether it was applied: {type(error).__name__}") from None
                time.sleep(pause)
                pause *= 2
                continue
            status = response.status_code
            if status == 429:
                self._wait_for_reset(response, attempt)
            elif status >= 500:
                if is_("crash-on-html"):
                    response.json()
                if is_("no-retry") or (status in (500, 504) and not repeatable):
                    raise Failed(f"answered {status}")
                if not is_("retry-at-once"):
                    time.sleep(0.06 * 1.15**attempt if is_("endless") else pause)
                if not is_("retry-constant"):
                    pause *= 2
            elif status in (400, 401, 403, 404, 413):
                if is_("log-the-response"):
                    print("refused:", response.text)
                if is_("retry-refused") and attempt < 2:
                    time.sleep(pause)
                    continue
                raise Failed(f"refused with {status}")
            else:
                result = self._read(response)
                if result is not None:
                    return result
                if not repeatable:
                    raise Failed("the response cannot be read")
                time.sleep(pause)
                pause *= 2
        raise Failed("no response after many tries")

    def _wait_for_reset(self, response: httpx.Response, attempt: int) -> None:
        if is_("give-up-on-429", "limit-swallowed"):
            raise Failed("rate limited")
        if is_("rate-ignored"):
            time.sleep(0.05)
        elif is_("rate-fixed-pause"):
            time.sleep(1.0)
        else:
            reset = int(response.headers["x-ratelimit-reset"])
            # The clocks may differ: never less than a second, and more each time.
            time.sleep(max(reset - time.time(), 0.0) + 0.05 if reset > time.time() else 1.0 * (attempt + 1))

    def _read(self, response: httpx.Response) -> dict[str, Any] | None:
        if is_("needs-length") and "content-length" not in response.headers:
            raise Failed("no content-length")
        if is_("needs-lower-case") and b"x-ratelimit-remaining" not in dict(response.headers.raw):
            raise Failed("no rate headers")
        try:
            result = response.json()
        except ValueError:
            return None
        if is_("strict-fields") and set(result) - {"users", "message"}:
            raise Failed(f"unknown fields: {sorted(result)}")
        if result.get("message") != "success":
            raise Failed(f"message {result.get('message')!r}")
        return result

    # --- operations -------------------------------------------------------------------------------------------
    def set(self, user: str, **attributes: Any) -> None:
        target: dict[str, Any] = {"external_id": user, **attributes}
        body: dict[str, Any] = {"attributes": [target]}
        if is_("no-identifier"):
            del target["external_id"]
        if is_("half-alias"):
            del target["external_id"]
            target["user_alias"] = {"alias_name": user}
        if is_("text-flag"):
            target["_update_existing_only"] = "false"
        if is_("big-object"):
            target["books"] = {f"book-{number}": "x" * 250 for number in range(450)}
        if is_("big-batch"):
            body["attributes"] += [{"external_id": f"{user}-{number}", "n": number} for number in range(75)]
        if is_("two-objects"):
            body["attributes"].append({**target, "external_id": f"{user}-b"})
        if is_("two-sections"):
            body["events"] = [{"external_id": user, "name": "n", "time": "2026-01-01T00:00:00Z"}]
        if is_("key-printed"):
            print("using key", KEY)
        if is_("key-printed-encoded"):
            print("Authorization: Basic", base64.b64encode(f"user:{KEY}".encode()).decode())
        entry = self._entry(self.send(body, repeatable="inc" not in str(attributes)))
        shown = entry.get("custom_attributes", {})
        for name, value in attributes.items():
            if isinstance(value, str) and shown.get(name) != value and not is_("value-unchecked", "status-only"):
                raise Failed(f"{name} was not applied")

    def event(self, user: str, name: str, **properties: Any) -> None:
        target: dict[str, Any] = {"external_id": user, "name": name, "time": self._now(), "properties": properties}
        if is_("no-time"):
            del target["time"]
        if is_("no-name"):
            del target["name"]
        if is_("reserved-property"):
            properties["time"] = "noon"
        self._entry(self.send({"events": [target]}, repeatable=False))

    def purchase(self, user: str, product: str, price: Any) -> None:
        target: dict[str, Any] = {
            "external_id": user,
            "product_id": product,
            "currency": "EUR",
            "price": price,
            "time": self._now(),
        }
        target |= {
            "price-text": {"price": str(price)},
            "quantity-over": {"quantity": 101},
            "bad-currency": {"currency": "EURO"},
        }.get(VARIANT, {})
        if is_("no-purchase-time"):
            del target["time"]
        if is_("no-currency"):
            del target["currency"]
        self._entry(self.send({"purchases": [target]}, repeatable=False))

    def _entry(self, result: dict[str, Any]) -> dict[str, Any]:
        users = result.get("users") or []
        if not users and not is_("status-only"):
            raise Failed("no user was updated")
        entry: dict[str, Any] = users[0] if users else {}
        if is_("first-of-section") and "purchase_events" in entry:
            print("bought", entry["purchase_events"][0]["product_id"])
        return entry

    def _now(self) -> Any:
        now = time.time()
        if is_("epoch-time"):
            return int(now)
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        return text if is_("naive-time") else f"{text}Z"


def main() -> int:
    client = Client()
    failures = 0

    def call(name: str, *arguments: Any, **members: Any) -> None:
        nonlocal failures
        print(f"{name} {arguments}", flush=True)
        try:
            getattr(client, name)(*arguments, **members)
        except (Failed, ValueError) as error:
            print(f"  failed: {error}", flush=True)
            failures += not is_("swallow", "limit-swallowed")

    extra: dict[str, Any] = {
        "long-string": {"text": "x" * 300},
        "big-array": {"list": list(range(600))},
        "null-inside": {"shape": {"side": None}},
        "dotted-key": {"shape": {"a.b": 1}},
        "nan": {"ratio": float("nan")},
    }.get(VARIANT, {})
    call("set", "user-1", colour="red", **extra)
    if is_("parallel"):
        threads = [threading.Thread(target=call, args=("set", "user-2"), kwargs={"colour": c}) for c in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    call("set", "user-1", colour="blue")
    call("set", "user-1", visits={"inc": 1})
    call("event", "user-1", "rated", stars=5)
    call("purchase", "user-1", "book", 9.5)
    print("failed" if failures else "passed", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
