"""Responses held against the document: the body schema of their path and status, and the headers that it names.

The nearest `x-clause` of the document names what is broken, TS-ANSWER-SCHEMA where there is none. A member that is null
or empty counts as left out where it may be left out: no page speaks of the difference. Pure.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any, Final

import jsonschema_rs
from msgspec import Struct

from tracksync.contract import spec
from tracksync.contract.constraints import (
    ITEM,
    MEMBER,
    MOST_CONSTRAINTS,
    Constraint,
    Direction,
    constraints,
    follow,
    walk,
)
from tracksync.contract.foreign import first_line
from tracksync.errors import ConfigError
from tracksync.values.numbers import whole_number
from tracksync.values.times import Certainty, read_time

SCHEMA_CLAUSE: Final = "TS-ANSWER-SCHEMA"
_BODY: Final = "/response/body"
_HEADERS: Final = "/response/headers"
_OF_COUNTS: Final = frozenset({"type", "minimum", "description", "title", "example", "examples"})


class Mismatch(Struct, frozen=True, gc=False):
    """One place of a response that does not fit the document.

    `clause`: the nearest one. `pointer`: a JSON Pointer as in findings. `expected`: the keyword in the document that
    does not hold, with its value. `actual`: what stands there; `present` is false where nothing does.
    """

    clause: str
    pointer: str
    message: str
    expected: Mapping[str, Any]
    actual: Any
    present: bool = True


class Responses:
    """The responses of one OpenAPI 3.1 document, each compiled when it is first needed."""

    def __init__(
        self, document: Mapping[str, Any], found: Iterable[Constraint] | None = None, *, name: str = "the document"
    ) -> None:
        """`found`: the constraints of `document`, if they are known already. `name`: what findings call it."""
        self._document = document
        self._name = name
        self._found = found
        self._compiled: dict[tuple[str, str], _Response] = {}
        self._by_status: dict[tuple[str, int], _Response | None] = {}

    @cached_property
    def _constraints(self) -> list[Constraint]:
        found = itertools.islice(walk(self._document), MOST_CONSTRAINTS) if self._found is None else self._found
        return [one for one in found if one.direction is Direction.RESPONSE]

    def compile_all(self) -> None:
        """Compile every response now. Raises ConfigError, in words for a user, for one that cannot be used."""
        try:
            for path, item in self._document["paths"].items():
                for name in item["post"].get("responses", {}):
                    self._response(path, name)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise ConfigError(f"its responses cannot be used: {first_line(error)}") from None

    def validate(self, path: str, status: int, headers: Mapping[str, str] | None, body: Any) -> tuple[Mismatch, ...]:
        """What of the response to a POST does not fit. `body`: its JSON value.

        `headers`: their values by names in small letters; None where they are not to be looked at.
        Of a path or status that the document does not have, nothing. Raises ValueError where its schema is none.
        """
        place = path, status
        if place not in self._by_status:
            self._by_status[place] = self._response_to(path, status)
        response = self._by_status[place]
        if response is None or response.fits(headers, body):
            return ()
        return tuple(response.mismatches(headers, body))

    def _response_to(self, path: str, status: int) -> _Response | None:
        """The response that the document describes for a status, if it does."""
        described = self._document.get("paths", {}).get(path, {}).get("post", {}).get("responses", {})
        names = (str(status), f"{status // 100}XX", "default")
        return next((self._response(path, name) for name in names if name in described), None)

    def _response(self, path: str, name: str) -> _Response:
        """The response that the document describes under `name`: a status, such as 5XX, or default."""
        if (path, name) not in self._compiled:
            response = follow(self._document, "", self._document["paths"][path]["post"]["responses"][name])[1]
            own = [one for one in self._constraints if one.path == path and one.status == name]
            self._compiled[path, name] = _Response(self._document, response, own, self._name)
        return self._compiled[path, name]


@cache
def responses() -> Responses:
    """The responses of the installed document."""
    return Responses(spec.document(), constraints())


def validate_response(path: str, status: int, headers: Mapping[str, str] | None, body: Any) -> tuple[Mismatch, ...]:
    """What of a response does not fit the installed document; see `Responses.validate`.

    Raises SpecificationError where the document's schema for it is none.
    """
    try:
        return responses().validate(path, status, headers, body)
    except ValueError as error:
        where = f"/paths/{path.replace('/', '~1')}/post/responses"
        raise spec.SpecificationError(where, first_line(error)) from error


def unexplained(mismatches: Iterable[Mismatch], pointers: Iterable[str]) -> Iterator[Mismatch]:
    """The mismatches of which nothing at `pointers` speaks, neither there nor within nor around; one a place."""
    known = [f"{pointer}/" for pointer in pointers]
    for mismatch in mismatches:
        place = f"{mismatch.pointer}/"
        if not any(place.startswith(one) or one.startswith(place) for one in known):
            known.append(place)
            yield mismatch


class _Response:
    """One response of the document: a schema for the headers and the body together."""

    def __init__(
        self, document: Mapping[str, Any], response: Mapping[str, Any], found: list[Constraint], name: str
    ) -> None:
        content = response.get("content", {})
        described: Mapping[str, Any] = next((one for media, one in content.items() if "json" in media), {})
        headers = {
            name.lower(): follow(document, "", header)[1] for name, header in response.get("headers", {}).items()
        }
        self._numbers = {
            name
            for name, header in headers.items()
            if follow(document, "", header.get("schema", {}))[1].get("type") in ("integer", "number")
        }
        self._counts = [
            (name, _least_count(follow(document, "", header.get("schema", {}))[1])) for name, header in headers.items()
        ]
        self._body = self._compiled(document, described.get("schema", {}))
        self._header_validator = self._compiled(
            document,
            {
                "properties": {name: header.get("schema", {}) for name, header in headers.items()},
                "required": [name for name, header in headers.items() if header.get("required")],
            },
        )
        self._names = tuple(headers)
        self._constraints = found
        self._name = name
        self._required = [
            (one.place, one.value)
            for one in found
            if one.kind == "required" and one.header is None and not one.alternatives
        ]

    @staticmethod
    def _compiled(document: Mapping[str, Any], schema: Any) -> jsonschema_rs.Validator:
        root = {"allOf": [schema], "components": document.get("components", {}), "paths": document.get("paths", {})}
        return jsonschema_rs.Draft202012Validator(root, formats=dict(_FORMATS), validate_formats=True, offline=True)

    def fits(self, headers: Mapping[str, str] | None, body: Any) -> bool:
        """Whether the response fits. What the validator cannot take in is not held against the server."""
        try:
            return self._headers_fit(headers) and self._body.is_valid(body)
        except (ValueError, UnicodeError, OverflowError, RecursionError):
            return True

    def _headers_fit(self, headers: Mapping[str, str] | None) -> bool:
        """Whether the headers fit. Where all are whole numbers, as they mostly are, it takes no validator to see it."""
        if headers is None:
            return True
        for name, least in self._counts:
            number = whole_number(headers.get(name))
            if number is None or least is None or number < least:
                return bool(self._header_validator.is_valid(self._values(headers)))
        return True

    def _body_errors(self, body: Any) -> list[Any]:
        """What the validator finds; nothing where it cannot read the body, such as one with lone surrogates."""
        try:
            return list(self._body.iter_errors(body))
        except (ValueError, UnicodeError, OverflowError, RecursionError):
            return []

    def mismatches(self, headers: Mapping[str, str] | None, body: Any) -> Iterator[Mismatch]:
        for error in self._header_validator.iter_errors(self._values(headers)) if headers is not None else ():
            name = str(getattr(error.kind, "property", None) or error.instance_path[0])
            clause = next((one.clause for one in self._constraints if (one.header or "").lower() == name), None)
            yield self._mismatch(error, f"{_HEADERS}/{name}", clause, name)
        for error in self._body_errors(body):
            place = _place(error.instance_path)
            missing = getattr(error.kind, "property", None) if error.evaluation_path[-1] == "required" else None
            if missing is None and self._is_left_out(error):
                continue
            pointer = _pointer(error.instance_path) + (f"/{_escaped(missing)}" if missing is not None else "")
            yield self._mismatch(error, f"{_BODY}{pointer}", self._clause(error, place, missing), pointer or "the body")

    def _mismatch(self, error: Any, pointer: str, clause: str | None, what: str) -> Mismatch:
        present = error.evaluation_path[-1] != "required"
        message = f"{what} does not fit {self._name}: {error.message[:200]}"
        keyword = str(error.evaluation_path[-1])
        expected = {keyword: getattr(error.kind, "value", None)}
        return Mismatch(clause or SCHEMA_CLAUSE, pointer, message, expected, error.instance, present)

    def _values(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """The headers of which the document speaks, numbers as numbers."""
        values: dict[str, Any] = {}
        for name in self._names:
            text = headers.get(name)
            if text is not None:
                number = whole_number(text) if name in self._numbers else None
                values[name] = text if number is None else number
        return values

    def _is_left_out(self, error: Any) -> bool:
        """Whether a null or empty value stands where nothing has to."""
        steps = error.instance_path
        empty = error.instance is None or error.instance in ([], {}, "")
        if not (empty and steps and isinstance(steps[-1], str)):
            return False
        around = _place(steps[:-1])
        return not any(name == steps[-1] and _matches(place, around) for place, name in self._required)

    def _clause(self, error: Any, place: str, missing: str | None) -> str | None:
        pointer = _pointer(error.schema_path)
        for one in self._constraints:
            same = one.pointer.startswith(f"{pointer}/") and one.value == missing if missing else one.pointer == pointer
            if same and one.header is None and _matches(one.place, place):
                return one.clause
        return None


def _matches(template: str, place: str) -> bool:
    """Whether a place of a constraint is this one."""
    steps, wanted = place.split("/"), template.split("/")
    return len(steps) == len(wanted) and all(one in (MEMBER, step) for one, step in zip(wanted, steps, strict=True))


def _place(steps: Iterable[str | int]) -> str:
    return "".join(f"/{ITEM if isinstance(step, int) else _escaped(step)}" for step in steps)


def _pointer(steps: Iterable[str | int]) -> str:
    return "".join(f"/{_escaped(str(step))}" for step in steps)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _least_count(schema: Mapping[str, Any]) -> int | None:
    """The least of the whole numbers that the schema of a header stands for; None where it says something else."""
    plain = schema.get("type") == "integer" and schema.keys() <= _OF_COUNTS
    return schema.get("minimum", 0) if plain else None


def _is_shown_time(text: str) -> bool:
    """Format `date-time` in responses: any form of ISO 8601 (ambiguity 11), not only that of RFC 3339."""
    time = read_time(text)
    return text == text.strip() and time.instant is not None and time.certainty is not Certainty.NOT


_FORMATS: Final = {"date-time": _is_shown_time}
