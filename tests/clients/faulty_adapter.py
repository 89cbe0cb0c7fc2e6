"""The httpx example with one fault: `python faulty_adapter.py VARIANT`. drive_variants.toml says what each breaks."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "python_httpx"))

import adapter
import client
from client import Client, Result

VARIANT = sys.argv[1] if len(sys.argv) > 1 else ""


class Faulty(Client):
    """Each fault is a decision taken wrong."""

    def conclude(self, result: Result, body: dict[str, Any], shown: Any) -> None:
        if VARIANT == "strict-fields" and set(body) - {"users", "message"}:
            raise TypeError("an unexpected keyword argument")
        if VARIANT == "needs-users" and "users" not in body:
            raise KeyError("users")
        if VARIANT == "status-only" or (VARIANT == "users-unchecked" and not body.get("users")):
            result.outcome = "applied"
            return
        if "page" in body or (VARIANT == "value-unchecked" and body.get("users")):
            result.outcome = "applied"
            return
        super().conclude(result, body, shown)
        if VARIANT == "reports-null" and result.outcome == "applied":
            result.values = dict.fromkeys(result.values)
        if VARIANT == "unsure" and result.outcome == "not_applied":
            result.outcome = "failed"
        if VARIANT == "hopeless" and result.attempts > 1:
            result.outcome = "failed"

    def read(self, answer: Any) -> dict[str, Any] | None:
        if VARIANT == "page-is-success" and answer.text.startswith("<"):
            return {"message": "success", "page": answer.text}
        if VARIANT == "crash-on-page":
            body: dict[str, Any] = answer.json()
            return body
        if VARIANT == "needs-lower-case" and b"x-ratelimit-remaining" not in dict(answer.headers.raw):
            raise KeyError("x-ratelimit-remaining")
        if VARIANT == "needs-length" and "content-length" not in answer.headers:
            return None
        return super().read(answer)

    def refused(self, answer: Any) -> str:
        if VARIANT == "parses-refusal":
            answer.json()
        if VARIANT == "all-refusals-alike":
            return "rejected"
        if VARIANT == "wrong-kind":
            return "unauthorised"
        if VARIANT == "key-in-log":
            print("refused:", answer.text, file=sys.stderr, flush=True)
        return super().refused(answer)

    def may_repeat_refused(self) -> bool:
        return VARIANT == "retry-refused"

    def may_repeat(self, status: int, repeatable: bool) -> bool:
        return VARIANT != "no-retry" and super().may_repeat(status, repeatable)

    def may_repeat_lost(self, repeatable: bool) -> bool:
        return repeatable or VARIANT == "repeats-purchase"

    def wait(self, seconds: float, until: float) -> bool:
        if VARIANT == "endless-wait" and seconds > until - time.monotonic():
            time.sleep(30)
        return super().wait(0.0 if VARIANT == "no-backoff" and seconds < 1 else seconds, until)

    def longer(self, pause: float) -> float:
        return pause if VARIANT == "constant-pause" else super().longer(pause)

    def note_limit(self, answer: Any, attempt: int) -> None:
        if VARIANT != "ignores-limit":
            super().note_limit(answer, attempt)

    def turn(self, target: dict[str, Any]) -> Any:
        return contextlib.nullcontext() if VARIANT == "same-cell-at-once" else super().turn(target)

    def _call(self, section: str, target: dict[str, Any], *rest: Any, **more: Any) -> Result:
        if VARIANT == "remembers" and section == "attributes" and "inc" not in str(target):
            # Values that were sent once are not sent again, whoever they are for.
            values = {name: value for name, value in target.items() if name not in ("external_id", "email")}
            if values in self._sent:
                return Result("applied")
            self._sent.append(values)
        if VARIANT == "strips" and section == "attributes":
            target = {name: value.strip() if isinstance(value, str) else value for name, value in target.items()}
        if VARIANT == "drops-nulls":
            target = {name: value for name, value in target.items() if value is not None}
        if VARIANT == "forgets-flag":
            target.pop("_update_existing_only", None)
        if VARIANT == "rounds-price" and "price" in target:
            target["price"] = round(target["price"], 1)
        if VARIANT == "lazy":
            return Result("applied", attempts=0)
        if VARIANT == "impatient":
            self._http.timeout = 0.8
        result = super()._call(section, target, *rest, **more)
        if VARIANT == "lost-is-refused" and result.outcome == "failed":
            result.outcome = "rejected"
        if VARIANT == "failed-is-not-applied" and result.outcome == "failed":
            result.outcome = "not_applied"
        if VARIANT == "miscounts":
            result.attempts += 1
        return result

    _sent: list[dict[str, Any]] = []  # noqa: RUF012 - one client a process


def misbehave() -> None:
    """Faults of the process itself, before it says hello."""
    match VARIANT:
        case "mute":
            time.sleep(60)
        case "garbage":
            print("Listening on port 8080", flush=True)
        case "wrong-version":
            adapter.HELLO["protocol"] = 2
        case "dies-at-once":
            sys.exit("cannot find the configuration")
        case "wrong-id":
            adapter.perform = lambda made, message: message.update(id=message["id"] + 7) or Result("applied")
        case "chatty":
            adapter.perform = lambda made, message: print("sending ...", flush=True) or Result("applied")
        case "odd-outcome":
            adapter.perform = lambda made, message: Result("ok")
        case "floods":
            text = "x" * 1000 + "\n"
            for _ in range(5000):
                sys.stderr.write(text)
        case "leaves-child":
            subprocess.Popen(["sleep", "300"], start_new_session=True, stdin=subprocess.DEVNULL)
        case "prints-key":
            print("key", os.environ["BRAZE_API_KEY"], file=sys.stderr, flush=True)


if __name__ == "__main__":
    misbehave()
    if VARIANT == "one-try":
        client.ATTEMPTS = 1
    adapter.serve(Faulty(os.environ["BRAZE_REST_ENDPOINT"], os.environ["BRAZE_API_KEY"]))
