"""The lenient form, as schemathesis reads it: what fits is valid, and what it may not accept is refused."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import jsonschema_rs
import openapi_spec_validator
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_schemas import OPEN, REFUSED, VALID

from tracksync.contract import spec
from tracksync.contract.bounds import SYNC
from tracksync.contract.classify import classify_body
from tracksync.contract.lenient import lenient
from tracksync.contract.refusals import RequestClass


def permitted(node: Any) -> Any:
    """What schemathesis lets a server accept: properties that nothing can satisfy take any value."""
    if isinstance(node, list):
        return [permitted(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: permitted(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict):
        made["properties"] = {
            name: {} if schema == {"not": {}} else permitted(schema) for name, schema in node["properties"].items()
        }
    return made


@cache
def validators(path: str) -> tuple[jsonschema_rs.Validator, jsonschema_rs.Validator]:
    """What must be accepted, and what may be."""
    document = lenient(spec.document())
    schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    strict = {**schema, "components": document["components"]}
    return (
        jsonschema_rs.Draft202012Validator(strict, validate_formats=True),
        jsonschema_rs.Draft202012Validator(permitted(strict), validate_formats=True),
    )


def test_the_form_is_valid_openapi_and_leaves_the_document_as_it_is() -> None:
    before = copy.deepcopy(spec.load())
    openapi_spec_validator.validate(lenient(before))
    assert before == spec.load()


@pytest.mark.parametrize("name", VALID)
def test_what_is_valid_may_be_accepted(name: str) -> None:
    _, may = validators(SYNC)
    assert may.is_valid(VALID[name])


def test_nearly_all_that_is_valid_must_be_accepted() -> None:
    must, _ = validators(SYNC)
    narrower = {name for name, body in VALID.items() if not must.is_valid(body)}
    assert narrower == {"an object with an ill-formed time inside"}, "no schema says what is certainly no time"


@pytest.mark.parametrize("name", [name for name in OPEN if name != "an integer in disguise as quantity"])
def test_what_is_open_may_be_accepted(name: str) -> None:
    must, may = validators(SYNC)
    assert not must.is_valid(OPEN[name])
    assert may.is_valid(OPEN[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_may_not_be_accepted(name: str) -> None:
    must, may = validators(SYNC)
    assert not must.is_valid(REFUSED[name])
    assert not may.is_valid(REFUSED[name])


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-200, 200),
        st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
        st.text(max_size=4),
        st.sampled_from(
            ["u", "USD", "usd", "XXX", "2022-12-06T19:20:45Z", "2022-12-06", "20", "a@example.com", "+12025550123"]
        ),
    ),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["inc", "add", "time", "$time", "a"]), inner)
    ),
    max_leaves=4,
)


def object_of(*names: str) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES))


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """A sound body with some member of its object changed, left out or added."""
    # JSON Schema takes 16.0 for an integer, as no form of the document can say otherwise.
    sound = [*VALID.values(), *(one for name, one in OPEN.items() if name != "an integer in disguise as quantity")]
    body = copy.deepcopy(draw(st.sampled_from(sound)))
    identifiers = ("external_id", "braze_id", "email", "phone", "user_alias")
    members = ("name", "time", "product_id", "currency", "price", "quantity", "properties", "country", "text", "app_id")
    section = draw(st.sampled_from(["attributes", "events", "purchases"]))
    for value in body.values():
        target = value[0] if isinstance(value, list) and value else value
        if isinstance(target, dict):
            target.update(draw(object_of(*identifiers, *members)))
            for name in draw(st.sets(st.sampled_from([*target, "external_id"]), max_size=1)):
                target.pop(name, None)
    if draw(st.integers(0, 5)) == 0:
        body[section] = draw(VALUES)
    return body


@settings(max_examples=200, deadline=None)
@given(changed())
def test_the_form_claims_nothing_that_the_classification_does_not(body: Any) -> None:
    must, may = validators(SYNC)
    found = classify_body(SYNC, body).request_class
    if must.is_valid(body):
        assert found is RequestClass.VALID
    if not may.is_valid(body):
        assert found is RequestClass.REFUSED
