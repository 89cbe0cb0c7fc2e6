"""The directed probes name every clause, are frugal, keep apart, and are the same every time."""

from __future__ import annotations

import contextlib
import json
import random
from itertools import islice

import pytest

from tracksync.contract.bounds import SYNC, bounds
from tracksync.contract.clauses import catalogue
from tracksync.engine import Budget, FuzzPlan, fuzz
from tracksync.generate.build import SentKey, Step
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import ELSEWHERE, PROBES, rate_burst
from tracksync.generate.robustness import robustness_steps
from tracksync.model.events import Event, RunEnded
from tracksync.model.exchange import Credential


def namer() -> Namer:
    return Namer("ts-probes", random.Random(0))


def test_every_clause_is_named_by_a_probe_or_excepted_with_a_reason() -> None:
    named = {clause for probe in PROBES for clause in probe.clauses}
    assert set(catalogue()) - named - set(ELSEWHERE) == set()


def test_probes_and_exceptions_name_only_clauses_that_exist_and_no_clause_twice() -> None:
    named = [clause for probe in PROBES for clause in probe.clauses]
    assert set(named) <= set(catalogue())
    assert set(ELSEWHERE) <= set(catalogue())
    assert not set(ELSEWHERE) & set(named)
    assert all(len(reason.split()) > 4 for reason in ELSEWHERE.values())


def test_every_clause_is_named_by_probes_within_the_requests_that_the_design_allows() -> None:
    first = [probe for probe in PROBES if not probe.further]
    assert set(catalogue()) - set(ELSEWHERE) == {clause for probe in first for clause in probe.clauses}
    assert sum(len(probe.steps(namer())) for probe in first) <= 250
    assert PROBES[: len(first)] == tuple(first)
    robust = sum(1 for _ in robustness_steps(namer()))
    assert sum(len(probe.steps(namer())) for probe in PROBES) + robust <= 500


def test_probes_have_names_of_their_own_and_every_step_says_what_it_is_for() -> None:
    assert len({probe.name for probe in PROBES}) == len(PROBES)
    assert all(step.label for probe in PROBES for step in probe.steps(namer()))


def test_a_probe_is_the_same_every_time() -> None:
    for probe in PROBES:
        if not probe.heavy:
            assert probe.steps(namer()) == probe.steps(namer())


def identifiers(step: Step) -> set[str]:
    found: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("external_id", "alias_name", "email", "phone", "braze_id") and isinstance(inner, str | int):
                    found.add(str(inner))
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    with contextlib.suppress(ValueError):
        look(json.loads(step.request.body or b"null"))
    return found


def test_no_user_occurs_in_two_probes_so_that_no_finding_hides_another() -> None:
    names = namer()
    owner: dict[str, str] = {}
    for probe in PROBES:
        if probe.heavy:
            continue
        for step in probe.steps(names):
            for one in identifiers(step):
                assert owner.setdefault(one, probe.name) == probe.name, one


def test_only_optional_probes_leave_the_synchronous_endpoint() -> None:
    for probe in PROBES:
        paths = {step.request.path for step in probe.steps(namer())}
        if probe.optional:
            assert probe.group == "neighbours"
        elif probe.name != "routes":
            assert paths == ({SYNC, f"{SYNC}/more"} if probe.name == "refused-creates-no-user" else {SYNC})


def test_only_heavy_probes_go_beyond_the_documented_size_of_a_body() -> None:
    for probe in PROBES:
        longest = max(len(step.request.body) for step in probe.steps(namer()))
        assert (longest > bounds().body_bytes.most) == probe.heavy, probe.name


def test_every_way_of_not_having_the_key_is_tried() -> None:
    steps = [step for probe in PROBES for step in probe.steps(namer())]
    assert {step.credential for step in steps} == set(Credential) - {Credential.UNKNOWN}
    assert {step.key for step in steps} == set(SentKey)


def test_no_step_carries_an_authorization_header() -> None:
    for probe in PROBES:
        for step in probe.steps(namer()):
            assert "authorization" not in {name.lower() for name, _ in step.request.headers}


def test_after_the_last_refused_request_a_probe_sends_one_more_that_shows_whether_it_was_applied() -> None:
    for name in ("event-refused", "purchase-refused", "refused-forms", "keys", "routes"):
        last = next(probe for probe in PROBES if probe.name == name).steps(namer())[-1]
        assert last.credential is Credential.VALID
        assert last.request.method == "POST"


def test_a_rate_burst_is_lazy_and_counts_on_one_user() -> None:
    burst = rate_burst(namer(), 10**9)
    first = list(islice(burst, 3))
    assert len({step.request for step in first}) == 1
    assert len(list(rate_burst(namer(), 7))) == 7


@pytest.mark.parametrize(("requests", "verdict"), [(249, "incomplete"), (250, "passed"), (300, "passed")])
def test_a_budget_that_ends_before_the_further_probes_is_enough(requests: int, verdict: str) -> None:
    events: list[Event] = []
    fuzz(FuzzPlan(seed=1, budget=Budget(requests=requests)), events.append)
    assert [event.verdict for event in events if isinstance(event, RunEnded)] == [verdict]
