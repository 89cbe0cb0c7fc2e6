"""The bounds and names of the contract as typed values, read from the OpenAPI document.

Oracle, generation and client rules take every number and every list of names from here, so that none stands twice.
The mock does not: it states its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Struct

from tracksync.contract import spec
from tracksync.values.objects import ObjectLimits

SYNC: Final = "/users/track/sync"
TRACK: Final = "/users/track"
DELETE: Final = "/users/delete"
EXPORT: Final = "/users/export/ids"
_OBJECTS: Final = ("UserAttributes", "Event", "Purchase")  # the schemas of what the sections hold


class Documented(Struct, frozen=True):
    """A bound that the documents give more than once, or in a unit that has two interpretations.

    Up to `least` every server goes; beyond `most` none does. Between them a server may have any bound.
    """

    values: tuple[int, ...]

    @property
    def least(self) -> int:
        """The bound that every server grants."""
        return self.values[0]

    @property
    def most(self) -> int:
        """The bound beyond which no document goes."""
        return self.values[-1]


class Bounds(Struct, frozen=True):
    """Every bound and name list of the contract. Lengths are in characters, sizes in bytes of UTF-8."""

    requests_per_minute: Mapping[str, int]
    """By path; a path whose limit no document states is absent."""
    body_bytes: Documented
    body_depth: int
    """Levels of arrays and objects that every JSON reader takes."""
    text_characters: int
    """Of a custom text attribute; a longer one is accepted and not applied."""
    nested_characters: int
    """Of a text or key inside an object, an array or properties."""
    attribute_name_characters: int
    identifier_characters: int
    event_name_characters: int
    product_id_characters: int
    property_name_characters: int
    array_elements: Documented
    """Elements of an array attribute: a setting of the workspace."""
    object_bytes: Documented
    object_limits: ObjectLimits
    """The bounds of an object attribute in one, for `values.objects`."""
    properties_bytes: Documented
    properties_count: int
    """Distinct properties of an event or purchase that are kept."""
    quantity_min: int
    quantity_max: int
    date_years: tuple[int, int]
    """Years of a date that a custom text becomes a time in."""
    track_objects: int
    delete_identifiers: int
    sections: tuple[str, ...]
    identifiers: tuple[str, ...]
    profile_identifiers: tuple[str, ...]
    """Identifiers of which each names one profile."""
    contacts: tuple[str, ...]
    """Identifiers that are attributes beside one of `profile_identifiers`."""
    control_keys: frozenset[str]
    naming_keys: frozenset[str]
    """Identifiers and control keys: what is left without them is written."""
    profile_fields: frozenset[str]
    """Members of an attributes object that are not custom attributes: identifiers and fields of the profile."""
    plain_profile_fields: frozenset[str]
    """Profile fields that are not identifiers."""
    object_members: Mapping[str, frozenset[str]]
    """By section, the documented members of its object; of attributes only those that are not custom ones."""
    older_fields: frozenset[str]
    """Fields of the profile on older pages only: to a newer server they are custom attributes."""
    required_members: Mapping[str, tuple[str, ...]]
    reserved_properties: frozenset[str]
    currencies: frozenset[str]

    @property
    def rate_limit(self) -> int:
        """Requests a minute on the synchronous endpoint, unless the workspace has another limit."""
        return self.requests_per_minute[SYNC]


@cache
def bounds() -> Bounds:
    """The bounds of the installed document."""
    return read_bounds(spec.document())


def read_bounds(document: Mapping[str, Any]) -> Bounds:
    """The bounds of any document that has the shape of ours. Raises SpecificationError where one is missing."""

    def at(pointer: str, kind: type[Any]) -> Any:
        return spec.needed(document, pointer, kind)

    def schema(pointer: str, kind: type[Any]) -> Any:
        return at(f"/components/schemas/{pointer}", kind)

    def numbers(pointer: str, *, least: int = 1) -> tuple[int, ...]:
        found = schema(pointer, list)
        for index in range(max(len(found), least)):
            schema(f"{pointer}/{index}", int)
        return tuple(found)

    def first_names(pointer: str) -> list[str | None]:
        """What each alternative requires; None where it is an alternative of others."""
        found = []
        for index in range(len(schema(pointer, list))):
            target, part = _resolved(document, f"/components/schemas/{pointer}/{index}")
            found.append(at(f"{target}/required/0", str) if "anyOf" not in part else None)
        return found

    nested = schema("NestedText/maxLength", int)
    object_bytes = Documented(numbers("CustomObject/x-max-bytes"))
    years = numbers("CustomText/x-years", least=2)[:2]
    sections = tuple(filter(None, first_names("SyncRequest/oneOf")))
    identifiers = tuple(filter(None, first_names("UserAttributes/allOf/0/anyOf")))
    profile_identifiers = tuple(filter(None, first_names("Event/allOf/0/oneOf")))
    control = frozenset(schema("UserAttributes/not/anyOf/0/propertyNames/enum", list)) - set(identifiers)
    objects = dict(zip(sections, _OBJECTS, strict=False))
    if len(sections) != len(_OBJECTS):
        raise spec.SpecificationError(
            "/components/schemas/SyncRequest/oneOf", f"there are not {len(_OBJECTS)} sections"
        )
    members = {name: frozenset(schema(f"{one}/properties", dict)) for name, one in objects.items()}
    attributes = schema("UserAttributes/properties", dict)
    paths = at("/paths", dict)
    limited = [path for path in paths if "x-rate-limit" in at(f"/paths/{_escaped(path)}/post", dict)]
    limits = {path: at(f"/paths/{_escaped(path)}/post/x-rate-limit", int) for path in (SYNC, *limited)}
    return Bounds(
        requests_per_minute=MappingProxyType(limits),
        body_bytes=Documented(numbers("SyncRequest/x-max-bytes")),
        body_depth=schema("SyncRequest/x-max-depth", int),
        text_characters=schema("CustomText/x-max-length", int),
        nested_characters=nested,
        attribute_name_characters=schema("AttributeName/maxLength", int),
        identifier_characters=schema("ExternalId/maxLength", int),
        event_name_characters=schema("Event/properties/name/maxLength", int),
        product_id_characters=schema("Purchase/properties/product_id/maxLength", int),
        property_name_characters=schema("PropertyName/maxLength", int),
        array_elements=Documented(numbers("CustomArray/x-max-elements")),
        object_bytes=object_bytes,
        object_limits=ObjectLimits(nested, object_bytes.least, object_bytes.most, (years[0], years[1])),
        properties_bytes=Documented(numbers("Properties/x-max-bytes")),
        properties_count=schema("Properties/x-max-distinct-properties", int),
        quantity_min=schema("Purchase/properties/quantity/minimum", int),
        quantity_max=schema("Purchase/properties/quantity/maximum", int),
        date_years=(years[0], years[1]),
        track_objects=schema("TrackRequest/x-max-batch", int),
        delete_identifiers=schema("DeleteByExternalId/properties/external_ids/maxItems", int),
        sections=sections,
        identifiers=identifiers,
        profile_identifiers=profile_identifiers,
        contacts=tuple(kind for kind in identifiers if kind not in profile_identifiers),
        control_keys=control,
        naming_keys=control | set(identifiers),
        profile_fields=frozenset(attributes) - control,
        plain_profile_fields=frozenset(attributes) - control - set(identifiers),
        object_members=MappingProxyType(members),
        older_fields=frozenset(
            name
            for name in attributes
            if schema(f"UserAttributes/properties/{name}", dict).get("x-open") == "older-field"
        ),
        required_members=MappingProxyType(
            {name: tuple(schema(one, dict).get("required", ())) for name, one in objects.items()}
        ),
        reserved_properties=frozenset(schema("PropertyName/not/enum", list)),
        currencies=frozenset(schema("Currency/enum", list)),
    )


def _resolved(document: Mapping[str, Any], pointer: str) -> tuple[str, Mapping[str, Any]]:
    """Where the schema at `pointer` stands, references followed, and the schema."""
    found = spec.needed(document, pointer, dict)
    while "$ref" in found:
        pointer = str(found["$ref"]).removeprefix("#")
        found = spec.needed(document, pointer, dict)
    return pointer, found


def _escaped(path: str) -> str:
    return path.replace("/", "~1")


def with_bounds(text: str) -> str:
    """`text` with the numbers that it names in angle brackets, such as `<quantity_max>`. Raises KeyError for others."""
    return _NAMED.sub(lambda name: str(_in_words()[name[1]]), text) if "<" in text else text


@cache
def _in_words() -> Mapping[str, int]:
    """The numbers that sentences may name: the bounds that are one number, and the others as people say them."""
    found = bounds()
    plain = {name: value for name, value in msgspec.structs.asdict(found).items() if type(value) is int}
    return {
        **plain,
        "rate_limit": found.rate_limit,
        "array_elements": found.array_elements.most,
        "first_year": found.date_years[0],
        "last_year": found.date_years[1],
        "object_kilobytes": found.object_bytes.most // 1024,
        "body_megabytes": found.body_bytes.most // 1024**2,
    }


_NAMED: Final = re.compile(r"<([a-z_]+)>")
