"""Applying a task: finding or creating the user, and changing attributes, events and purchases.

Knows the store and the value rules, nothing of HTTP and of responses. Each kind of value has a method of its own, which
is given what is stored (or MISSING) and what was sent, and returns what is then stored, UNCHANGED or REMOVED.
"""

from __future__ import annotations

from typing import Any, Final

from tracksync.mock import limits
from tracksync.mock.call import MISSING, REMOVED, UNCHANGED, Call, ServerPart, WriteResult, WriteTask
from tracksync.mock.profiles import Activity, Profile, UserIdentity
from tracksync.mock.request import ARRAY_EDITS, OBJECT_EDITS
from tracksync.values import arrays, numbers, objects, text, times

INC_MAX: Final = 10**300  # a sum beyond what any reader takes for a number is not stored


class Apply(ServerPart):
    """Applies tasks to the workspace."""

    # --- who --------------------------------------------------------------------------------------------------
    def perform(self, call: Call, task: WriteTask) -> WriteResult:
        """Carry out one task."""
        profile = self.find(task)
        created = False
        if profile is None:
            if not task.create:
                return WriteResult(None)
            profile = self.create(task)
            created = True
        return self.write(call, task, profile, created)

    def find(self, task: WriteTask) -> Profile | None:
        """The profile that the task's identifier names."""
        return self.lookup(task.who)

    def lookup(self, who: UserIdentity) -> Profile | None:
        """The profile under an identifier."""
        return self.store.find(who.kind, who.key)

    def create(self, task: WriteTask) -> Profile:
        """A new profile under the task's identifier."""
        return self.store.create(task.who.kind, task.who.key)

    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        """Apply a task to a profile."""
        outcome = WriteResult(profile, created=created)
        if task.section == "attributes":
            self.write_attributes(task, profile, outcome)
        elif task.section == "events":
            self.write_event(call, task, profile)
        else:
            self.write_purchase(call, task, profile)
        self.store.touch(profile)
        return outcome

    # --- events and purchases ---------------------------------------------------------------------------------
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        """Every event counts, also one that equals an earlier one (TRACK)."""
        self.tally(task, profile.events, task.name, self.recorded(call, task), 1)

    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        """Ambiguity purchase-count: a quantity of n counts n, or one."""
        amount = task.quantity if self.interpretation("purchase-count") == "quantity" else 1
        self.tally(task, profile.purchases, task.name, self.recorded(call, task), amount)

    def recorded(self, call: Call, task: WriteTask) -> int:
        """The instant under which something is recorded: one in the future becomes the current time (EVENT)."""
        return min(task.instant, int(call.now * 1_000_000))

    def tally(self, task: WriteTask, held: dict[str, Activity], name: str, instant: int, amount: int) -> None:
        """Count an event or purchase."""
        before = held.get(name)
        if before is None:
            held[name] = Activity(self.count_after(task, 0, amount), instant, instant)
        else:
            before.count = self.count_after(task, before.count, amount)
            before.first = self.first_after(task, before, instant)
            before.last = self.last_after(task, before, instant)

    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        """The lifetime count after `amount` more."""
        return count + amount

    def first_after(self, task: WriteTask, before: Activity, instant: int) -> int:
        """The earliest time, whatever the order of arrival."""
        return min(before.first, instant)

    def last_after(self, task: WriteTask, before: Activity, instant: int) -> int:
        """The latest time, whatever the order of arrival."""
        return max(before.last, instant)

    # --- attributes -------------------------------------------------------------------------------------------
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        """Apply each attribute by itself: one that is not applied keeps no other from it (SYNC)."""
        for name, value in task.item.items():
            kind = limits.attribute_kind(name)
            if kind == "custom":
                outcome.named[name] = self.write_custom(task, profile, name, value)
            elif kind == "profile" or (name in ("email", "phone") and name != task.who.kind):
                self.write_field(task, profile, name, value)

    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        """Set a profile field; email and phone are then found by. A strong identifier cannot be set."""
        if name in ("email", "phone"):
            if value is None or (isinstance(value, str) and value):
                self.store.put_contact(profile, name, None if value is None else self.spell(name, value))
        elif value is None:
            profile.fields.pop(name, None)
        else:
            profile.fields[name] = value

    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        """Apply one custom attribute, and say what is now stored, REMOVED or UNCHANGED."""
        key = self.spell("attribute", name)
        current = profile.attributes.get(key, MISSING)
        result = self.take(task, name, current, value)
        if result is UNCHANGED:
            return UNCHANGED
        if result is REMOVED:
            profile.attributes.pop(key, None)
            return REMOVED
        profile.attributes[key] = result
        return result

    def take(self, task: WriteTask, name: str, current: Any, value: Any) -> Any:
        """What is stored for an attribute after `value` was sent for it."""
        if isinstance(value, str):
            return self.take_string(task, name, current, value)
        if isinstance(value, bool):
            return self.take_boolean(task, name, current, value)
        if isinstance(value, int):
            return self.take_integer(task, name, current, value)
        if isinstance(value, float):
            return self.take_float(task, name, current, value)
        if value is None:
            return self.take_null(task, name, current)
        if isinstance(value, list):
            return self.take_list(task, name, current, value)
        return self.take_dict(task, name, current, value)

    def take_string(self, task: WriteTask, name: str, current: Any, value: str) -> Any:
        """A string of up to 255 characters, every one of them part of it (TYPES)."""
        return self.keep_string(task, name, current, value) if self.fits(value) else self.over_length(current, value)

    def keep_string(self, task: WriteTask, name: str, current: Any, value: str) -> Any:
        """A string that is not too long is stored as it is."""
        return value

    def fits(self, value: str) -> bool:
        """Whether a string is within the limit; ambiguity string-length."""
        return text.fits(value, self.interpretation("string-length"), limits.STRING_CHARACTERS)

    def over_length(self, current: Any, value: str) -> Any:
        """A string over the limit is not applied (SYNC)."""
        return UNCHANGED

    def take_boolean(self, task: WriteTask, name: str, current: Any, value: bool) -> Any:
        """A boolean is stored as it is."""
        return value

    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        """An integer is stored without loss."""
        return value

    def take_float(self, task: WriteTask, name: str, current: Any, value: float) -> Any:
        """A number with a fraction is stored as it is."""
        return value

    def take_null(self, task: WriteTask, name: str, current: Any) -> Any:
        """null removes the attribute (ATTR TYPES)."""
        return REMOVED

    # --- arrays -----------------------------------------------------------------------------------------------
    def take_list(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        """An array of objects if all its elements are objects, else an array."""
        if value and all(isinstance(element, dict) for element in value):
            return self.take_objects(task, name, current, value)
        return self.take_array(task, name, current, value)

    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        """An array replaces what was there. Ambiguity array-repeats."""
        if not self.elements_fit(value):
            return UNCHANGED
        if self.interpretation("array-repeats") == "unique":
            value = self.unique(value)
        return self.cap(current, value)

    def elements_fit(self, values: list[Any]) -> bool:
        """Whether an array may hold these: no null, no overlong string, no object that is invalid itself."""
        for value in values:
            if value is None or (isinstance(value, str) and not self.fits(value)):
                return False
            if isinstance(value, (dict, list)) and self.invalid(value):
                return False
        return True

    def unique(self, values: list[Any]) -> list[Any]:
        """One of each of repeated values (ATTR)."""
        return arrays.unique(values)

    def cap(self, current: Any, values: list[Any]) -> Any:
        """Ambiguity array-overflow: hold an array to the workspace's limit."""
        if len(values) <= self.array_limit():
            return values
        previous = current if isinstance(current, list) else None
        capped = arrays.cap(values, self.array_limit(), self.interpretation("array-overflow"), previous)
        return UNCHANGED if capped is None else capped

    def array_limit(self) -> int:
        """The workspace's limit of elements."""
        return self.config.array_limit

    def edit_array(self, task: WriteTask, name: str, current: Any, add: list[Any], remove: list[Any]) -> Any:
        """Add to and remove from an array; ambiguity remove-add-order. Other things than arrays cannot be edited."""
        if current is MISSING:
            if not add:
                return UNCHANGED
            current = []
        if not isinstance(current, list) or not self.elements_fit(add):
            return UNCHANGED
        edited = self.edited(current, add, remove)
        return self.emptied("emptied-array") if not edited else self.cap(current, edited)

    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        """The array after an edit."""
        return arrays.edit(current, add, remove, self.interpretation("remove-add-order"))

    def emptied(self, ambiguity: str) -> Any:
        """Ambiguity emptied-array or emptied-objects: what is left when the last element went."""
        return [] if self.interpretation(ambiguity) == "empty" else REMOVED

    # --- objects ----------------------------------------------------------------------------------------------
    def take_dict(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        """An edit if the object has exactly the keys of one, else an object."""
        keys = value.keys()
        if keys == {"inc"} and numbers.is_number(value["inc"]):
            return self.increment(task, name, current, value["inc"])
        if keys and keys <= ARRAY_EDITS and all(isinstance(values, list) for values in value.values()):
            return self.edit_array(task, name, current, value.get("add", []), value.get("remove", []))
        if keys and keys <= OBJECT_EDITS and all(isinstance(values, list) for values in value.values()):
            return self.edit_objects(task, name, current, value)
        return self.take_object(task, name, current, value)

    def increment(self, task: WriteTask, name: str, current: Any, amount: Any) -> Any:
        """Add to an integer attribute; ambiguity inc-missing. Nothing else can be counted up (ATTR: integers)."""
        if current is MISSING:
            if self.interpretation("inc-missing") == "not-applied":
                return UNCHANGED
            current = 0
        if not numbers.is_integer(current) or not numbers.is_integer(amount):
            return UNCHANGED
        total = self.sum(int(current), int(amount))
        return total if abs(total) < INC_MAX else UNCHANGED

    def sum(self, current: int, amount: int) -> int:
        """What an integer is after counting up."""
        return current + amount

    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        """An object replaces the stored one, or with _merge_objects is merged into it (NESTED)."""
        if self.invalid(value):
            return UNCHANGED
        if self.merges(task):
            value = self.merged(current, value)
            if objects.ObjectProblem.SIZE in self.problems(value):
                return UNCHANGED
        return value

    def merges(self, task: WriteTask) -> bool:
        """Whether objects are merged rather than replaced."""
        return task.item.get("_merge_objects") is True

    def merged(self, current: Any, value: dict[str, Any]) -> Any:
        """The stored object with the new one merged into it, at every depth (NESTED)."""
        return objects.merge(current, value)

    def invalid(self, value: Any) -> bool:
        """Whether anything inside a nested value keeps it from being stored (NESTED TRACK TYPES)."""
        return bool(self.problems(value)) or _has_far_time(value)

    def problems(self, value: Any) -> frozenset[objects.ObjectProblem]:
        """What is wrong inside a nested value (NESTED)."""
        return objects.problems(value, self.interpretation("string-length"), limits.OBJECT_LIMITS)

    def take_objects(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        """An array of objects has no limit of elements, only of bytes (ARROBJ)."""
        return UNCHANGED if self.invalid(value) else value

    def edit_objects(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        """Add to, update in and remove from an array of objects (ARROBJ)."""
        added, updates, removals = value.get("$add", []), value.get("$update", []), value.get("$remove", [])
        if current is MISSING:
            if not added:
                return UNCHANGED
            current = []
        news = [update.get("$new_object") if isinstance(update, dict) else None for update in updates]
        if not isinstance(current, list) or not all(isinstance(new, dict) for new in (*added, *news)):
            return UNCHANGED
        if self.invalid([*added, *news]):
            return UNCHANGED
        edited = current
        if updates:
            edited = self.objects_updated(task, edited, updates)
        if removals:
            edited = self.objects_removed(edited, removals)
        if added:
            edited = self.objects_added(edited, added)
        if not edited:
            return self.emptied("emptied-objects")
        return UNCHANGED if objects.ObjectProblem.SIZE in self.problems(edited) else edited

    def objects_added(self, current: list[Any], added: list[Any]) -> list[Any]:
        """$add appends."""
        return objects.add_objects(current, added)

    def objects_updated(self, task: WriteTask, current: list[Any], updates: list[Any]) -> list[Any]:
        """$update changes what matches; ambiguities update-without-merge and update-matches."""
        merge = self.merges(task) or self.interpretation("update-without-merge") == "merge"
        return objects.update_objects(current, updates, merge, self.interpretation("update-matches"))

    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        """$remove takes away every match."""
        return objects.remove_objects(current, removals)


def _has_far_time(value: Any) -> bool:
    """Whether a nested value holds a $time with a year below 0 or above 3000, which is not stored (TYPES)."""
    if isinstance(value, list):
        return any(map(_has_far_time, value))
    if not isinstance(value, dict):
        return False
    written = value.get("$time")
    if isinstance(written, str):
        year = times.read_time(written).year
        if year is not None and not limits.DATE_YEAR_MIN <= year <= limits.DATE_YEAR_MAX:
            return True
    return any(map(_has_far_time, value.values()))
