"""How an exchange is shown: as JSON in the result, as a curl command, and as one line for a person.

Expects redacted exchanges. The texts of a server may hold anything; `printable` makes them safe for a terminal and XML.
"""

from __future__ import annotations

import base64
import json
import shlex
import unicodedata
from typing import Any, Final

from tracksync.contract.bounds import SYNC
from tracksync.model.exchange import Credential, Exchange

BODY_SHOWN: Final = 20_000  # characters of a body that a result keeps

# Headers that curl sends by itself, or that belong to the connection.
_OWN_HEADERS: Final = frozenset(
    {"host", "content-length", "connection", "user-agent", "accept", "accept-encoding"}
    | {"transfer-encoding", "authorization"}
)
_KEYS: Final = {
    Credential.VALID: "Bearer $TRACKSYNC_API_KEY",
    Credential.UNKNOWN: "Bearer $TRACKSYNC_API_KEY",
    Credential.UNPRIVILEGED: "Bearer $TRACKSYNC_UNPRIVILEGED_KEY",
    Credential.INVALID: "Bearer no-such-key",
    Credential.QUOTED: r"Bearer \"$TRACKSYNC_API_KEY\"",
}


def exchange_json(exchange: Exchange) -> dict[str, Any]:
    """`exchange` as an entry of a finding's `exchanges`. A body that is not UTF-8 is given in base64."""
    request, response = exchange.request, exchange.response
    shown: dict[str, Any] = {
        "request": {
            "method": request.method,
            "path": request.path,
            "headers": [list(pair) for pair in request.headers],
            **_body_json(request.body),
        },
        "credential": exchange.credential.value,
        "sent": round(exchange.sent, 6),
        "received": round(exchange.received, 6),
    }
    if response is not None:
        shown["response"] = {
            "status": response.status,
            "headers": [list(pair) for pair in response.headers],
            **_body_json(response.body),
        }
    if exchange.failure is not None:
        shown["failure"] = {"kind": exchange.failure.kind.value, "detail": exchange.failure.detail}
    if exchange.tags:
        shown["tags"] = list(exchange.tags)
    return shown


def _body_json(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        if len(body) > BODY_SHOWN:
            return {"body_base64": _base64(body[:BODY_SHOWN]), "body_bytes": len(body)}
        return {"body_base64": _base64(body)}
    if len(text) > BODY_SHOWN:
        return {"body": text[:BODY_SHOWN], "body_bytes": len(body)}
    return {"body": text}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def curl(shown: dict[str, Any], target: str) -> str:
    """A shell command that sends the request of `shown`, an entry of a finding's `exchanges`, to `target` again.

    It takes the key from `$TRACKSYNC_API_KEY`, and the base URL from `$TRACKSYNC_ENDPOINT` if `target` is not a URL.
    """
    return " ".join(curl_parts(shown, target))


def curl_parts(shown: dict[str, Any], target: str) -> list[str]:
    """The command of `curl` in parts between which a line may break: the address, each header, the body."""
    request = shown.get("request", {})
    method, path = str(request.get("method", "POST")), str(request.get("path", SYNC))
    base = target.rstrip("/") if target.startswith(("http://", "https://")) else ""
    url = shlex.quote(base + path) if base else '"$TRACKSYNC_ENDPOINT"' + shlex.quote(path)
    text: str = request.get("body") or ""
    encoded: str = request.get("body_base64") or ""
    if "\0" in text:  # no shell can pass a NUL in an argument
        encoded = _base64(text.encode("utf-8"))
    too_long = "body_bytes" in request
    piped = f"printf %s {shlex.quote(encoded)} | base64 -d | " if encoded and not too_long else ""
    other_method = f"-X {shlex.quote(method)} " if method != "POST" or not (text or encoded) else ""
    parts = [f"{piped}curl -sS -i {other_method}{url}"]
    authorization = _KEYS.get(shown.get("credential", Credential.VALID))
    if authorization:
        parts.append(f'-H "Authorization: {authorization}"')
    for name, value in request.get("headers", []):
        if str(name).lower() not in _OWN_HEADERS:
            parts.append("-H " + shlex.quote(f"{name}: {value}" if value else f"{name};"))
    if too_long:
        return [*parts, f" # and a body of {request['body_bytes']} bytes, too long to show"]
    if encoded:
        return [*parts, "--data-binary @-"]
    # --data-raw: an argument of --data that begins with @ would name a file.
    return [*parts, f"--data-raw {shlex.quote(text)}"] if text else parts


def outcome_line(shown: dict[str, Any], longest: int = 400) -> str:
    """The outcome in one line: the status and the beginning of the body, or why there is no response."""
    response, failure = shown.get("response"), shown.get("failure")
    if isinstance(response, dict):
        if "body_base64" in response:
            body = "(a body that is not UTF-8)"
        else:
            body = " ".join(printable(str(response.get("body", ""))).split())
        return f"{response.get('status')} {_shortened(body, longest)}".rstrip()
    if isinstance(failure, dict):
        return _shortened(f"no response ({failure.get('kind')}): {printable(str(failure.get('detail', '')))}", longest)
    return "no response"


def value_text(value: Any, longest: int = 2000) -> str:
    """A JSON value in one line of at most `longest` characters."""
    return _shortened(printable(json.dumps(value, ensure_ascii=False, default=repr)), longest)


def printable(text: str) -> str:
    """`text` with control, bidirectional and unpaired characters as escapes. Line breaks and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_printable(character) for character in text)


def _printable(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}:
        return character
    point = ord(character)
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
