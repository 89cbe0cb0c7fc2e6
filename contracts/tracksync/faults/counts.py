"""Faults of counting, naming and checking events and purchases."""

from __future__ import annotations

import json
from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import Call, Detail, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Activity, Profile


# --- counts -----------------------------------------------------------------------------------------------------
def _miscount(name: str, section: str, after: Any) -> None:
    class _Miscounted(Core):
        def count_after(self, task: WriteTask, count: int, amount: int) -> int:
            right = super().count_after(task, count, amount)
            return int(after(count, amount, right)) if task.section == section else right

    fault(name)(_Miscounted)


_miscount("event-count-stuck", "events", lambda count, amount, right: 1)
_miscount("event-count-by-two", "events", lambda count, amount, right: right + 1)
_miscount("event-count-second-lost", "events", lambda count, amount, right: 1 if count == 1 else right)
_miscount("event-count-third-lost", "events", lambda count, amount, right: 2 if count == 2 else right)
_miscount("event-count-ends-at-five", "events", lambda count, amount, right: min(5, right))
_miscount("purchase-count-stuck", "purchases", lambda count, amount, right: count or amount)
_miscount("purchase-count-by-one-more", "purchases", lambda count, amount, right: right + 1)
_miscount("purchase-count-third-wrong", "purchases", lambda count, amount, right: right + (count > 1 and amount == 1))
_miscount("purchase-count-starts-over", "purchases", lambda count, amount, right: amount)


@fault("equal-event-once")
class _EqualEventOnce(Core):
    __seen: frozenset[str] = frozenset()

    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        key = profile.braze_id + json.dumps(task.item, sort_keys=True)
        if key not in self.__seen:
            super().write_event(call, task, profile)
        self.__seen |= {key}


@fault("equal-purchase-once")
class _EqualPurchaseOnce(Core):
    __seen: frozenset[str] = frozenset()

    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        key = profile.braze_id + json.dumps(task.item, sort_keys=True)
        if key not in self.__seen:
            super().write_purchase(call, task, profile)
        self.__seen |= {key}


@fault("older-event-not-counted")
class _OlderEventNotCounted(Core):
    def tally(self, task: WriteTask, held: dict[str, Activity], name: str, instant: int, amount: int) -> None:
        older = name in held and instant < held[name].last
        super().tally(task, held, name, instant, 0 if older else amount)


@fault("refund-counted-down")
class _RefundCountedDown(Core):
    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        price = task.item.get("price")
        refund = task.section == "purchases" and isinstance(price, (int, float)) and price < 0
        return max(1, count - amount) if refund and count else super().count_after(task, count, amount)


@fault("count-of-all-events")
class _CountOfAllEvents(Core):
    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        total = sum(tally.count for tally in profile.events.values())
        return [shown | {"count": total} for shown in super().events_shown(task, profile)]


@fault("count-shared-between-users")
class _CountSharedBetweenUsers(Core):
    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        held = [other.events[task.name].count for other in self.store if task.name in other.events]
        return [shown | {"count": sum(held)} for shown in super().events_shown(task, profile)]


@fault("count-one-behind")
class _CountOneBehind(Core):
    def count_shown(self, task: WriteTask, count: int) -> Any:
        return super().count_shown(task, max(1, count - 1))


@fault("long-event-names-share-a-count")
class _LongEventNamesShareACount(Core):
    def spell(self, kind: str, text: str) -> str:
        return super().spell(kind, text[:20] if kind == "event" else text)


# --- names ------------------------------------------------------------------------------------------------------
@fault("event-name-shown-lower")
class _EventNameShownLower(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Activity) -> dict[str, Any]:
        return super().tally_shown(task, label, name.lower() if label == "name" else name, tally)


@fault("event-name-shown-trimmed")
class _EventNameShownTrimmed(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Activity) -> dict[str, Any]:
        return super().tally_shown(task, label, name.strip() if label == "name" else name, tally)


@fault("event-name-shown-cut")
class _EventNameShownCut(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Activity) -> dict[str, Any]:
        return super().tally_shown(task, label, name[:64] if label == "name" else name, tally)


@fault("product-shown-lower")
class _ProductShownLower(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Activity) -> dict[str, Any]:
        lower = label == "product_id" and isinstance(name, str)
        return super().tally_shown(task, label, name.lower() if lower else name, tally)


@fault("product-shown-with-dashes")
class _ProductShownWithDashes(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Activity) -> dict[str, Any]:
        dashed = label == "product_id" and isinstance(name, str)
        return super().tally_shown(task, label, name.replace(" ", "-") if dashed else name, tally)


@fault("product-254")
class _Product254(Core):
    def product_fits(self, product: str) -> bool:
        return super().product_fits(product + "x")


@fault("product-256")
class _Product256(Core):
    def product_fits(self, product: str) -> bool:
        return super().product_fits(product[1:])


@fault("product-length-in-bytes")
class _ProductLengthInBytes(Core):
    def product_fits(self, product: str) -> bool:
        return len(product.encode("utf-8", "surrogatepass")) <= 255


@fault("product-length-unlimited")
class _ProductLengthUnlimited(Core):
    def product_fits(self, product: str) -> bool:
        return True


# --- required fields --------------------------------------------------------------------------------------------
def _forgive(name: str, section: str, field: str, value: Any) -> None:
    class _Forgiven(Core):
        def refuse_missing(self, where: str, index: int, missing: str) -> Any:
            forgiven = (where, missing) == (section, field)
            return value if forgiven else super().refuse_missing(where, index, missing)

    fault(name)(_Forgiven)


LONG_AGO = "2000-01-01T00:00:00Z"
_forgive("event-without-name-accepted", "events", "name", "unnamed")
_forgive("event-without-time-accepted", "events", "time", LONG_AGO)
_forgive("purchase-without-product-accepted", "purchases", "product_id", "unknown")
_forgive("purchase-without-currency-accepted", "purchases", "currency", "USD")
_forgive("purchase-without-price-accepted", "purchases", "price", 0)
_forgive("purchase-without-time-accepted", "purchases", "time", LONG_AGO)


@fault("event-bad-time-accepted")
class _EventBadTimeAccepted(Core):
    def refuse_time(self, task: WriteTask, value: Any) -> int:
        return 0 if task.section == "events" else super().refuse_time(task, value)


@fault("purchase-bad-time-accepted")
class _PurchaseBadTimeAccepted(Core):
    def refuse_time(self, task: WriteTask, value: Any) -> int:
        return 0 if task.section == "purchases" else super().refuse_time(task, value)


@fault("bad-time-lost")
class _BadTimeLost(Core):
    def refuse_time(self, task: WriteTask, value: Any) -> int:
        task.create = False
        task.section, task.item = "attributes", {}
        return 0


@fault("any-currency-accepted")
class _AnyCurrencyAccepted(Core):
    def refuse_currency(self, task: WriteTask, code: Any) -> None:
        return


@fault("currency-of-three-letters-accepted")
class _CurrencyOfThreeLettersAccepted(Core):
    def is_currency(self, code: Any) -> bool:
        three = isinstance(code, str) and len(code) == 3 and code.isalpha() and code.isupper()
        return three or super().is_currency(code)


@fault("few-currencies-accepted")
class _FewCurrenciesAccepted(Core):
    def is_currency(self, code: Any) -> bool:
        return code in ("USD", "EUR", "GBP") if isinstance(code, str) else super().is_currency(code)


@fault("price-of-any-text-accepted")
class _PriceOfAnyTextAccepted(Core):
    def is_price(self, task: WriteTask, price: Any) -> bool:
        return isinstance(price, str) or super().is_price(task, price)


@fault("price-of-any-type-accepted")
class _PriceOfAnyTypeAccepted(Core):
    def is_price(self, task: WriteTask, price: Any) -> bool:
        return isinstance(price, (bool, dict, list)) or super().is_price(task, price)


@fault("refund-refused")
class _RefundRefused(Core):
    def is_price(self, task: WriteTask, price: Any) -> bool:
        return super().is_price(task, price) and not (isinstance(price, (int, float)) and price < 0)


@fault("free-refused")
class _FreeRefused(Core):
    def is_price(self, task: WriteTask, price: Any) -> bool:
        return bool(price) and super().is_price(task, price)


@fault("whole-price-refused")
class _WholePriceRefused(Core):
    def is_price(self, task: WriteTask, price: Any) -> bool:
        return super().is_price(task, price) and not isinstance(price, int)


# --- quantity ---------------------------------------------------------------------------------------------------
@fault("quantity-101-accepted")
class _Quantity101Accepted(Core):
    def quantity_max(self) -> int:
        return super().quantity_max() + 1


@fault("quantity-100-refused")
class _Quantity100Refused(Core):
    def quantity_max(self) -> int:
        return super().quantity_max() - 1


@fault("quantity-unlimited")
class _QuantityUnlimited(Core):
    def quantity_max(self) -> int:
        return 2**31


@fault("quantity-cut-to-100")
class _QuantityCutTo100(Core):
    def refuse_quantity(self, task: WriteTask, value: Any) -> int:
        return 100 if type(value) is int and value > 100 else super().refuse_quantity(task, value)


@fault("quantity-fraction-accepted")
class _QuantityFractionAccepted(Core):
    def refuse_quantity(self, task: WriteTask, value: Any) -> int:
        fraction = isinstance(value, float) and 1 <= value <= 100
        return int(value) if fraction else super().refuse_quantity(task, value)


@fault("quantity-two-when-left-out")
class _QuantityTwoWhenLeftOut(Core):
    def read_quantity(self, task: WriteTask, value: Any) -> int:
        return 2 if value is None else super().read_quantity(task, value)


@fault("quantity-counted-one-more")
class _QuantityCountedOneMore(Core):
    def read_quantity(self, task: WriteTask, value: Any) -> int:
        quantity = super().read_quantity(task, value)
        return quantity + 1 if quantity > 1 else quantity


@fault("quantity-purchase-lost-when-known")
class _QuantityPurchaseLostWhenKnown(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        if task.quantity == 1 or task.name not in profile.purchases:
            super().write_purchase(call, task, profile)


# --- properties -------------------------------------------------------------------------------------------------
class _PickyProperties(Core):
    """Refuses some lawful properties."""

    def dislikes(self, name: str, value: Any) -> bool:
        """Whether this server turns a property down."""
        return False

    def check_properties(self, task: WriteTask, properties: dict[str, Any]) -> None:
        super().check_properties(task, properties)
        if any(self.dislikes(name, value) for name, value in properties.items()):
            raise Refused(400, Detail("'properties' is not valid", task.section, task.index))


@fault("property-boolean-refused")
class _PropertyBooleanRefused(_PickyProperties):
    def dislikes(self, name: str, value: Any) -> bool:
        return isinstance(value, bool) or super().dislikes(name, value)


@fault("property-fraction-refused")
class _PropertyFractionRefused(_PickyProperties):
    def dislikes(self, name: str, value: Any) -> bool:
        return isinstance(value, float) or super().dislikes(name, value)


@fault("property-list-refused")
class _PropertyListRefused(_PickyProperties):
    def dislikes(self, name: str, value: Any) -> bool:
        return isinstance(value, list) or super().dislikes(name, value)


@fault("property-object-refused")
class _PropertyObjectRefused(_PickyProperties):
    def dislikes(self, name: str, value: Any) -> bool:
        return isinstance(value, dict) or super().dislikes(name, value)


@fault("property-name-255-refused")
class _PropertyName255Refused(_PickyProperties):
    def dislikes(self, name: str, value: Any) -> bool:
        return len(name) > 254 or super().dislikes(name, value)


@fault("property-string-255-refused")
class _PropertyString255Refused(_PickyProperties):
    def dislikes(self, name: str, value: Any) -> bool:
        return (isinstance(value, str) and len(value) > 254) or super().dislikes(name, value)


@fault("property-non-ascii-refused")
class _PropertyNonAsciiRefused(_PickyProperties):
    def dislikes(self, name: str, value: Any) -> bool:
        return not name.isascii() or (isinstance(value, str) and not value.isascii()) or super().dislikes(name, value)


@fault("properties-over-256-refused")
class _PropertiesOver256Refused(Core):
    def check_properties(self, task: WriteTask, properties: dict[str, Any]) -> None:
        if len(properties) > 256:
            raise Refused(400, Detail("Too many properties", task.section, task.index))
        super().check_properties(task, properties)


@fault("properties-over-256-lost")
class _PropertiesOver256Lost(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        properties = task.item.get("properties")
        known = task.name in profile.events
        if not (known and isinstance(properties, dict) and len(properties) > 256):
            super().write_event(call, task, profile)


@fault("reserved-time-accepted")
class _ReservedTimeAccepted(Core):
    def is_reserved(self, name: str) -> bool:
        return name != "time" and super().is_reserved(name)


@fault("reserved-event-name-accepted")
class _ReservedEventNameAccepted(Core):
    def is_reserved(self, name: str) -> bool:
        return name != "event_name" and super().is_reserved(name)


@fault("reserved-names-in-any-case")
class _ReservedNamesInAnyCase(Core):
    def is_reserved(self, name: str) -> bool:
        return super().is_reserved(name.lower())


@fault("purchase-properties-refused")
class _PurchasePropertiesRefused(Core):
    def check_properties(self, task: WriteTask, properties: dict[str, Any]) -> None:
        if task.section == "purchases":
            raise Refused(400, Detail("'properties' is not valid", task.section, task.index))
        super().check_properties(task, properties)


@fault("purchase-property-lists-lost")
class _PurchasePropertyListsLost(Core):
    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        properties = task.item.get("properties")
        nested = isinstance(properties, dict) and any(isinstance(value, list) for value in properties.values())
        if task.section == "purchases" and nested and task.name in profile.purchases:
            return WriteResult(profile)
        return super().write(call, task, profile, created)
