"""Nothing that generation makes can reach a person, and the guard refuses what could."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from itertools import islice
from typing import Any

import pytest
from generate_guard import PREFIX, harm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from tracksync.contract.bounds import SYNC
from tracksync.generate import strategies
from tracksync.generate.boundaries import boundary_plan, further_cases
from tracksync.generate.build import Step, json_request, raw_request
from tracksync.generate.harmless import Namer, is_harmless
from tracksync.generate.machine import machine_class
from tracksync.generate.probes import PROBES, rate_burst
from tracksync.generate.robustness import robustness_steps
from tracksync.generate.schema_cases import made_harmless, schema_steps
from tracksync.generate.stateful import stateful_steps
from tracksync.model.exchange import Request

RELAXED = settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def a_namer(seed: int = 0) -> Namer:
    return Namer(PREFIX, random.Random(seed))


DIGITS = str(a_namer().integer_id("any"))[:9]


def assert_harmless(steps: Iterable[Step]) -> None:
    for step in steps:
        assert harm(step.request, DIGITS) is None, step
        assert is_harmless(step.request, PREFIX) is None, step


def body(value: Any) -> Request:
    return json_request(value)


# --- everything that is generated ---------------------------------------------------------------------------------


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_probes_are_harmless(probe: Any) -> None:
    assert_harmless(probe.steps(a_namer()))


def test_the_rate_burst_is_harmless() -> None:
    assert_harmless(rate_burst(a_namer(), 3))


@pytest.mark.parametrize("seed", [0, 2**31])
def test_stateful_sequences_are_harmless(seed: int) -> None:
    assert_harmless(islice(stateful_steps(seed, PREFIX), 400))


def test_boundary_cases_are_harmless() -> None:
    namer = a_namer().scope("boundary")
    assert_harmless(case.step for case in boundary_plan(namer).cases)
    assert_harmless(case.step for case in islice(further_cases(namer), 600))


def test_what_breaks_careless_servers_is_harmless() -> None:
    assert_harmless(robustness_steps(a_namer()))


@pytest.mark.parametrize("kind", strategies.KINDS)
def test_every_kind_makes_many_different_steps_and_all_are_harmless(kind: str) -> None:
    seen: set[Step] = set()

    @settings(RELAXED, max_examples=60)
    @given(strategies.steps(a_namer(), [kind]))
    def every(step: Step) -> None:
        seen.add(step)
        assert_harmless([step])

    every()
    assert len(seen) >= 20


def test_the_state_machine_is_harmless() -> None:
    sent: list[Step] = []
    machine = machine_class(lambda: sent.append, a_namer)
    run_state_machine_as_test(machine, settings=settings(RELAXED, max_examples=20, stateful_step_count=20))
    assert len(sent) > 100
    assert_harmless(sent)


def test_schema_driven_cases_are_harmless() -> None:
    steps = list(schema_steps(5, a_namer(), 28))
    assert len(steps) == 28
    assert_harmless(steps)


_KEYS = st.sampled_from(
    [
        "external_id",
        "alias_name",
        "user_alias",
        "email",
        "phone",
        "push_tokens",
        "subscription_groups",
        "EMAIL",
        "a",
        "b@c",
    ]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["a@gmail.com", "+491701234567"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
)


@RELAXED
@given(_VALUES)
def test_what_schemathesis_invents_is_made_harmless_whatever_it_is(value: Any) -> None:
    request = body(made_harmless(value, a_namer()))
    assert harm(request, DIGITS) is None


# --- names --------------------------------------------------------------------------------------------------------


def test_names_carry_the_prefix_and_the_scope() -> None:
    names = a_namer().scope("probe")
    assert names.external_id("u") == f"{PREFIX}-probe-u"
    assert names.alias("a")["alias_name"].startswith(PREFIX)
    assert names.email("e") == f"{PREFIX}-probe-e@example.com"
    assert str(names.integer_id("i")).startswith(DIGITS)


def test_scopes_do_not_share_names() -> None:
    names = a_namer()
    one, other = names.scope("one"), names.scope("other")
    for make in ("external_id", "email", "phone", "braze_id", "integer_id"):
        assert getattr(one, make)("u") != getattr(other, make)("u"), make


def test_the_same_prefix_seed_and_tags_give_the_same_names() -> None:
    tags = ["a", "b", "c"]
    assert [a_namer(7).phone(tag) for tag in tags] == [a_namer(7).phone(tag) for tag in tags]


def test_a_tag_keeps_its_phone_number() -> None:
    names = a_namer()
    assert names.phone("a") == names.phone("a")


def test_many_phone_numbers_are_all_fiction_and_mostly_different() -> None:
    names = a_namer()
    numbers = [names.phone(str(tag)) for tag in range(500)]
    assert len(set(numbers)) > 490
    for number in numbers:
        assert harm(body({"attributes": [{"phone": number}]}), DIGITS) is None


@pytest.mark.parametrize("prefix", ["", "abc", "1abc", "has space", "a@b.c", "x" * 49, "ünï-code"])
def test_a_prefix_that_does_not_serve_is_refused_with_words(prefix: str) -> None:
    with pytest.raises(ValueError, match="does not serve"):
        Namer(prefix, random.Random(0))


# --- the guard ----------------------------------------------------------------------------------------------------

OURS = f"{PREFIX}-u"
HARMFUL = {
    "the external_id of a real user": {"attributes": [{"external_id": "customer-1", "n": 1}]},
    "an external_id under another run's prefix": {"attributes": [{"external_id": "ts-watch02-u", "n": 1}]},
    "a name that only holds the prefix": {"attributes": [{"external_id": f"x{OURS}", "n": 1}]},
    "the integer of a real user": {"events": [{"external_id": 12345, "name": "x", "time": "2023-01-01T00:00:00Z"}]},
    "a boolean, which may be the name of a real user": {"events": [{"external_id": True, "name": "x"}]},
    "the alias of a real user": {"purchases": [{"user_alias": {"alias_name": "bob", "alias_label": "x"}}]},
    "an alias that is a text": {"events": [{"user_alias": "bob"}]},
    "the braze_id of a real user": {"events": [{"braze_id": "5f3c2a1b9d8e7f6a5b4c3d2e"}]},
    "a real domain": {"attributes": [{"external_id": OURS, "email": f"{OURS}@gmail.com"}]},
    "a reserved domain without our prefix": {"attributes": [{"external_id": OURS, "email": "bob@example.com"}]},
    "a domain that only ends alike": {"attributes": [{"email": f"{OURS}@notexample.com"}]},
    "two addresses in one": {"attributes": [{"email": f"{OURS}@gmail.com,x@example.com"}]},
    "a phone that rings": {"attributes": [{"external_id": OURS, "phone": "+4915112345678"}]},
    "555 outside the range": {"attributes": [{"phone": "+12025550200"}]},
    "a toll-free 555": {"attributes": [{"phone": "+18005550150"}]},
    "a phone as an integer": {"attributes": [{"phone": 4915112345678}]},
    "an address as an attribute": {"attributes": [{"external_id": OURS, "contact": "bob@gmail.com"}]},
    "a number as an attribute": {"attributes": [{"external_id": OURS, "contact": "call +49 (151) 123-456-78"}]},
    "an address as a key": {"attributes": [{"external_id": OURS, "bob@gmail.com": 1}]},
    "an address deep inside": {"attributes": [{"external_id": OURS, "o": {"a": [{"email": "bob@gmail.com"}]}}]},
    "a push token": {"attributes": [{"external_id": OURS, "push_tokens": [{"app_id": "a", "token": "t"}]}]},
    "a subscription": {"attributes": [{"external_id": OURS, "email_subscribe": "unsubscribed"}]},
    "a subscription group": {"attributes": [{"external_id": OURS, "subscription_groups": []}]},
    "a second object of a real user": {"events": [{"external_id": OURS}, {"external_id": "bob"}]},
    "a real user in another section": {"events": [{"external_id": OURS}], "purchases": [{"external_id": "bob"}]},
    "a list around the body": [{"events": [{"external_id": "bob"}]}],
    "an identifier in another case": {"events": [{"External_ID": "bob"}]},
    "a real user to be deleted": {"external_ids": [OURS, "bob"]},
    "an email to be deleted": {"email_addresses": [{"email": "bob@gmail.com", "prioritization": ["unidentified"]}]},
}


@pytest.mark.parametrize("case", HARMFUL, ids=str)
def test_the_guard_refuses(case: str) -> None:
    assert is_harmless(body(HARMFUL[case]), PREFIX) is not None


HARMLESS = {
    "our own user": {"attributes": [{"external_id": OURS, "n": 1}]},
    "our own user in capitals and spaces": {"attributes": [{"external_id": f" {OURS.upper()} ", "n": 1}]},
    "no user at all": {"attributes": [{"n": 1}]},
    "an alias without a name": {"events": [{"user_alias": {"alias_label": "x"}}]},
    "an identifier that is null": {"events": [{"external_id": None}]},
    "our name in a list": {"events": [{"external_id": [OURS]}]},
    "our address": {"attributes": [{"external_id": OURS, "email": f"{OURS}@mail.example", "phone": "+447700900123"}]},
    "our own to be deleted": {"external_ids": [OURS]},
    "a profile field removed": {"attributes": [{"external_id": OURS, "email": None, "phone": None}]},
}


@pytest.mark.parametrize("case", HARMLESS, ids=str)
def test_the_guard_lets_pass(case: str) -> None:
    assert is_harmless(body(HARMLESS[case]), PREFIX) is None


def test_the_guard_lets_integers_of_ours_pass() -> None:
    assert is_harmless(body({"events": [{"external_id": a_namer().integer_id("i")}]}), PREFIX) is None


def test_the_guard_reads_both_places_of_a_repeated_key() -> None:
    for first, second in ((OURS, "bob"), ("bob", OURS)):
        raw = f'{{"events":[{{"external_id":"{first}","external_id":"{second}"}}]}}'.encode()
        assert is_harmless(raw_request(raw), PREFIX) is not None


@pytest.mark.parametrize(
    "raw",
    [
        b'{"events":[{"external_id":"bob",}]}',
        b"{'events':[{'external_id':'bob'}]}",
        b'{events:[{external_id:"bob"}]}',
        b'{"events":[{"external_id":"bob"',
        b'{"events":[{"external_id":17]',
        b'\xef\xbb\xbf{"events":[{"external_id":"bob"}]}',
        '{"events":[{"external_id":"bob"}]}'.encode("utf-16"),
        b'{"attributes":[{"push_tokens":[]',
        b'{"a":"bob@gmail.com"',
    ],
)
def test_the_guard_reads_what_a_lenient_server_might(raw: bytes) -> None:
    assert is_harmless(raw_request(raw), PREFIX) is not None


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff", b"[" * 50_000, b"9" * 6000, b'{"events":[{"external_id":"%s-u"' % PREFIX.encode()]
)
def test_broken_bodies_that_name_no_user_pass(raw: bytes) -> None:
    assert is_harmless(raw_request(raw), PREFIX) is None


def test_the_guard_refuses_other_addresses_of_the_api() -> None:
    for path in ("/messages/send", "/users/merge", "/campaigns/trigger/send", "/"):
        assert is_harmless(Request("POST", path, (), b"{}"), PREFIX) is not None


def test_the_guard_sees_through_very_deep_identifiers() -> None:
    deep: Any = "bob"
    for _ in range(400):
        deep = [deep]
    assert is_harmless(body({"events": [{"external_id": deep}]}), PREFIX) is not None


def test_the_guard_and_the_builders_agree_on_the_path() -> None:
    assert is_harmless(Request("POST", SYNC + "?x=1", (), json.dumps({}).encode()), PREFIX) is None
