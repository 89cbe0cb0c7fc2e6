"""Faults of parsing JSON: malformed bodies are accepted, production by production of RFC 8259."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import faults, row
from tracksync.mock.call import Call, Refused
from tracksync.mock.core import Core
from tracksync.mock.request import UNREADABLE
from tracksync.values.jsontext import read_json

SYNTAX = "TS-REFUSE-SYNTAX"


def _sub(pattern: str, by: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, by, text)


def _closed(text: str) -> str:
    """The text with the brackets that its end lacks."""
    bare = re.sub(r'"[^"\\]*(?:\\.[^"\\]*)*"?', "", text)
    return text + "".join({"{": "}", "[": "]"}[one] for one in reversed(_unclosed(bare)))


def _unclosed(brackets: str) -> list[str]:
    found: list[str] = []
    for one in brackets:
        if one in "{[":
            found.append(one)
        elif one in "}]" and found:
            found.pop()
    return found


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object in a text, None where there is none."""
    read = read_json(text.encode("utf-8", "replace"))
    return read.value if isinstance(read.value, dict) and not read.quirks & UNREADABLE else None


@faults(SYNTAX)(
    # strings
    row("single-quotes-accepted", "Strings in single quotes are accepted.", repair=_sub("'", '"')),
    row(
        "unquoted-names-accepted",
        "Names without quotes are accepted.",
        repair=_sub(r"([{,]\s*)([A-Za-z_]\w*)(\s*:)", r'\1"\2"\3'),
    ),
    row(
        "control-characters-accepted",
        "Control characters in strings are accepted unescaped.",
        repair=lambda text: "".join(one if one >= " " else f"\\u{ord(one):04x}" for one in text),
    ),
    row(
        "unknown-escapes-accepted",
        "A backslash before any character is accepted.",
        repair=_sub(r'\\([^"\\/bfnrtu])', r"\1"),
    ),
    row(
        "hex-escapes-accepted",
        "Escapes of the form \\\\x41 are accepted.",
        repair=_sub(r"\\x([0-9a-fA-F]{2})", r"\\u00\1"),
    ),
    row(
        "short-unicode-escapes-accepted",
        "Escapes of fewer than four digits are accepted.",
        repair=_sub(r"\\u([0-9a-fA-F]{2})(?![0-9a-fA-F])", r"\\u00\1"),
    ),
    row(
        "unclosed-string-accepted",
        "A string that the body's end cuts is accepted.",
        repair=lambda text: _closed(text + '"'),
    ),
    # numbers
    row(
        "leading-zeros-accepted",
        "Numbers with leading zeros are accepted.",
        repair=_sub(r"([:\[,]\s*-?)0+(?=\d)", r"\1"),
    ),
    row("plus-sign-accepted", "Numbers with a plus sign are accepted.", repair=_sub(r"([:\[,]\s*)\+(?=\d)", r"\1")),
    row(
        "number-without-integer-part-accepted",
        "Numbers that begin with a point are accepted.",
        repair=_sub(r"([:\[,]\s*-?)(\.\d)", r"\g<1>0\2"),
    ),
    row(
        "number-without-fraction-accepted",
        "Numbers that end with a point are accepted.",
        repair=_sub(r"(\d\.)(?=\s*[,}\]])", r"\g<1>0"),
    ),
    row(
        "number-without-exponent-accepted",
        "Numbers that end with an e are accepted.",
        repair=_sub(r"(\d)[eE](?=\s*[,}\]])", r"\1"),
    ),
    row(
        "hexadecimal-numbers-accepted",
        "Hexadecimal numbers are accepted.",
        repair=lambda text: re.sub(r"(?<=[:\[,\s])0[xX]([0-9a-fA-F]+)", lambda found: str(int(found[1], 16)), text),
    ),
    row("digit-separators-accepted", "Numbers with underscores are accepted.", repair=_sub(r"(?<=\d)_(?=\d)", "")),
    row(
        "nan-accepted",
        "NaN is accepted, and read as zero.",
        beyond="readers of JSON may take forms that are not JSON (RFC 8259, section 9), and many take this one",
        repair=_sub(r"\bNaN\b", "0"),
    ),
    row(
        "infinity-accepted",
        "Infinity is accepted, and read as zero.",
        beyond="readers of JSON may take forms that are not JSON (RFC 8259, section 9), and many take this one",
        repair=_sub(r"-?\bInfinity\b", "0"),
    ),
    # literals
    row(
        "literals-in-capitals-accepted",
        "True, False and None are accepted.",
        repair=lambda text: text.replace("True", "true").replace("False", "false").replace("None", "null"),
    ),
    row("undefined-accepted", "undefined is accepted, and read as null.", repair=_sub(r"\bundefined\b", "null")),
    # objects and arrays
    row(
        "trailing-comma-in-object-accepted",
        "A comma after the last member of an object is accepted.",
        repair=_sub(r",(\s*\})", r"\1"),
    ),
    row(
        "trailing-comma-in-array-accepted",
        "A comma after the last element of an array is accepted.",
        repair=_sub(r",(\s*\])", r"\1"),
    ),
    row("doubled-comma-accepted", "Two commas in a row are accepted.", repair=_sub(r",\s*,", ",")),
    row("leading-comma-accepted", "A comma before the first element is accepted.", repair=_sub(r"([{\[]\s*),", r"\1")),
    row(
        "missing-comma-accepted",
        "Members without a comma between them are accepted.",
        repair=_sub(r'("|\d|\}|\])(\s+)(")', r"\1,\2\3"),
    ),
    row(
        "equals-sign-accepted",
        "An equals sign in place of a colon is accepted.",
        repair=_sub(r'("\s*)=(?=\s*["\d{\[])', r"\1:"),
    ),
    row("unclosed-object-accepted", "Brackets that the body's end lacks are accepted.", repair=_closed),
    row("mismatched-bracket-accepted", "A curly bracket closes an array.", repair=_sub(r"\[([^\[\]{}]*)\}", r"[\1]")),
    row(
        "object-closed-as-an-array-accepted",
        "A square bracket closes an object.",
        repair=_sub(r"(\{(?:[^{}\[\]]|\[[^\[\]{}]*\])*)\]", r"\1}"),
    ),
    # around the value
    row("second-value-ignored", "A second value after the first is ignored.", repair=_sub(r"(?s)\}\s*\{.*", "}")),
    row("surplus-bracket-accepted", "A closing bracket too many is accepted.", repair=_sub(r"[}\]]\s*\Z", "")),
    row("closing-semicolon-accepted", "A semicolon after the value is accepted.", repair=_sub(r";\s*\Z", "")),
    row("block-comments-accepted", "Comments between /* and */ are accepted.", repair=_sub(r"(?s)/\*.*?\*/", "")),
    row("line-comments-accepted", "Comments after // are accepted.", repair=_sub(r"//[^\n]*", "")),
    row("hash-comments-accepted", "Comments after # are accepted.", repair=_sub(r"#[^\n]*", "")),
)
def _repaired(repair: Callable[[str], str]) -> type[Core]:
    """Accepts bodies that one repair makes valid, and applies them."""

    class Repaired(Core):
        def refuse_syntax(self, call: Call) -> dict[str, Any]:
            text = call.request.body.decode("utf-8", "replace")
            repaired = repair(text)
            value = None if repaired == text else _object(repaired)
            return super().refuse_syntax(call) if value is None else value

    return Repaired


@faults(SYNTAX)(
    row(
        "invalid-utf-8-accepted",
        "Bytes that are not UTF-8 are read as Latin-1.",
        beyond="what a reader makes of such bytes is its choice",
        decoding=("latin-1",),
    ),
    row(
        "invalid-utf-8-dropped",
        "Bytes that are not UTF-8 are dropped.",
        beyond="what a reader makes of such bytes is its choice",
        decoding=("utf-8", "ignore"),
    ),
)
def _decoded(decoding: tuple[str, ...]) -> type[Core]:
    """Accepts bodies that are in no encoding of JSON."""

    class Decoded(Core):
        def refuse_syntax(self, call: Call) -> dict[str, Any]:
            value = _object(call.request.body.decode(*decoding))
            return super().refuse_syntax(call) if value is None else value

    return Decoded


@faults("TS-ANSWER-SERVER-ERROR", SYNTAX)(
    row(
        "unclosed-object-500",
        "A body that ends too early is answered 500.",
        broken=lambda body: body[-1:] not in b"}]" or body.count(b"{") > body.count(b"}"),
    ),
    row(
        "bad-escape-500",
        "An escape that does not exist is answered 500.",
        broken=lambda body: re.search(rb'\\[^"\\/bfnrtu]', body) is not None,
    ),
    row(
        "control-character-500",
        "An unescaped control character is answered 500.",
        broken=lambda body: re.search(rb"[\x00-\x08\x0e-\x1f]", body) is not None,
    ),
    row(
        "invalid-utf-8-500",
        "Bytes that are not UTF-8 are answered 500.",
        broken=lambda body: b"\xff" in body or b"\xc3\x28" in body,
    ),
)
def _crashing(broken: Callable[[bytes], bool]) -> type[Core]:
    """Answers 500 where a body is broken in one way."""

    class Crashing(Core):
        def refuse_syntax(self, call: Call) -> dict[str, Any]:
            if broken(call.request.body):
                raise Refused(500, message="Internal Server Error", bare=True)
            return super().refuse_syntax(call)

    return Crashing
