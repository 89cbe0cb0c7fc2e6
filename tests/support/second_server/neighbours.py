"""/users/track, /users/delete and /users/export/ids; and what overlapping requests do to each other."""

from __future__ import annotations

import contextlib
import json
import time
import zlib
from collections.abc import Callable
from typing import Any

from . import attributes, dates
from .facts import (
    DELAY,
    SECTIONS,
)
from .state import Plan, Profile, RefusedError, Request, Tally


class Neighbours:
    """A part of the application; see server.py."""

    def sneak(self, request: Request) -> None:
        """Apply a request that was turned away."""
        with contextlib.suppress(RefusedError):
            section, item = self.single(self.parse(request))
            self.apply(self.check(section, item, request.now), request.now)

    def apply_despite(self, request: Request) -> None:
        """Apply part of a request that was refused as invalid."""
        bad = self.bad
        if not any(fault.endswith("_despite_400") for fault in bad):
            return
        wrong = (RefusedError, ValueError, AttributeError, KeyError, TypeError, IndexError, RecursionError)
        with contextlib.suppress(*wrong):
            body = json.loads(request.body)
            present = [section for section in SECTIONS if body.get(section)]
            items = body[present[0]]
            if "two_objects_applied_despite_400" in bad and len(items) > 1:
                for item in items:
                    self.apply(self.check(present[0], item, request.now), request.now)
            if "two_sections_applied_despite_400" in bad and len(present) > 1:
                for section in present:
                    self.apply(self.check(section, body[section][0], request.now), request.now)
            if "purchase_counted_despite_400" in bad and present == ["purchases"]:
                mended = {"currency": "USD", "price": 1, "time": "2020-01-01"} | dict(items[0])
                mended |= {"currency": "USD", "price": 1, "quantity": 1, "properties": {}}
                self.apply(self.check("purchases", mended, request.now), request.now)
            if "event_counted_despite_400" in bad and present == ["events"]:
                mended = {"time": "2020-01-01"} | dict(items[0]) | {"properties": {}}
                if dates.read(mended["time"], loosely=True) is None:
                    mended["time"] = "2020-01-01"
                self.apply(self.check("events", mended, request.now), request.now)

    def parallel_shots(self, request: Request) -> tuple[Profile, Any] | None:
        """Read the profile before the lock is held, as a careless server does."""
        if not {"parallel_attributes_lost", "parallel_events_lost", "parallel_purchases_lost"} & self.bad:
            return None
        shot = None
        with self.lock, contextlib.suppress(Exception):
            body = json.loads(request.body)
            section = next(section for section in SECTIONS if body.get(section))
            if f"parallel_{section}_lost" in self.bad:
                profile = self.find(self.check(section, body[section][0], request.now))
                if profile is not None:
                    shot = profile, profile.snapshot()
        time.sleep(0.03)
        return shot

    def overwrite(self, request: Request, profile: Profile, shot: Any) -> None:
        item = json.loads(request.body)[request.section][0]
        if request.section == "attributes":
            kept = {name: profile.custom[name] for name in item if name in profile.custom}
            profile.custom = {name: value for name, value in shot[0].items() if name not in item} | kept
        elif request.section == "events":
            profile.events = shot[1] | {item["name"]: profile.events[item["name"]]}
        else:
            name = str(item["product_id"])
            profile.purchases = shot[2] | {name: profile.purchases[name]}

    def neighbour(self) -> int:
        return int(self.interpretation["neighbour_status"])

    def later(self, now: float, job: Callable[[], None]) -> None:
        self.jobs.append((now + (1.0 if self.interpretation["queue"] == "slow" else DELAY), job))

    def track(self, request: Request, body: dict[str, Any]) -> tuple[int, Any]:
        found: list[tuple[str, int, Any]] = []
        for section in SECTIONS:
            items = body.get(section)
            items = [items] if isinstance(items, dict) else items
            if items is None:
                continue
            if not isinstance(items, list):
                raise RefusedError("must be an array", section)
            found += [(section, index, item) for index, item in enumerate(items)]
        if not found:
            raise RefusedError("nothing to do")
        if len(found) > 75:
            raise RefusedError("more than 75 objects", found[75][0], found[75][1])
        plans: list[Plan] = []
        refused: list[RefusedError] = []
        for section, index, item in found:
            try:
                plans.append(self.check(section, item, request.now, index))
            except RefusedError as no:
                refused.append(no)
        if not plans:
            raise refused[0]
        now = request.now
        for plan in plans:
            self.later(now, lambda plan=plan: self.again(plan, now))
        response: dict[str, Any] = {"message": "success"}
        for section in SECTIONS:
            if count := sum(plan.section == section for plan in plans):
                response[f"{section}_processed"] = count
        if refused:
            response["errors"] = [part for no in refused for part in self.details(no.detail, no.section, no.index)]
        return 201, response

    def meant(self, body: dict[str, Any]) -> tuple[list[Profile], list[Any], int]:
        """The profiles that a list of identifiers names, those not found, and how many were named."""
        lists = {
            "external_ids": ("external_id", str),
            "user_aliases": ("user_alias", lambda alias: (alias["alias_label"], alias["alias_name"])),
            "braze_ids": ("braze_id", str),
            "email_addresses": ("email", lambda entry: entry["email"] if isinstance(entry, dict) else str(entry)),
            "phone_numbers": ("phone", lambda entry: entry["phone"] if isinstance(entry, dict) else str(entry)),
        }
        body = dict(body)
        for one, many in {
            "braze_id": "braze_ids",
            "email_address": "email_addresses",
            "phone": "phone_numbers",
        }.items():
            if one in body:
                body[many] = [body.pop(one)]
        found, missing, named = [], [], 0
        for many, (kind, read) in lists.items():
            entries = body.get(many, [])
            if not isinstance(entries, list) or len(entries) > 50:
                raise RefusedError(f"'{many}' is not valid")
            for entry in entries:
                named += 1
                try:
                    key: Any = read(entry)  # type: ignore[operator]
                    if kind == "external_id" and "external_ids_collide" in self.bad:
                        key = zlib.crc32(key.encode()) % 16
                    held = self.index.get((kind, key), [])
                except (KeyError, TypeError):
                    raise RefusedError(f"'{many}' is not valid") from None
                found += [profile for profile in held if profile not in found]
                if not held:
                    missing.append(entry)
        if not named:
            raise RefusedError("no identifiers")
        return found, missing, named

    def delete(self, request: Request, body: dict[str, Any]) -> tuple[int, Any]:
        for many in ("email_addresses", "phone_numbers"):
            entries = body.get(many)
            given = "prioritization" in body or not isinstance(entries, list)
            if not given and not all(isinstance(entry, dict) and "prioritization" in entry for entry in entries):
                raise RefusedError("'prioritization' is required")
        found, _, named = self.meant(body)
        for profile in found:
            self.later(request.now, lambda profile=profile: self.remove(profile))
        count = named if self.interpretation["deleted_count"] == "named" else len(found)
        return self.neighbour(), {"deleted": count, "message": "success"}

    def export(self, request: Request, body: dict[str, Any]) -> tuple[int, Any]:
        found, missing, _ = self.meant(body)
        wanted = body.get("fields_to_export")
        if wanted is not None and not isinstance(wanted, list):
            raise RefusedError("'fields_to_export' is not valid")
        form = self.interpretation["time_form"]

        def ambiguities(book: dict[str, Tally]) -> list[dict[str, Any]]:
            return [
                {"name": name, "first": dates.write(t.first, form), "last": dates.write(t.last, form), "count": t.count}
                for name, t in book.items()
            ]

        users = []
        for profile in found:
            data: dict[str, Any] = {
                "external_id": profile.external_id,
                "user_aliases": [{"alias_name": name, "alias_label": label} for label, name in profile.aliases],
                "braze_id": profile.braze_id,
                "email": profile.email,
                "phone": profile.phone,
                **profile.fields,
                "custom_attributes": {k: attributes.show(v, self.law, form) for k, v in profile.custom.items()},
                "custom_events": ambiguities(profile.events),
                "purchases": ambiguities(profile.purchases),
            }
            if self.interpretation["export_of_nothing"] == "null":
                data = {name: None if value in ([], {}) else value for name, value in data.items()}
            else:
                data = {name: value for name, value in data.items() if value not in (None, [], {})}
            users.append(data if wanted is None else {name: value for name, value in data.items() if name in wanted})
        response: dict[str, Any] = {"users": users, "message": "success"}
        if missing:
            response["invalid_user_ids"] = missing
        return self.neighbour(), response
