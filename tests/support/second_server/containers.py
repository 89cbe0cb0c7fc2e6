"""What arrays, objects and arrays of objects become when a request touches them."""

from __future__ import annotations

import copy
from typing import Any

from . import dates
from .dates import Moment
from .laws import GONE, Law, UnchangedError, _objects, _sound, _unique, _without_far_times, mark, too_big, too_long


def _elements(sent: list[Any], law: Law) -> list[Any]:
    out = []
    for value in sent:
        if isinstance(value, str) and too_long(value, law) and law.interpretation["long_element"] == "dropped":
            continue
        out.append(_sound(value, law))
    if "array_elements_as_strings" in law.bad:
        out = [value if isinstance(value, str) else mark(value) for value in out]
    return out


def _fit(values: list[Any], law: Law) -> list[Any]:
    limit, how, bad = law.array_limit, law.interpretation["array_overflow"], law.bad
    if "array_limit_absent" in bad:
        return values
    if "array_limit_one_more" in bad:
        limit += 1
    if len(values) > limit:
        if "array_overflow_empties" in bad:
            return []
        if "array_overflow_keeps_middle" in bad:
            return values[1 : limit + 1]
        if how == "unchanged":
            raise UnchangedError
        values = values[-limit:] if how == "newest" else values[:limit]
    if too_big(values, law):
        raise UnchangedError
    return values


def _array(old: Any, sent: list[Any], law: Law) -> Any:
    bad, interpretation = law.bad, law.interpretation
    if _objects(sent):
        values = [_sound(value, law) for value in sent]
        if interpretation["object_array_repeats"] == "unique":
            values = _unique(values, last=False)
        if "object_array_limited" in bad:
            return _fit(values, law)
        if too_big(values, law):
            raise UnchangedError
        return values
    if not sent:
        if "empty_array_ignored" in bad:
            raise UnchangedError
        return []
    values = _elements(sent, law)
    if "array_set_appends" in bad and isinstance(old, list):
        return _unique([*old, *values], last=True)
    if interpretation["set_repeats"] == "unique":
        values = _unique(values, last=interpretation["repeat_that_stays"] == "last")
        if interpretation["equal_elements"] == "loose" and not any(isinstance(value, dict | list) for value in values):
            values = list(dict.fromkeys(values))
    if "array_sorted" in bad:
        values = sorted(values, key=mark)
    if "array_reversed" in bad:
        values = values[::-1]
    if "array_loses_last" in bad and len(values) > 1:
        values = values[:-1]
    return _fit(values, law)


def _edit_array(old: Any, sent: dict[str, Any], law: Law) -> Any:
    bad, interpretation = law.bad, law.interpretation
    if not all(isinstance(part, list) for part in sent.values()):
        raise UnchangedError
    if old is GONE or not isinstance(old, list):
        if old is not GONE and interpretation["edit_of_other_type"] == "unchanged":
            raise UnchangedError
        if not sent.get("add"):
            if interpretation["remove_from_nothing"] == "empty":
                return []
            raise UnchangedError
        old = []
    add, remove = _elements(sent.get("add", []), law), [mark(value) for value in sent.get("remove", [])]
    if "add_ignored" in bad or ("add_ignored_beside_remove" in bad and remove):
        add = []
    if "remove_ignored" in bad or ("remove_ignored_beside_add" in bad and add):
        remove = []
    if "remove_takes_first_only" in bad:
        remove = remove[:1]
    if "add_takes_first_only" in bad:
        add = add[:1]
    if "remove_pops_last" in bad and remove and old:
        return old[:-1]
    if "remove_clears" in bad and remove:
        return []

    def added(values: list[Any]) -> list[Any]:
        if not add:
            return values
        if "add_replaces" in bad:
            return add
        if "add_prepends" in bad:
            return _unique([*add, *values], last=False)
        if "add_keeps_repeats" in bad:
            return [*values, *add]
        if "add_does_not_move" in bad:
            return _unique([*values, *add], last=False)
        return _unique([*values, *add], last=True)

    def removed(values: list[Any]) -> list[Any]:
        return [value for value in values if mark(value) not in remove]

    new = added(removed(old)) if interpretation["add_and_remove"] == "remove_first" else removed(added(old))
    if "add_ignores_limit" in bad:
        return new
    return _fit(new, law)


def _increase(old: Any, step: Any, law: Law) -> Any:
    bad = law.bad
    if isinstance(step, bool) or not isinstance(step, int):
        raise UnchangedError
    if old is GONE:
        if law.interpretation["inc_of_nothing"] == "unchanged":
            raise UnchangedError
        return step
    if isinstance(old, bool) or not isinstance(old, int | float):
        raise UnchangedError
    if isinstance(old, float) and law.interpretation["inc_of_float"] == "unchanged":
        raise UnchangedError
    if "inc_ignored" in bad or ("inc_negative_ignored" in bad and step < 0):
        raise UnchangedError
    if "inc_sets" in bad:
        return step
    if "inc_by_one" in bad:
        return old + (step > 0) - (step < 0)
    if "inc_twice" in bad:
        return old + 2 * step
    if "inc_drops_sign" in bad:
        return old + abs(step)
    if "inc_stops_at_zero" in bad:
        return max(0, old + step)
    if "inc_wraps_at_32_bits" in bad and isinstance(old, int):
        return (old + step + 2**31) % 2**32 - 2**31
    return old + step


def _merge(old: dict[str, Any], new: dict[str, Any], law: Law, depth: int = 0) -> dict[str, Any]:
    bad = law.bad
    out = dict(old)
    for key, value in new.items():
        if value is None and "nested_null_removes_key" in bad:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            if "merge_shallow" in bad or ("merge_two_levels_only" in bad and depth >= 1):
                out[key] = value
            else:
                out[key] = _merge(out[key], value, law, depth + 1)
        elif "merge_keeps_old" in bad and key in out:
            continue
        else:
            out[key] = value
    if "merge_loses_siblings" in bad and not depth:
        return {key: value for key, value in out.items() if key in new}
    return out


def _cut(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return {key: _cut(inner, depth - 1) for key, inner in value.items()} if depth else {}
    return value


def _object(old: Any, sent: dict[str, Any], merge: bool, law: Law) -> Any:
    bad = law.bad
    if too_big(sent, law) and "object_size_unchecked" not in bad:
        raise UnchangedError
    if law.interpretation["far_nested_time"] == "drops_key":
        sent = _without_far_times(sent)
    new = _sound(sent, law)
    if isinstance(new, Moment):
        return Moment(new.text, new.at, nested=True)
    if "nested_object_flattened" in bad:
        flat = {}
        for key, value in new.items():
            flat |= {f"{key}_{k}": v for k, v in value.items()} if isinstance(value, dict) else {key: value}
        new = flat
    if "nested_depth_cut" in bad:
        new = _cut(new, 2)
    if "nested_array_stringified" in bad:
        new = {key: mark(value) if isinstance(value, list) else value for key, value in new.items()}
    if "nested_time_one_day_off" in bad:
        shifted = {}
        for key, value in new.items():
            if isinstance(value, Moment) and value.at.day < 28:
                at = value.at.replace(day=value.at.day + 1)
                value = Moment(dates.write(at), at, nested=True)
            shifted[key] = value
        new = shifted
    if (merge and "merge_ignored" not in bad) or "merge_always" in bad:
        new = _merge(old, new, law) if isinstance(old, dict) else new
        if too_big(new, law) and "object_size_unchecked" not in bad:
            raise UnchangedError
    return new


def _edit_objects(old: Any, sent: dict[str, Any], merge: bool, law: Law) -> Any:
    bad, interpretation = law.bad, law.interpretation
    if not all(_objects(part) for part in sent.values()):
        raise UnchangedError
    for part in (*sent.get("$update", []), *sent.get("$remove", [])):
        if not isinstance(part.get("$identifier_key"), str) or "$identifier_value" not in part:
            raise UnchangedError
    if not all(isinstance(part.get("$new_object"), dict) for part in sent.get("$update", [])):
        raise UnchangedError
    if not isinstance(old, list):
        if (old is not GONE and interpretation["edit_of_other_type"] == "unchanged") or "$add" not in sent:
            raise UnchangedError
        old = []
    if interpretation["order_of_object_edits"] == "remove_update_add" and len(sent) > 1:
        for step in ("$remove", "$update", "$add"):
            if step in sent:
                old = _edit_objects(old, {step: sent[step]}, merge, law)
        return old
    items = copy.copy(old)
    if "$add" in sent and "object_add_ignored" not in bad:
        fresh = [_sound(value, law) for value in sent["$add"]]
        if "object_add_replaces" in bad:
            items = fresh
        elif "object_add_first_only" in bad:
            items = [*items, fresh[0]]
        else:
            items = [*items, *fresh]
        if interpretation["object_array_repeats"] == "unique":
            items = _unique(items, last=False)
    for part in sent.get("$update", []) if "object_update_ignored" not in bad else []:
        items = _update_objects(items, part, merge, law)
    for part in sent.get("$remove", []) if "object_remove_ignored" not in bad else []:
        items = _remove_objects(items, part, law)
    if "object_array_limited" in bad:
        return _fit(items, law)
    if too_big(items, law):
        raise UnchangedError
    return items


def _matches(item: Any, part: dict[str, Any]) -> bool:
    key, value = part["$identifier_key"], part["$identifier_value"]
    return isinstance(item, dict) and key in item and mark(item[key]) == mark(value)


def _update_objects(items: list[Any], part: dict[str, Any], merge: bool, law: Law) -> list[Any]:
    bad = law.bad
    new = _sound(part["$new_object"], law)
    hits = [at for at, item in enumerate(items) if _matches(item, part)]
    if law.interpretation["update_of_several"] == "first":
        hits = hits[:1]
    if "object_update_hits_first_element" in bad and hits:
        hits = [0]
    if "object_update_hits_all" in bad and hits:
        hits = list(range(len(items)))
    items = list(items)
    for at in hits:
        deep = merge and "object_update_merge_ignored" not in bad
        items[at] = _merge(items[at], new, law) if deep else new
    if not hits and "object_update_appends" in bad:
        items.append(new)
    return items


def _remove_objects(items: list[Any], part: dict[str, Any], law: Law) -> list[Any]:
    bad = law.bad
    hits = [at for at, item in enumerate(items) if _matches(item, part)]
    if "object_remove_first_match_only" in bad:
        hits = hits[:1]
    if "object_remove_clears" in bad and hits:
        return []
    if "object_remove_ignores_value" in bad:
        hits = [at for at, item in enumerate(items) if isinstance(item, dict) and part["$identifier_key"] in item]
    return [item for at, item in enumerate(items) if at not in hits]
