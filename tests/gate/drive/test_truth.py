"""Drive in its pure parts: the table of outcomes, what is true of an operation, scripts and their lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracksync.contract.clauses import Side, catalogue
from tracksync.gate.drive import behaviours, truth
from tracksync.gate.drive.behaviours import Demand
from tracksync.gate.drive.protocol import (
    Kind,
    NoAdapter,
    Operation,
    ProtocolError,
    ReportedOutcome,
    read_hello,
    read_report,
)
from tracksync.gate.drive.script import (
    Script,
    concurrent,
    read,
    repeated,
    same_cell,
    shorter,
    simplest,
    single,
    unusual,
)
from tracksync.gate.drive.strategies import scripts
from tracksync.gate.drive.truth import KnownToClient, find_truth, operation_of
from tracksync.model.exchange import Exchange, Failure, FailureKind, Request, Response
from tracksync.wire.observed import Observed

SET = simplest(Kind.SET)
EVENT = Operation(Kind.EVENT, {"external_id": "u"}, {"name": "rated", "time": "2026-01-01T12:00:00Z"})


def request(section: str = "attributes", **members: Any) -> Request:
    body = {section: [{"external_id": "user-1", **members}]}
    return Request("POST", "/users/track/sync", (), json.dumps(body).encode())


def seen(response: Response | None, demands: Request | None = None) -> Observed:
    failure = None if response else Failure(FailureKind.RESET)
    return Observed(Exchange(demands or request(colour="red"), response, 0.0, 0.1, failure=failure))


def success(**entry: Any) -> Response:
    return Response(201, (), json.dumps({"message": "success", "users": [entry] if entry else []}).encode())


APPLIED = success(custom_attributes={"colour": "red"})


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_says_of_every_outcome_whether_it_is_right_and_names_clauses_that_exist() -> None:
    table = truth.table()
    assert {known for known, _ in table} == set(KnownToClient)
    known = catalogue(Side.CLIENT).keys() | {""}
    for row in table.values():
        assert set(row) == set(ReportedOutcome)
        assert set(row.values()) <= known
        assert "" in row.values(), "some report has to be right"


def test_after_a_lost_response_failed_is_right_and_applied_wrong_only_where_nothing_was_applied() -> None:
    for applied in (False, True):
        assert truth.table()[KnownToClient.TRANSIENT_FAILURE, applied][ReportedOutcome.FAILED] == ""
    assert truth.table()[KnownToClient.TRANSIENT_FAILURE, True][ReportedOutcome.APPLIED] == ""
    assert truth.table()[KnownToClient.TRANSIENT_FAILURE, False][ReportedOutcome.APPLIED] == "TC-FAILURE-TOLD"
    assert truth.table()[KnownToClient.TRANSIENT_FAILURE, True][ReportedOutcome.NOT_APPLIED] == "TC-OUTCOME-TRUE"


@pytest.mark.parametrize(
    ("responses", "known"),
    [
        ([APPLIED], KnownToClient.SHOWN),
        ([success()], KnownToClient.UNMADE),
        ([success(custom_attributes={"colour": "blue"})], KnownToClient.UNMADE),
        ([Response(201, (), APPLIED.body[:20])], KnownToClient.TRANSIENT_FAILURE),
        ([Response(200, (), b"<html>")], KnownToClient.TRANSIENT_FAILURE),
        ([Response(503), APPLIED], KnownToClient.SHOWN),
        ([APPLIED, Response(503)], KnownToClient.SHOWN),
        ([Response(503), Response(400)], KnownToClient.REFUSED),
        ([Response(403)], KnownToClient.DENIED),
        ([Response(429)], KnownToClient.LIMITED),
        ([None], KnownToClient.TRANSIENT_FAILURE),
        ([], KnownToClient.NO_RESPONSE),
    ],
)
def test_what_a_client_can_know_is_the_most_that_its_responses_said(
    responses: list[Response | None], known: KnownToClient
) -> None:
    assert find_truth(SET, [seen(response) for response in responses], 0).known is known


def test_a_count_may_have_been_applied_after_500_and_504_and_a_lost_response_but_not_after_502_and_503() -> None:
    doubtful = {status: find_truth(EVENT, [seen(Response(status))], 0).doubtful for status in (500, 502, 503, 504)}
    assert doubtful == {500: True, 502: False, 503: False, 504: True}
    assert find_truth(EVENT, [seen(None)], 0).doubtful


def test_a_request_that_says_something_else_than_was_asked_is_noticed() -> None:
    assert find_truth(SET, [seen(APPLIED)], 1).altered is None
    assert find_truth(SET, [seen(APPLIED, request(colour="red "))], 1).altered is not None
    assert find_truth(SET, [seen(APPLIED, request(colour="red", _own=1))], 1).altered is None, "members of its own"


def test_a_request_belongs_to_the_operation_that_it_says_most_of() -> None:
    other = Operation(Kind.SET, {"external_id": "user-1"}, {"attributes": {"colour": "red", "plan": "a"}})
    open_ = {1: SET, 2: EVENT, 3: other}
    assert operation_of(request(colour="red"), open_) == 1
    assert operation_of(request(colour="red", plan="a"), open_) == 3
    assert operation_of(request("events", name="rated", time="2026-01-01T13:00:00+01:00"), open_) == 2
    assert operation_of(Request("POST", "/users/track/sync", (), b"nonsense"), open_) is None
    assert operation_of(Request("POST", "/users/track/sync", (), b"nonsense"), {1: SET}) == 1


# --- behaviours -------------------------------------------------------------------------------------------------------


def test_every_behaviour_says_what_it_does_and_what_is_expected() -> None:
    known = behaviours.catalogue()
    assert next(iter(known)) == "normal"
    demands = {name: behaviours.demand(played, 10.0) for name, played in known.items()}
    assert demands["normal"] is Demand.SUCCESS
    assert demands["gzip"] is Demand.TOLERANCE
    assert demands["error-503"] is demands["limited"] is demands["reset-after-applying"] is Demand.RECOVERY
    assert demands["limited-long"] is demands["users-empty"] is demands["outage"] is Demand.TRUTH
    assert [name for name, played in known.items() if behaviours.lasts(played, 10.0)] == ["limited-long"]


# --- scripts ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(scripts(["normal", "error-503"], ["limited-long"], tuple(Kind), pipelining=True))
def test_a_script_reads_back_from_its_lines(script: Script) -> None:
    assert read(script.text(10.0), "script", behaviours.catalogue()) == script
    for line in script.text(10.0).splitlines():
        assert isinstance(json.loads(line), dict)


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(scripts(["normal"], [], (Kind.EVENT, Kind.SET), pipelining=True))
def test_operations_at_once_differ_in_more_than_their_time(script: Script) -> None:
    for step in script.steps:
        marks = [
            json.dumps([one.kind, one.user, {**one.members, "time": ""}], sort_keys=True) for one in step.operations
        ]
        assert len(set(marks)) == len(marks)


def test_without_pipelining_no_operations_are_asked_for_at_once() -> None:
    @settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(scripts(["normal"], [], tuple(Kind), pipelining=False))
    def check(script: Script) -> None:
        assert not any(step.pipelined for step in script.steps)

    check()


def test_a_script_becomes_shorter_by_one_operation_at_a_time() -> None:
    script = concurrent("normal", (Kind.SET, Kind.EVENT))
    assert [one.size[0] for one in shorter(script)] == [1, 1]
    assert not any(step.pipelined for one in shorter(script) for step in one.steps)
    assert list(shorter(single("normal", Kind.SET))) == []
    assert (repeated(Kind.EVENT).size[0], repeated(Kind.SET).size[0]) == (3, 4)
    assert same_cell("normal", Kind.SET).steps[0].pipelined
    assert all(one.size[0] == 1 for one in unusual(tuple(Kind)))


# --- the protocol -----------------------------------------------------------------------------------------------------


def test_an_adapter_may_leave_out_what_it_does_not_know() -> None:
    hello = read_hello('{"type":"hello","protocol":1}')
    assert hello.operations == tuple(Kind)
    assert hello.pipelining is False
    assert read_report('{"type":"log","text":"hm"}', 2, frozenset({1})) is None
    report = read_report('{"type":"outcome","id":1,"outcome":"failed"}', 2, frozenset({1}))
    assert report is not None
    assert report.values is None
    assert report.attempts is None


@given(st.text() | st.sampled_from(("{}", "[]", '{"type":"outcome","id":true}')))
def test_no_line_of_an_adapter_is_more_than_an_error_with_a_message(line: str) -> None:
    with pytest.raises(NoAdapter):
        read_hello(line)
    message = ""
    try:
        assert read_report(line, 7, frozenset({1})) is None
    except ProtocolError as broken:
        message = str(broken)
    assert message.startswith("line 7 of the adapter") or not message
