"""The OpenAPI document as data for a page: its operations and its schemas, each constraint in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup, escape

from tracksync.contract import spec

# Members of a schema that are shown elsewhere, or that say what another member says.
_NOT_CONSTRAINTS: Final = frozenset(
    {"description", "properties", "required", "examples", "title", "type", "$ref", "items", "patternProperties",
     "additionalProperties", "propertyNames", "deprecated"}
)  # fmt: skip
_OF: Final = {"oneOf": "one of", "anyOf": "any of", "allOf": "all of"}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object: `form` says its type and its constraints."""

    name: str
    required: bool
    form: Markup
    description: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of the document. `members` is empty where it is not an object."""

    name: str
    form: Markup
    description: str
    members: tuple[Member, ...]
    example: str


@dataclass(frozen=True, slots=True)
class DocumentedOperation:
    """A method of a path; `responses` are status, description and form of the body."""

    method: str
    path: str
    summary: str
    description: str
    request: Markup
    responses: tuple[tuple[str, str, Markup], ...]


def operations() -> list[DocumentedOperation]:
    """Every operation of the document."""
    document = spec.document()
    return [
        DocumentedOperation(
            method.upper(),
            path,
            operation["summary"],
            operation["description"],
            _content(operation.get("requestBody", {})),
            tuple(
                (status, one["description"], _content(one))
                for status, one in ((status, _resolved(raw)) for status, raw in operation["responses"].items())
            ),
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def schemas() -> Iterator[Schema]:
    """Every named schema of the document."""
    for name, schema in spec.document()["components"]["schemas"].items():
        required = schema.get("required", ())
        examples = schema.get("examples") or ()
        yield Schema(
            name,
            _form(schema),
            schema.get("description", ""),
            tuple(
                Member(member, member in required, _form(one), one.get("description", ""))
                for member, one in schema.get("properties", {}).items()
                if isinstance(one, Mapping)
            ),
            json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else "",
        )


def _content(part: Mapping[str, Any]) -> Markup:
    """The form of a body: the schema of its first content type."""
    for content in part.get("content", {}).values():
        return _form(content.get("schema", {}))
    return Markup("")


def _resolved(part: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = spec.document()
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    resolved: Mapping[str, Any] = found
    return resolved


def _form(schema: Any) -> Markup:
    """A schema in one line: its type, the schemas that it names as links, and its constraints."""
    if not isinstance(schema, Mapping):
        return Markup("anything") if schema else Markup("nothing")
    parts: list[Markup] = []
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        parts.append(Markup('<a href="#{0}">{0}</a>').format(name))
    types = schema.get("type", ())
    if types:
        parts.append(escape(types if isinstance(types, str) else " or ".join(types)))
    if "items" in schema:
        parts.append(Markup("of {}").format(_form(schema["items"])))
    for word, phrase in _OF.items():
        if word in schema:
            inner = Markup("; ").join(map(_form, schema[word]))
            parts.append(Markup("{} ({})").format(phrase, inner))
    for name in ("patternProperties", "additionalProperties", "propertyNames"):
        if name in schema:
            parts.append(Markup("{}: {}").format(_spaced(name), _inner(schema[name])))
    parts += [
        Markup("{} <code>{}</code>").format(_spaced(name), json.dumps(value, ensure_ascii=False))
        for name, value in schema.items()
        if name not in _NOT_CONSTRAINTS and name not in _OF
    ]
    return Markup(", ").join(parts) if parts else Markup("anything")


def _inner(value: Any) -> Markup:
    if isinstance(value, Mapping) and not {"type", "$ref", "oneOf", "anyOf", "pattern", "not"} & value.keys():
        each = [Markup("<code>{}</code> {}").format(name, _form(one)) for name, one in value.items()]
        return Markup("; ").join(each) if each else Markup("anything")
    return _form(value)


def _spaced(name: str) -> str:
    """`maxLength` as `max length`, `x-max-bytes` as `max bytes`."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.removeprefix("x-").replace("-", " ")
