"""The result as JSON text, and back. `result.schema.json` defines its form for every command."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from tracksync.errors import ConfigError
from tracksync.report.tally import SCHEMA, Result

_COUNT: Final = {"type": "integer", "minimum": 0}
_FIGURE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["title", "bars"],
    "properties": {
        "title": {"type": "string"},
        "note": {"type": "string"},
        "bars": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["lane", "text", "start", "end", "mark"],
                "properties": {
                    "lane": {"type": "string"},
                    "text": {"type": "string"},
                    "start": {"type": "number", "minimum": 0},
                    "end": {"type": ["number", "null"], "minimum": 0},
                    "mark": {"enum": ["plain", "fault", "context"]},
                },
            },
        },
    },
}
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
# The additional members that this program writes and the reports read.
_OWN_MEMBERS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "strict": {"type": "boolean"},
        "reason": {"type": "string"},
        "started": {"type": "string"},
        "interpretations": {"additionalProperties": {"type": "string"}},
        "interpretations_shown": {"type": "object", "additionalProperties": {"type": "object"}},
        "retries_by": {"type": "object", "additionalProperties": _COUNT},
        "budget": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        "findings": {
            "items": {
                "properties": {
                    "confirmed": {"type": "boolean"},
                    "figure": _FIGURE,
                    "exchanges": {
                        "items": {
                            "properties": {
                                "request": {
                                    "type": "object",
                                    "properties": {
                                        "method": {"type": "string"},
                                        "path": {"type": "string"},
                                        "headers": {
                                            "type": "array",
                                            "items": {"type": "array", "minItems": 2, "maxItems": 2},
                                        },
                                        "body": {"type": "string"},
                                        "body_base64": {"type": "string"},
                                    },
                                },
                                "credential": {"type": "string"},
                            }
                        }
                    },
                }
            }
        },
        "sections": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["title", "text", "columns", "rows", "figures"],
                "properties": {
                    "title": {"type": "string"},
                    "text": {"type": "string"},
                    "columns": _TEXTS,
                    "rows": {"type": "array", "items": _TEXTS},
                    "figures": {"type": "array", "items": _FIGURE},
                },
            },
        },
        "timeline": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["at", "requests", "limited", "failed"],
                "properties": {
                    "at": {"type": "integer", "minimum": 0, "maximum": 253402300799},
                    "requests": _COUNT,
                    "limited": _COUNT,
                    "failed": _COUNT,
                    "limit": _COUNT,
                },
            },
        },
    },
}


def render(result: Result) -> str:
    """`result` as indented JSON in ASCII, so that unpaired surrogates survive."""
    return json.dumps(result, indent=2, allow_nan=False) + "\n"


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of a result."""
    text = resources.files("tracksync.report").joinpath("result.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def read(path: Path) -> Result:
    """The result in the file at `path`. Raises ConfigError, which names the file and what is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a result of tracksync: it is not UTF-8 text") from None
    if not text.strip():
        raise ConfigError(f"{path} is empty; the run that should have written it did not end; run it again")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}, line {error.lineno}: this is not JSON: {error.msg}") from None
    except (RecursionError, ValueError):
        raise ConfigError(
            f"{path} is not a result of tracksync: it is nested too deep, or a number is too long"
        ) from None
    return checked(value, str(path))


def checked(value: Any, name: str) -> Result:
    """`value` if it has the form of a result. Raises ConfigError, which says where it does not."""
    from jsonschema import Draft202012Validator

    if not isinstance(value, dict) or "tracksync" not in value:
        raise ConfigError(f"{name} is not a result of tracksync; give a file that was written with --json")
    if value.get("schema") != SCHEMA:
        raise ConfigError(
            f"{name} has result schema {value.get('schema')!r} and this tracksync reads schema {SCHEMA}; "
            f"it was written by tracksync {value['tracksync']!r}; use that version"
        )
    both = {"allOf": [schema(), _OWN_MEMBERS]}
    errors = sorted(Draft202012Validator(both).iter_errors(value), key=lambda error: list(map(str, error.path)))
    if errors:
        where = "/" + "/".join(map(str, errors[0].path)) if errors[0].path else "the top"
        message = errors[0].message
        message = message if len(message) <= 200 else f"{message[:199]}…"
        raise ConfigError(f"{name} is not a result of tracksync: at {where}: {message}")
    return value
