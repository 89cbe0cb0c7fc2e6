"""Plans of fuzz runs from flat keyword arguments, for tests that set a few things each."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tracksync.engine import Budget, FindingPlan, FuzzPlan, MockPlan, TargetPlan, UserPlan


def fuzz_plan(**flat: Any) -> FuzzPlan:
    """The plan with the parts that `flat` sets, such as `address`, `requests`, `faults`, `prefix` or `seed`.

    Raises TypeError for a name that no part has.
    """
    parts: dict[str, Any] = {}
    parts["target"] = _part(TargetPlan, flat)
    mock = {
        name: flat.pop(key)
        for name, key in (("faults", "faults"), ("interpretations", "mock_interpretations"))
        if key in flat
    }
    parts["mock"] = MockPlan(**mock)
    parts["budget"] = Budget(**{"requests": 500, **_taken(Budget, flat)})
    parts["users"] = _part(UserPlan, flat)
    parts["findings"] = _part(FindingPlan, flat)
    return FuzzPlan(**parts, **flat)


def _part(kind: Any, flat: dict[str, Any]) -> Any:
    return kind(**_taken(kind, flat))


def _taken(kind: Any, flat: dict[str, Any]) -> dict[str, Any]:
    return {field.name: flat.pop(field.name) for field in fields(kind) if field.name in flat}
