"""Faults of string attributes: every character is part of the value, up to 255 of them."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any
from urllib.parse import unquote_plus

from tracksync.faults.registry import fault, faults, overriding, refusing, row
from tracksync.mock.call import REMOVED, UNCHANGED, Call, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


def _number(text: str) -> Any:
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text


def _mojibake(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


@faults("TS-ATTR-STRING")(
    row("string-url-decoded", "Percent signs and pluses in a string are decoded.", change=unquote_plus),
    row(
        "string-zero-width-dropped",
        "Zero-width characters are dropped from strings.",
        change=lambda text: re.sub("[\u200b-\u200d\u2060\ufeff]", "", text),
    ),
    row(
        "string-variation-selectors-dropped",
        "Variation selectors are dropped from strings.",
        change=lambda text: re.sub("[\ufe00-\ufe0f]", "", text),
    ),
    row(
        "string-control-characters-dropped",
        "Control characters are dropped from strings.",
        change=lambda text: re.sub("[\x01-\x08\x0e-\x1f\x7f]", "", text),
    ),
    row("string-trimmed", "Spaces before and after a string are dropped.", change=str.strip),
    row(
        "string-spaces-collapsed",
        "Several spaces within a string become one.",
        change=lambda text: re.sub(r"(?<=\S) {2,}(?=\S)", " ", text),
    ),
    row(
        "string-composed",
        "Strings are brought into Unicode's form NFC.",
        change=lambda text: unicodedata.normalize("NFC", text),
    ),
    row(
        "string-compatibility-composed",
        "Strings are brought into Unicode's form NFKC.",
        change=lambda text: unicodedata.normalize("NFKC", text),
    ),
    row(
        "string-full-width-folded",
        "Full-width letters and digits in a string become those of ASCII.",
        change=lambda text: text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}),
    ),
    row("string-lower", "Strings are stored in lower case.", change=str.lower),
    row(
        "string-html-escaped",
        "Ampersands and angle brackets are stored as HTML entities.",
        change=lambda text: html.escape(text, quote=False),
    ),
    row(
        "string-cut-at-nul",
        "A string ends at its first NUL.",
        beyond="the documents are silent about NUL",
        change=lambda text: text.partition("\0")[0],
    ),
    row(
        "string-astral-replaced",
        "Characters outside the basic plane become U+FFFD.",
        change=lambda text: re.sub("[\U00010000-\U0010ffff]", "\ufffd", text),
    ),
    row(
        "string-direction-marks-dropped",
        "Marks of writing direction are dropped.",
        change=lambda text: re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text),
    ),
    row("string-mojibake", "UTF-8 is read as Latin-1.", change=_mojibake),
    row(
        "string-line-breaks-replaced",
        "Line breaks and tabs become spaces.",
        change=lambda text: re.sub("[\n\r\t]", " ", text),
    ),
    row("string-backslashes-dropped", "Backslashes are dropped.", change=lambda text: text.replace("\\", "")),
    row(
        "string-cut-at-200",
        "Strings are cut after 200 characters.",
        "TS-ATTR-LENGTH-KEPT",
        "TS-ATTR-STRING",
        change=lambda text: text[:200],
    ),
    row("string-digits-as-number", "A string of digits becomes a number.", change=_number),
    row(
        "string-true-as-boolean",
        "The strings true and false become booleans.",
        change=lambda text: {"true": True, "false": False}.get(text, text),
    ),
    row(
        "string-null-removes",
        "The string null removes the attribute.",
        change=lambda text: REMOVED if text == "null" else text,
    ),
    row(
        "string-non-ascii-dropped",
        "Characters beyond ASCII are dropped.",
        change=lambda text: text.encode("ascii", "ignore").decode(),
    ),
    row(
        "empty-string-removes",
        "An empty string removes the attribute.",
        "TS-ATTR-EMPTY-STRING",
        change=lambda text: text or REMOVED,
    ),
    row(
        "empty-string-ignored",
        "An empty string changes nothing.",
        "TS-ATTR-EMPTY-STRING",
        "TS-OK-SHOWS",
        change=lambda text: text or UNCHANGED,
    ),
    row(
        "empty-string-as-space",
        "An empty string becomes a space.",
        "TS-ATTR-EMPTY-STRING",
        change=lambda text: text or " ",
    ),
)
def _spoil(change: Any) -> type[Core]:
    """Stores a changed string."""

    class _SpoiledNumber(Core):
        def keep_string(self, task: WriteTask, name: str, current: Any, value: str) -> Any:
            kept = super().keep_string(task, name, current, value)
            return change(kept) if isinstance(kept, str) else kept

    return _SpoiledNumber


# Stores something for a string over the limit.
overriding("over_length", "TS-ATTR-LENGTH-OVER", module=__name__)(
    row("over-length-cut", "The first 255 characters of a longer string are stored.", result=lambda value: value[:255]),
    row("over-length-removes", "A longer string removes the attribute.", result=lambda: REMOVED),
    row("over-length-empties", "A longer string is stored as an empty one.", result=lambda: ""),
)


faults(module=__name__)(
    row(
        "over-length-refused",
        "A longer string is refused with 400.",
        "TS-ATTR-LENGTH-OVER",
        "TS-OK-STATUS",
        step="over_length",
        status=400,
        message="A string is too long",
    ),
)(refusing)


# Leaves something where null removes.
overriding("take_null", "TS-ATTR-NULL", module=__name__)(
    row("null-ignored", "null changes nothing.", result=lambda: UNCHANGED),
    row("null-empties", "null stores an empty string.", result=lambda: ""),
    row("null-as-word", "null stores the string null.", result=lambda: "null"),
)


# --- length ---------------------------------------------------------------------------------------------------
overriding("fits", "TS-ATTR-LENGTH-OVER", module=__name__)(
    row(
        "length-254",
        "A string of 255 characters is not stored.",
        "TS-ATTR-LENGTH-KEPT",
        "TS-OK-SHOWS",
        given=lambda value: {"value": value + "x"},
    ),
    row("length-256", "A string of 256 characters is stored.", given=lambda value: {"value": value[1:]}),
    row(
        "length-in-bytes",
        "The 255 characters of a string are counted in bytes.",
        "TS-ATTR-LENGTH-KEPT",
        "TS-OK-SHOWS",
        "TS-ATTR-STRING",
        result=lambda value: len(value.encode("utf-8", "surrogatepass")) <= 255,
    ),
    row("length-unlimited", "Strings of any length are stored.", result=lambda: True),
)


@fault(
    "over-length-shown-not-stored",
    "A value that is nowhere stored is shown for an attribute that was not applied.",
    "TS-ATTR-LENGTH-OVER",
)
class _OverLengthShownNotStored(Core):
    def show_refused(self, shown: dict[str, Any], name: str, profile: Profile) -> None:
        shown[name] = "updated"


@fault(
    "one-refused-attribute-drops-all",
    "One attribute that is not applied keeps all others from it.",
    "TS-ATTR-INDEPENDENT",
)
class _OneRefusedAttributeDropsAll(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        if UNCHANGED in outcome.named.values():
            profile.attributes = before
            outcome.named.update(dict.fromkeys(outcome.named, UNCHANGED))


@fault(
    "one-refused-attribute-ends-the-update",
    "Attributes after one that is not applied are not applied either.",
    "TS-ATTR-INDEPENDENT",
)
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


# --- null -----------------------------------------------------------------------------------------------------
@fault(
    "null-shown-not-done", "null is answered as removed, and the attribute stays.", "TS-ATTR-NULL", "TS-STATE-VISIBLE"
)
class _NullShownNotDone(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        held = dict(profile.attributes)
        result = super().write_custom(task, profile, name, value)
        if result is REMOVED and value is None:
            profile.attributes = held
        return result


@fault("null-refused", "null is refused with 400.", "TS-ATTR-NULL", "TS-OK-STATUS")
class _NullRefused(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        if task.section == "attributes" and None in task.item.values():
            raise Refused(400, message="null is not allowed")
        return super().complete(call, task)
