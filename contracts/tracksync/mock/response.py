"""Responses: success bodies, fatal errors, headers. Knows outcomes, changes nothing."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final

import msgspec

from tracksync.mock import limits
from tracksync.mock.call import REMOVED, UNCHANGED, Call, Detail, Refused, ServerPart, WriteResult, WriteTask
from tracksync.mock.profiles import Activity, Profile
from tracksync.values import times

WIRE_MESSAGE: Final = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
HTML: Final = b"<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>"  # not JSON, deliberately
_ESCAPING: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)


class ResponseWriter(ServerPart):
    """Writes bodies and headers."""

    # --- success ----------------------------------------------------------------------------------------------
    def success(self, call: Call, task: WriteTask, outcome: WriteResult) -> dict[str, Any]:
        """The body of a 201 (SYNC)."""
        if outcome.profile is None:
            return self.no_user(call, task)
        entry = self.entry(call, task, outcome, outcome.profile)
        return self.with_users(call, [entry])

    def with_users(self, call: Call, users: list[dict[str, Any]]) -> dict[str, Any]:
        """The success body around its entries."""
        return {"users": users, "message": self.success_message(call)}

    def success_message(self, call: Call) -> Any:
        """The message of a success is exactly this (SYNC)."""
        return "success"

    def no_user(self, call: Call, task: WriteTask) -> dict[str, Any]:
        """Ambiguity no-user."""
        interpretation = self.interpretation("no-user")
        shown = interpretation == "identifier"
        body = self.with_users(call, [{task.who.kind: task.who.shown}] if shown else [])
        if interpretation == "omitted":
            del body["users"]
        return body

    def entry(self, call: Call, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        """The user, named as in the request, and what the request named of it."""
        entry: dict[str, Any] = self.name_user(task, profile)
        if self.interpretation("unused-sections-shown") == "empty":
            entry |= {"custom_attributes": {}, "custom_events": [], "purchase_events": []}
        if task.section == "attributes":
            entry["custom_attributes"] = self.attributes_shown(task, outcome, profile)
        elif task.section == "events":
            entry["custom_events"] = self.events_shown(task, profile)
        else:
            entry["purchase_events"] = self.purchases_shown(task, profile)
        return entry

    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        """The identifier exactly as the request named the user (SYNC)."""
        return {task.who.kind: task.who.shown}

    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        """Each custom attribute that the request named, with the value after the update."""
        shown: dict[str, Any] = {}
        for name, result in outcome.named.items():
            if result is UNCHANGED:
                self.show_refused(shown, name, profile)
            elif result is REMOVED:
                self.show_removed(shown, name)
            else:
                shown[name] = self.show_value(name, result)
        return shown

    def show_refused(self, shown: dict[str, Any], name: str, profile: Profile) -> None:
        """Ambiguity refused-attribute: an attribute whose update was not made."""
        key = self.spell("attribute", name)
        if self.interpretation("refused-attribute") == "previous" and key in profile.attributes:
            shown[name] = self.show_value(name, profile.attributes[key])

    def show_removed(self, shown: dict[str, Any], name: str) -> None:
        """Ambiguity removed-attribute: an attribute that is gone."""
        if self.interpretation("removed-attribute") == "null":
            shown[name] = None

    def show_value(self, name: str, value: Any) -> Any:
        """One stored value. Ambiguity date-attribute: a date-like string is shown as sent or as a time."""
        if isinstance(value, str) and times.is_date_like(value, limits.OBJECT_LIMITS.years):
            return self.show_date(value, times.read_time(value))
        return value

    def show_date(self, value: str, time: times.TimeText) -> Any:
        """A string attribute that became a time."""
        if self.interpretation("date-attribute") == "as-sent" or time.instant is None:
            return value
        return self.write_time(time.instant, time.offset_minutes or 0)

    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        """The event that the request named."""
        return [self.tally_shown(task, "name", task.shown, profile.events[task.name])]

    def purchases_shown(self, task: WriteTask, profile: Profile) -> Any:
        """The product that the request named."""
        return [self.tally_shown(task, "product_id", task.shown, profile.purchases[task.name])]

    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Activity) -> dict[str, Any]:
        """Name, first, last and count (SYNC)."""
        return {
            label: name,
            "first": self.write_time(tally.first, task.offset),
            "last": self.write_time(tally.last, task.offset),
            "count": self.count_shown(task, tally.count),
        }

    def count_shown(self, task: WriteTask, count: int) -> Any:
        """The lifetime count."""
        return count

    def write_time(self, instant: int, offset: int) -> Any:
        """Ambiguity time-form."""
        return times.write_time(instant, self.interpretation("time-form"), offset)

    # --- fatal errors -----------------------------------------------------------------------------------------
    def fatal(self, call: Call, refusal: Refused) -> Any:
        """The body of a refusal: message and errors, as seen on the wire."""
        body: dict[str, Any] = {"message": self.fatal_message(call, refusal)}
        if not refusal.bare:
            body["errors"] = self.errors(call, refusal)
        return body

    def fatal_message(self, call: Call, refusal: Refused) -> Any:
        """WIRE: whatever the fault, the message is one and the same."""
        return WIRE_MESSAGE if refusal.message is None else refusal.message

    def errors(self, call: Call, refusal: Refused) -> Any:
        """The entries of `errors`."""
        return [self.error_entry(call, detail) for detail in refusal.details]

    def error_entry(self, call: Call, detail: Detail) -> Any:
        """Ambiguity error-entries: an object as on the wire, or a bare text."""
        if self.interpretation("error-entries") == "texts":
            return detail.type
        if detail.section is None:
            return {"type": detail.type}
        return {"type": detail.type, "input_array": detail.section, "index": detail.index}

    # --- every response ---------------------------------------------------------------------------------------
    def decorate(self, call: Call, body: Any) -> Any:
        """Ambiguity extras: fields that no document names, and another order of keys."""
        if self.interpretation("extras") == "plain" or not isinstance(body, dict):
            return body
        users = body.get("users")
        if isinstance(users, list):
            body["users"] = [_turned(entry) | {"profile_revision": call.number} for entry in users]
        return {"request_number": call.number} | _turned(body)

    def encode(self, call: Call, body: Any) -> bytes:
        """A body as JSON in ASCII: escapes carry every text, also a lone surrogate that no UTF-8 can."""
        with suppress(UnicodeEncodeError):
            text = msgspec.json.encode(body)  # quick, and nearly always all ASCII
            if text.isascii():
                return text
        return _ESCAPING.encode(body).encode("ascii")

    def media(self, call: Call) -> str:
        """The content type of a response (WIRE)."""
        return "application/json"

    def request_id(self, call: Call) -> str:
        """The value of x-request-id."""
        return f"{self.config.seed & 0xFFFFFFFF:08x}-0000-4000-8000-{call.number:012x}"

    def further_headers(self, call: Call) -> tuple[tuple[str, str], ...]:
        """Headers beyond those of every response; ambiguity extras."""
        further: tuple[tuple[str, str], ...] = ()
        if call.status == 405:
            further = (("allow", "POST"),)
        if self.interpretation("extras") == "rich":
            further += (("x-served-by", "tracksync-mock"),)
        return further


def _turned(body: dict[str, Any]) -> dict[str, Any]:
    """The same object with its keys in the opposite order."""
    return dict(reversed(body.items()))
