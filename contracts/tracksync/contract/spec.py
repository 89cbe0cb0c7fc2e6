"""The OpenAPI document and the documented exchanges as data, from the wheel or from the checkout.

Knows where the files are and nothing of what they say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from tracksync.errors import TracksyncError, UsageError

_PACKAGE: Final = Path(__file__).parent.parent
# The wheel carries the files inside the package; in a checkout (and an editable install) they stand at its top.
_PLACES: Final = (_PACKAGE / "spec", _PACKAGE.parent.parent / "spec")


class SpecificationMissingError(TracksyncError):
    """The installation lacks the document; the message says where it was looked for."""


class SpecificationError(UsageError):
    """The document was changed so that it cannot be used; the message says where."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"the OpenAPI document ({path()}) cannot be used: at {where or 'its top'} {what}")


def directory() -> Path:
    """The folder that holds `openapi.yaml` and `examples/`. Raises SpecificationMissingError."""
    for place in _PLACES:
        if (place / "openapi.yaml").is_file():
            return place
    looked = " and ".join(str(place) for place in _PLACES)
    raise SpecificationMissingError(f"openapi.yaml is neither in {looked}; install tracksync anew")


def path() -> Path:
    """The file of the OpenAPI document."""
    return directory() / "openapi.yaml"


@cache
def document() -> Mapping[str, Any]:
    """The OpenAPI document, read once. Do not change it; see `load` for a copy."""
    return load()


def load() -> dict[str, Any]:
    """The OpenAPI document. Each call returns a copy of its own, which the caller may change.

    Raises SpecificationError if the file is not YAML.
    """
    try:
        read: Any = yaml.load(path().read_text(encoding="utf-8"), Loader=loader())  # noqa: S506 - safe ones
    except (yaml.YAMLError, UnicodeError) as error:
        raise SpecificationError("", f"it is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(read, dict):
        raise SpecificationError("", "there is no object")
    return read


def needed(document: Mapping[str, Any], pointer: str, kind: type[Any] | tuple[type[Any], ...] = object) -> Any:
    """What stands at a JSON Pointer. Raises SpecificationError where nothing does, or nothing of this type."""
    try:
        found = at(document, pointer)
    except (LookupError, TypeError, ValueError):
        raise SpecificationError(
            pointer, "there is nothing, and tracksync reads a bound or a name from there"
        ) from None
    if not isinstance(found, kind):
        raise SpecificationError(pointer, f"there is {json.dumps(found)[:60]}, which is of another type than before")
    return found


def at(document: Mapping[str, Any], pointer: str) -> Any:
    """What stands at a JSON Pointer in `document`, with or without the `#` before it. Raises KeyError or IndexError."""
    node: Any = document
    for step in pointer.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        node = node[int(name)] if isinstance(node, list) else node[name]
    return node


@cache
def loader() -> type[yaml.SafeLoader]:
    """The fast safe loader where libyaml is there, else the slow one."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def examples() -> Mapping[str, Mapping[str, Any]]:
    """The documented exchanges by the names of their files: title, source, corrected, request, response."""
    found = sorted((directory() / "examples").glob("*.json"))
    return MappingProxyType({file.stem: json.loads(file.read_text(encoding="utf-8")) for file in found})
