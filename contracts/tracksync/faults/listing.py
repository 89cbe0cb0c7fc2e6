"""Faults of what a success lists: what the request named, and nothing else."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault, overriding, row
from tracksync.mock import limits
from tracksync.mock.call import UNCHANGED, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile

# Lists other attributes than the request named.
overriding("attributes_shown", "TS-OK-SHOWS", module=__name__)(
    row(
        "all-attributes-shown",
        "All custom attributes of the user are listed.",
        "TS-OK-ONLY-ATTRIBUTES",
        result=lambda right, profile: dict(profile.attributes) | right,
    ),
    row(
        "first-attribute-shown",
        "Only the first attribute of the request is shown.",
        result=lambda right: dict(list(right.items())[:1]),
    ),
    row(
        "ten-attributes-shown",
        "Only the first ten attributes of the request are shown.",
        result=lambda right: dict(list(right.items())[:10]),
    ),
    row(
        "false-values-not-shown",
        "Attributes that are false, zero or empty are left out.",
        result=lambda right: {name: value for name, value in right.items() if value or value is None},
    ),
    row(
        "profile-fields-shown",
        "Profile fields are listed as custom attributes.",
        "TS-OK-CUSTOM-ONLY",
        result=lambda right, task: (
            right
            | {
                name: task.item[name]
                for name in sorted(limits.PROFILE_FIELDS & task.item.keys())
                if name != task.who.kind
            }
        ),
    ),
    row(
        "control-keys-shown",
        "Control keys are listed as custom attributes.",
        "TS-OK-CUSTOM-ONLY",
        result=lambda right, task: (
            right | {name: task.item[name] for name in sorted(limits.CONTROL_KEYS & task.item.keys())}
        ),
    ),
    row(
        "identifier-as-attribute",
        "The identifier is listed as a custom attribute.",
        "TS-OK-CUSTOM-ONLY",
        "TS-OK-ONLY-ATTRIBUTES",
        result=lambda right, task: right | {task.who.kind: task.who.shown},
    ),
)


overriding("events_shown", module=__name__)(
    row(
        "all-events-shown",
        "All events of the user are listed.",
        "TS-OK-ONLY-EVENTS",
        result=lambda server, task, profile: [
            server.tally_shown(task, "name", name, tally) for name, tally in profile.events.items()
        ],
    ),
    row(
        "event-not-shown-when-known",
        "An event is shown the first time only.",
        "TS-OK-SHOWS",
        when=lambda task, profile: profile.events[task.name].count > 1,
        result=lambda right: [],
    ),
)


@fault("all-products-shown", "All products of the user are listed.", "TS-OK-ONLY-PURCHASES")
class _AllProductsShown(Core):
    def purchases_shown(self, task: WriteTask, profile: Profile) -> Any:
        return [self.tally_shown(task, "product_id", name, tally) for name, tally in profile.purchases.items()]


@fault(
    "earlier-attributes-shown",
    "The attributes of the request before are listed too.",
    "TS-OK-ONLY-ATTRIBUTES",
    "TS-STATE-USERS-APART",
)
class _EarlierAttributesShown(Core):
    __earlier: dict[str, Any] | None = None

    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        earlier, self.__earlier = self.__earlier or {}, dict(shown)
        return earlier | shown


@fault("unchanged-values-not-shown", "An attribute whose value was the same before is left out.", "TS-OK-SHOWS")
class _UnchangedValuesNotShown(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        for name in list(outcome.named):
            if name in before and profile.attributes.get(name) == before[name] and outcome.named[name] is not UNCHANGED:
                del outcome.named[name]
