"""Faults of the success body: message, identifier, forms."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault, overriding, row, without
from tracksync.mock.call import UNCHANGED, Call, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile
from tracksync.values import times

SECOND = 1_000_000  # in microseconds


overriding("success_message", "TS-OK-MESSAGE", module=__name__)(
    row("message-ok", 'The message of a success is "ok".', result=lambda: "ok"),
    row("message-capital", 'The message of a success is "Success".', result=lambda: "Success"),
    row("message-true", "The message of a success is the boolean true.", result=lambda: True),
)


# Shows the user under another identifier.
overriding("name_user", "TS-OK-IDENTIFIER", module=__name__)(
    row(
        "external-id-shown-lower",
        "The external_id is echoed in lower case.",
        result=lambda right: (
            right | {"external_id": shown.lower()} if isinstance(shown := right.get("external_id"), str) else right
        ),
    ),
    row(
        "email-shown-lower",
        "The email is echoed in lower case.",
        result=lambda right: right | {"email": right["email"].lower()} if "email" in right else right,
    ),
    row(
        "phone-shown-as-digits",
        "The phone is echoed without its plus.",
        result=lambda right: right | {"phone": right["phone"].lstrip("+")} if "phone" in right else right,
    ),
    row(
        "identifier-not-shown",
        "The response to an event does not name the user.",
        result=lambda right, task: {} if task.section == "events" else right,
    ),
    row(
        "named-by-braze-id",
        "A user named by alias is echoed by braze_id.",
        when=lambda task: task.who.kind == "user_alias",
        result=lambda profile: {"braze_id": profile.braze_id},
    ),
    row(
        "named-by-external-id",
        "A user named by email or phone is echoed by external_id.",
        when=lambda task, profile: task.who.kind in ("email", "phone") and profile.external_id is not None,
        result=lambda profile: {"external_id": profile.external_id},
    ),
    row(
        "alias-label-not-shown",
        "A user_alias is echoed without its label.",
        when=lambda task: task.who.kind == "user_alias",
        result=lambda right: {"user_alias": without(right["user_alias"], "alias_label")},
    ),
    row(
        "alias-shown-swapped",
        "The name and label of a user_alias are echoed the wrong way round.",
        when=lambda task: task.who.kind == "user_alias",
        result=lambda right: {
            "user_alias": {
                "alias_name": right["user_alias"]["alias_label"],
                "alias_label": right["user_alias"]["alias_name"],
            }
        },
    ),
)


# Shows an event or product in another form.
overriding("tally_shown", "TS-OK-TIME-FORM", module=__name__)(
    row(
        "last-null-at-first",
        "last is null the first time.",
        result=lambda right, tally: right | {"last": None} if tally.count == 1 else right,
    ),
    row(
        "first-and-last-swapped",
        "first and last are swapped.",
        "TS-OK-TIME-FORM",
        "TS-EVENT-FIRST",
        "TS-EVENT-LAST",
        "TS-PURCHASE-FIRST",
        "TS-PURCHASE-LAST",
        result=lambda right: right | {"first": right["last"], "last": right["first"]},
    ),
    row(
        "time-as-epoch",
        "Times are numbers of seconds.",
        result=lambda right, tally: right | {"first": tally.first // 1_000_000, "last": tally.last // 1_000_000},
    ),
    row(
        "last-shown-as-now",
        "last is shown as the current time.",
        "TS-EVENT-LAST",
        "TS-PURCHASE-LAST",
        result=lambda right, server, task: (
            right | {"last": server.write_time(int(server.clock() * SECOND), task.offset)}
        ),
    ),
    row(
        "product-called-name",
        "A product is shown as name in place of product_id.",
        "TS-OK-FORM",
        "TS-PURCHASE-PRODUCT",
        given=lambda: {"label": "name"},
    ),
    row(
        "first-not-shown",
        "first is missing.",
        "TS-OK-FORM",
        "TS-OK-TIME-FORM",
        result=lambda right: without(right, "first"),
    ),
)


# --- message and users ----------------------------------------------------------------------------------------
overriding("success", "TS-OK-NO-ERRORS", module=__name__)(
    row(
        "message-missing-for-events",
        "An event is answered without a message.",
        "TS-OK-MESSAGE",
        when=lambda task: task.section == "events",
        result=lambda right: without(right, "message"),
    ),
    row(
        "success-with-errors",
        "A success carries errors when an attribute was not applied.",
        when=lambda outcome: UNCHANGED in outcome.named.values(),
        result=lambda right: (
            right | {"errors": [{"type": "not every attribute was updated", "input_array": "attributes", "index": 0}]}
        ),
    ),
    row(
        "purchase-success-with-errors",
        "A purchase without app_id is answered with a success that carries errors.",
        when=lambda task: task.section == "purchases" and task.item.get("app_id") is None,
        result=lambda right: right | {"errors": ["'app_id' is recommended"]},
    ),
    row(
        "users-object",
        "users is the entry itself, without the list around it.",
        "TS-OK-USERS",
        result=lambda right: right | {"users": right["users"][0]} if right.get("users") else right,
    ),
    row(
        "users-empty-when-created",
        "users is empty when the request created the user.",
        "TS-OK-USERS",
        "TS-OK-SHOWS",
        "TS-USER-CREATE",
        when=lambda outcome: outcome.created,
        result=lambda server, call, task: server.no_user(call, task),
    ),
    row(
        "users-missing-for-purchases",
        "A purchase is answered without users.",
        "TS-OK-USERS",
        "TS-OK-SHOWS",
        beyond="a workspace may have no purchase events, and show none (purchase-events)",
        when=lambda task: task.section == "purchases",
        result=lambda right: without(right, "users"),
    ),
)


@fault("users-twice", "The user's entry is in the response twice.", "TS-OK-USERS")
class _UsersTwice(Core):
    def with_users(self, call: Call, users: list[dict[str, Any]]) -> dict[str, Any]:
        return super().with_users(call, users * 2)


@fault("named-as-the-one-before", "The entry carries the identifier of the request before.", "TS-OK-IDENTIFIER")
class _NamedAsTheOneBefore(Core):
    __before: dict[str, Any] | None = None

    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        named = super().name_user(task, profile)
        before, self.__before = self.__before, dict(named)
        return before if before is not None and before.keys() == named.keys() else named


# --- forms ----------------------------------------------------------------------------------------------------
@fault("events-as-object", "custom_events is an object by name.", "TS-OK-FORM")
class _EventsAsObject(Core):
    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        return {one["name"]: one for one in super().events_shown(task, profile)}


# Shows what is in an entry under another name, or in another form.
overriding("entry", "TS-OK-FORM", module=__name__)(
    row(
        "attributes-as-list",
        "custom_attributes is a list of names and values.",
        when=lambda task: task.section == "attributes",
        result=lambda right: (
            right | {"custom_attributes": [{"name": k, "value": v} for k, v in right["custom_attributes"].items()]}
        ),
    ),
    row(
        "purchases-as-events",
        "A purchase is shown under custom_events.",
        "TS-OK-FORM",
        "TS-OK-ONLY-EVENTS",
        "TS-OK-SHOWS",
        when=lambda task: task.section == "purchases",
        result=lambda right: without(right, "purchase_events") | {"custom_events": right["purchase_events"]},
    ),
    row(
        "attributes-under-attributes",
        "Attributes are shown under attributes in place of custom_attributes.",
        "TS-OK-FORM",
        "TS-OK-SHOWS",
        when=lambda task: task.section == "attributes",
        result=lambda right: without(right, "custom_attributes") | {"attributes": right["custom_attributes"]},
    ),
)


overriding("count_shown", "TS-OK-COUNT-FORM", module=__name__)(
    row("count-as-text", "count is a text.", result=lambda right: str(right)),
    row(
        "count-from-zero",
        "count begins with zero.",
        "TS-OK-COUNT-FORM",
        "TS-EVENT-COUNT",
        "TS-PURCHASE-COUNT",
        result=lambda count: count - 1,
    ),
    row("count-null-at-first", "count is null the first time.", result=lambda count: None if count == 1 else count),
)


@fault(
    "time-american",
    "Times are written month first.",
    "TS-OK-TIME-FORM",
    "TS-EVENT-FIRST",
    "TS-EVENT-LAST",
    "TS-PURCHASE-FIRST",
    "TS-PURCHASE-LAST",
)
class _TimeAmerican(Core):
    def write_time(self, instant: int, offset: int) -> Any:
        text = times.write_time(instant, "utc-millis")
        return f"{text[5:7]}/{text[8:10]}/{text[:4]} {text[11:19]}"


@fault("day-of-three-digits", "The day has three digits, as in one printed example.", "TS-OK-TIME-FORM")
class _DayOfThreeDigits(Core):
    def write_time(self, instant: int, offset: int) -> Any:
        text = times.write_time(instant, "utc-millis")
        return f"{text[:8]}0{text[8:]}"
