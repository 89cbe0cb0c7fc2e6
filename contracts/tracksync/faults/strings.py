"""Faults of string attributes: every character is part of the value, up to 255 of them."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import REMOVED, UNCHANGED, Call, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


def _spoil(name: str, change: Callable[[str], Any]) -> None:
    """Enter a fault that stores a changed string."""

    class _Spoiled(Core):
        def keep_string(self, task: WriteTask, name: str, current: Any, value: str) -> Any:
            kept = super().keep_string(task, name, current, value)
            return change(kept) if isinstance(kept, str) else kept

    fault(name)(_Spoiled)


def _number(text: str) -> Any:
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text


def _mojibake(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


_spoil("string-trimmed", str.strip)
_spoil("string-spaces-collapsed", lambda text: re.sub(r"(?<=\S) {2,}(?=\S)", " ", text))
_spoil("string-composed", lambda text: unicodedata.normalize("NFC", text))
_spoil("string-compatibility-composed", lambda text: unicodedata.normalize("NFKC", text))
_spoil("string-lower", str.lower)
_spoil("string-html-escaped", lambda text: html.escape(text, quote=False))
_spoil("string-cut-at-nul", lambda text: text.partition("\0")[0])
_spoil("string-astral-replaced", lambda text: re.sub("[\U00010000-\U0010ffff]", "\ufffd", text))
_spoil("string-direction-marks-dropped", lambda text: re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text))
_spoil("string-mojibake", _mojibake)
_spoil("string-line-breaks-replaced", lambda text: re.sub("[\n\r\t]", " ", text))
_spoil("string-backslashes-dropped", lambda text: text.replace("\\", ""))
_spoil("string-cut-at-200", lambda text: text[:200])
_spoil("string-digits-as-number", _number)
_spoil("string-true-as-boolean", lambda text: {"true": True, "false": False}.get(text, text))
_spoil("string-null-removes", lambda text: REMOVED if text == "null" else text)
_spoil("string-non-ascii-dropped", lambda text: text.encode("ascii", "ignore").decode())
_spoil("empty-string-removes", lambda text: text or REMOVED)
_spoil("empty-string-ignored", lambda text: text or UNCHANGED)
_spoil("empty-string-as-space", lambda text: text or " ")


# --- length -----------------------------------------------------------------------------------------------------
@fault("length-254")
class _Length254(Core):
    def fits(self, value: str) -> bool:
        return super().fits(value + "x")


@fault("length-256")
class _Length256(Core):
    def fits(self, value: str) -> bool:
        return super().fits(value[1:])


@fault("length-in-bytes")
class _LengthInBytes(Core):
    def fits(self, value: str) -> bool:
        return len(value.encode("utf-8", "surrogatepass")) <= 255


@fault("length-unlimited")
class _LengthUnlimited(Core):
    def fits(self, value: str) -> bool:
        return True


@fault("over-length-cut")
class _OverLengthCut(Core):
    def over_length(self, current: Any, value: str) -> Any:
        return value[:255]


@fault("over-length-refused")
class _OverLengthRefused(Core):
    def over_length(self, current: Any, value: str) -> Any:
        raise Refused(400, message="A string is too long")


@fault("over-length-removes")
class _OverLengthRemoves(Core):
    def over_length(self, current: Any, value: str) -> Any:
        return REMOVED


@fault("over-length-empties")
class _OverLengthEmpties(Core):
    def over_length(self, current: Any, value: str) -> Any:
        return ""


@fault("over-length-shown-not-stored")
class _OverLengthShownNotStored(Core):
    def show_refused(self, shown: dict[str, Any], name: str, profile: Profile) -> None:
        shown[name] = "updated"


@fault("one-refused-attribute-drops-all")
class _OneRefusedAttributeDropsAll(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        if UNCHANGED in outcome.named.values():
            profile.attributes = before
            outcome.named.update(dict.fromkeys(outcome.named, UNCHANGED))


@fault("one-refused-attribute-ends-the-update")
class _OneRefusedAttributeEndsTheUpdate(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        stopped = False
        for name, result in outcome.named.items():
            stopped = stopped or result is UNCHANGED
            if stopped and result is not UNCHANGED:
                outcome.named[name] = UNCHANGED
                profile.attributes.pop(name, None)
                if name in before:
                    profile.attributes[name] = before[name]


# --- null -------------------------------------------------------------------------------------------------------
@fault("null-ignored")
class _NullIgnored(Core):
    def take_null(self, task: WriteTask, name: str, current: Any) -> Any:
        return UNCHANGED


@fault("null-empties")
class _NullEmpties(Core):
    def take_null(self, task: WriteTask, name: str, current: Any) -> Any:
        return ""


@fault("null-as-word")
class _NullAsWord(Core):
    def take_null(self, task: WriteTask, name: str, current: Any) -> Any:
        return "null"


@fault("null-shown-not-done")
class _NullShownNotDone(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        held = dict(profile.attributes)
        result = super().write_custom(task, profile, name, value)
        if result is REMOVED and value is None:
            profile.attributes = held
        return result


@fault("null-refused")
class _NullRefused(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        if task.section == "attributes" and None in task.item.values():
            raise Refused(400, message="null is not allowed")
        return super().complete(call, task)
