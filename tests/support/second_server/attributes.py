"""What an attribute becomes when a request touches it."""

from __future__ import annotations

import struct
from typing import Any

from . import dates
from .containers import _array, _edit_array, _edit_objects, _increase, _object
from .dates import Moment
from .laws import GONE, Law, UnchangedError, _string, mark


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


def show(value: Any, law: Law, form: str) -> Any:
    """A stored value as a response shows it."""
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
