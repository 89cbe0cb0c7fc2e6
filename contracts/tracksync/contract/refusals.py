"""The rows of `refusals.toml`, loaded once and typed: when a request is refused, and when that is left open."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import jsonschema_rs
import msgspec
from msgspec import Struct

from tracksync.contract import spec
from tracksync.contract.bounds import SYNC, Documented, bounds
from tracksync.contract.predicates import PREDICATES
from tracksync.contract.validators import compiled

_BAD_REQUEST: Final = (400,)


class RequestClass(enum.StrEnum):
    """What a server owes a request."""

    VALID = "valid"
    REFUSED = "refused"
    OPEN = "open"


class Row(Struct, frozen=True, eq=False, dict=True, kw_only=True, forbid_unknown_fields=True):
    """One condition. See the head of `refusals.toml` for what each member means."""

    name: str
    request_class: RequestClass
    at: str
    clause: str
    source: str
    reason: str
    elsewhere: RequestClass | None = None
    paths: tuple[str, ...] = (SYNC,)
    sections: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    when: Any = None
    predicate: str | None = None
    clauses: Mapping[str, str] = {}
    client: str = "TC-DOUBT"
    statuses: tuple[int, ...] = _BAD_REQUEST
    ambiguity: str | None = None
    shows: tuple[tuple[int, str], ...] = ()
    effect_known: bool = True
    covers: bool = False
    regardless_of_quirks: bool = False
    once: bool = False
    names: str | None = None
    value: str | None = None
    bound: str | None = None
    pointer: str = ""

    @cached_property
    def validator(self) -> jsonschema_rs.Validator | None:
        """The compiled condition; None where there is none but the predicate."""
        return None if self.when is None else compiled(self.when, definitions=definitions())

    @cached_property
    def status_set(self) -> frozenset[int]:
        """The statuses with which a server refuses."""
        return frozenset(self.statuses)

    @cached_property
    def test(self) -> Callable[[Any], bool] | None:
        """The named predicate, if any."""
        return PREDICATES[self.predicate] if self.predicate else None

    def holds(self, value: Any) -> bool:
        """Whether the condition holds of `value`, as `measured` gives it."""
        if self.validator is not None and not self.validator.is_valid(value):
            return False
        return self.test is None or self.test(value)


@cache
def refusals() -> Mapping[str, Row]:
    """All rows by name, in the order of the table; a row with `each` stands as `name/each`.

    Raises SpecificationError if a row refers to what the installed document does not have.
    """
    rows = {}
    for name, raw in _table().items():
        if name != "definitions":
            for row in _rows(name, _with_members_of_another(raw)):
                rows[row.name] = row
                for pointer in _references(row.when):
                    spec.needed(spec.document(), pointer)
    return MappingProxyType(rows)


def _references(node: Any) -> Iterator[str]:
    """The parts of the document to which a condition refers."""
    if isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str) and target.startswith("#/components/"):
            yield target.removeprefix("#")
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _references(part)


@cache
def rows_at(at: str, section: str | None = None, path: str | None = None) -> tuple[Row, ...]:
    """The rows about one kind of place, in order; of members and objects those of `section`, of bodies of `path`."""
    return tuple(
        row
        for row in refusals().values()
        if row.at == at and (not row.sections or section in row.sections) and (path is None or path in row.paths)
    )


@cache
def _table() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("refusals.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def definitions() -> Mapping[str, Any]:
    """The schemas that rows share, by name."""
    return {name: _filled(schema) for name, schema in _table()["definitions"].items()}


def _with_members_of_another(raw: Mapping[str, Any]) -> dict[str, Any]:
    like = _table()[raw["like"]] if "like" in raw else {}
    return {key: value for key, value in {**like, **raw}.items() if key != "like"}


def _rows(name: str, raw: dict[str, Any]) -> list[Row]:
    """The rows for which an entry of the table stands."""
    each = raw.pop("each", None)
    if each is None:
        return [_row(name, raw)]
    return [_row(f"{name}/{one}", _replaced(raw, "{each}", one) | _member(raw, one)) for one in each]


def _member(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"at": name} if raw["at"] == "member" else {}


def _row(name: str, raw: Mapping[str, Any]) -> Row:
    given = {
        **raw,
        "name": name,
        "request_class": raw["class"],
        "when": _filled(raw.get("when")),
        "effect_known": raw.get("effect", "checked") == "checked",
        "shows": [(int(status), shown) for status, shown in raw.get("shows", {}).items()],
    }
    return msgspec.convert({key: value for key, value in given.items() if key not in ("class", "effect")}, Row)


def _filled(node: Any) -> Any:
    """`node` with the numbers that it names."""
    if isinstance(node, dict):
        if node.keys() == {"$bound"}:
            return bound(node["$bound"])
        return {key: _filled(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(item) for item in node]
    return node


def bound(name: str) -> Any:
    """The bound called `name`, such as `quantity_max` or `object_bytes.most`."""
    first, _, rest = name.partition(".")
    value = getattr(bounds(), first)
    if rest:
        return getattr(value, rest)
    if isinstance(value, Documented):
        return list(value.values)
    return sorted(value) if isinstance(value, frozenset) else value


def _replaced(node: Any, mark: str, text: str) -> Any:
    if isinstance(node, str):
        return node.replace(mark, text)
    if isinstance(node, dict):
        return {_replaced(key, mark, text): _replaced(value, mark, text) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(item, mark, text) for item in node]
    return node
