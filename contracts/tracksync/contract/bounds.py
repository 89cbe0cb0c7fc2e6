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
    """The bounds of any document that has the shape of ours. Raises KeyError where one is missing."""
    schemas = document["components"]["schemas"]
    object_bytes = Documented(tuple(schemas["CustomObject"]["x-max-bytes"]))
    years = (schemas["CustomText"]["x-years"][0], schemas["CustomText"]["x-years"][1])
    event, purchase, attributes = schemas["Event"], schemas["Purchase"], schemas["UserAttributes"]
    sections = tuple(_resolved(document, one)["required"][0] for one in schemas["SyncRequest"]["oneOf"])
    identifiers = tuple(one["required"][0] for one in attributes["allOf"][0]["anyOf"])
    profile_identifiers = tuple(one["required"][0] for one in event["allOf"][0]["oneOf"] if "required" in one)
    control = frozenset(attributes["not"]["anyOf"][0]["propertyNames"]["enum"]) - set(identifiers)
    objects = dict(zip(sections, (attributes, event, purchase), strict=True))
    return Bounds(
        requests_per_minute=MappingProxyType(
            {
                path: item["post"]["x-rate-limit"]
                for path, item in document["paths"].items()
                if "x-rate-limit" in item["post"]
            }
        ),
        body_bytes=Documented(tuple(schemas["SyncRequest"]["x-max-bytes"])),
        body_depth=schemas["SyncRequest"]["x-max-depth"],
        text_characters=schemas["CustomText"]["x-max-length"],
        nested_characters=schemas["NestedText"]["maxLength"],
        attribute_name_characters=schemas["AttributeName"]["maxLength"],
        identifier_characters=schemas["ExternalId"]["maxLength"],
        event_name_characters=event["properties"]["name"]["maxLength"],
        product_id_characters=purchase["properties"]["product_id"]["maxLength"],
        property_name_characters=schemas["PropertyName"]["maxLength"],
        array_elements=Documented(tuple(schemas["CustomArray"]["x-max-elements"])),
        object_bytes=object_bytes,
        object_limits=ObjectLimits(schemas["NestedText"]["maxLength"], object_bytes.least, object_bytes.most, years),
        properties_bytes=Documented(tuple(schemas["Properties"]["x-max-bytes"])),
        properties_count=schemas["Properties"]["x-max-distinct-properties"],
        quantity_min=purchase["properties"]["quantity"]["minimum"],
        quantity_max=purchase["properties"]["quantity"]["maximum"],
        date_years=years,
        track_objects=schemas["TrackRequest"]["x-max-batch"],
        delete_identifiers=schemas["DeleteByExternalId"]["properties"]["external_ids"]["maxItems"],
        sections=sections,
        identifiers=identifiers,
        profile_identifiers=profile_identifiers,
        contacts=tuple(kind for kind in identifiers if kind not in profile_identifiers),
        control_keys=control,
        naming_keys=control | set(identifiers),
        profile_fields=frozenset(attributes["properties"]) - control,
        plain_profile_fields=frozenset(attributes["properties"]) - control - set(identifiers),
        object_members=MappingProxyType({name: frozenset(one["properties"]) for name, one in objects.items()}),
        older_fields=frozenset(
            name for name, one in attributes["properties"].items() if one.get("x-open") == "older-field"
        ),
        required_members=MappingProxyType({name: tuple(one.get("required", ())) for name, one in objects.items()}),
        reserved_properties=frozenset(schemas["PropertyName"]["not"]["enum"]),
        currencies=frozenset(schemas["Currency"]["enum"]),
    )


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = spec.at(document, schema["$ref"])
    return schema


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
