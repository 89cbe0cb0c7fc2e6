"""Reading a body: its one object, and whom it names."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable
from typing import Any

from .facts import (
    BAD_EMAIL,
    EMAIL,
    IDENTIFIERS,
    LARGEST,
    NO_IDENTIFIER,
    SECTIONS,
)
from .state import Plan, RefusedError, Request


def _depth(value: Any) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        inner, depth = stack.pop()
        deepest = max(deepest, depth)
        if isinstance(inner, dict):
            stack += [(part, depth + 1) for part in inner.values()]
        elif isinstance(inner, list):
            stack += [(part, depth + 1) for part in inner]
    return deepest


def _malformed(value: Any) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    if value.keys() == {"inc"}:
        return isinstance(value["inc"], bool) or not isinstance(value["inc"], int)
    if value.keys() <= {"add", "remove"}:
        return not all(isinstance(part, list) for part in value.values())
    if value.keys() <= {"$add", "$update", "$remove"}:
        return not all(isinstance(part, list) for part in value.values())
    return False


class Reading:
    """A part of the application; see server.py."""

    def parse(self, request: Request) -> dict[str, Any]:
        bad, interpretation = self.bad, self.interpretation
        if len(request.body) > LARGEST and interpretation["large_body"] != "accepted":
            raise RefusedError("too large", status=int(interpretation["large_body"]))
        if "body_limit_of_64_kilobytes" in bad and len(request.body) > 64 * 1024:
            raise RefusedError("too large", status=413)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and interpretation["content_type_in"] != "ignored":
            raise RefusedError("content type", status=int(interpretation["content_type_in"]))
        text = request.body
        if "truncated_json_accepted" in bad and text.rstrip()[-1:] not in (b"}", b""):
            text += b"}"

        def constant(name: str) -> float:
            raise ValueError(name)

        def number(name: str) -> float:
            value = float(name)
            if not math.isfinite(value):
                raise ValueError(name)
            return value

        try:
            body = json.loads(text.decode(), parse_constant=constant, parse_float=number)
            json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise RefusedError("not JSON") from None
        if _depth(body) > 100:
            raise RefusedError("nested too deeply")
        if "list_body_accepted" in bad and isinstance(body, list) and body and isinstance(body[0], dict):
            body = {"attributes": body[:1]}
        if not isinstance(body, dict):
            raise RefusedError("not an object")
        return body

    def single(self, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The one object of a synchronous request."""
        bad, interpretation = self.bad, self.interpretation
        found: list[tuple[str, Any]] = []
        for section in SECTIONS:
            if section not in body:
                continue
            items = body[section]
            if items is None and interpretation["null_section"] == "ignored":
                continue
            if items == [] and (interpretation["empty_sections"] == "ignored" or len(body) == 1):
                continue
            if isinstance(items, dict):
                if interpretation["bare_object"] == "refused":
                    raise RefusedError("must be an array", section)
                items = [items]
            elif "array_refused" in bad:
                raise RefusedError("must be an object", section)
            if not isinstance(items, list):
                raise RefusedError("must be an array", section)
            if not items:
                raise RefusedError("is empty", section)
            if len(items) > 1 and "two_objects_accepted" not in bad:
                raise RefusedError("more than one object", section, 1)
            found.append((section, items[0]))
        if interpretation["unknown_section"] == "refused" and body.keys() - {*SECTIONS, "partner"}:
            raise RefusedError("unknown field")
        if not found:
            if "nothing_accepted" in bad:
                return "", {}
            raise RefusedError("nothing to do")
        both = "events_with_attributes_accepted" in bad and [s for s, _ in found] == ["attributes", "events"]
        if len(found) > 1 and not both and "two_sections_accepted" not in bad:
            raise RefusedError("more than one kind of object", found[1][0])
        return found[0]

    def check(self, section: str, item: Any, now: float, index: int = 0) -> Plan:
        """A valid plan for one object, or RefusedError."""
        bad, interpretation = self.bad, self.interpretation

        def no(detail: str) -> RefusedError:
            return RefusedError(detail, section, index)

        if not isinstance(item, dict):
            raise no("is not an object")
        lead, key = self.identify(section, item, no)
        flag = item.get("_update_existing_only", lead == "user_alias")
        if not isinstance(flag, bool):
            raise no("'_update_existing_only' is not valid")
        plan = Plan(section, item, lead, key, self.update_only(section, lead, flag, item))
        if section == "attributes":
            self.check_attributes(plan, item, no)
            return plan
        if section == "events":
            name = item.get("name")
            if "event_without_name_accepted" in bad and name is None:
                name = "unnamed"
            if "event_name_may_be_number" in bad and isinstance(name, int):
                name = str(name)
            if not isinstance(name, str) or not name:
                raise no("'name' is required")
            if "event_name_with_space_refused" in bad and " " in name:
                raise no("'name' is not valid")
            plan.name = name
        else:
            self.check_purchase(plan, item, no)
        plan.at = self.check_time(section, item, now, no)
        self.check_properties(section, item.get("properties", {}), no)
        app = item.get("app_id", "")
        if not isinstance(app, str) and app is not None:
            raise no("'app_id' is not valid")
        if interpretation["unknown_app_id"] == "refused" and app:
            raise no("'app_id' is unknown")
        if section == "events" and "event_counted_per_app" in bad:
            plan.name = f"{plan.name}\0{app}"
        if section == "purchases" and "purchase_counted_per_currency" in bad:
            plan.name = f"{plan.name}\0{item['currency']}"
        if interpretation["quantity"] == "once":
            plan.times = 1
        return plan

    def identify(self, section: str, item: dict[str, Any], no: Callable[[str], RefusedError]) -> tuple[str, Any]:
        bad, interpretation = self.bad, self.interpretation
        orders = {"alias": (1, 0, 2, 3, 4), "braze_id": (2, 0, 1, 3, 4)}
        order = [IDENTIFIERS[n] for n in orders.get(interpretation["leading_identifier"], (0, 1, 2, 3, 4))]
        if "phone_leads_over_email" in bad:
            order[3:] = ["phone", "email"]
        named = []
        for name in order:
            if name not in item:
                continue
            value = item[name]
            if name in ("email", "phone") and value is None and section == "attributes":
                continue
            self.check_identifier(name, value, no)
            named.append(name)
        if not named:
            if "missing_identifier_accepted" in bad or f"missing_identifier_accepted_for_{section}" in bad:
                return "external_id", "unknown"
            raise no(NO_IDENTIFIER)
        if (
            interpretation["leading_identifier"] == "refused"
            and len(set(named) & {"external_id", "user_alias", "braze_id"}) > 1
        ):
            raise no("these identifiers cannot be combined")
        lead = named[0]
        if f"{lead}_refused" in bad or (f"{lead}_refused_for_{section}" in bad):
            raise no(NO_IDENTIFIER)
        value = item[lead]
        key: Any = str(value)
        if lead == "external_id" and "external_ids_collide" in bad:
            key = zlib.crc32(key.encode()) % 16
        if lead == "email" and "emails_collide_on_domain" in bad:
            key = key.partition("@")[2]
        if lead == "user_alias":
            alias = value if isinstance(value, dict) else {"alias_name": value}
            label, name = alias.get("alias_label"), alias.get("alias_name")
            key = (None if "alias_label_ignored" in bad else label, None if "alias_name_ignored" in bad else name)
            if "alias_swapped_is_same" in bad:
                key = tuple(sorted(map(str, key)))
        if (
            lead == "braze_id"
            and not self.index.get(("braze_id", key))
            and interpretation["unknown_braze_id"] == "refused"
        ):
            raise no("'braze_id' is unknown")
        return lead, key

    def check_identifier(self, name: str, value: Any, no: Callable[[str], RefusedError]) -> None:
        bad = self.bad
        if name == "external_id":
            number = isinstance(value, int) and not isinstance(value, bool)
            if not (isinstance(value, str) and value) and not number:
                raise no("'external_id' is not valid")
            if number and self.interpretation["integer_external_id"] == "refused":
                raise no("'external_id' is not a string")
        elif name == "user_alias":
            if not isinstance(value, dict):
                if "alias_as_text_accepted" in bad and isinstance(value, str):
                    return
                raise no("'user_alias' is not valid")
            for part in ("alias_name", "alias_label"):
                if f"{part}_optional" in bad and part not in value:
                    continue
                if not (isinstance(value.get(part), str) and value[part]):
                    raise no(f"'{part}' is required")
        elif name == "braze_id":
            if not (isinstance(value, str) and value):
                raise no("'braze_id' is not valid")
        elif name == "email":
            if not (isinstance(value, str) and EMAIL.fullmatch(value)):
                raise no(BAD_EMAIL)
        elif not (isinstance(value, str) and any(char.isdigit() for char in value)):
            raise no("'phone' is not valid")

    def update_only(self, section: str, lead: str, flag: bool, item: dict[str, Any]) -> bool:
        bad, given = self.bad, "_update_existing_only" in item
        if lead == "user_alias":
            if section != "attributes" and self.interpretation["alias_events"] == "never":
                flag = True
            if "alias_created_by_default" in bad and not given:
                return False
            if "alias_created_by_default_for_events" in bad and section == "events" and not given:
                return False
            if "alias_explicit_false_ignored" in bad and section == "attributes":
                return True
        if given and flag:
            if "update_only_ignored" in bad or f"update_only_ignored_for_{section}" in bad:
                return False
            if f"update_only_ignored_for_{lead}" in bad:
                return False
        if not given and lead != "user_alias":
            if "update_only_by_default" in bad or f"update_only_by_default_for_{section}" in bad:
                return True
            if f"update_only_by_default_for_{lead}" in bad:
                return True
        if given and not flag and "explicit_false_means_true" in bad:
            return True
        return flag
