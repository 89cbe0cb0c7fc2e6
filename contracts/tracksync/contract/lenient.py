"""The lenient form of the document, for tools that break requests on purpose (schemathesis does).

Such a tool knows two kinds of requests: those that fit the schema, and those that a server must refuse. The contract
has a third, the open ones. In the lenient form a request body fits its schema only if it is valid, as in the document
itself; and an open one has a property that the schema forbids outright, which schemathesis takes for one that a server
may ignore. Everything is derived from the document and from `refusals.toml`:

- a member that is open (`x-open`) is forbidden outright;
- each request has a further alternative for each of its top-level members, which forbids that member outright and
  holds, without that, of whatever is not refused. Nothing fits it, and it costs next to nothing to see that;
- bounds that only an extension says, and formats that are ours, become plain ones that are narrower.

Of an open request without any top-level member that the document names, such as `{}` on `/users/track`, the form cannot
say that it is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tracksync.contract.bounds import SYNC, bounds
from tracksync.contract.predicates import FORMATS
from tracksync.contract.refusals import RequestClass, Row, definitions, rows_at

_FORBIDDEN: Final[Mapping[str, Any]] = {"not": {}}
_OBJECTS_DRAWN: Final = 2
"""Objects of one section of a batch. A case takes as long as its objects, and more of them show nothing new."""
_NOTES: Final = ("x-clause", "examples", "example", "description")
_OBJECTS: Final = {"attributes": "UserAttributes", "events": "Event", "purchases": "Purchase"}

# Rows can name a predicate, which no schema says. Here stands one that never claims a refusal too many.
_SURELY: Final[Mapping[str, Any]] = {
    "not-time": {"type": "string", "pattern": "^[^0-9]*$"},
    "not-email": {"type": "string", "pattern": "^[^@]*$"},
}
_PERHAPS: Final[Mapping[str, Any]] = {
    "doubtful-currency": {
        "anyOf": [{"type": "string", "pattern": r"^\s*([A-Za-z]{3}|[0-9]{3})\s*$"}, {"type": "integer"}]
    },
}


def lenient(document: Mapping[str, Any]) -> dict[str, Any]:
    """The lenient form of a document that has the shape of ours. `document` stays as it is."""
    made: dict[str, Any] = _plain(document)
    schemas = made["components"]["schemas"]
    for name, schema in definitions().items():
        schemas[_definition(name)] = _references(schema)
    for path, item in made["paths"].items():
        media = item["post"]["requestBody"]["content"]["application/json"]
        name = media["schema"]["$ref"].rpartition("/")[2]
        schemas[f"Refused{name}"] = {"anyOf": [_references(one) for one in _refused(path)]}
        schemas[f"Lenient{name}"] = {
            "anyOf": [
                {"$ref": f"#/components/schemas/{name}"},
                *(_never(member, f"Refused{name}") for member in _members(document, schemas[name])),
            ]
        }
        media["schema"] = {"$ref": f"#/components/schemas/Lenient{name}"}
    return made


def _never(member: str, refused: str) -> dict[str, Any]:
    """What nothing fits: it requires and forbids `member`. Without the latter, whatever has it and is not refused."""
    return {
        "type": "object",
        "required": [member],
        "properties": {member: dict(_FORBIDDEN)},
        "not": {"$ref": f"#/components/schemas/{refused}"},
    }


def _members(document: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """The top-level members that a request may have."""
    names = dict.fromkeys(schema.get("properties", {}))
    for part in schema.get("oneOf", ()):
        target = document["components"]["schemas"][part["$ref"].rpartition("/")[2]]
        names.update(dict.fromkeys(target["properties"]))
    return [name for name in names if name != "fields_to_export"]


def _plain(node: Any) -> Any:
    """A copy of `node` in keywords that every tool knows."""
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    if "x-open" in node:
        return dict(_FORBIDDEN)
    made = {key: value if key in _NOTES else _plain(value) for key, value in node.items()}
    if "x-integer-range" in node:
        made["minimum"], made["maximum"] = node["x-integer-range"]
    if isinstance(node.get("format"), str) and node["format"] in FORMATS:
        made["enum"] = [*node.get("examples", ()), *([None] if "null" in node["type"] else ())]
    if "x-max-batch" in node:
        for section in made["properties"].values():
            section["maxItems"] = min(_OBJECTS_DRAWN, node["x-max-batch"] // len(made["properties"]))
    return made


# --- what is refused -------------------------------------------------------------------------------------------------


def _refused(path: str) -> Iterator[Any]:
    """Schemas of which each holds only of bodies that are refused."""
    for row in rows_at("body", path=path):
        if _is_refused(row):
            yield row.when
    if path != SYNC:
        return
    for section in bounds().sections:
        for row in rows_at("section"):
            if _is_refused(row):
                yield _with(section, row.when)
        refused = {"type": "object", "anyOf": list(_refused_objects(section))}
        yield _with(section, {"anyOf": [refused, {"type": "array", "contains": refused}]})


def _refused_objects(section: str) -> Iterator[Any]:
    for row in rows_at("object", section):
        if _is_refused(row):
            yield row.when
    required = bounds().required_members[section]
    for name in required:
        yield {"not": _with(name, {"not": {"type": "null"}})}
    for name in sorted(bounds().object_members[section]):  # one document gives one form
        fits = {"$ref": f"#/components/schemas/{_OBJECTS[section]}/properties/{name}"}
        before = [fits, *([{"type": "null"}] if name in required else ())]
        for row in rows_at(name, section):
            if _is_refused(row):
                surely = [_SURELY[row.predicate]] if row.predicate else []
                when = [row.when] if row.when is not None else []
                yield _with(name, {"allOf": [*when, *surely], "not": {"anyOf": list(before)}})
            before.append(_PERHAPS.get(row.predicate or "", _condition(row)))


def _is_refused(row: Row) -> bool:
    return row.request_class is RequestClass.REFUSED


def _condition(row: Row) -> Any:
    return row.when if row.when is not None else {}


def _with(name: str, schema: Any) -> dict[str, Any]:
    """An object with a member that fits `schema`."""
    return {"type": "object", "required": [name], "properties": {name: schema}}


def _references(node: Any) -> Any:
    """`node` with the shared schemas of rows under the names that they have in the document."""
    if isinstance(node, list):
        return [_references(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    made = {key: _references(value) for key, value in node.items()}
    if isinstance(node.get("$ref"), str) and node["$ref"].startswith("#/definitions/"):
        made["$ref"] = f"#/components/schemas/{_definition(node['$ref'].rpartition('/')[2])}"
    if "prefixItems" in node:  # of more elements than one, all are refused anyway
        made["contains"] = made.pop("prefixItems")[0]
    return made


def _definition(name: str) -> str:
    return "Rows" + "".join(part.capitalize() for part in name.split("-"))
