"""An array of objects that is over the limit only because of its repeats may be stored without them."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import OracleHarness

ONE = {"k": "x" * 200}
USER = {"external_id": "u"}


def shown(value: Any) -> dict[str, Any]:
    return {"message": "success", "users": [{**USER, "custom_attributes": {"l": value}}]}


@pytest.mark.parametrize("write", [[ONE] * 600, {"$add": [ONE] * 600}], ids=["set", "added"])
def test_the_one_of_them_may_be_shown(write: Any) -> None:
    harness = OracleHarness()
    assert harness.check({"attributes": [{**USER, "l": [{"a": 1}]}]}, shown([{"a": 1}])) == []
    stored = [ONE] if isinstance(write, list) else [{"a": 1}, ONE]
    assert harness.check({"attributes": [{**USER, "l": write}]}, shown(stored)) == []


def test_something_else_may_not() -> None:
    harness = OracleHarness()
    assert harness.check({"attributes": [{**USER, "l": [{"a": 1}]}]}, shown([{"a": 1}])) == []
    assert harness.clauses({"attributes": [{**USER, "l": [ONE] * 600}]}, shown([{"b": 1}])) != set()
