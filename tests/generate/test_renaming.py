"""The same requests for other users: what a replay sends, and what the guard lets pass."""

from __future__ import annotations

import json
import random
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from tracksync.contract.bounds import DELETE, EXPORT
from tracksync.engine.opening import harmful
from tracksync.generate.build import Step, json_request, raw_request
from tracksync.generate.harmless import Namer, is_harmless
from tracksync.generate.probes import PROBES
from tracksync.generate.renaming import derived_prefix, identifiers_of, renamed
from tracksync.generate.stateful import stateful_steps

OLD = "ts0123456789ab"
NEW = derived_prefix(OLD, 1)


def everything() -> list[Step]:
    namer = Namer(OLD, random.Random(0))
    fixed = [step for probe in PROBES for step in probe.steps(namer)]
    return [*fixed, *islice(stateful_steps(3, OLD), 600)]


def test_a_derived_prefix_has_the_same_length_and_is_the_same_each_time() -> None:
    assert len(NEW) == len(OLD)
    assert NEW != OLD
    assert derived_prefix(OLD, 1) == NEW
    assert derived_prefix(OLD, 2) != NEW


def test_every_step_can_be_played_for_other_users_and_stays_harmless() -> None:
    for step in everything():
        moved = renamed(step, OLD, NEW)
        assert is_harmless(moved.request, NEW) is None, step.label
        assert len(moved.request.body) == len(step.request.body)
        before, after = identifiers_of(step.request, OLD), identifiers_of(moved.request, NEW)
        assert len(before) == len(after)
        named_before = {one for one in before if one[0] != "braze_id" and len(one[-1]) > 3}
        assert not named_before & set(after), step.label


def test_a_request_without_users_stays_what_it_was() -> None:
    step = Step(raw_request(b"[]"))
    assert renamed(step, OLD, NEW) is step


def test_the_users_of_a_request_are_known_before_it_is_sent() -> None:
    namer = Namer(OLD, random.Random(0))
    body = {
        "attributes": [{"external_id": namer.external_id("u"), "email": namer.email("e")}],
        "events": [{"user_alias": namer.alias("a"), "phone": namer.phone("p")}],
    }
    assert set(identifiers_of(json_request(body), OLD)) == {
        ("external_id", f"{OLD}-u"),
        ("email", f"{OLD}-e@example.com"),
        ("user_alias", "tracksync", f"{OLD}-a"),
        ("phone", namer.phone("p")),
    }


def test_users_in_a_body_that_is_no_json_are_known_too() -> None:
    request = raw_request(f'{{"attributes":[{{"external_id":"{OLD}-u",}}]}}'.encode())
    assert identifiers_of(request, OLD) == (("external_id", f"{OLD}-u"),)


def test_a_batch_may_name_users_of_several_prefixes_but_no_others() -> None:
    ours = [f"{OLD}-a", f"{NEW}-b"]
    assert harmful(json_request({"external_ids": ours}, path=DELETE), [OLD, NEW]) is None
    assert harmful(json_request({"external_ids": ours}, path=DELETE), [OLD]) is not None
    assert harmful(json_request({"external_ids": [*ours, "customer-7"]}, path=DELETE), [OLD, NEW]) is not None
    body = {"external_ids": ours, "fields_to_export": ["external_id"]}
    assert harmful(json_request(body, path=EXPORT), [OLD, NEW]) is None


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_no_text_without_a_prefix_passes_the_guard(names: list[str]) -> None:
    request = json_request({"external_ids": [f"x{name}" for name in names]}, path=DELETE)
    assert harmful(request, [OLD, NEW]) is not None
    assert json.loads(request.body)
