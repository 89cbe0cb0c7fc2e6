"""What the forms share: reading members of foreign data safely, and times in several forms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from tracksync.cassettes.strict_yaml import LINE
from tracksync.model.exchange import Headers, header
from tracksync.wire.bodies import Unreadable


def mapping(value: Any, what: str, line: int) -> Mapping[str, Any]:
    """`value` if it is a mapping. Raises Unreadable that names what it should have been."""
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is {_kind(value)} and not a mapping", line)
    return value


def text(value: Any, what: str, line: int) -> str:
    """`value` if it is a text that is not empty. Raises Unreadable."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{what} is {_kind(value)} and not a text", line)
    return value


def headers_of(value: Any, what: str, line: int) -> Headers:
    """Headers from a mapping of name to value or values, or from a list of pairs."""
    if value is None:
        return ()
    found: list[tuple[str, str]] = []
    if isinstance(value, dict):
        for name, values in value.items():
            if name == LINE or name.startswith(":"):
                continue
            if type(values) is list:
                found.extend([(name, one if type(one) is str else _header_text(one)) for one in values])
            else:
                found.append((name, values if type(values) is str else _header_text(values)))
        return tuple(found)
    if isinstance(value, list):
        for pair in value:
            if isinstance(pair, dict) and isinstance(pair.get("name"), str):
                if not pair["name"].startswith(":"):  # HTTP/2 writes the request line as headers
                    found.append((pair["name"], _header_text(pair.get("value"))))
            elif isinstance(pair, list) and len(pair) == 2:
                found.append((_header_text(pair[0]), _header_text(pair[1])))
            else:
                raise Unreadable(f"the headers of the {what} are not pairs of name and value", line)
        return tuple(found)
    raise Unreadable(f"the headers of the {what} are {_kind(value)}", line)


def json_headers(headers: Headers, body: Any) -> Headers:
    """The headers with the content type that aiohttp adds after vcrpy has seen the request."""
    if not isinstance(body, dict | list) or header(headers, "content-type") is not None:
        return headers
    return (*headers, ("Content-Type", "application/json"))


def status_of(value: Any, line: int) -> int:
    """A status code, written as a number or as a text. Raises Unreadable."""
    if type(value) is int and 100 <= value <= 999:  # the usual case
        return value
    try:
        code = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else 0
    except ValueError:
        code = 0
    if not 100 <= code <= 999:
        raise Unreadable(f"the status of the response is {str(value)[:40]!r}, which is not a status code", line)
    return code


def moment(value: Any) -> float | None:
    """Seconds since the epoch of a time in ISO 8601 or in the form of HTTP; None for anything else."""
    if type(value) is float or (isinstance(value, int | float) and not isinstance(value, bool)):
        return float(value) if 0 < value < 1e11 else None
    if not isinstance(value, str) or not value:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        try:
            read = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
    if read.tzinfo is None:
        read = read.replace(tzinfo=UTC)
    try:
        return read.timestamp()
    except (OverflowError, ValueError, OSError):
        return None


def seconds(value: Any) -> float | None:
    """A duration in seconds; None for anything else."""
    try:
        found = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1.0
    except ValueError:
        return None
    return found if 0 <= found < 86_400 else None


def line_at(lines: Any, index: int) -> int:
    """The line of item `index`, 0 where it is unknown."""
    return lines[index] if index < len(lines) else 0


def _header_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return "" if value is None else str(value)


def _kind(value: Any) -> str:
    return {dict: "a mapping", list: "a list", str: "a text", type(None): "missing"}.get(type(value), "something else")
