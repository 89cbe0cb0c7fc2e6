"""/users/track, /users/delete and /users/export/ids in the mock."""

from __future__ import annotations

from mock_harness import DELETE, EXPORT, TIME, TRACK, Harness, errors, value

ALIAS = {"alias_name": "n", "alias_label": "l"}


def test_track_responds_at_once_and_applies_later_not_in_order() -> None:
    harness = Harness(async_delay=1.0)
    items = [{"external_id": "u1", "list": {"add": [n]}} for n in range(75)]
    assert value(harness.send({"attributes": items}, TRACK)) == {"attributes_processed": 75, "message": "success"}
    assert harness.app.state_of("external_id", "u1") is None
    harness.now += 2
    applied = harness.stored()["custom_attributes"]["list"]
    assert sorted(applied) == list(range(75))
    assert applied != list(range(75))


def test_track_refuses_76_objects_and_accepts_a_batch_in_part() -> None:
    harness = Harness()
    assert harness.send({"attributes": [{"external_id": "u", "a": n} for n in range(76)]}, TRACK).status == 400
    batch = {"attributes": [{"external_id": "u", "a": 1}], "events": [{"external_id": "u"}], "purchases": []}
    response = harness.send(batch, TRACK)
    assert response.status == 201
    assert [(one["input_array"], one["index"]) for one in value(response)["errors"]] == [("events", 0)]


def test_delete_counts_and_deletes_later() -> None:
    harness = Harness()
    harness.attributes("u1", a=1)
    assert value(harness.send({"external_ids": ["u1", "unknown"]}, DELETE)) == {"deleted": 1, "message": "success"}
    harness.now += 1
    assert harness.app.state_of("external_id", "u1") is None
    assert errors(harness.send({"external_ids": ["u"] * 51}, DELETE))
    assert errors(harness.send({"email_addresses": ["a@example.com"]}, DELETE))
    assert errors(harness.send({}, DELETE))


def test_export_shows_the_profile_and_names_the_unknown() -> None:
    harness = Harness()
    harness.attributes("u1", a=1)
    harness.event("e")
    harness.purchase("p", quantity=2)
    body = value(
        harness.send({"external_ids": ["u1", "x"], "fields_to_export": ["custom_attributes", "purchases"]}, EXPORT)
    )
    assert body["invalid_user_ids"] == ["x"]
    moment = "2022-12-06T18:20:45.000Z"
    assert body["users"] == [
        {
            "custom_attributes": {"a": 1},
            "purchases": [{"name": "p", "first": moment, "last": moment, "count": 2}],
        }
    ]
    full = value(harness.send({"external_ids": ["u1"]}, EXPORT))["users"][0]
    assert full["custom_events"] == [{"name": "e", "first": moment, "last": moment, "count": 1}]
    assert full["external_id"] == "u1"


def test_track_says_how_many_objects_of_each_section_it_processed() -> None:
    attributes, event = {"external_id": "u", "a": 1}, {"external_id": "u", "name": "e", "time": TIME}
    response = Harness().send({"attributes": [attributes, attributes], "events": [event, {}], "purchases": []}, TRACK)
    body = value(response)
    assert {name: body[name] for name in body if name.endswith("_processed")} == {
        "attributes_processed": 2,
        "events_processed": 1,
    }


def test_delete_takes_fifty_identifiers_and_no_more() -> None:
    harness = Harness()
    assert harness.send({"external_ids": [f"u{n}" for n in range(50)]}, DELETE).status == 200
    assert harness.send({"external_ids": [f"u{n}" for n in range(51)]}, DELETE).status == 400
