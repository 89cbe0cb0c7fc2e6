"""What the faultless mock does under the default interpretations: gate, intake, state, neighbours."""

from __future__ import annotations

from typing import Any

import pytest
from mock_harness import DELETE, EXPORT, START, SYNC, TIME, TRACK, Harness, entry, errors, head, purchase_of, value

from tracksync.mock import MockConfig

ALIAS = {"alias_name": "n", "alias_label": "l"}


# --- gate -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", ["Bearer wrong", 'Bearer "mock-key"', "Basic mock-key", "mock-key", "Bearer mock-key "])
def test_an_invalid_key_is_answered_401_with_the_key_in_the_message_and_empty_headers(key: str) -> None:
    response = Harness().send({"attributes": [{"external_id": "u1"}]}, key=key)
    sent = key.removeprefix("Bearer ")
    assert (response.status, value(response)) == (401, {"message": f"Invalid API key: {sent}"})
    assert head(response, "x-ratelimit-limit") == head(response, "x-ratelimit-reset") == ""


def test_a_missing_key_is_answered_401() -> None:
    assert Harness().send({}, key=None).status == 401


@pytest.mark.parametrize("path", [SYNC, TRACK, DELETE, EXPORT])
def test_a_key_without_the_permission_is_answered_403(path: str) -> None:
    assert Harness().send({}, path, key="Bearer mock-key-without-permission").status == 403


@pytest.mark.parametrize("path", ["/users/track/sync/", "/users/track/Sync", "/", "/users", "/users/track/sync2"])
def test_a_wrong_url_is_answered_404(path: str) -> None:
    assert Harness().send({}, path).status == 404


def test_a_query_is_no_part_of_the_path() -> None:
    assert Harness().send({"attributes": [{"external_id": "u", "a": 1}]}, SYNC + "?x=1").status == 201


def test_the_window_counts_down_to_the_end_of_the_clock_minute_and_begins_anew() -> None:
    harness = Harness(rate_limit=2)
    harness.now = START + 7.5
    first, second, third = (harness.attributes(a=1) for _ in range(3))
    assert [response.status for response in (first, second, third)] == [201, 201, 429]
    assert [head(response, "x-ratelimit-remaining") for response in (first, second, third)] == ["1", "0", "0"]
    assert head(first, "x-ratelimit-reset") == str(int(START) + 60)
    assert head(first, "x-ratelimit-limit") == "2"
    harness.now = START + 60
    assert harness.attributes(a=1).status == 201


def test_each_response_has_an_id_of_its_own() -> None:
    harness = Harness()
    assert head(harness.attributes(a=1), "x-request-id") != head(harness.attributes(a=1), "x-request-id")


# --- refusals ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"{'a':1}", b'{"attributes":[{}],}', b"\xff"])
def test_a_body_that_is_not_a_json_object_is_refused(body: bytes) -> None:
    assert errors(Harness().send(body))


NO_USER: list[dict[str, Any]] = [{}, {"external_id": None}, {"external_id": ""}]
WRONG_IN_PURCHASES: list[dict[str, Any]] = [
    {"currency": "XYZ"},
    {"currency": 840},
    {"price": {}},
    {"price": True},
    {"price": "much"},
    {"quantity": 101},
    {"quantity": 1.5},
    {"quantity": []},
    {"quantity": 0},
    {"time": "soon"},
    {"properties": "p"},
    {"product_id": {}},
]
BROKEN: list[tuple[str, dict[str, Any]]] = [
    *(("attributes", item | {"a": 1}) for item in NO_USER),
    ("attributes", {"external_id": {}}),
    ("attributes", {"external_id": True}),
    ("attributes", {"external_id": "u", "_update_existing_only": "true"}),
    ("attributes", {"user_alias": {"alias_name": "n"}}),
    ("attributes", {"user_alias": {"alias_label": "l"}}),
    ("attributes", {"user_alias": "n"}),
    ("attributes", {"email": "no address"}),
    ("attributes", {"external_id": "u", "email": "no address"}),
    ("attributes", {"external_id": "u", "push_token_import": True, "push_tokens": [{"app_id": "a", "token": "t"}]}),
    ("events", {"external_id": "u", "time": TIME}),
    ("events", {"external_id": "u", "name": "", "time": TIME}),
    ("events", {"external_id": "u", "name": [], "time": TIME}),
    ("events", {"external_id": "u", "name": "e"}),
    ("events", {"external_id": "u", "name": "e", "time": "yesterday"}),
    ("events", {"external_id": "u", "name": "e", "time": 1670350845}),
    ("events", {"external_id": "u", "name": "e", "time": TIME, "properties": []}),
    ("events", {"external_id": "u", "name": "e", "time": TIME, "properties": {"time": 1}}),
    ("events", {"external_id": "u", "name": "e", "time": TIME, "properties": {"event_name": 1}}),
    *(
        ("purchases", {name: item for name, item in purchase_of().items() if name != left})
        for left in ("external_id", "product_id", "currency", "price", "time")
    ),
    *(("purchases", purchase_of() | wrong) for wrong in WRONG_IN_PURCHASES),
]


@pytest.mark.parametrize(("section", "item"), BROKEN)
def test_an_invalid_object_is_refused_with_its_section_and_index_and_changes_nothing(
    section: str, item: dict[str, Any]
) -> None:
    harness = Harness()
    assert {(one["input_array"], one["index"]) for one in errors(harness.send({section: [item]}))} == {(section, 0)}
    assert len(harness.app.store) == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"partner": "x"},
        {"attributes": []},
        {"attributes": None},
        {"attributes": [{"external_id": "u", "a": 1}, {"external_id": "v", "a": 1}]},
        {"attributes": [{"external_id": "u", "a": 1}], "events": [{"external_id": "u", "name": "e", "time": TIME}]},
        {"attributes": "x"},
        {"attributes": ["x"]},
    ],
)
def test_anything_but_one_object_is_refused(body: Any) -> None:
    harness = Harness()
    assert errors(harness.send(body))
    assert len(harness.app.store) == 0


# --- identity ---------------------------------------------------------------------------------------------------
def test_a_profile_is_found_by_each_of_its_identifiers() -> None:
    harness = Harness()
    harness.attributes("u1", email="a@example.com", phone="+15555550100", n=1)
    braze_id = harness.stored()["braze_id"]
    for item in ({"email": "a@example.com"}, {"phone": "+15555550100"}, {"braze_id": braze_id}):
        assert entry(harness.send({"attributes": [item | {"n": {"inc": 1}}]})) | {"custom_attributes": 0} == item | {
            "custom_attributes": 0
        }
    assert harness.stored()["custom_attributes"] == {"n": 4}
    assert len(harness.app.store) == 1


def test_an_email_finds_the_most_recently_updated_profile_with_an_external_id() -> None:
    harness = Harness()
    mail = {"email": "a@example.com"}
    harness.attributes("old", **mail, name="old")
    harness.attributes("new", **mail, name="new")
    harness.send({"attributes": [{"user_alias": ALIAS, "_update_existing_only": False, **mail, "name": "alias"}]})
    harness.send({"attributes": [mail | {"hit": 1}]})
    assert "hit" in harness.stored("new")["custom_attributes"]
    harness.attributes("old", name="old again")
    harness.send({"attributes": [mail | {"hit": 2}]})
    assert harness.stored("old")["custom_attributes"] == {"name": "old again", "hit": 2}


def test_without_an_external_id_the_most_recently_updated_profile_is_found() -> None:
    harness = Harness()
    mail = {"email": "a@example.com"}
    for name in ("n1", "n2"):
        alias = {"alias_name": name, "alias_label": "l"}
        harness.send({"attributes": [{"user_alias": alias, "_update_existing_only": False, **mail}]})
    harness.send({"attributes": [mail | {"hit": 1}]})
    profile = harness.app.state_of("user_alias", ("l", "n2"))
    assert profile is not None
    assert profile["custom_attributes"] == {"hit": 1}


def test_email_leads_over_phone() -> None:
    harness = Harness()
    both = {"email": "a@example.com", "phone": "+15555550100"}
    assert entry(harness.send({"events": [both | {"name": "e", "time": TIME}]}))["email"] == both["email"]
    assert harness.app.state_of("phone", both["phone"]) is None


@pytest.mark.parametrize(
    "item",
    [
        {"external_id": "u", "_update_existing_only": True},
        {"email": "a@example.com", "_update_existing_only": True},
        {"phone": "+15555550100", "_update_existing_only": True},
        {"user_alias": ALIAS},
        {"user_alias": ALIAS, "_update_existing_only": True},
        {"braze_id": "0123456789abcdef01234567"},
        {"braze_id": "0123456789abcdef01234567", "_update_existing_only": False},
    ],
)
def test_update_only_finds_no_user_and_creates_no_user(item: dict[str, Any]) -> None:
    harness = Harness()
    for body in (
        {"attributes": [item | {"a": 1}]},
        {"events": [item | {"name": "e", "time": TIME}]},
        {"purchases": [{"product_id": "p", "currency": "USD", "price": 1, "time": TIME} | item]},
    ):
        response = harness.send(body)
        assert (response.status, value(response)) == (201, {"users": [], "message": "success"})
    assert len(harness.app.store) == 0


def test_an_alias_under_another_label_is_another_user() -> None:
    harness = Harness()
    for label in ("l1", "l2"):
        alias = {"alias_name": "n", "alias_label": label}
        harness.send({"attributes": [{"user_alias": alias, "_update_existing_only": False, "label": label}]})
    assert len(harness.app.store) == 2


def test_spellings_are_different_things() -> None:
    harness = Harness()
    for user in ("u", "U", " u", "u "):
        harness.attributes(user, **{"a": 1, "A": 2, " a": 3})
    assert len(harness.app.store) == 4
    assert harness.stored("u")["custom_attributes"] == {"a": 1, "A": 2, " a": 3}


# --- attributes -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "sent",
    ["", " x ", "é", "e\u0301", "🎉", "\x00", "\u202e", True, False, 0, -1, 2**53 + 1, 2**63 - 1, 0.1, 1e-7, [], {}],
)
def test_a_value_is_stored_and_shown_as_it_was_sent(sent: Any) -> None:
    harness = Harness()
    shown = harness.shown(a=sent)["a"]
    assert (type(shown), shown) == (type(sent), sent)
    assert harness.stored()["custom_attributes"]["a"] == sent


def test_a_string_over_255_characters_is_not_applied_and_keeps_nothing_else_from_it() -> None:
    harness = Harness()
    assert harness.shown(a="x" * 255, b=1) == {"a": "x" * 255, "b": 1}
    assert harness.shown(a="y" * 256, b=2) == {"a": "x" * 255, "b": 2}
    assert harness.shown(new="y" * 256, b=3) == {"b": 3}


def test_null_removes() -> None:
    harness = Harness()
    harness.attributes(a=1, b=2)
    assert harness.shown(a=None) == {"a": None}
    assert harness.stored()["custom_attributes"] == {"b": 2}


def test_inc_counts_up_and_down_and_leaves_other_things_alone() -> None:
    harness = Harness()
    harness.attributes(n=16.0, s="x")
    assert harness.shown(n={"inc": 5})["n"] == 21
    assert harness.shown(n={"inc": -30})["n"] == -9
    assert harness.shown(s={"inc": 1}) == {"s": "x"}
    assert harness.shown(big={"inc": 2**63}) == {"big": 2**63}


def test_arrays_are_set_edited_and_limited() -> None:
    harness = Harness(array_limit=3)
    assert harness.shown(a=["b", "a", 1])["a"] == ["b", "a", 1]
    assert harness.shown(a={"add": ["b"]})["a"] == ["a", 1, "b"]
    assert harness.shown(a={"add": ["c"]})["a"] == ["a", 1, "b"]
    assert harness.shown(a={"add": ["c"], "remove": ["a", "nowhere"]})["a"] == [1, "b", "c"]
    assert harness.shown(a={"remove": [1, "b", "c"]})["a"] == []
    assert harness.shown(none={"remove": [1]}) == {}


def test_objects_are_replaced_or_merged_and_dropped_when_invalid() -> None:
    harness = Harness()
    harness.attributes(o={"a": {"b": 1, "c": 2}, "d": 3})
    assert harness.shown(o={"a": {"b": 9}}, _merge_objects=True)["o"] == {"a": {"b": 9, "c": 2}, "d": 3}
    for invalid in ({"x": None}, {"a": {"x": {"$time": "soon"}}}, {"x": {"$time": "3001-01-01"}}, {"x.y": 1}):
        assert harness.shown(o=invalid)["o"] == {"a": {"b": 9, "c": 2}, "d": 3}
    assert harness.shown(o={"a": {"b": 1}})["o"] == {"a": {"b": 1}}


def test_arrays_of_objects_are_added_to_updated_and_removed_from() -> None:
    harness = Harness()
    harness.attributes(pets=[{"id": 1, "name": "Rex"}, {"id": 2}])
    harness.attributes(pets={"$add": [{"id": 3}]})
    changes = [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"age": 5}}]
    merged = harness.shown(pets={"$update": changes}, _merge_objects=True)["pets"]
    assert merged == [{"id": 1, "name": "Rex", "age": 5}, {"id": 2}, {"id": 3}]
    gone = [{"$identifier_key": "id", "$identifier_value": 2}]
    assert harness.shown(pets={"$remove": gone})["pets"] == [merged[0], {"id": 3}]
    assert len(harness.shown(many=[{"id": n} for n in range(600)])["many"]) == 600


def test_profile_fields_are_accepted_and_not_shown() -> None:
    harness = Harness()
    assert harness.shown(first_name="A", gender="F", dob="1980-01-01", country="DE", a=1) == {"a": 1}
    assert harness.stored()["first_name"] == "A"


# --- events and purchases ---------------------------------------------------------------------------------------
def test_events_count_and_keep_the_earliest_and_latest_time() -> None:
    harness = Harness()
    harness.event(time="2022-06-01T00:00:00")
    harness.event(time="2021-06-01T00:00:00+02:00")
    last = entry(harness.event(time="2021-12-01T00:00:00Z"))["custom_events"]
    assert last == [{"name": "e", "first": "2021-05-31T22:00:00.000Z", "last": "2022-06-01T00:00:00.000Z", "count": 3}]


def test_the_future_is_recorded_as_now() -> None:
    harness = Harness()
    assert entry(harness.event(time="2999-01-01T00:00:00Z"))["custom_events"][0]["last"] == "2025-06-15T15:07:00.000Z"
    assert (
        entry(harness.purchase(time="2999-01-01T00:00:00Z"))["purchase_events"][0]["first"]
        == "2025-06-15T15:07:00.000Z"
    )


def test_purchases_count_by_quantity_and_take_refunds() -> None:
    harness = Harness()
    assert entry(harness.purchase(quantity=100, price=-5))["purchase_events"][0]["count"] == 100
    assert entry(harness.purchase(price=0))["purchase_events"][0]["count"] == 101


def test_events_purchases_and_attributes_of_one_name_are_apart() -> None:
    harness = Harness()
    harness.attributes(x=1)
    harness.event("x")
    harness.purchase("x")
    profile = harness.stored()
    assert profile["custom_attributes"] == {"x": 1}
    assert [profile["custom_events"][0]["count"], profile["purchases"][0]["count"]] == [1, 1]


# --- the app ----------------------------------------------------------------------------------------------------
def test_the_journal_keeps_the_last_exchanges_and_whether_they_applied() -> None:
    harness = Harness(journal=3)
    harness.attributes(a=1)
    harness.attributes(a="x" * 256)
    harness.send({})
    harness.event()
    assert [(one.applied, one.response and one.response.status) for one in harness.app.journal] == [
        (False, 201),
        (False, 400),
        (True, 201),
    ]


def test_reset_forgets_everything() -> None:
    harness = Harness(journal=1)
    harness.attributes(a=1)
    harness.app.reset()
    assert harness.app.state_of("external_id", "u1") is None
    assert not harness.app.journal
    assert head(harness.attributes(a=1), "x-ratelimit-remaining") == "499"


def test_two_mocks_with_one_seed_respond_alike() -> None:
    def run() -> list[bytes]:
        harness = Harness(seed=7)
        harness.send({"attributes": [{"external_id": "u1", "list": {"add": [n]}} for n in range(20)]}, TRACK)
        harness.now += 1
        return [harness.attributes(a=1).body, harness.send({"external_ids": ["u1"]}, EXPORT).body]

    assert run() == run()


@pytest.mark.parametrize(
    "wrong",
    [
        {"interpretations": {"no-such-ambiguity": "x"}},
        {"interpretations": {"no-user": "x"}},
        {"rate_limit": 0},
        {"async_delay": -1},
        {"key": "k", "unprivileged_key": "k"},
    ],
)
def test_a_wrong_configuration_is_named_early(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        MockConfig(**wrong)


def test_the_key_is_not_in_the_words_for_a_config() -> None:
    assert "secret" not in repr(MockConfig(key="secret-1", unprivileged_key="secret-2"))
