"""The body of a success."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from . import attributes, dates, laws
from .facts import (
    CONTROLS,
    IDENTIFIERS,
    PROFILE,
)
from .state import Plan, Profile, RefusedError, Request, Tally


class Responding:
    """A part of the application; see server.py."""

    def sync(self, request: Request, body: dict[str, Any]) -> tuple[int, Any]:
        bad, now = self.bad, request.now
        section, item = self.single(body)
        if not section:
            return 201, {"users": [], "message": "success"}
        request.section = section
        plan = self.check(section, item, now)
        before = self.find(plan)
        shot = before.snapshot() if before is not None else ({}, {}, {})
        stale = Profile("stale")
        stale.restore(before.snapshot() if before is not None else ({}, {}, {}))
        done = self.apply(plan, now)
        if done is None:
            self.after_400 = False
            return self.no_user(plan)
        profile, outcome = done
        if self.ignored(plan, profile):
            profile.restore(shot)
            outcome = dict.fromkeys(outcome, "kept")
        store = self.store(plan, profile)
        if "response_shows_state_before" in bad or ("second_response_is_stale" in bad and profile.writes == 2):
            store = stale
        entry = self.entry(plan, profile, store, outcome)
        if self.forgotten(plan, profile):
            profile.restore(shot)
        elif "applied_late" in bad or ("applied_late_for_emails" in bad and plan.lead == "email"):
            profile.restore(shot)
            if before is None:
                self.remove(profile)
            self.jobs.append((now + 0.4, lambda: self.again(plan, now)))
        self.after_400 = False
        return self.success(plan, entry, profile, before is None)

    def again(self, plan: Plan, now: float) -> None:
        self.apply(plan, now)

    def ignored(self, plan: Plan, profile: Profile) -> bool:
        """Faults: the write is not made, and the response says so."""
        bad = self.bad
        return (
            ("second_update_ignored" in bad and profile.writes == 2)
            or ("alias_update_ignored" in bad and plan.lead == "user_alias" and plan.section == "attributes")
            or ("merging_update_ignored_for_email" in bad and plan.lead == "email" and "_merge_objects" in plan.item)
            or ("after_400_update_ignored" in bad and self.after_400 and plan.section == "attributes")
        )

    def forgotten(self, plan: Plan, profile: Profile) -> bool:
        """Faults: the response is right, but nothing is kept."""
        bad = self.bad
        return (
            "nothing_kept" in bad
            or f"{plan.section}_not_kept" in bad
            or f"{plan.section}_not_kept_for_{plan.lead}" in bad
            or ("every_fifth_not_kept" in bad and self.served % 5 == 0)
            or ("not_kept_after_400" in bad and self.after_400)
            or ("second_write_not_kept" in bad and profile.writes == 2)
            or ("not_kept_when_told_update_only" in bad and plan.item.get("_update_existing_only") is True)
            or ("not_kept_with_explicit_false" in bad and plan.item.get("_update_existing_only") is False)
        )

    def no_user(self, plan: Plan) -> tuple[int, Any]:
        bad = self.bad
        if "no_user_gives_400" in bad:
            raise RefusedError("no such user", plan.section)
        if "no_user_gives_404" in bad:
            raise RefusedError("no such user", plan.section, status=404)
        status = 200 if "no_user_gives_200" in bad else 201
        if "no_user_shows_values" in bad:
            ghost = Profile("ghost")
            outcome = {}
            if plan.section == "attributes":
                outcome = self.apply_attributes(plan, ghost)
                for name in ("email", "phone"):
                    self.drop(name, getattr(ghost, name), ghost)
            else:
                book = ghost.events if plan.section == "events" else ghost.purchases
                self.tally(plan, ghost, book, datetime.now(UTC))
            return status, {"users": [self.entry(plan, ghost, ghost, outcome)], "message": "success"}
        message = "no users found" if "no_user_message_is_not_success" in bad else "success"
        if "no_user_users_is_null" in bad:
            return status, {"users": None, "message": message}
        if self.interpretation["no_user"] == "omitted":
            return status, {"message": message}
        return status, {"users": [], "message": message}

    def entry(self, plan: Plan, profile: Profile, store: Profile, outcome: dict[str, str]) -> dict[str, Any]:
        """The entry for the user in `users`."""
        bad, interpretation = self.bad, self.interpretation
        entry = self.naming(plan, profile)
        if interpretation["unused_sections"] == "empty":
            entry |= {"custom_attributes": {}, "custom_events": [], "purchase_events": []}
        if interpretation["unused_sections"] == "null":
            entry |= dict.fromkeys(("custom_attributes", "custom_events", "purchase_events"))
        if plan.section == "attributes":
            shown = self.shown_attributes(plan, store, outcome)
            if shown or interpretation["no_custom_attributes"] == "empty":
                entry["custom_attributes"] = shown
            if "attributes_as_list" in bad:
                entry["custom_attributes"] = [{"name": name, "value": value} for name, value in shown.items()]
            if "attributes_section_missing" in bad:
                entry.pop("custom_attributes", None)
            if "attributes_beside_identifier" in bad:
                entry |= entry.pop("custom_attributes", {})
        else:
            events = plan.section == "events"
            book = store.events if events else store.purchases
            label = "name" if events else "product_id"
            listed = self.shown_tallies(plan, book, label)
            where = "custom_events" if events else "purchase_events"
            if "events_section_renamed" in bad and events:
                where = "events"
            if "purchases_section_renamed" in bad and not events:
                where = "purchases"
            if "purchase_answered_as_event" in bad and not events:
                where = "custom_events"
            if f"{plan.section}_section_missing" in bad:
                entry.pop(where, None)
            else:
                entry[where] = listed
            if f"{plan.section}_section_is_object" in bad and listed:
                entry[where] = listed[0]
            if "event_properties_become_attributes" in bad and events and plan.item.get("properties"):
                entry["custom_attributes"] = plan.item["properties"]
        if interpretation["extra_fields"] == "present":
            entry["updated"] = True
        return entry

    def naming(self, plan: Plan, profile: Profile) -> dict[str, Any]:
        """The identifiers in the response."""
        bad, interpretation, lead = self.bad, self.interpretation, plan.lead
        value = plan.item.get(lead)
        if lead == "external_id" and interpretation["integer_external_id"] == "as_string" and value is not None:
            value = str(value)
        named = {lead: value}
        if interpretation["identifiers_echoed"] == "nulls":
            named = dict.fromkeys(IDENTIFIERS) | named
        if interpretation["identifiers_echoed"] == "all":
            named |= {name: plan.item[name] for name in IDENTIFIERS if plan.item.get(name) is not None}
            named[lead] = value
        if interpretation["extra_identifiers"] != "none":
            named["braze_id"] = plan.item.get("braze_id", profile.braze_id)
        if interpretation["extra_identifiers"] == "all":
            for name in ("external_id", "email", "phone"):
                if name not in named and getattr(profile, name) is not None:
                    named[name] = getattr(profile, name)
        if "identifier_missing" in bad or (f"{lead}_missing_in_response" in bad):
            named.pop(lead)
        if "alias_flattened" in bad and lead == "user_alias":
            named |= named.pop("user_alias", None) or {}
        if "alias_answered_without_label" in bad and lead == "user_alias":
            named["user_alias"] = {"alias_name": value["alias_name"]}
        if "alias_answered_swapped" in bad and lead == "user_alias":
            named["user_alias"] = {"alias_name": value["alias_label"], "alias_label": value["alias_name"]}
        if "identifier_always_braze_id" in bad:
            named = {"braze_id": profile.braze_id}
        if "email_answered_by_external_id" in bad and lead == "email" and profile.external_id:
            named.pop("email", None)
            named["external_id"] = profile.external_id
        if "external_id_uppercased" in bad and lead == "external_id":
            named["external_id"] = str(value).upper()
        if "external_id_cut_in_response" in bad and lead == "external_id" and isinstance(value, str):
            named["external_id"] = value[:12]
        if "email_masked" in bad and lead == "email":
            named["email"] = re.sub(r"^.*@", "***@", value)
        if "phone_without_plus" in bad and lead == "phone":
            named["phone"] = value.lstrip("+")
        if "phone_as_number" in bad and lead == "phone" and value.lstrip("+").isdecimal():
            named["phone"] = int(value.lstrip("+"))
        if "response_names_first_user" in bad and lead == "external_id":
            known = [other.external_id for other in self.profiles.values() if other.external_id is not None]
            named["external_id"] = known[0] if known else value
        return named

    def shown_attributes(self, plan: Plan, store: Profile, outcome: dict[str, str]) -> dict[str, Any]:
        bad, interpretation, form = self.bad, self.interpretation, self.interpretation["time_form"]
        shown: dict[str, Any] = {}
        for name in plan.custom:
            what = outcome.get(name, "kept")
            if what == "removed" and (name not in store.custom or "removal_only_shown" in bad):
                if interpretation["removed"] == "null":
                    shown[name] = None
                continue
            if what == "kept":
                if "refused_update_shown_as_made" in bad:
                    shown[name] = plan.custom[name]
                    continue
                if name in store.custom and not interpretation["refused_update"].startswith("omitted"):
                    shown[name] = attributes.show(store.custom[name], self.law, form)
                elif interpretation["refused_update"] == "null":
                    shown[name] = None
                continue
            if name in store.custom:
                shown[name] = attributes.show(store.custom[name], self.law, form)
        if "response_echoes_request" in bad:
            shown = dict(plan.custom)
        if "response_lists_all_attributes" in bad:
            shown |= {name: attributes.show(value, self.law, form) for name, value in store.custom.items()}
        if "response_lists_control_keys" in bad:
            shown |= {name: plan.item[name] for name in CONTROLS if name in plan.item}
        if "response_lists_profile_fields" in bad:
            shown |= {name: plan.item[name] for name in sorted(PROFILE - set(IDENTIFIERS)) if name in plan.item}
        if "response_lacks_last_attribute" in bad and len(shown) > 1:
            shown.popitem()
        if "response_lacks_false" in bad:
            shown = {name: value for name, value in shown.items() if value is not False}
        if "response_lacks_empty_values" in bad:
            shown = {name: value for name, value in shown.items() if value not in ("", []) or value is False}
        if "response_values_as_text" in bad:
            shown = {name: v if isinstance(v, str) or v is None else laws.mark(v) for name, v in shown.items()}
        return shown

    def shown_tallies(self, plan: Plan, book: dict[str, Tally], label: str) -> list[dict[str, Any]]:
        bad = self.bad
        one = plan.section[:-1]
        names = [plan.name] if plan.name in book else []
        if f"response_lists_all_{plan.section}" in bad:
            names = list(book)
        if f"response_lists_no_{plan.section}" in bad:
            names = []
        form = self.interpretation["time_form"]
        out = []
        for name in names:
            tally = book[name]
            first, last = dates.write(tally.first, form), dates.write(tally.last, form)
            if f"{one}_first_and_last_swapped" in bad:
                first, last = last, first
            shown: Any = name.partition("\0")[0] if "\0" in plan.name else name
            if name == plan.name:
                sent = plan.item.get("name" if label == "name" else "product_id")
                if isinstance(sent, int) and self.interpretation["integer_product_id"] == "as_integer":
                    shown = sent
            ambiguity: dict[str, Any] = {label: shown, "first": first, "last": last, "count": tally.count}
            if f"{one}_count_as_text" in bad:
                ambiguity["count"] = str(tally.count)
            for part in ("first", "last", "count"):
                if f"{one}_{part}_missing" in bad:
                    del ambiguity[part]
            if f"{one}_name_missing" in bad:
                del ambiguity[label]
            if "purchase_named_name" in bad and one == "purchase":
                ambiguity["name"] = ambiguity.pop("product_id")
            if f"{one}_name_lowercased" in bad:
                ambiguity[label] = str(ambiguity[label]).lower()
            if f"{one}_name_trimmed" in bad:
                ambiguity[label] = str(ambiguity[label])[:20]
            if f"{one}_times_as_numbers" in bad:
                ambiguity |= {"first": int(tally.first.timestamp()), "last": int(tally.last.timestamp())}
            if f"{one}_times_as_dates" in bad:
                ambiguity |= {"first": first[:10], "last": last[:10]}
            if f"{one}_times_not_iso" in bad:
                ambiguity |= {"first": formatdate(tally.first.timestamp()), "last": formatdate(tally.last.timestamp())}
            out.append(ambiguity)
        return out

    def success(self, plan: Plan, entry: dict[str, Any], profile: Profile, fresh: bool) -> tuple[int, Any]:
        bad = self.bad
        status = 201
        if "success_gives_200" in bad or f"success_gives_200_for_{plan.section}" in bad:
            status = 200
        if "success_gives_200_for_known_user" in bad and not fresh:
            status = 200
        if "success_gives_202" in bad:
            status = 202
        body: dict[str, Any] = {"users": [entry], "message": "success"}
        if "success_message_other" in bad:
            body["message"] = "ok"
        if "success_message_capitalised" in bad:
            body["message"] = "Success"
        if "success_message_missing" in bad:
            del body["message"]
        if "success_message_missing_for_purchases" in bad and plan.section == "purchases":
            del body["message"]
        if "success_users_missing" in bad:
            del body["users"]
        if "success_users_empty" in bad or (
            "success_users_empty_for_known_phone" in bad and plan.lead == "phone" and not fresh
        ):
            body["users"] = []
        if "success_users_is_object" in bad:
            body["users"] = entry
        if "success_user_twice" in bad:
            body["users"] = [entry, entry]
        if "success_user_of_previous_request" in bad:
            body["users"] = [getattr(self, "previous", entry)]
            self.previous = entry
        if "success_lists_errors" in bad:
            body["errors"] = self.details("something was not right", plan.section, 0)
        if "success_wrapped" in bad:
            body = {"data": body}
        if plan.section == "attributes" and "success_lists_errors_for_refused_update" in bad:
            wanted = entry.get("custom_attributes", {})
            if any(value is not None and name not in wanted for name, value in plan.custom.items()):
                body["errors"] = self.details("not updated", plan.section, 0)
        if "success_is_not_json" in bad:
            return status, json.dumps(body)[:-1] + ",}"
        return status, body
