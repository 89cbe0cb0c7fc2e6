"""Requests that are odd in one way each: attributes, and the other endpoints; see `odd_requests`."""

from __future__ import annotations

from odd_requests import (
    ALIAS,
    ASTRAL,
    DELETE,
    EVENT,
    EXPORT,
    GOOD,
    LONG,
    OBJECT_BYTES,
    PURCHASE,
    TIME,
    TRACK,
    Odd,
    attributes,
    media,
    of_size,
)

from tracksync.model.exchange import Credential

ATTRIBUTES = (
    attributes("one", {"a": 1}),
    attributes("none", {}),
    attributes("none, and to be merged", {"_merge_objects": True}),
    attributes("only an email", {"email": "e@example.com"}),
    attributes("only an email, of a phone", {"email": "e@example.com"}, external_id=..., phone="+12025550100"),
    attributes("only an email, of an alias", {"email": "e@example.com"}, external_id=..., user_alias=ALIAS),
    attributes("only a phone, of a braze_id", {"phone": "+12025550100"}, external_id=..., braze_id="b"),
    attributes("only an email that is null", {"email": None}),
    attributes("only a first name", {"first_name": "Ada"}),
    *(
        attributes(f"the name {name[:20]!r}", {name: 1})
        for name in ("", " ", "$a", "a$", "a.b", LONG[1:], LONG, "a\0", "Email", "first_name ")
    ),
    *(
        attributes(f"the value {str(value)[:30]!r}", {"a": value})
        for value in ("x\0", 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, True, None, 1e308, LONG)
    ),
    *(
        attributes(f"_merge_objects is {value!r}", {"a": {"b": 1}, "_merge_objects": value})
        for value in (True, None, 1)
    ),
    attributes("push_token_import", {"a": 1, "push_token_import": True}),
    *(
        attributes(f"the array {str(value)[:40]}", {"a": value})
        for value in (
            *([], [1, "x", True, 1.5], [None], [[1]], [1, {}], [LONG], [LONG[1:]], [ASTRAL], ["a\0"]),
            *([2**63 - 1], [2**63], [-(2**63)], [{}], [{"a": 1}], [{"a.b": 1}], [{"a": None}], [{"": 1}]),
        )
    ),
    *(
        attributes(f"the edit {str(value)[:70]}", {"a": value})
        for value in (
            *({"inc": 1}, {"inc": 1.5}, {"inc": "1"}, {"inc": True}, {"inc": 2**63}, {"inc": 1, "add": [1]}),
            *({"add": [1]}, {"add": 1}, {"add": [None]}, {"add": [1], "remove": [2]}, {"remove": ["x"]}),
            *({"add": [1], "remove": 2}, {"add": [1], "more": [2]}, {"inc": 1, "add": [1], "remove": [2]}),
            *({"$add": [{"a": 1}]}, {"$add": {"a": 1}}, {"$add": [1]}, {"$add": [{"a.b": 1}]}, {"$add": [{"a": None}]}),
            *({"$add": [{"": 1}]}, {"$add": [{"a": ASTRAL}]}, {"$add": [], "more": 1}, {"$time": TIME}),
            *({"$time": TIME, "a": 1}, {"$remove": [{"$identifier_key": "id", "$identifier_value": 1}]}),
            {
                "$add": [{"a": 1}],
                "$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"x": 1}}],
                "$remove": [{"$identifier_key": "id", "$identifier_value": 2}],
            },
            {"$remove": [{"$identifier_key": 5, "$identifier_value": 1}]},
            {"$remove": [{"$identifier_key": "id"}]},
            {"$remove": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {}}]},
            {"$update": [{"$identifier_key": "id", "$identifier_value": 1}]},
            {"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"x": 1}}]},
            {"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"x.y": 1}}]},
            {"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"x": None}}]},
        )
    ),
    *(
        attributes(f"the object {str(value)[:40]}", {"a": value})
        for value in (
            *({}, {"b": 1}, {"b": None}, {"b": {"$time": "never"}}, {"b.c": 1}, {"$b": 1}, {"b c": 1}, {LONG: 1}),
            *({"b": LONG}, {"b": ASTRAL}, {"": 1}, {"b": "x\0"}, {"b": {"$time": "2024-01-01"}}, {"b": {"$time": 5}}),
            *(of_size(100_001), of_size(OBJECT_BYTES), of_size(OBJECT_BYTES + 1)),
        )
    ),
    *(
        attributes(f"{key} is {value!r}", {key: value})
        for key, values in {
            "country": ("DE", "de", "DEU", "D", 5, None),
            "language": ("de", "DE", "deu", 5),
            "dob": ("1980-12-21", "1780-12-21", "2080-02-28", "1980-13-01", "1980-00-01", "1980-01-31", "1980-1-1", 5),
            "gender": ("M", "F", "O", "N", "P", "X", "m", None),
            "email_subscribe": ("opted_in", "unsubscribed", "subscribed", "OPTED_IN", "maybe", True),
            "push_subscribe": ("opted_in", "unsubscribed", "subscribed", "SUBSCRIBED", "xsubscribed", True),
            "time_zone": ("Europe/Berlin", "UTC", "Berlin", "utc", "America/New_York", 1),
            "first_name": ("Ada", "", LONG[1:], LONG, 5),
            "last_name": ("Ada", "", LONG[1:], LONG, 5),
            "home_city": ("Ulm", "", LONG[1:], LONG, 5),
            "date_of_first_session": (TIME, "2024-01-01T12:00:00.123Z", "2024-01-01", "x2024-01-01T12:00:00Zx", 5),
            "date_of_last_session": (TIME, "2024-01-01T12:00:00.1Z", "2024-01-01T12:00:00", f"x{TIME}x", 5),
            "email_open_tracking_disabled": (True, False, "true", 1),
            "email_click_tracking_disabled": (True, "true"),
            "subscription_groups": ([],),
            "email": ("e@example.com", None),
            "phone": (None,),
        }.items()
        for value in values
    ),
    *(
        attributes(f"current_location is {value!r}", {"current_location": value})
        for value in (
            {"longitude": 180, "latitude": 90},
            {"longitude": -180.0, "latitude": -90.0},
            {"longitude": 180.1, "latitude": 0},
            {"longitude": 0, "latitude": 90.1},
            {"longitude": 181, "latitude": 91},
            {"longitude": True, "latitude": 0},
            {"longitude": 0, "latitude": "0"},
            {"longitude": 0},
            {"longitude": 0, "latitude": 0, "accuracy": 1},
            [0, 0],
            None,
        )
    ),
)

OTHER_ENDPOINTS = (
    Odd("one event", GOOD, path=TRACK),
    Odd("events and purchases", {"events": [EVENT, EVENT], "purchases": [PURCHASE]}, path=TRACK),
    Odd("75 events", {"events": [EVENT] * 75}, path=TRACK),
    Odd("76 events", {"events": [EVENT] * 75, "purchases": [PURCHASE]}, path=TRACK),
    *(
        Odd(f"events are {str(value)[:40]}", {"events": value}, path=TRACK)
        for value in ([], EVENT, None, 5, [EVENT, 5], [{}], [{**EVENT, "app_id": "a"}])
    ),
    Odd("a bare object beside an array", {"events": [EVENT], "purchases": PURCHASE}, path=TRACK),
    Odd("an array beside a bare object", {"attributes": {"external_id": "u"}, "events": [EVENT]}, path=TRACK),
    Odd("an object that may be invalid", {"events": [EVENT, {**EVENT, "name": " "}]}, path=TRACK),
    Odd("nothing", {}, path=TRACK),
    Odd("not a JSON object", [], path=TRACK),
    *(
        Odd(f"delete {str(body)[:50]}", body, path=DELETE)
        for body in (
            *(
                {"external_ids": ["u"]},
                {"external_ids": ["u"] * 50},
                {"external_ids": ["u"] * 51},
                {"external_ids": []},
            ),
            *({"external_ids": [""]}, {"external_ids": [5]}, {"external_ids": "u"}, {"braze_ids": ["b"]}, {}),
            {"external_ids": ["u"], "braze_ids": ["b"]},
            {"external_ids": ["u"], "why": "x"},
        )
    ),
    *(
        Odd(f"export {str(body)[:60]}", body, path=EXPORT)
        for body in (
            {"external_ids": ["u"]},
            {"external_ids": ["u"], "fields_to_export": ["custom_attributes"]},
            {"external_ids": ["u"], "fields_to_export": "custom_attributes"},
            {"external_ids": ["u"], "fields_to_export": [5]},
            {"external_ids": ["u"], "more": 1},
            {"external_ids": []},
            {"user_aliases": [ALIAS]},
            {},
        )
    ),
    Odd("another endpoint by GET", GOOD, path=TRACK, method="GET"),
    Odd("another endpoint without a key", {"external_ids": ["u"]}, path=DELETE, credential=Credential.MISSING),
    Odd("another endpoint with another content type", GOOD, path=TRACK, headers=media("application/xml")),
)
