"""The client check: which requests and which behaviour of a client break which clause, and which do not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from gate_samples import EVENT, JSON, KEY, body, broken, checked, seen
from hypothesis import given
from hypothesis import strategies as st

from tracksync.contract.clauses import Side, catalogue, clause
from tracksync.gate import KeyForm, Observed, read_key
from tracksync.model.exchange import Credential, Request
from tracksync.wire.senders import Sender


def test_the_side_of_a_clause_is_told_by_its_prefix() -> None:
    assert {id_[:3] for id_ in catalogue(Side.CLIENT)} == {"TC-"}
    assert clause("TC-ORDER").side is Side.CLIENT
    assert not catalogue().keys() & catalogue(Side.CLIENT).keys()


@pytest.mark.parametrize(
    "content",
    [
        body(),
        body("events"),
        body("events", properties={"stars": 5, "text": "x" * 255}),
        body("purchases", quantity=100, price=-1),
        body(tags=["a", "b"], shape={"side": 2}, visits={"inc": 1}, cars=[{"id": 1}, {"id": 2}]),
        body(external_id=..., user_alias={"alias_name": "n", "alias_label": "l"}, _update_existing_only=False),
    ],
)
def test_a_request_that_keeps_the_documents_breaks_nothing(content: bytes) -> None:
    assert broken(seen(content), notes=True) == set()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{", "TC-JSON"),
        (b"[]", "TC-JSON"),
        (b"\xef\xbb\xbf" + body(), "TC-JSON"),
        (b'{"attributes":[{"external_id":"u","n":NaN}]}', "TC-JSON"),
        (b"a=b", "TC-JSON"),
        (b"{}", "TC-ONE-OBJECT"),
        (
            json.dumps({"attributes": [{"external_id": "a", "n": 1}, {"external_id": "b", "n": 1}]}).encode(),
            "TC-ONE-OBJECT",
        ),
        (json.dumps({"attributes": [{"external_id": "a", "n": 1}], "events": [EVENT]}).encode(), "TC-ONE-OBJECT"),
        (body(external_id=...), "TC-IDENTIFIER"),
        (body(external_id=..., user_alias={"alias_name": "n"}), "TC-ALIAS"),
        (b'{"attributes":"x"}', "TC-TYPES"),
        (body(_update_existing_only="true"), "TC-TYPES"),
        (body(long="x" * 256), "TC-STRING-LIMIT"),
        (body(long=list(range(501))), "TC-ARRAY-LIMIT"),
        (body(shape={"side": None}), "TC-OBJECT-VALID"),
        (body(shape={"a.b": 1}), "TC-OBJECT-VALID"),
        (body(shape={"at": {"$time": "never"}}), "TC-OBJECT-VALID"),
        (body(shape={f"k{n}": "x" * 250 for n in range(450)}), "TC-OBJECT-SIZE"),
        (body(shape={"text": "x" * 256}), "TC-STRING-LIMIT"),
        (body("events", name=...), "TC-EVENT-NAME"),
        (body("events", time=...), "TC-EVENT-TIME"),
        (body("events", time="yesterday"), "TC-EVENT-TIME"),
        (body("events", time=1_700_000_000), "TC-EVENT-TIME"),
        (body("events", time="1764288000"), "TC-EVENT-TIME"),
        (body("events", time="Sat, 28 Nov 2026 00:39:01 GMT"), "TC-EVENT-TIME"),
        (body("events", properties={"time": 1}), "TC-PROPERTY-RESERVED"),
        (body("events", properties={"$a": 1}), "TC-PROPERTY-NAMES"),
        (body("events", properties={"a": "x" * 256}), "TC-PROPERTY-LIMIT"),
        (body("events", properties={f"p{n}": n for n in range(257)}), "TC-PROPERTY-LIMIT"),
        (body("events", properties=[]), "TC-TYPES"),
        (body("purchases", product_id=...), "TC-PURCHASE-PRODUCT"),
        (body("purchases", product_id="x" * 256), "TC-PURCHASE-PRODUCT"),
        (body("purchases", currency=...), "TC-PURCHASE-CURRENCY"),
        (body("purchases", currency="EURO"), "TC-PURCHASE-CURRENCY"),
        (body("purchases", price="9.50"), "TC-PURCHASE-PRICE"),
        (body("purchases", quantity=101), "TC-PURCHASE-QUANTITY"),
        (body("purchases", quantity="2"), "TC-PURCHASE-QUANTITY"),
        (body("purchases", time=...), "TC-PURCHASE-TIME"),
        (body("purchases", time="28.11.2026 10:00"), "TC-PURCHASE-TIME"),
    ],
)
def test_a_request_is_checked_alone(content: bytes, expected: str) -> None:
    assert broken(seen(content)) == {expected}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"method": "PUT"}, "TC-METHOD"),
        ({"path": "/users/track/sync/"}, "TC-URL"),
        ({"path": "//users/track/sync"}, "TC-URL"),
        ({"path": "/v1/users/track/sync"}, "TC-URL"),
        ({"headers": ()}, "TC-MEDIA"),
        ({"headers": (("Content-Type", "text/plain"),)}, "TC-MEDIA"),
        ({"authorization": None}, "TC-KEY-SENT"),
        ({"authorization": "Bearer another-key"}, "TC-KEY-SENT"),
        ({"authorization": f'Bearer "{KEY}"'}, "TC-KEY-UNQUOTED"),
        ({"authorization": f"'Bearer {KEY}'"}, "TC-KEY-UNQUOTED"),
        ({"authorization": KEY}, "TC-KEY-BEARER"),
        ({"authorization": f"Bearer  {KEY}"}, "TC-KEY-BEARER"),
        ({"authorization": f"Token {KEY}"}, "TC-KEY-BEARER"),
        ({"path": f"/users/track/sync?api_key={KEY}"}, "TC-KEY-HEADER-ONLY"),
        ({"headers": (JSON, ("X-Api-Key", KEY))}, "TC-KEY-HEADER-ONLY"),
        ({"headers": (JSON, ("X-Auth", base64.b64encode(f"key:{KEY}".encode()).decode()))}, "TC-KEY-HEADER-ONLY"),
        ({"content": body(api_key=KEY)}, "TC-KEY-HEADER-ONLY"),
    ],
)
def test_url_header_and_key_are_checked(changed: dict[str, Any], expected: str) -> None:
    assert broken(seen(**changed)) == {expected}


def test_the_key_is_not_in_what_was_observed() -> None:
    assert KEY not in repr(seen())


def test_a_key_without_the_permission_is_a_key() -> None:
    use, credential = read_key(Request("POST", "/", (("Authorization", "Bearer second-key"),)), KEY, "second-key")
    assert (use.form, credential) == (KeyForm.BEARER, Credential.UNPRIVILEGED)


def test_requests_to_other_endpoints_are_checked_for_the_key_alone() -> None:
    assert broken(seen(b"hello", path="/messages/send", headers=())) == set()
    assert broken(seen(b"hello", path="/messages/send", authorization=KEY)) == {"TC-KEY-BEARER"}


def test_a_request_to_users_track_carries_seventy_five_objects() -> None:
    batch = [{"external_id": f"u{n}", "a": 1} for n in range(76)]
    path = "/users/track"
    assert broken(seen(json.dumps({"attributes": batch}).encode(), path=path)) == {"TC-TRACK-BATCH"}
    assert broken(seen(json.dumps({"attributes": batch[:75]}).encode(), path=path)) == set()
    assert broken(seen(b'{"events":[{"name":"e"}]}', path=path)) == {"TC-IDENTIFIER", "TC-EVENT-TIME"}


def test_a_body_of_four_megabytes_is_the_largest() -> None:
    content = body()
    assert broken(seen(content.ljust(4 * 1024 * 1024))) == set()
    assert broken(seen(content.ljust(4 * 1024 * 1024 + 1))) == {"TC-BODY-SIZE"}


@pytest.mark.parametrize(
    "content", [body("events", time="2030-01-01T12:00:00"), body("purchases", time="2030-01-01T12:00:00")]
)
def test_a_time_without_a_zone_is_a_note_since_the_documents_say_what_it_means(content: bytes) -> None:
    assert broken(seen(content)) == set()
    assert broken(seen(content), notes=True) == {"TC-TIME-ZONE"}


@pytest.mark.parametrize(
    "text", ["20261128", "2026-11", "2026-W48-5", "2026-332T10:00Z", "20261128T100000Z", "11/28/2026", "2026-11-28T10"]
)
def test_a_rare_form_of_iso_8601_or_one_that_is_documented_for_attributes_is_a_doubt(text: str) -> None:
    assert broken(seen(body("events", time=text))) == set()
    assert "TC-DOUBT" in broken(seen(body("events", time=text)), notes=True)
    doubtful = broken(seen(body("purchases", time="2030-01-01 12:00:00")), notes=True)
    assert doubtful == {"TC-DOUBT", "TC-TIME-ZONE"}


def test_what_lawful_servers_may_refuse_is_a_note() -> None:
    assert broken(seen(body(external_id=17)), notes=True) == {"TC-DOUBT"}
    assert broken(seen(b'{"attributes":{"external_id":"u","a":1}}'), notes=True) == {"TC-DOUBT"}


# --- behaviour over time ------------------------------------------------------------------------------------------


def test_after_a_429_the_client_waits_for_the_reset() -> None:
    limited = seen(status=429, reset=2)
    assert broken(limited, seen(at=0.5)) == {"TC-RATE-WAIT"}
    assert broken(limited, seen(at=2.01)) == set()
    assert "TC-RATE-WAIT" in checked([limited, seen(at=2.01)])[1].covered


def test_a_request_that_was_under_way_when_the_429_came_breaks_nothing() -> None:
    limited = seen(body(colour="blue"), 429, reset=2)
    assert broken(limited, seen(at=0.05, connection="two")) == set()
    assert broken(limited, seen(at=0.05, connection="one")) == {"TC-RATE-WAIT"}
    assert broken(limited, seen(at=0.5, connection="two")) == {"TC-RATE-WAIT"}


def on_new_connections(*starts: float) -> list[Observed]:
    """Requests that each meet a 429 after 40 ms, on connections opened at these times."""
    return [
        seen(body(external_id=f"u{n}"), 429, at, 0.04, reset=5, connection=str(n), opened=at)
        for n, at in enumerate(starts)
    ]


def test_three_new_connections_each_opened_after_a_429_show_that_it_is_ignored() -> None:
    assert broken(*on_new_connections(0, 0.042)) == set()
    assert broken(*on_new_connections(0, 0.042, 0.085)) == {"TC-RATE-WAIT"}


def test_new_connections_that_a_parallel_client_opened_before_the_429_break_nothing() -> None:
    assert broken(*on_new_connections(0, 0.01, 0.02, 0.03)) == set()
    assert broken(*on_new_connections(0, 0.01, 0.02, 0.042)) == set()
    assert broken(*on_new_connections(0, 0.4)) == set()  # on a busy machine
    assert broken(*on_new_connections(0, 0.6)) == {"TC-RATE-WAIT"}


def sent_by(*line: int, living: tuple[int, ...] = (), at: float = 0.0, status: int = 429, user: str = "u") -> Observed:
    """A request of the first process in `line`, on a connection of its own; a 429 names a reset in two seconds."""
    sender = Sender(line, frozenset({*line, *living}))
    return seen(body(external_id=user), status, at, reset=2, connection=f"{line} {at}", opened=at, sender=sender)


def test_processes_that_each_wait_for_their_own_429_break_nothing() -> None:
    met = [sent_by(n, 1, living=(2, 3, 4), at=0.3 * n, user=f"u{n}") for n in (2, 3, 4)]
    later = [sent_by(n, 1, living=(2, 3, 4), at=2.01, status=201, user=f"u{n}") for n in (2, 3, 4)]
    assert broken(*met, *later) == set()
    assert "TC-RATE-WAIT" in checked([*met, *later])[3].covered
    # The same requests of one process, or of processes that are not known.
    assert broken(sent_by(2), sent_by(2, at=0.6, user="u3")) == {"TC-RATE-WAIT"}
    assert broken(seen(status=429, reset=2), seen(at=0.6, connection="two")) == {"TC-RATE-WAIT"}


def test_one_of_several_processes_that_ignores_its_429_is_found() -> None:
    waits = sent_by(3, 1, living=(2,), at=0.3)
    assert broken(sent_by(2, 1, living=(3,)), waits, sent_by(2, 1, living=(3,), at=0.6)) == {"TC-RATE-WAIT"}


def test_a_process_that_was_started_after_the_429_knows_of_it_from_the_one_that_started_it() -> None:
    """A shell that starts curl for each request: 1 is the shell."""
    assert broken(sent_by(2, 1), sent_by(3, 1, at=0.5)) == {"TC-RATE-WAIT"}
    assert broken(sent_by(2, 1), sent_by(3, 1, at=2.01)) == set()
    assert broken(sent_by(2, 1), sent_by(5, 4, 1, at=0.5)) == {"TC-RATE-WAIT"}  # curl under `timeout`, say
    # 2 lives still and waits, so that 1 has not been told; and 3 was there before.
    assert broken(sent_by(2, 1), sent_by(3, 1, living=(2,), at=0.5)) == set()
    assert broken(sent_by(2, 1, living=(3,)), sent_by(3, 1, at=0.5)) == set()
    # Shells that each start their own curl; 1 started the shells.
    assert broken(sent_by(4, 2, 1, living=(3,)), sent_by(5, 3, 1, living=(2,), at=0.5)) == set()
    assert broken(sent_by(4, 2, 1, living=(3,)), sent_by(5, 2, 1, living=(3,), at=0.5)) == {"TC-RATE-WAIT"}


def tried(*pauses: float, user: str = "user-1", status: int = 503) -> list[Observed]:
    """One request that meets a 503 until its last try, with these pauses between the tries."""
    starts = [sum(pauses[:count]) + 0.01 * count for count in range(len(pauses) + 1)]
    return [seen(body(external_id=user), status if at is not starts[-1] else 201, at=at, lasted=0.01) for at in starts]


def test_a_5xx_is_tried_again_with_pauses_that_grow() -> None:
    assert broken(*tried(0.3, 0.7)) == set()
    assert broken(seen(status=500)) == {"TC-RETRY-SERVER-ERROR"}
    assert broken(*tried(0.02, 0.02)) == {"TC-RETRY-BACKOFF"}
    assert broken(*tried(0.02), *tried(0.02, user="user-2")) == {"TC-RETRY-BACKOFF"}
    assert broken(*tried(0.3, 0.3, 0.3)) == {"TC-RETRY-BACKOFF"}
    assert broken(*tried(0.3, 0.3), *tried(0.3, 0.31, user="user-2")) == {"TC-RETRY-BACKOFF"}


def test_one_pause_that_chance_or_a_busy_machine_made_proves_nothing() -> None:
    assert broken(*tried(0.02, 0.4)) == set()
    assert broken(*tried(0.2, 0.2)) == set()
    stretched = tried(0.41, 0.2, 0.4)
    assert broken(*stretched, *(one for user in "abcd" for one in tried(0.1, 0.2, 0.4, user=user))) == set()


def in_parallel(*pauses: tuple[float, ...]) -> list[Observed]:
    """Requests that are sent at the same time, each tried again after its pauses."""
    tries = (one for n, some in enumerate(pauses) for one in tried(*some, user=f"u{n}"))
    return sorted(tries, key=lambda one: one.exchange.sent)


def test_what_stretches_the_pauses_of_requests_side_by_side_proves_nothing_of_a_client() -> None:
    stretched, meant = (0.65, 0.635), (0.5, 1.1)
    assert broken(*in_parallel(stretched, stretched, stretched, meant, meant, meant, meant)) == set()
    assert broken(*in_parallel(*[(0.3, 0.3)] * 7)) == {"TC-RETRY-BACKOFF"}


def test_a_first_try_at_once_is_a_backoff_where_the_next_one_pauses() -> None:
    """As urllib3's Retry does it."""
    assert broken(*(one for user in "abcd" for one in tried(0.001, 0.4, 0.8, user=user))) == set()
    at_the_same_time = [tried(0.001, 0.4, user=user) for user in "abcd"]
    assert broken(*(one for step in zip(*at_the_same_time, strict=True) for one in step)) == set()


def test_jitter_may_let_pauses_shrink_but_not_in_most_requests() -> None:
    assert broken(*tried(0.5, 0.25, 1.25, 1.9)) == set()
    assert broken(*tried(0.5, 0.25, 0.35), *tried(0.4, 0.2, 0.3, user="user-2")) == {"TC-RETRY-BACKOFF"}


def test_tries_come_to_an_end() -> None:
    at = [0.2 * 1.5**n for n in range(13)]
    assert broken(*(seen(status=503, at=one) for one in at)) == {"TC-RETRY-BOUNDED"}
    assert broken(*(seen(status=503, at=one) for one in at[:12])) == set()


def test_tries_that_each_wait_for_the_reset_time_are_not_counted() -> None:
    waiting = [seen(status=429, at=0.06 * n, reset=-3, connection=str(n)) for n in range(20)]
    assert broken(*waiting, seen(at=1.5)) == set()  # the server's clock is behind, so that each reset time has passed
    ignoring = [seen(status=429, at=0.06 * n, reset=9) for n in range(14)]
    assert broken(*ignoring) == {"TC-RATE-WAIT", "TC-RETRY-BOUNDED"}


def test_two_events_that_differ_in_their_time_alone_are_two() -> None:
    first, second = (body("events", time=f"2030-01-01T12:00:0{n}Z") for n in range(2))
    assert broken(seen(first, 400), seen(second, 400, at=0.1), notes=True) == set()
    assert broken(seen(first, 500), seen(second, 500, at=0.1), notes=True) == set()
    assert broken(seen(first, 400), seen(first, 400, at=0.1)) == {"TC-NO-RETRY"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    assert broken(seen(status=status), seen(at=1)) == {"TC-NO-RETRY"}
    assert broken(seen(status=status), seen(body(colour="blue"), at=1)) == set()


def test_one_after_the_other_for_the_same_thing_of_one_user() -> None:
    slow = seen(lasted=1)
    assert broken(seen(body(colour="blue"), at=0.5), slow, seen(at=2)) == {"TC-ORDER"}
    assert broken(seen(body(other=1, colour=...), at=0.5), slow) == set()
    assert broken(seen(body(external_id="user-2"), at=0.5), slow) == set()
    assert broken(slow, seen(body(colour="blue"), at=1.0)) == set()
    assert broken(seen(body("events"), at=0.5), seen(body("events"), lasted=1)) == {"TC-ORDER"}


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.5, "TC-TIMEOUT"), (1.8, "TC-TIMEOUT"), (1.95, "TC-TIMEOUT-TEN"), (5, "TC-TIMEOUT-TEN"), (9, "TC-TIMEOUT-TEN")],
)
def test_hanging_up_within_two_seconds_is_an_error_and_within_ten_a_note(seconds: float, expected: str) -> None:
    early = seen(status=None, lasted=seconds, gave_up=True)
    assert broken(early, notes=True) == {expected}
    assert broken(early) == {expected} - {"TC-TIMEOUT-TEN"}


@pytest.mark.parametrize("seconds", [9.6, 9.95, 10.5])
def test_a_time_out_of_ten_seconds_breaks_nothing(seconds: float) -> None:
    assert broken(seen(status=None, lasted=seconds, gave_up=True), notes=True) == set()


def test_a_response_that_takes_seconds_covers_the_time_out() -> None:
    assert "TC-TIMEOUT" in checked([seen(lasted=3)])[0].covered
    assert "TC-TIMEOUT" not in checked([seen(lasted=0.5)])[0].covered


def test_a_client_that_sends_the_next_try_on_the_status_line_is_in_order_and_has_tried_again() -> None:
    dripping = seen(status=503, lasted=2, answered=0.01)
    assert broken(seen(at=0.2, connection="two"), dripping) == set()
    assert broken(seen(status=503, at=0.2, connection="two"), dripping, seen(at=3)) == set()
    assert broken(seen(body(colour="blue"), at=0.005, connection="two"), seen(status=201, lasted=2, answered=0.01)) == {
        "TC-ORDER"
    }


def test_sending_a_count_again_after_a_lost_response_is_a_note() -> None:
    event = body("events")
    assert broken(seen(event, None), seen(event, at=1), notes=True) == {"TC-APPLIED-TWICE"}
    assert broken(seen(event, 504), seen(event, at=1), notes=True) == {"TC-APPLIED-TWICE"}
    assert broken(seen(event, 503), seen(event, at=1), notes=True) == set()
    inc = body(visits={"inc": 1})
    assert broken(seen(inc, None), seen(inc, at=1), notes=True) == {"TC-APPLIED-TWICE"}
    assert broken(seen(status=None), seen(at=1), notes=True) == set()


def test_a_request_to_users_track_is_tried_again_too() -> None:
    assert broken(seen(status=503, path="/users/track")) == {"TC-RETRY-SERVER-ERROR"}
    assert broken(seen(body("events"), 503, path="/users/track")) == set()


def test_a_count_that_met_a_5xx_need_not_be_sent_again() -> None:
    assert broken(seen(body("events"), 500)) == set()


def test_evidence_names_the_earlier_exchange() -> None:
    limited = seen(status=429, reset=2)
    check_result = checked([limited, seen(at=0.5)])[1]
    assert check_result.evidence == ((limited.exchange,),)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
_MEMBERS = st.sampled_from(
    ["external_id", "user_alias", "time", "name", "properties", "price", "quantity", "colour", "currency", "email"]
)


@given(
    st.sampled_from(["attributes", "events", "purchases"]),
    st.dictionaries(_MEMBERS, _JSON),
    st.sampled_from([201, 400, 429, 500, None]),
)
def test_the_check_raises_on_no_request(section: str, target: dict[str, Any], status: int | None) -> None:
    content = json.dumps({section: [target]}).encode()
    checked([seen(content, status, reset=1), seen(content, at=0.1)])


@given(st.binary(), st.text(), st.text())
def test_the_check_raises_on_no_bytes(content: bytes, path: str, value: str) -> None:
    checked([seen(content, path=f"/{path}", headers=(("Content-Type", value),), authorization=value)])
