"""OpenAPI documents of other hands: read from a file, and brought into the form that ours has.

Any OpenAPI 3.0 or 3.1 document, as YAML or JSON, that describes one of the contract's paths. What 3.0 writes in another
way (`nullable`, boolean `exclusiveMinimum`) is turned into what 3.1 writes, and a path that a server's address begins
with is put before the paths.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jsonschema_rs
import yaml

from tracksync.contract import spec
from tracksync.contract.constraints import follow
from tracksync.errors import ConfigError, unreadable

_VERSION: Final = "3.1.0"
_UNSOUND: Final = (ValueError, KeyError, TypeError, AttributeError, IndexError)
_LINE: Final = 300
_BOUNDS: Final = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))
_SHOWN: Final = 5
_DEEPEST: Final = 200
_LARGEST: Final = 2_000_000
"""Values of a document. The largest that are published have a few hundred thousand."""


def read_document(file: Path) -> dict[str, Any]:
    """The document in `file`, with those of its paths that are ours, under our names for them.

    Raises ConfigError, in words for a user, where it cannot be read, is not an OpenAPI 3 document or has none of our
    paths.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(file, error) from None
    try:
        return modern(_parsed(text))
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)  # many times faster than YAML, of which JSON is a part
    except (ValueError, RecursionError):
        pass
    try:
        return yaml.load(text, Loader=spec.loader())  # noqa: S506 - safe ones
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise ConfigError(f"it is neither YAML nor JSON: {first}") from None


def modern(given: Any) -> dict[str, Any]:
    """A parsed document in the form of OpenAPI 3.1, with our paths only. Raises ConfigError; see `read_document`."""
    if not isinstance(given, dict) or not isinstance(given.get("paths"), dict):
        raise ConfigError("this is not an OpenAPI document: it has no paths")
    version = str(given.get("openapi", given.get("swagger", "")))
    if not version.startswith(("3.0", "3.1")):
        raise ConfigError(f"OpenAPI 3.0 or 3.1 is needed, and this is {version or 'no OpenAPI document'}")
    paths = dict(_our_paths(given))
    if not paths:
        known = [str(path) for path in given["paths"]]
        shown = ", ".join(known[:_SHOWN]) + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
        raise ConfigError(
            f"it describes none of {', '.join(spec.document()['paths'])}; its paths are {shown or 'none'}"
        )
    made = {"openapi": _VERSION, "info": given.get("info", {}), "components": given.get("components") or {}}
    return _modern({**made, "paths": paths}, 0, itertools.count())  # type: ignore[no-any-return]


def request_schema(document: Mapping[str, Any], path: str) -> Any:
    """The schema of the JSON bodies of requests to `path`; None where the document describes none.

    Raises ConfigError where a reference leads nowhere.
    """
    try:
        body = follow(document, "", document["paths"][path]["post"].get("requestBody", {}))[1]
        media = (described for name, described in body.get("content", {}).items() if "json" in name)
        return next((described["schema"] for described in media if "schema" in described), None)
    except _UNSOUND as error:
        raise ConfigError(f"the request of {path} cannot be used: {first_line(error)}") from None


def request_validator(document: Mapping[str, Any], path: str) -> jsonschema_rs.Validator:
    """The validator of the bodies of requests to `path`. Raises ConfigError for an unsound schema."""
    schema = request_schema(document, path)
    root = {"allOf": [{} if schema is None else schema], "components": document.get("components", {})}
    try:
        return jsonschema_rs.Draft202012Validator(root, offline=True)
    except _UNSOUND as error:
        raise ConfigError(f"the request schema of {path} cannot be used: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """What an error says, on one line and not at length."""
    if isinstance(error, KeyError):
        return f"a reference leads nowhere, to {error}"
    return (str(error).splitlines() or [type(error).__name__])[0][:_LINE]


def _our_paths(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, item in given["paths"].items():
        if isinstance(item, dict) and isinstance(item.get("post"), dict):
            for prefix in _prefixes(given, item):
                name = (prefix + str(path)).rstrip("/")
                if name in spec.document()["paths"]:
                    yield name, {"post": item["post"]}
                    break


def _prefixes(given: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    for holder in (item["post"], item, given):
        servers = holder.get("servers")
        for server in servers if isinstance(servers, list) else ():
            url = server.get("url") if isinstance(server, dict) else None
            if isinstance(url, str):
                yield urlsplit(url.replace("{", "").replace("}", "")).path.rstrip("/")


def _modern(node: Any, depth: int, nodes: Iterator[int]) -> Any:
    if depth > _DEEPEST or next(nodes) > _LARGEST:
        raise ConfigError("it is nested too deeply or too large, or an anchor of it refers to itself")
    if isinstance(node, list):
        return [_modern(one, depth + 1, nodes) for one in node]
    if not isinstance(node, dict):
        return node
    made = {str(key): _modern(value, depth + 1, nodes) for key, value in node.items()}
    for exclusive, plain in _BOUNDS:
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and plain in made:
            made[exclusive] = made.pop(plain)
    if made.get("nullable") is True:
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    return made
