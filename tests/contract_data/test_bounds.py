"""The bounds come from the document, whole and typed."""

from __future__ import annotations

import msgspec
import pytest

from tracksync.contract import spec
from tracksync.contract.bounds import DELETE, EXPORT, SYNC, TRACK, Documented, bounds, read_bounds


def test_the_documented_numbers_are_read() -> None:
    found = bounds()
    assert found.requests_per_minute == {SYNC: 500, DELETE: 20_000, EXPORT: 250}
    assert found.array_elements.values == (25, 100, 500)
    assert (found.text_characters, found.nested_characters, found.product_id_characters) == (255, 255, 255)
    assert (found.quantity_min, found.quantity_max) == (1, 100)
    assert found.properties_count == 256
    assert (found.track_objects, found.delete_identifiers) == (75, 50)
    assert found.date_years == (0, 3000)


def test_a_bound_that_can_be_read_in_two_ways_has_a_least_and_a_most() -> None:
    found = bounds()
    assert (found.object_bytes.least, found.object_bytes.most) == (100_000, 102_400)
    assert (found.body_bytes.least, found.body_bytes.most) == (4_000_000, 4_194_304)
    assert (found.properties_bytes.least, found.properties_bytes.most) == (50_000, 102_400)


def test_the_names_are_read() -> None:
    found = bounds()
    assert found.sections == ("attributes", "events", "purchases")
    assert found.identifiers == ("external_id", "user_alias", "braze_id", "email", "phone")
    assert found.profile_identifiers == ("external_id", "user_alias", "braze_id")
    assert found.contacts == ("email", "phone")
    assert found.control_keys == {"_update_existing_only", "_merge_objects", "push_token_import"}
    assert found.reserved_properties == {"time", "event_name"}
    assert found.required_members["purchases"] == ("product_id", "currency", "price", "time")
    assert {"dob", "time_zone", "external_id", "twitter"} <= found.profile_fields
    assert not found.profile_fields & found.control_keys


def test_another_document_gives_other_bounds() -> None:
    document = spec.load()
    schemas = document["components"]["schemas"]
    schemas["Purchase"]["properties"]["quantity"]["maximum"] = 50
    schemas["PropertyName"]["not"]["enum"].append("secret")
    schemas["CustomArray"]["x-max-elements"] = [10]
    found = read_bounds(document)
    assert found.quantity_max == 50
    assert "secret" in found.reserved_properties
    assert found.array_elements == Documented((10,))
    assert bounds().quantity_max == 100


@pytest.mark.parametrize("path", [SYNC, TRACK, DELETE, EXPORT])
def test_the_paths_are_those_of_the_document(path: str) -> None:
    assert path in spec.document()["paths"]


def test_bounds_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        bounds().quantity_max = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        bounds().requests_per_minute[SYNC] = 5  # type: ignore[index]
    assert msgspec.structs.asdict(bounds())["quantity_max"] == 100
