"""The mock states the documented limits and names itself, and its statement and the spec say the same."""

from __future__ import annotations

import pytest

from tracksync.contract.bounds import DELETE, SYNC, bounds
from tracksync.mock import limits
from tracksync.mock.limits import CONTROL_KEYS, IDENTIFIERS, PROFILE_FIELDS, attribute_kind


def test_the_mock_and_the_spec_say_the_same() -> None:
    said = bounds()
    assert said.requests_per_minute[SYNC] == limits.RATE_PER_MINUTE
    assert said.requests_per_minute[DELETE] > limits.RATE_PER_MINUTE
    assert said.body_bytes.most == limits.BODY_BYTES
    assert said.object_limits == limits.OBJECT_LIMITS
    assert said.text_characters == limits.STRING_CHARACTERS
    assert said.array_elements.most == limits.ARRAY_MAX
    assert said.property_name_characters == limits.PROPERTY_NAME_CHARACTERS
    assert said.properties_count == limits.PROPERTY_COUNT
    assert said.product_id_characters == limits.PRODUCT_ID_CHARACTERS
    assert said.quantity_max == limits.QUANTITY_MAX
    assert said.track_objects == limits.TRACK_OBJECTS
    assert said.delete_identifiers == limits.DELETE_BATCH
    assert said.sections == limits.SECTIONS
    assert said.identifiers == limits.IDENTIFIERS
    assert said.profile_identifiers == limits.STRONG
    assert said.contacts == limits.CONTACTS
    assert said.control_keys == limits.CONTROL_KEYS
    assert said.profile_fields == limits.PROFILE_FIELDS
    assert said.reserved_properties == limits.RESERVED_PROPERTIES


@pytest.mark.parametrize("key", IDENTIFIERS)
def test_identifiers_are_identifiers_although_some_are_profile_fields_too(key: str) -> None:
    assert attribute_kind(key) == "identifier"


@pytest.mark.parametrize("key", sorted(CONTROL_KEYS))
def test_control_keys_are_control(key: str) -> None:
    assert attribute_kind(key) == "control"


@pytest.mark.parametrize("key", sorted(PROFILE_FIELDS - set(IDENTIFIERS)))
def test_profile_fields_are_profile_in_exactly_their_spelling(key: str) -> None:
    assert attribute_kind(key) == "profile"
    assert attribute_kind(key.upper()) == "custom"
    assert attribute_kind(f"{key} ") == "custom"


@pytest.mark.parametrize("key", ["", "color", "External_ID", "_merge_object", "$add", "gender "])
def test_any_other_key_is_custom(key: str) -> None:
    assert attribute_kind(key) == "custom"
