"""The catalogue of faults is whole, and every fault leaves a working server behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mock_harness import EXPORT, SYNC, TIME, TRACK, Harness, entry, purchase_of, value
from mock_tour import PARTS, Part, walk, walk_part
from random_requests import DOCUMENTS, INTERPRETATIONS, PATHS

from tracksync import faults
from tracksync.contract import clauses
from tracksync.faults.catalogue import UnknownFault, catalogue, servers
from tracksync.mock import ResponseLost
from tracksync.mock.core import Core, with_faults

NAMES = tuple(catalogue())
RACES = tuple(name for name, one in catalogue().items() if one.family == "race")
SERVER_CLAUSES = [id_ for id_ in clauses.catalogue() if id_.startswith("TS-")]


def test_there_are_enough_faults() -> None:
    assert len(NAMES) >= 140


def test_every_fault_breaks_clauses_that_exist() -> None:
    for one in catalogue().values():
        assert one.clauses, one.name
        assert set(one.clauses) <= set(SERVER_CLAUSES), one.name
        assert len(set(one.clauses)) == len(one.clauses), one.name


@pytest.mark.parametrize("clause", SERVER_CLAUSES)
def test_every_server_clause_is_broken_by_a_fault(clause: str) -> None:
    assert any(clause in one.clauses for one in catalogue().values())


def test_sentences_are_sentences_and_no_two_are_alike() -> None:
    assert [text for text, count in Counter(one.sentence for one in catalogue().values()).items() if count > 1] == []
    for one in catalogue().values():
        assert one.sentence.endswith("."), one.name


def test_every_module_of_faults_is_a_family() -> None:
    files = {path.stem for path in Path(faults.__path__[0]).glob("*.py")}
    assert files - {"__init__", "catalogue", "registry"} == {one.family for one in catalogue().values()}


def test_the_module_of_names_imports_no_fault() -> None:
    code = "import sys, tracksync.faults.catalogue as c; print(*filter(lambda m: 'faults' in m, sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tracksync.faults", "tracksync.faults.catalogue"]


def test_a_fault_overrides_only_what_the_server_has() -> None:
    """A hook that was renamed would leave a fault without effect, and no test of behaviour would say why."""
    for one in catalogue().values():
        classes = one.server.__mro__[: one.server.__mro__.index(Core)]
        methods = {name for class_ in classes for name, held in vars(class_).items() if callable(held)}
        own = {name for name in methods if not name.startswith("_")}
        assert own <= set(dir(Core)), one.name
        assert own or "__init__" in methods, one.name


def test_an_unknown_fault_is_named_with_its_nearest_neighbours() -> None:
    with pytest.raises(UnknownFault, match="string-trimmed"):
        servers(["string-trimed"])


def test_without_faults_the_server_is_the_plain_one() -> None:
    assert with_faults(servers([])) is Core


def play(harness: Harness) -> None:
    """A little of everything. A fault may change every response, as long as there is one."""
    user = {"external_id": "u1"}
    bodies: list[tuple[str, Any]] = [
        (SYNC, {"attributes": [user | {"a": "x", "n": 1, "l": [1, 2], "o": {"a": {"b": 1}}, "d": "2022-01-01"}]}),
        (SYNC, {"attributes": [user | {"a": None, "n": {"inc": 2}, "l": {"add": [3]}, "o": {"a": None}}]}),
        (SYNC, {"attributes": [user | {"os": [{"id": 1}, {"id": "1"}]}]}),
        (SYNC, {"attributes": [user | {"os": {"$remove": [{"$identifier_key": "id", "$identifier_value": 1}]}}]}),
        (SYNC, {"events": [{"email": "a@example.com", "name": "e", "time": "2022-01-01T00:00:00+05:30"}]}),
        (SYNC, {"events": [{"email": "a@example.com", "name": "e", "time": "2999-01-01T00:00:00Z"}]}),
        (SYNC, {"purchases": [purchase_of() | {"quantity": 3}]}),
        (SYNC, {"purchases": [purchase_of() | {"currency": None}]}),
        (SYNC, {"attributes": []}),
        (SYNC, []),
        (TRACK, {"attributes": [{"external_id": "u2", "a": 1}]}),
        (EXPORT, {"external_ids": ["u1", "u2"]}),
    ]
    for path, body in bodies:
        for key in ("Bearer mock-key", "Bearer x"):
            try:
                json.loads(harness.send(body, path, key=key).body or b"{}")
            except (ResponseLost, ValueError):
                continue
        harness.now += 7


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_leaves_a_server_that_responds(name: str) -> None:
    play(Harness(faults=(name,), rate_limit=12))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True),
    INTERPRETATIONS,
    st.lists(st.tuples(PATHS, DOCUMENTS), max_size=5),
)
def test_any_faults_together_respond_to_anything_under_any_interpretations(
    names: list[str], interpretations: dict[str, str], requests: list[tuple[str, Any]]
) -> None:
    harness = Harness(faults=tuple(names), interpretations=interpretations, array_limit=3)
    for path, document in requests:
        try:
            assert 200 <= harness.send(document, path).status < 600
        except ResponseLost:
            continue
        harness.now += 0.05


def test_two_faults_show_together() -> None:
    harness = Harness(faults=("string-trimmed", "string-lower", "message-ok"))
    response = harness.attributes(a=" X ")
    assert entry(response)["custom_attributes"] == {"a": "x"}
    assert value(response)["message"] == "ok"


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("applied-despite-400", {"body": {"events": [{"external_id": "u1", "name": "e", "properties": []}]}}),
        ("applied-despite-401", {"key": "Bearer wrong"}),
        ("applied-despite-403", {"key": "Bearer mock-key-without-permission"}),
        ("applied-despite-404", {"path": "/users/track/synch"}),
    ],
)
def test_a_refused_request_is_applied_all_the_same(name: str, refused: dict[str, Any]) -> None:
    harness = Harness(faults=(name,))
    body = {"events": [{"external_id": "u1", "name": "e", "time": "2022-01-01T00:00:00Z"}]}
    assert harness.send(**{"body": body} | refused).status == int(name[-3:])
    assert harness.stored()["custom_events"][0]["count"] == 1


def test_a_429_is_applied_all_the_same() -> None:
    harness = Harness(faults=("applied-despite-429",), rate_limit=1)
    harness.attributes(a=1)
    assert harness.attributes(a=2).status == 429
    assert harness.stored()["custom_attributes"] == {"a": 2}


def test_a_cut_connection_is_raised_in_process() -> None:
    harness = Harness(faults=("reset-on-astral",))
    with pytest.raises(ResponseLost):
        harness.attributes(a="🎉")
    assert harness.stored()["custom_attributes"] == {"a": "🎉"}


@cache
def plain_tour() -> dict[Part | None, tuple[Any, ...]]:
    """How the mock without a fault responds, by the parts of the tour."""
    return {part: tuple(walk_part(part)) for part in (*PARTS, None)}


def test_the_tour_is_the_same_each_time_and_meets_every_kind_of_response() -> None:
    once = tuple(chain(*plain_tour().values()))
    assert tuple(walk()) == once
    assert {201, 400, 401, 403, 404, 413, 429} <= {response[0] for response in once}


@cache
def parts_for(family: str) -> list[Part | None]:
    """The parts of the tour; first those where other faults of the family showed last."""
    return list(plain_tour())


def part_that_shows(fault: str) -> Part | None:
    """The part of the tour where the mock with this fault responds in another way. Fails where there is none."""
    parts = parts_for(catalogue()[fault].family)
    for part in parts:
        if any(
            faulty != plain for faulty, plain in zip(walk_part(part, faults=(fault,)), plain_tour()[part], strict=True)
        ):
            return part
    pytest.fail("it shows nowhere")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in RACES])
def test_every_fault_shows_over_the_wire(name: str) -> None:
    found, parts = part_that_shows(name), parts_for(catalogue()[name].family)
    parts.insert(0, parts.pop(parts.index(found)))


@pytest.mark.parametrize("name", RACES)
def test_every_race_shows_where_requests_overlap(name: str) -> None:
    def run(harness: Harness) -> list[bytes]:
        seen = []
        for user in ("u1", "u2"):
            harness.attributes(user, a=0, b=0)
            harness.event("e", user)
            harness.purchase("p", user)
        for n in range(30):
            slow, quick = ({"external_id": user} for user in ("u1", ("u1", "u2")[n % 2]))
            pair = (
                ({"attributes": [slow | {"a": n}]}, {"attributes": [quick | {"b": n} | ({"a": -n} if n % 2 else {})]}),
                ({"events": [slow | {"name": "e", "time": TIME}]}, {"attributes": [quick | {"b": n}]}),
                ({"purchases": [purchase_of() | slow]}, {"events": [quick | {"name": "e", "time": TIME}]}),
            )[n % 3]
            seen += [response.body for response in harness.overlapped(*pair)]
            seen += [harness.attributes(user, a={"inc": 0}, b={"inc": 0}).body for user in ("u1", "u2")]
            harness.now += 1
        return [*seen, harness.event("e", "u1").body, harness.purchase("p", "u1").body]

    assert run(Harness(faults=(name,))) != run(Harness())


@pytest.mark.parametrize("name", RACES)
def test_a_race_does_not_show_where_requests_do_not_overlap(name: str) -> None:
    faulty, plain = Harness(faults=(name,)), Harness()
    for n in range(5):
        assert faulty.attributes(a=n, l={"add": [n]}).body == plain.attributes(a=n, l={"add": [n]}).body
        assert faulty.event(f"e{n % 2}").body == plain.event(f"e{n % 2}").body
        assert faulty.purchase("p", f"u{n % 2}").body == plain.purchase("p", f"u{n % 2}").body


def test_a_time_that_carries_over_into_year_0_is_refused() -> None:
    assert Harness(faults=("month-0-accepted",)).event(time="0000-00-01T00:00:00Z").status == 400
    assert Harness(faults=("month-13-accepted",)).event(time="9999-13-01T00:00:00Z").status == 400
    assert Harness(faults=("month-0-accepted",)).event(time="2022-00-01T00:00:00Z").status == 201
