"""Searches a recording for what must not be in a repository: keys, and addresses of real persons.

Searches twice: the text of the file, whatever recorder wrote it, and every decoded body, header and URL in it, since
base64 and compression hide their content. A find is named by its line and kind; the text itself is never shown.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tracksync.cassettes.interaction import Recording
from tracksync.cassettes.pseudonyms import (
    ADDRESS,
    EMAIL_KEYS,
    NUMBER,
    PHONE_KEYS,
    fiction,
    identifiers,
    reserved_domain,
)
from tracksync.model.exchange import Headers
from tracksync.report.redact import Redactor

MOST: Final = 20  # traces named for one file

_HIDDEN: Final = re.compile(
    r"\[?(?:redacted|filtered|removed|masked|hidden|scrubbed|dummy|placeholder|secret|token|(?:your|my|the|fake|test|mock|api|braze)"
    r"[-_ ]?(?:rest[-_ ]?)?(?:api[-_ ]?)?(?:key|token))\b[^\s]*\]?|<[^>]*>|\*+|x+|\.+|\{\{?.*|\$.*|%.*",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"\b(?:Bearer|Basic|Token)[ +]+(?:%22|\\?[\"'])?([A-Za-z0-9._~+/=\[\]<>*-]{6,})")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ECHO: Final = re.compile(r"invalid\s+api\s+key:\s*\\?[\"']?([^\s\"'\\<,}]{4,})", re.IGNORECASE)
_NAMED: Final = re.compile(
    r"(?:api[_-]?key|apikey|access[_-]?token|auth[_-]?token|client[_-]?secret|rest[_-]?key)[\"'\\]*\s*[:=]\s*[\"'\\]*"
    r"([A-Za-z0-9._~+/=\[\]<>*-]{6,})",
    re.IGNORECASE,
)
_KINDS: Final = (
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), "a JSON Web Token"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "an AWS access key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}\b"), "a GitHub token"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"https?://[^/\s:@\"']{1,64}:[^/\s:@\"']{1,128}@"), "a password in a URL"),
)
_AUTH_HEADER: Final = re.compile(r"auth|api-?key|token|secret|cookie|signature|credential|session", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that must not be in the file: its line (0: unknown), and its kind."""

    line: int
    what: str


class Auditor:
    """Searches for secrets and deliverable addresses.

    `secrets`: the known ones, in any spelling, or a redactor that knows them.
    """

    def __init__(self, secrets: Iterable[str] | Redactor = ()) -> None:
        self._redactor = secrets if isinstance(secrets, Redactor) else Redactor(secrets)
        self._unknown = Redactor()  # takes out echoes of unknown keys, which _ECHO finds

    def traces(self, text: str, recording: Recording | None = None) -> list[Trace]:
        """What was found in the text of a file and in its interactions: the first MOST by line."""
        found = dict.fromkeys(self._in_text(text))
        seen = {trace.what for trace in found}
        for trace in self._in_recording(recording) if recording is not None else ():
            if trace.what.partition(" (in the ")[0] not in seen:
                found.setdefault(trace)
            if len(found) >= MOST * 10:
                break
        return sorted(found, key=lambda trace: (trace.line, trace.what))[:MOST]

    def _in_text(self, text: str) -> Iterator[Trace]:
        unescaped = text.replace("\\u0040", "@").replace("\\u002b", "+").replace("\\u002B", "+")
        for at, what in (*self._secrets_in(text), *_addresses_in(unescaped)):
            yield Trace(unescaped.count("\n", 0, at) + 1, what)

    def _in_recording(self, recording: Recording) -> Iterator[Trace]:
        for one in recording.interactions:
            request, response = one.exchange.request, one.exchange.response
            places = [("URL", request.path), ("request's body", _text(request.body))]
            places += [("response's body", _text(response.body))] if response else []
            headers = (*request.headers, *(response.headers if response else ()))
            for where, what in _in_headers(headers):
                yield Trace(one.line, f"{what} in the header {where}")
            for where, text in places:
                for _, what in (*self._secrets_in(text), *_addresses_in(text)):
                    yield Trace(one.line, f"{what} (in the {where})")
            for body in (request.body, response.body if response else b""):
                for key, value in identifiers(body):
                    deliverable = _deliverable(key, value)
                    if deliverable:
                        yield Trace(one.line, deliverable)

    def _secrets_in(self, text: str) -> Iterator[tuple[int, str]]:
        clean, plain = self._redactor.text(text), self._unknown.text(text)
        if clean != plain:
            at = next((index for index, (a, b) in enumerate(zip(plain, clean, strict=False)) if a != b), 0)
            yield at, "a key of yours"
        for pattern in (_BEARER, _ECHO, _NAMED):
            for match in pattern.finditer(text):
                if not hidden(match[1]):
                    yield match.start(1), "a key after 'Invalid API key'" if pattern is _ECHO else "a credential"
        for pattern, what in _KINDS:
            for match in pattern.finditer(text):
                yield match.start(), what


def hidden(value: str) -> bool:
    """Whether `value` is what a filter puts in the place of a secret, or too simple to be one."""
    bare = value.strip("\"'`\\ ")
    if not bare or _HIDDEN.fullmatch(bare):
        return True
    if _UUID.search(bare):
        return set(bare.replace("-", "")) <= {"0", "1", "f"}  # 00000000-0000-…: a placeholder
    if re.fullmatch(r"(?:mock|test|fake|dummy|tracksync|wrong|invalid|not)[a-z0-9_-]*", bare, re.IGNORECASE):
        return len(bare) < 40 and not _random(bare)
    return len(bare) < 6


def _random(text: str) -> bool:
    """Whether a text looks random: many different characters, digits among letters, no words."""
    counts = Counter(text)
    entropy = -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
    digits = sum(character.isdigit() for character in text)
    return len(text) >= 16 and entropy > 3.4 and digits >= 4


def _in_headers(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        if not _AUTH_HEADER.search(name) or name.lower().startswith(("access-control", "www-authenticate")):
            continue
        token = value.split(None, 1)[-1] if value.strip() else ""
        if token and not hidden(token):
            yield name, "a credential"


def _addresses_in(text: str) -> Iterator[tuple[int, str]]:
    if "@" in text or "%40" in text:
        for match in ADDRESS.finditer(text):
            if not reserved_domain(match[1]):
                yield match.start(), "an email address that could be delivered to"
    if "+" in text:
        for match in NUMBER.finditer(text):
            if not fiction(match[0]):
                yield match.start(), "a phone number that could be in use"


def _deliverable(key: str, value: str) -> str:
    if key in EMAIL_KEYS:
        match = ADDRESS.search(value)
        return "an email address that could be delivered to" if match and not reserved_domain(match[1]) else ""
    if key in PHONE_KEYS:
        digits = re.sub(r"\D", "", value)
        plausible = 8 <= len(digits) <= 15 and re.fullmatch(r"\s*\+?[\d\s().-]+\s*", value)
        return "a phone number that could be in use" if plausible and not fiction(value) else ""
    return ""


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
