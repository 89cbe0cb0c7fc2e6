"""Faults of the fields that an event or purchase requires: name, time, product, currency, price, quantity."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import MISSING, Call, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile

COMMON = frozenset("USD EUR JPY GBP CNY AUD CAD CHF HKD SGD SEK KRW NOK NZD INR MXN TWD ZAR BRL DKK PLN".split())
LONG_AGO = "2000-01-01T00:00:00Z"


# Takes prices that are not valid, or refuses valid ones.
overriding("is_price", "TS-OK-STATUS", module=__name__)(
    row(
        "dear-purchase-refused",
        "A price of ten thousand or more is refused.",
        result=lambda right, price: right and float(price) < 10000,
    ),
    row(
        "third-decimal-refused",
        "A price with more than two decimals is refused.",
        result=lambda right, price: right and round(float(price), 2) == float(price),
    ),
    row(
        "price-of-any-text-accepted",
        "Any text is a price.",
        "TS-PURCHASE-PRICE-REQUIRED",
        result=lambda right, price: isinstance(price, str) or right,
    ),
    row(
        "price-of-any-type-accepted",
        "A boolean, a list and an object are a price.",
        "TS-PURCHASE-PRICE-REQUIRED",
        result=lambda right, price: isinstance(price, (bool, dict, list)) or right,
    ),
    row(
        "refund-refused",
        "A negative price is refused.",
        "TS-PURCHASE-REFUND",
        "TS-OK-STATUS",
        result=lambda right, price: right and not (isinstance(price, (int, float)) and price < 0),
    ),
    row("free-refused", "A price of zero is refused.", result=lambda right, price: bool(price) and right),
    row(
        "whole-price-refused",
        "A price without a fraction is refused.",
        result=lambda right, price: right and not isinstance(price, int),
    ),
)


# Takes currencies that are not valid, or refuses valid ones.
overriding("is_currency", "TS-OK-STATUS", module=__name__)(
    row(
        "rare-currency-refused",
        "Currencies beside the common ones are refused.",
        result=lambda right, code: right and code in COMMON,
    ),
    row(
        "currency-of-three-letters-accepted",
        "Any three capital letters are a currency.",
        "TS-PURCHASE-CURRENCY-VALID",
        result=lambda right, code: (
            (isinstance(code, str) and len(code) == 3 and code.isalpha() and code.isupper()) or right
        ),
    ),
    row(
        "few-currencies-accepted",
        "Only three currencies are known.",
        result=lambda right, code: code in ("USD", "EUR", "GBP") if isinstance(code, str) else right,
    ),
)


@faults()(
    row(
        "event-without-name-accepted",
        "An event without a name is accepted.",
        "TS-EVENT-NAME-REQUIRED",
        section="events",
        field="name",
        value="unnamed",
    ),
    row(
        "event-without-time-accepted",
        "An event without a time is accepted.",
        "TS-EVENT-TIME-REQUIRED",
        section="events",
        field="time",
        value=LONG_AGO,
    ),
    row(
        "purchase-without-product-accepted",
        "A purchase without a product_id is accepted.",
        "TS-PURCHASE-PRODUCT-REQUIRED",
        section="purchases",
        field="product_id",
        value="unknown",
    ),
    row(
        "purchase-without-currency-accepted",
        "A purchase without a currency is accepted.",
        "TS-PURCHASE-CURRENCY-REQUIRED",
        section="purchases",
        field="currency",
        value="USD",
    ),
    row(
        "purchase-without-price-accepted",
        "A purchase without a price is accepted.",
        "TS-PURCHASE-PRICE-REQUIRED",
        section="purchases",
        field="price",
        value=0,
    ),
    row(
        "purchase-without-time-accepted",
        "A purchase without a time is accepted.",
        "TS-PURCHASE-TIME-REQUIRED",
        section="purchases",
        field="time",
        value=LONG_AGO,
    ),
)
def _forgive(section: str, field: str, value: Any) -> type[Core]:
    class _Forgiven(Core):
        def refuse_missing(self, where: str, index: int, missing: str) -> Any:
            forgiven = (where, missing) == (section, field)
            return value if forgiven else super().refuse_missing(where, index, missing)

    return _Forgiven


# --- refusals that leave something ----------------------------------------------------------------------------
@fault("null-price-accepted", "A price of null counts as nothing.", "TS-PURCHASE-PRICE-REQUIRED")
class _NullPriceAccepted(Core):
    def refuse_missing(self, section: str, index: int, name: str) -> Any:
        return 0 if name == "price" and self._item_has(name) else super().refuse_missing(section, index, name)

    seen: Any = None

    def _item_has(self, name: str) -> bool:
        return isinstance(self.seen, dict) and name in self.seen

    def examine(self, call: Call, section: str, index: int, item: Any) -> WriteTask:
        self.seen = item
        return super().examine(call, section, index, item)


@fault("null-time-as-now", "A time of null is taken for now.", "TS-PURCHASE-TIME-REQUIRED")
class _NullTimeAsNow(Core):
    def read_time(self, task: WriteTask) -> None:
        if task.item.get("time", MISSING) is None:
            task.instant = int(self.clock() * 1_000_000)
            return
        super().read_time(task)


# --- required fields ------------------------------------------------------------------------------------------
overriding("refuse_time", module=__name__)(
    row(
        "event-bad-time-accepted",
        "An event whose time is not valid is accepted.",
        "TS-EVENT-TIME-VALID",
        when=lambda task: task.section == "events",
        result=lambda: 0,
    ),
    row(
        "purchase-bad-time-accepted",
        "A purchase whose time is not valid is accepted.",
        "TS-PURCHASE-TIME-REQUIRED",
        when=lambda task: task.section == "purchases",
        result=lambda: 0,
    ),
)


@fault(
    "bad-time-lost",
    "A time that is not valid is answered as a success, and nothing is recorded.",
    "TS-EVENT-TIME-VALID",
    "TS-PURCHASE-TIME-REQUIRED",
)
class _BadTimeLost(Core):
    def refuse_time(self, task: WriteTask, value: Any) -> int:
        task.create = False
        task.section, task.item = "attributes", {}
        return 0


@fault("any-currency-accepted", "Any currency is accepted.", "TS-PURCHASE-CURRENCY-VALID")
class _AnyCurrencyAccepted(Core):
    def refuse_currency(self, task: WriteTask, code: Any) -> None:
        return


# --- quantity -------------------------------------------------------------------------------------------------
overriding("quantity_max", "TS-PURCHASE-QUANTITY", module=__name__)(
    row("quantity-101-accepted", "A quantity of 101 is accepted.", result=lambda right: right + 1),
    row(
        "quantity-100-refused",
        "A quantity of 100 is refused.",
        "TS-PURCHASE-QUANTITY",
        "TS-OK-STATUS",
        result=lambda right: right - 1,
    ),
    row("quantity-unlimited", "Any quantity is accepted.", result=lambda: 2**31),
)


overriding("refuse_quantity", "TS-PURCHASE-QUANTITY", module=__name__)(
    row(
        "quantity-cut-to-100",
        "A quantity above 100 is read as 100.",
        when=lambda value: type(value) is int and value > 100,
        result=lambda: 100,
    ),
    row(
        "quantity-fraction-accepted",
        "A quantity with a fraction is rounded down.",
        when=lambda value: isinstance(value, float) and 1 <= value <= 100,
        result=lambda value: int(value),
    ),
)


overriding("read_quantity", module=__name__)(
    row(
        "quantity-two-when-left-out",
        "A quantity that is left out is two.",
        "TS-PURCHASE-QUANTITY",
        "TS-PURCHASE-COUNT",
        when=lambda value: value is None,
        result=lambda: 2,
    ),
    row(
        "quantity-counted-one-more",
        "A quantity above one counts one too many.",
        "TS-PURCHASE-COUNT",
        "TS-PURCHASE-QUANTITY",
        result=lambda right: right + 1 if right > 1 else right,
    ),
)


@fault(
    "quantity-purchase-lost-when-known",
    "A further purchase with a quantity above one is not counted.",
    "TS-PURCHASE-COUNT",
    "TS-STATE-VISIBLE",
)
class _QuantityPurchaseLostWhenKnown(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        if task.quantity == 1 or task.name not in profile.purchases:
            super().write_purchase(call, task, profile)
