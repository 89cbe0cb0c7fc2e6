"""Finding and creating users, and applying what a request says."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any

from . import attributes, laws
from .attributes import GONE, UnchangedError
from .content import _fits
from .facts import (
    IDENTIFIERS,
    PROFILE,
)
from .state import Plan, Profile, Tally


class Applying:
    """A part of the application; see server.py."""

    def put(self, kind: str, key: Any, profile: Profile) -> None:
        self.index.setdefault((kind, key), []).append(profile)

    def drop(self, kind: str, key: Any, profile: Profile) -> None:
        held = self.index.get((kind, key), [])
        if profile in held:
            held.remove(profile)

    def find(self, plan: Plan) -> Profile | None:
        bad, lead = self.bad, plan.lead
        held = self.index.get((lead, plan.key), [])
        if not held or f"{lead}_profile_made_anew" in bad:
            return None
        if lead == "user_alias" and "alias_found_only_with_flag" in bad and "_update_existing_only" not in plan.item:
            return None
        if lead not in ("email", "phone"):
            return held[-1]
        known = [profile for profile in held if profile.external_id is not None]
        loose = [profile for profile in held if profile.external_id is None]
        if f"{lead}_misses_identified_users" in bad:
            known = []
        if f"{lead}_prefers_unidentified" in bad and loose:
            known = []
        pool = known or loose
        if f"{lead}_goes_to_oldest" in bad:
            return min(pool, key=lambda profile: profile.touched, default=None)
        if f"{lead}_goes_to_first_created" in bad:
            return pool[0] if pool else None
        return max(pool, key=lambda profile: profile.touched, default=None)

    def create(self, plan: Plan) -> Profile | None:
        if plan.lead == "braze_id" and "unknown_braze_id_creates" not in self.bad:
            return None
        self.born += 1
        profile = Profile(f"{zlib.crc32(b'%d' % self.born):08x}{self.born:016x}")
        self.profiles[profile.braze_id] = profile
        self.put("braze_id", profile.braze_id, profile)
        if plan.lead == "external_id":
            profile.external_id = str(plan.item.get("external_id", plan.key))
        elif plan.lead == "user_alias":
            alias = plan.item["user_alias"]
            if isinstance(alias, dict):
                profile.aliases.append((alias.get("alias_label", ""), alias.get("alias_name", "")))
        elif plan.lead in ("email", "phone"):
            setattr(profile, plan.lead, plan.item[plan.lead])
        self.put(plan.lead, plan.key, profile)
        return profile

    def remove(self, profile: Profile) -> None:
        self.profiles.pop(profile.braze_id, None)
        for held in self.index.values():
            if profile in held:
                held.remove(profile)

    def forget_everything(self) -> None:
        self.profiles.clear()
        self.index.clear()

    def apply(self, plan: Plan, now: float) -> tuple[Profile, dict[str, str]] | None:
        """Apply a plan. None when there is no user to apply it to; otherwise the outcome for each attribute."""
        bad = self.bad
        profile = self.find(plan)
        if (
            profile is not None
            and plan.item.get("_update_existing_only") is True
            and "update_only_skips_existing" in bad
        ):
            return None
        if profile is None:
            if plan.update_only:
                if "update_only_creates_behind" in bad and plan.lead != "braze_id":
                    self.create(plan)
                return None
            profile = self.create(plan)
            if profile is None:
                return None
        self.turn += 1
        if plan.section == "attributes" or profile.writes == 0 or self.interpretation["recency"] == "any_write":
            profile.touched = self.turn
        profile.writes += 1
        if plan.section == "attributes":
            return profile, self.apply_attributes(plan, profile)
        if self.interpretation["contacts_beside_events"] == "set":
            self.give_contacts(plan, profile)
        assert plan.at is not None
        store = self.store(plan, profile)
        book = store.events if plan.section == "events" else store.purchases
        self.tally(plan, profile, book, datetime.fromtimestamp(now, UTC))
        return profile, {}

    def store(self, plan: Plan, profile: Profile) -> Profile:
        """Where the data of this user are kept."""
        bad = self.bad
        if f"{plan.section}_shared_across_users" in bad or f"{plan.lead}_users_share_data" in bad:
            return self.common
        return profile

    def give_contacts(self, plan: Plan, profile: Profile) -> None:
        """An email or phone beside a stronger identifier becomes the profile's."""
        bad, item = self.bad, plan.item
        for name in ("email", "phone"):
            if name in item and name != plan.lead and f"{name}_change_ignored" not in bad:
                old = getattr(profile, name)
                if item[name] is None and self.interpretation["email_null"] == "ignored":
                    continue
                if old is not None and f"old_{name}_still_found" not in bad:
                    self.drop(name, old, profile)
                setattr(profile, name, item[name])
                if item[name] is not None and profile not in self.index.get((name, item[name]), []):
                    self.put(name, item[name], profile)

    def apply_attributes(self, plan: Plan, profile: Profile) -> dict[str, str]:
        bad, item = self.bad, plan.item
        self.give_contacts(plan, profile)
        for name, value in item.items():
            if name in PROFILE and name not in IDENTIFIERS:
                profile.fields.pop(name, None)
                if value is not None and _fits(name, value):
                    profile.fields[name] = value
        merge = item.get("_merge_objects", False)
        store = self.store(plan, profile)
        custom = store.custom
        if "attributes_replace_all" in bad:
            for name in set(custom) - set(plan.custom):
                del custom[name]
        outcome = {}
        sent = dict(plan.custom)
        if "attributes_only_first_applied" in bad:
            sent = dict(list(sent.items())[:1])
        if "attribute_names_lowercased" in bad:
            sent = {name.lower(): value for name, value in sent.items()}
        for name, value in sent.items():
            old = custom.get(name, GONE)
            if "new_attributes_after_tenth_ignored" in bad and old is GONE and len(custom) >= 10:
                outcome[name] = "kept"
                continue
            try:
                new = attributes.resolve(old, value, merge, self.law)
            except UnchangedError:
                outcome[name] = "kept"
                if "refused_update_removes" in bad:
                    custom.pop(name, None)
                continue
            if new is GONE:
                if "removal_only_shown" not in bad:
                    custom.pop(name, None)
                if "removal_takes_neighbour" in bad and custom:
                    custom.pop(next(iter(custom)))
                outcome[name] = "removed"
            else:
                custom[name] = laws.as_double(new) if self.interpretation["integers"] == "doubles" else new
                outcome[name] = "set"
        if "refused_update_drops_others" in bad and "kept" in outcome.values():
            for name in [name for name, what in outcome.items() if what == "set"]:
                custom.pop(name, None)
                outcome[name] = "kept"
        if "attributes_reset_counts" in bad:
            profile.events.clear()
            profile.purchases.clear()
        return outcome

    def tally(self, plan: Plan, profile: Profile, book: dict[str, Tally], present: datetime) -> None:
        bad, at, times = self.bad, plan.at, plan.times
        one = plan.section[:-1]
        assert at is not None

        def hit(fault: str) -> bool:
            return f"{one}_{fault}" in bad

        old = book.get(plan.name)
        if old is None:
            start = {"starts_at_zero": 0, "starts_at_two": 2}
            count = next((n for fault, n in start.items() if hit(fault)), times)
            book[plan.name] = Tally(at, at, count)
            return
        if hit("equal_ones_swallowed") and at == old.last:
            return
        if hit("same_second_swallowed") and abs((at - old.last).total_seconds()) < 1:
            return
        if hit("older_ones_swallowed") and at < old.last:
            return
        if hit("count_stuck_at_one"):
            times = 0
        if hit("count_doubles"):
            times = old.count
        if hit("count_stops_at_three"):
            times = min(times, max(0, 3 - old.count))
        if hit("third_one_lost") and old.count == 2:
            return
        if hit("count_with_properties_lost") and plan.item.get("properties"):
            times = 0
        if hit("older_ones_not_counted") and at < old.last:
            times = 0
        if hit("count_stuck_for_alias") and plan.lead == "user_alias":
            times = 0
        if hit("count_stuck_for_email") and plan.lead == "email":
            times = 0
        if hit("count_stuck_for_phone") and plan.lead == "phone":
            times = 0
        old.count += times
        if hit("first_follows_arrival"):
            old.first = at
        elif hit("first_is_latest"):
            old.first = max(old.first, at)
        elif not hit("first_never_moves"):
            old.first = min(old.first, at)
        if hit("last_follows_arrival") or (hit("last_follows_arrival_for_alias") and plan.lead == "user_alias"):
            old.last = at
        elif hit("last_is_earliest"):
            old.last = min(old.last, at)
        elif not hit("last_never_moves"):
            old.last = max(old.last, at)
        if hit("last_is_time_of_request"):
            old.last = present
