"""Faults of profile fields: lawful forms that are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import faults, row
from tracksync.mock import limits
from tracksync.mock.call import Call, Detail, Refused, WriteTask
from tracksync.mock.core import Core


@faults("TS-PROFILE-ACCEPTED", "TS-OK-STATUS")(
    row(
        "gender-two-only",
        "gender O, N and P are refused.",
        refused=lambda item: item.get("gender") not in (None, "M", "F"),
    ),
    row(
        "profile-null-refused",
        "null for a profile field is refused.",
        beyond="null is documented for attributes, and for gender only among profile fields",
        refused=lambda item: any(item[name] is None for name in limits.PROFILE_FIELDS & item.keys()),
    ),
    row("dob-refused", "dob is refused.", refused=lambda item: "dob" in item),
    row(
        "location-refused",
        "current_location is refused.",
        refused=lambda item: isinstance(item.get("current_location"), dict),
    ),
    row(
        "subscription-groups-refused",
        "subscription_groups is refused.",
        beyond="a harmless run changes no subscription",
        refused=lambda item: bool(item.get("subscription_groups")),
    ),
    row(
        "email-subscribe-opted-in-refused",
        "email_subscribe opted_in is refused.",
        beyond="a harmless run changes no subscription",
        refused=lambda item: item.get("email_subscribe") == "opted_in",
    ),
)
def _refused_field(refused: Callable[[dict[str, Any]], bool]) -> type[Core]:
    """Refuses some profile fields in lawful forms."""

    class RefusedField(Core):
        def complete(self, call: Call, task: WriteTask) -> Any:
            if task.section == "attributes" and refused(task.item):
                raise Refused(400, Detail("A profile field is not valid", task.section, task.index))
            return super().complete(call, task)

    return RefusedField
