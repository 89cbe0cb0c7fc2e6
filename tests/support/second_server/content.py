"""Checking the content of attributes, events and purchases."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from . import dates, laws
from .facts import (
    CONTROLS,
    CURRENCIES,
    IDENTIFIERS,
    PROFILE,
)
from .reading import _malformed
from .state import Plan, RefusedError


def _fits(name: str, value: Any) -> bool:
    """Whether a profile field has the form that the documents give it."""
    if value is None:
        return True
    if name == "gender":
        return value in ("M", "F", "O", "N", "P")
    if name in ("email_subscribe", "push_subscribe"):
        return value in ("opted_in", "unsubscribed", "subscribed")
    if name == "dob":
        return (
            isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)) and dates.read(value) is not None
        )
    if name in ("country", "language"):
        return isinstance(value, str)
    if name == "current_location":
        return isinstance(value, dict) and {"longitude", "latitude"} <= value.keys()
    if name in ("push_tokens", "subscription_groups"):
        return isinstance(value, list)
    if name in ("email_open_tracking_disabled", "email_click_tracking_disabled"):
        return isinstance(value, bool)
    if name in ("facebook", "twitter"):
        return isinstance(value, dict)
    return isinstance(value, str)


class Content:
    """A part of the application; see server.py."""

    def check_attributes(self, plan: Plan, item: dict[str, Any], no: Callable[[str], RefusedError]) -> None:
        bad, interpretation = self.bad, self.interpretation
        if not isinstance(item.get("_merge_objects", False), bool):
            raise no("'_merge_objects' is not valid")
        imported = item.get("push_token_import", False)
        if not isinstance(imported, bool):
            raise no("'push_token_import' is not valid")
        misplaced = plan.lead in ("external_id", "braze_id") or not item.get("push_tokens")
        if imported and misplaced and interpretation["push_token_import"] == "checked":
            raise no("'push_token_import' is not valid")
        for name, value in item.items():
            if name in IDENTIFIERS or name in CONTROLS:
                continue
            if name in PROFILE:
                if interpretation["bad_profile_field"] == "refused" and not _fits(name, value):
                    raise no(f"'{name}' is not valid")
                continue
            if interpretation["malformed_operation"] == "refused" and _malformed(value):
                raise no(f"'{name}' is not valid")
            if "false_attribute_refused" in bad and value is False:
                raise no(f"'{name}' is not valid")
            if "null_attribute_refused" in bad and value is None:
                raise no(f"'{name}' is not valid")
            if "nested_attribute_refused" in bad and isinstance(value, dict):
                raise no(f"'{name}' is not valid")
            if "non_ascii_name_refused" in bad and not name.isascii():
                raise no(f"'{name}' is not valid")
            plan.custom[name] = value

    def check_purchase(self, plan: Plan, item: dict[str, Any], no: Callable[[str], RefusedError]) -> None:
        bad, interpretation = self.bad, self.interpretation
        product = item.get("product_id")
        number = isinstance(product, int) and not isinstance(product, bool)
        if "purchase_without_product_accepted" in bad and product is None:
            product, number = "none", False
        if (not isinstance(product, str) or not product) and not number:
            raise no("'product_id' is required")
        if number and interpretation["integer_product_id"] == "refused":
            raise no("'product_id' is not a string")
        length = len(str(product))
        long = not number and laws.too_long(product, self.law)
        if long and not ("product_id_of_256_accepted" in bad and length == 256):
            raise no("'product_id' is too long")
        if "product_id_of_255_refused" in bad and length == 255:
            raise no("'product_id' is too long")
        plan.name = str(product)
        currency = item.get("currency")
        if "purchase_without_currency_accepted" in bad and currency is None:
            item = {**item, "currency": "USD"}
            plan.item = item
            currency = "USD"
        if interpretation["currency_case"] == "ignored" and isinstance(currency, str):
            currency = currency.upper()
        known = {"USD", "EUR", "GBP"} if "currency_list_short" in bad else CURRENCIES
        if "currency_unchecked" in bad and isinstance(currency, str):
            known = {currency}
        if "currency_any_three_letters" in bad and isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency):
            known = {currency}
        if not isinstance(currency, str) or currency not in known:
            raise no("'currency' must be an ISO 4217 currency")
        price = item.get("price")
        if "purchase_without_price_accepted" in bad and price is None:
            price = 0
        if "price_as_text_accepted" in bad and isinstance(price, str):
            price = 0
        if isinstance(price, bool) or not isinstance(price, int | float):
            raise no("'price' is not valid")
        if ("negative_price_refused" in bad and price < 0) or (
            "integer_price_refused" in bad and isinstance(price, int)
        ):
            raise no("'price' is not valid")
        plan.times = self.check_quantity(item.get("quantity", 1), no)

    def check_quantity(self, quantity: Any, no: Callable[[str], RefusedError]) -> int:
        bad = self.bad
        if isinstance(quantity, float) and quantity.is_integer() and self.interpretation["quantity_2.0"] == "accepted":
            quantity = int(quantity)
        if "quantity_unchecked" in bad and not isinstance(quantity, dict | list):
            return 1
        if "quantity_as_text_accepted" in bad and isinstance(quantity, str):
            return 1
        if "quantity_fraction_accepted" in bad and isinstance(quantity, float):
            return max(1, int(quantity))
        if isinstance(quantity, bool) or not isinstance(quantity, int):
            raise no("'quantity' is not valid")
        if "quantity_101_accepted" in bad and quantity == 101:
            return quantity
        if "quantity_zero_accepted" in bad and quantity == 0:
            return 1
        if "quantity_negative_accepted" in bad and quantity < 0:
            return 1
        if "quantity_100_refused" in bad and quantity == 100:
            raise no("'quantity' is not valid")
        if not 1 <= quantity <= 100:
            raise no("'quantity' is not valid")
        if "quantity_plus_one" in bad and quantity > 1:
            return quantity + 1
        if "quantity_capped_at_ten" in bad:
            return min(quantity, 10)
        if "quantity_adds_nothing" in bad and quantity > 1:
            return 0
        return quantity

    def check_time(self, section: str, item: dict[str, Any], now: float, no: Callable[[str], RefusedError]) -> datetime:
        bad = self.bad
        sent = item.get("time")
        present = datetime.fromtimestamp(now, UTC)
        one = section[:-1]
        if f"{one}_without_time_accepted" in bad and sent is None:
            return present
        if f"{one}_time_unchecked" in bad and isinstance(sent, str) and dates.read(sent, True) is None:
            return present
        if f"{one}_time_as_number_accepted" in bad and isinstance(sent, int):
            return present
        at = dates.read(sent, loosely=True)
        if at is None:
            raise no("'time' is not valid")
        bare = re.fullmatch(r"\d{4}-\d\d-\d\d", sent)
        zoneless = not re.search(r"([zZ]|[+-]\d\d:?\d\d)$", sent[10:])
        if ("time_date_only_refused" in bad and bare) or ("time_with_slashes_refused" in bad and "/" in sent):
            raise no("'time' is not valid")
        if "time_without_zone_refused" in bad and zoneless:
            raise no("'time' is not valid")
        if "time_with_offset_refused" in bad and re.search(r"[+-]\d\d:?\d\d$", sent[10:]):
            raise no("'time' is not valid")
        if "future_time_refused" in bad and at > present:
            raise no("'time' is in the future")
        if "old_time_refused" in bad and at.year < 2000:
            raise no("'time' is too old")
        if "time_offset_ignored" in bad and not zoneless:
            at = dates.read(re.sub(r"([zZ]|[+-]\d\d:?\d\d)$", "", sent)) or at
        if "time_offset_applied_backwards" in bad and (hit := re.search(r"([+-])(\d\d):?(\d\d)$", sent[10:])):
            span = 2 * timedelta(hours=int(hit[2]), minutes=int(hit[3]))
            at = at + span if hit[1] == "+" else at - span
        if "time_offset_minutes_lost" in bad and (hit := re.search(r"([+-])\d\d:?(\d\d)$", sent[10:])):
            span = timedelta(minutes=int(hit[2]))
            at = at + span if hit[1] == "+" else at - span
        if "time_without_zone_is_local" in bad and zoneless:
            at -= timedelta(hours=9)
        if "time_day_and_month_swapped" in bad and "/" in sent and at.day <= 12:
            at = at.replace(month=at.day, day=at.month)
        if "milliseconds_lost" in bad or f"{one}_milliseconds_lost" in bad:
            at = at.replace(microsecond=0)
        if "seconds_lost" in bad:
            at = at.replace(second=0, microsecond=0)
        if f"{one}_time_is_arrival" in bad:
            return present
        if at > present and "future_time_kept" not in bad and f"{one}_future_time_kept" not in bad:
            at = present
        return at

    def check_properties(self, section: str, properties: Any, no: Callable[[str], RefusedError]) -> None:
        bad, interpretation = self.bad, self.interpretation
        if not isinstance(properties, dict):
            if "properties_of_any_kind_accepted" in bad:
                return
            raise no("'properties' is not valid")
        reserved = {"time", "event_name"}
        if "property_time_accepted" in bad:
            reserved.discard("time")
        if "property_event_name_accepted" in bad:
            reserved.discard("event_name")
        if "reserved_property_accepted_for_purchases" in bad and section == "purchases":
            reserved.clear()
        for name, value in properties.items():
            if name in reserved:
                raise no(f"'{name}' is a reserved property")
            wrong = not name or name.startswith("$") or (len(name) > 255 and laws.too_long(name, self.law))
            if wrong and interpretation["bad_property_name"] == "refused":
                raise no("the name of a property is not valid")
            if (
                interpretation["long_property"] == "refused"
                and isinstance(value, str)
                and laws.too_long(value, self.law)
            ):
                raise no(f"the property '{name}' is too long")
            if "nested_property_refused" in bad and isinstance(value, dict | list):
                raise no(f"the property '{name}' is not valid")
        if "many_properties_refused" in bad and len(properties) > 256:
            raise no("too many properties")
        if laws.too_big(properties, self.law) and interpretation["large_properties"] == "refused":
            raise no("'properties' is too large")
