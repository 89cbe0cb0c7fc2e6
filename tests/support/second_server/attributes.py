"""What an attribute becomes when a request touches it."""

from __future__ import annotations

import copy
import html
import json
import struct
import unicodedata
from dataclasses import dataclass
from typing import Any

from . import dates
from .dates import Moment

GONE: Any = type("Gone", (), {"__repr__": lambda self: "GONE", "__bool__": lambda self: False})()
LONGEST = 255


class UnchangedError(Exception):
    """The update of this attribute is not made; the request goes on."""


@dataclass(frozen=True)
class Law:
    """How this server behaves: its interpretations, its faults, its limit on arrays."""

    interpretation: dict[str, str]
    bad: frozenset[str]
    array_limit: int


def plain(value: Any) -> Any:
    """A value as data that can be compared and measured."""
    if isinstance(value, Moment):
        return {"$time": value.text} if value.nested else value.text
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def mark(value: Any) -> str:
    """Equal texts for equal values; true is not 1."""
    return json.dumps(plain(value), sort_keys=True)


def too_big(value: Any, law: Law) -> bool:
    kilobyte = 1024 if law.interpretation["kilobyte"] == "1024" else 1000
    return len(json.dumps(plain(value), ensure_ascii=False, separators=(",", ":")).encode()) > 100 * kilobyte


def too_long(text: str, law: Law) -> bool:
    length = len(text.encode("utf-16-le")) // 2 if law.interpretation["string_length"] == "utf16" else len(text)
    if "string_counted_in_bytes" in law.bad:
        length = len(text.encode())
    return length > LONGEST


def resolve(old: Any, sent: Any, merge: bool, law: Law) -> Any:
    """The new value, or GONE. `old` is GONE where there is none. Raises UnchangedError."""
    bad = law.bad
    if sent is None:
        if "null_ignored" in bad or ("null_ignored_on_arrays" in bad and isinstance(old, list)):
            raise UnchangedError
        if "null_ignored_on_objects" in bad and isinstance(old, dict):
            raise UnchangedError
        return "" if "null_becomes_empty_string" in bad else GONE
    if isinstance(sent, bool):
        return _boolean(sent, bad)
    if isinstance(sent, int | float):
        return _number(old, sent, bad)
    if isinstance(sent, str):
        return _string(old, sent, law)
    if isinstance(sent, list):
        return _array(old, sent, law)
    keys = sent.keys()
    if keys and keys <= {"$add", "$update", "$remove"}:
        return _unless_idle(old, _edit_objects(old, sent, merge, law), law)
    if keys and keys <= {"add", "remove"}:
        return _unless_idle(old, _edit_array(old, sent, law), law)
    if keys == {"inc"}:
        return _increase(old, sent["inc"], law)
    return _object(old, sent, merge, law)


def _unless_idle(old: Any, new: Any, law: Law) -> Any:
    if law.interpretation["refused_update"] == "omitted_like_idle_edits" and old is not GONE and mark(old) == mark(new):
        raise UnchangedError
    return new


def as_double(value: Any) -> Any:
    """A value as a server holds it to which every number is a double."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(float(value)) if abs(value) < 10**300 else value
    if isinstance(value, list):
        return [as_double(inner) for inner in value]
    if isinstance(value, dict):
        return {key: as_double(inner) for key, inner in value.items()}
    return value


def _boolean(sent: bool, bad: frozenset[str]) -> Any:
    if "false_removes" in bad and not sent:
        return GONE
    if "false_ignored" in bad and not sent:
        raise UnchangedError
    if "boolean_as_integer" in bad:
        return int(sent)
    if "boolean_as_string" in bad:
        return "true" if sent else "false"
    return sent


def _number(old: Any, sent: float, bad: frozenset[str]) -> Any:
    if "zero_removes" in bad and sent == 0:
        return GONE
    if "number_added_not_set" in bad and isinstance(old, int | float) and not isinstance(old, bool):
        return old + sent
    if isinstance(sent, int):
        if "integer_as_string" in bad:
            return str(sent)
        if "big_integer_lossy" in bad:
            return int(float(sent)) if abs(sent) < 10**300 else sent
        if "integer_32_bits" in bad:
            return (sent + 2**31) % 2**32 - 2**31
        if "negative_integer_loses_sign" in bad:
            return abs(sent)
        return sent
    if "float_truncated" in bad:
        return int(sent)
    if "float_two_decimals" in bad:
        return round(sent, 2)
    if "float_single_precision" in bad and abs(sent) < 3e38:
        return struct.unpack("f", struct.pack("f", sent))[0]
    return sent


def _string(old: Any, sent: str, law: Law) -> Any:
    bad = law.bad
    length = len(sent)
    if "string_limit_absent" in bad:
        return sent
    if "string_256_accepted" in bad and length == LONGEST + 1:
        return sent
    if "string_255_refused" in bad and length == LONGEST:
        raise UnchangedError
    if "string_cut_at_255" in bad and too_long(sent, law):
        return sent[:LONGEST]
    if "string_cut_at_100" in bad:
        return sent[:100]
    if too_long(sent, law):
        if "long_string_removes" in bad:
            return GONE
        raise UnchangedError
    if "empty_string_removes" in bad and not sent:
        return GONE
    if "empty_string_ignored" in bad and not sent:
        raise UnchangedError
    if "string_set_once" in bad and isinstance(old, str):
        raise UnchangedError
    if "string_trimmed" in bad:
        sent = sent.strip()
    if "string_trailing_space_lost" in bad:
        sent = sent.rstrip(" ")
    if "string_spaces_collapsed" in bad:
        sent = " ".join(part for part in sent.split(" ") if part) if sent.strip() else sent
    if "string_lowercased" in bad:
        sent = sent.lower()
    if "string_normalised" in bad:
        sent = unicodedata.normalize("NFC", sent)
    if "string_loses_emoji" in bad:
        sent = "".join("?" if ord(char) > 0xFFFF else char for char in sent)
    if "string_loses_non_ascii" in bad:
        sent = sent.encode("ascii", "replace").decode()
    if "string_html_escaped" in bad:
        sent = html.escape(sent)
    if "string_newline_lost" in bad:
        sent = sent.replace("\n", " ")
    if "numeric_string_as_number" in bad and sent.lstrip("-").isdecimal() and sent.isascii():
        return int(sent)
    if "true_string_as_boolean" in bad and sent in ("true", "false"):
        return sent == "true"
    if "null_string_removes" in bad and sent == "null":
        return GONE
    at = dates.read(sent)
    if at is None or at.year > dates.LAST_YEAR:
        if at is not None and "far_date_refused" in bad:
            raise UnchangedError
        return sent
    if "date_offset_ignored" in bad:
        at = dates.read(dates.ISO.sub(lambda m: m[0].removesuffix(m[8] or ""), sent).strip()) or at
    if "date_day_and_month_swapped" in bad and "/" in sent and at.day <= 12:
        at = at.replace(month=at.day, day=at.month)
    if "date_time_of_day_lost" in bad:
        at = at.replace(hour=0, minute=0, second=0, microsecond=0)
    wrong = {"date_offset_ignored", "date_day_and_month_swapped", "date_time_of_day_lost"}
    return Moment(dates.write(at) if wrong & bad else sent, at)


def _sound(value: Any, law: Law) -> Any:
    """A value that stands inside another one, with its times read. Raises UnchangedError."""
    bad = law.bad
    if value is None:
        if "nested_null_stored" in bad or "nested_null_removes_key" in bad:
            return None
        raise UnchangedError
    if isinstance(value, str):
        if too_long(value, law) and "nested_long_string_stored" not in bad:
            raise UnchangedError
        return value
    if isinstance(value, list):
        return [_sound(inner, law) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"$time"}:
        text = value["$time"]
        at = dates.read(text)
        if at is None or at.year > dates.LAST_YEAR:
            if "nested_far_date_stored" in bad and at is not None:
                return Moment(text, at, nested=True)
            if "nested_bad_time_stored" in bad and isinstance(text, str):
                return text
            raise UnchangedError
        return Moment(text, at, nested=True)
    for key in value:
        wrong = (
            ("nested_dollar_key_stored" not in bad and "$" in key)
            or ("nested_dot_key_stored" not in bad and "." in key)
            or ("nested_space_key_stored" not in bad and " " in key)
            or ("nested_long_key_stored" not in bad and len(key) > LONGEST and too_long(key, law))
        )
        if wrong:
            raise UnchangedError
    kept = {}
    for key, inner in value.items():
        try:
            kept[key] = _sound(inner, law)
        except UnchangedError:
            if "nested_fault_drops_only_the_key" not in bad:
                raise
    return kept


def _unique(values: list[Any], last: bool) -> list[Any]:
    seen: dict[str, Any] = {}
    for value in values:
        key = mark(value)
        if last:
            seen.pop(key, None)
        seen.setdefault(key, value)
    return list(seen.values())


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


def _objects(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(value, dict) for value in values)


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


def _without_far_times(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, inner in value.items():
        at = dates.read(inner["$time"]) if isinstance(inner, dict) and inner.keys() == {"$time"} else None
        if at is None or at.year <= dates.LAST_YEAR:
            kept[key] = _without_far_times(inner)
    return kept


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


def show(value: Any, law: Law, form: str) -> Any:
    """A stored value as an answer gives it."""
    if isinstance(value, Moment):
        if not value.nested:
            return value.text if law.interpretation["date_strings"] == "as_sent" else dates.write(value.at, form)
        how = law.interpretation["nested_time"]
        text = value.text if how in ("as_sent", "wrapped") else dates.write(value.at, form)
        return {"$time": text} if how == "wrapped" else text
    if isinstance(value, dict):
        return {key: show(inner, law, form) for key, inner in value.items()}
    if isinstance(value, list):
        return [show(inner, law, form) for inner in value]
    if isinstance(value, float) and law.interpretation["whole_floats"] == "as_integers" and value.is_integer():
        return int(value) if abs(value) < 1e15 else value
    return value
