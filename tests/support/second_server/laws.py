"""How this server behaves, and which values are sound under its laws."""

from __future__ import annotations

import html
import json
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


def as_double(value: Any) -> Any:
    """A value as a server holds it to which every number is a double."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(float(value)) if abs(value) < 10**300 else value
    if isinstance(value, list):
        return [as_double(inner) for inner in value]
    if isinstance(value, dict):
        return {key: as_double(inner) for key, inner in value.items()}
    return value


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


def _objects(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(value, dict) for value in values)


def _without_far_times(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, inner in value.items():
        at = dates.read(inner["$time"]) if isinstance(inner, dict) and inner.keys() == {"$time"} else None
        if at is None or at.year <= dates.LAST_YEAR:
            kept[key] = _without_far_times(inner)
    return kept
