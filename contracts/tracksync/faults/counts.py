"""Faults of counting and naming events and purchases."""

from __future__ import annotations

import json
from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import Call, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Activity, Profile


@faults("TS-EVENT-COUNT")(
    row(
        "event-count-stuck",
        "An event's count stays at one.",
        "TS-EVENT-COUNT",
        "TS-STATE-VISIBLE",
        section="events",
        after=lambda count, amount, right: 1,
    ),
    row(
        "event-count-by-two", "Every event counts two.", section="events", after=lambda count, amount, right: right + 1
    ),
    row(
        "event-count-second-lost",
        "The second event is not counted.",
        section="events",
        after=lambda count, amount, right: 1 if count == 1 else right,
    ),
    row(
        "event-count-third-lost",
        "Events after the second are not counted.",
        section="events",
        after=lambda count, amount, right: 2 if count == 2 else right,
    ),
    row(
        "event-count-ends-at-five",
        "An event's count ends at five.",
        section="events",
        after=lambda count, amount, right: min(5, right),
    ),
    row(
        "purchase-count-stuck",
        "A product's count stays as it was first.",
        "TS-PURCHASE-COUNT",
        "TS-STATE-VISIBLE",
        section="purchases",
        after=lambda count, amount, right: count or amount,
    ),
    row(
        "purchase-count-by-one-more",
        "Every purchase counts one too many.",
        "TS-PURCHASE-COUNT",
        section="purchases",
        after=lambda count, amount, right: right + 1,
    ),
    row(
        "purchase-count-third-wrong",
        "Purchases after the second count one too many.",
        "TS-PURCHASE-COUNT",
        section="purchases",
        after=lambda count, amount, right: right + (count > 1 and amount == 1),
    ),
    row(
        "purchase-count-starts-over",
        "A product's count is that of the latest purchase.",
        "TS-PURCHASE-COUNT",
        section="purchases",
        after=lambda count, amount, right: amount,
    ),
)
def _miscount(section: str, after: Any) -> type[Core]:
    class _Miscounted(Core):
        def count_after(self, task: WriteTask, count: int, amount: int) -> int:
            right = super().count_after(task, count, amount)
            return int(after(count, amount, right)) if task.section == section else right

    return _Miscounted


# Shows another name of an event or product.
overriding("tally_shown", "TS-EVENT-NAME", module=__name__)(
    row(
        "event-name-shown-lower",
        "An event's name is echoed in lower case.",
        given=lambda label, name: {"name": name.lower() if label == "name" else name},
    ),
    row(
        "event-name-shown-trimmed",
        "An event's name is echoed without the spaces around it.",
        given=lambda label, name: {"name": name.strip() if label == "name" else name},
    ),
    row(
        "event-name-shown-cut",
        "An event's name is echoed up to its 64th character.",
        given=lambda label, name: {"name": name[:64] if label == "name" else name},
    ),
    row(
        "product-shown-lower",
        "A product is echoed in lower case.",
        "TS-PURCHASE-PRODUCT",
        when=lambda label, name: label == "product_id" and isinstance(name, str),
        given=lambda name: {"name": name.lower()},
    ),
    row(
        "product-shown-with-dashes",
        "A product is echoed with dashes for spaces.",
        "TS-PURCHASE-PRODUCT",
        when=lambda label, name: label == "product_id" and isinstance(name, str),
        given=lambda name: {"name": name.replace(" ", "-")},
    ),
)


# --- counts ---------------------------------------------------------------------------------------------------
@fault("equal-event-once", "An event that equals an earlier one is not counted.", "TS-EVENT-COUNT")
class _EqualEventOnce(Core):
    __seen: frozenset[str] = frozenset()

    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        key = profile.braze_id + json.dumps(task.item, sort_keys=True)
        if key not in self.__seen:
            super().write_event(call, task, profile)
        self.__seen |= {key}


@fault("equal-purchase-once", "A purchase that equals an earlier one is not counted.", "TS-PURCHASE-COUNT")
class _EqualPurchaseOnce(Core):
    __seen: frozenset[str] = frozenset()

    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        key = profile.braze_id + json.dumps(task.item, sort_keys=True)
        if key not in self.__seen:
            super().write_purchase(call, task, profile)
        self.__seen |= {key}


@fault(
    "older-event-not-counted", "What lies before the latest time is not counted.", "TS-EVENT-COUNT", "TS-PURCHASE-COUNT"
)
class _OlderEventNotCounted(Core):
    def tally(self, task: WriteTask, held: dict[str, Activity], name: str, instant: int, amount: int) -> None:
        older = name in held and instant < held[name].last
        super().tally(task, held, name, instant, 0 if older else amount)


@fault("refund-counted-down", "A refund lowers the count.", "TS-PURCHASE-COUNT", "TS-PURCHASE-REFUND")
class _RefundCountedDown(Core):
    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        price = task.item.get("price")
        refund = task.section == "purchases" and isinstance(price, (int, float)) and price < 0
        return max(1, count - amount) if refund and count else super().count_after(task, count, amount)


@fault(
    "count-of-all-events", "count is that of all the user's events together.", "TS-EVENT-COUNT", "TS-STATE-KEYS-APART"
)
class _CountOfAllEvents(Core):
    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        total = sum(tally.count for tally in profile.events.values())
        return [shown | {"count": total} for shown in super().events_shown(task, profile)]


@fault("count-shared-between-users", "count is that of all users together.", "TS-EVENT-COUNT", "TS-STATE-USERS-APART")
class _CountSharedBetweenUsers(Core):
    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        held = [other.events[task.name].count for other in self.store if task.name in other.events]
        return [shown | {"count": sum(held)} for shown in super().events_shown(task, profile)]


@fault(
    "count-one-behind",
    "count is shown as it was before the request.",
    "TS-EVENT-COUNT",
    "TS-PURCHASE-COUNT",
    "TS-STATE-VISIBLE",
)
class _CountOneBehind(Core):
    def count_shown(self, task: WriteTask, count: int) -> Any:
        return super().count_shown(task, max(1, count - 1))


# --- names ----------------------------------------------------------------------------------------------------
overriding("product_fits", "TS-PURCHASE-PRODUCT-LENGTH", "TS-OK-STATUS", module=__name__)(
    row("product-254", "A product_id of 255 characters is refused.", given=lambda product: {"product": product + "x"}),
    row(
        "product-256",
        "A product_id of 256 characters is recorded.",
        "TS-PURCHASE-PRODUCT-LENGTH",
        given=lambda product: {"product": product[1:]},
    ),
    row(
        "product-length-in-bytes",
        "The 255 characters of a product_id are counted in bytes.",
        result=lambda product: len(product.encode("utf-8", "surrogatepass")) <= 255,
    ),
    row(
        "product-length-unlimited",
        "A product_id of any length is recorded.",
        "TS-PURCHASE-PRODUCT-LENGTH",
        result=lambda: True,
    ),
)
