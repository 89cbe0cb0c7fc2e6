"""What the oracle makes of the rate headers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from oracle_harness import RESET, SHOWN, TIME, OracleHarness, counted

from tracksync.model.exchange import Credential, Request

NAMES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def body(number: int) -> dict[str, object]:
    return {"events": [{"external_id": f"u{number}", "name": "seen", "time": TIME}]}


def response(number: int) -> dict[str, object]:
    return counted({"external_id": f"u{number}"}, "seen", SHOWN, SHOWN, 1)


def check(harness: OracleHarness, number: int = 0, status: int = 201, **headers: str | None) -> set[str]:
    named = {f"x-ratelimit-{key}": value for key, value in headers.items()}
    shown = response(number) if status == 201 else {"message": "over the limit"}
    return harness.clauses(body(number), shown, status, headers=named)


@pytest.mark.parametrize("name", ["limit", "remaining", "reset"])
@pytest.mark.parametrize("value", [None, "", "many", "4.5", "-1"])
def test_every_response_carries_three_whole_numbers(name: str, value: str | None) -> None:
    assert check(OracleHarness(), **{name: value}) == {"TS-RATE-HEADERS"}


def test_a_response_without_any_rate_header_is_found() -> None:
    assert check(OracleHarness(), limit=None, remaining=None, reset=None) == {"TS-RATE-HEADERS"}


@pytest.mark.parametrize("value", ["", "500"])
def test_on_a_401_they_may_be_empty(value: str) -> None:
    reset = str(RESET) if value else ""
    headers = dict(zip(NAMES, (value, value and "499", reset), strict=True))
    refused = {"message": "Invalid API key"}
    assert OracleHarness().check(body(0), refused, 401, credential=Credential.INVALID, headers=headers) == []


def test_on_a_401_they_may_not_be_missing() -> None:
    refused = {"message": "Invalid API key"}
    headers = dict.fromkeys(NAMES)
    found = OracleHarness().clauses(body(0), refused, 401, credential=Credential.INVALID, headers=headers)
    assert found == {"TS-RATE-HEADERS"}


def test_the_case_of_header_names_does_not_matter() -> None:
    headers: dict[str, str | None] = dict.fromkeys(NAMES) | {"X-RateLimit-Limit": "500", "X-Ratelimit-Remaining": "499"}
    assert OracleHarness().check(body(0), response(0), headers=headers | {"X-RATELIMIT-RESET": str(RESET)}) == []


def test_the_limit_is_the_one_that_was_told_and_stays() -> None:
    assert check(OracleHarness(rate_limit=500)) == set()
    assert check(OracleHarness(rate_limit=100)) == {"TS-RATE-LIMIT"}
    check(harness := OracleHarness(), limit="500")
    assert "TS-RATE-LIMIT" in check(harness, 1, limit="400")


def test_remaining_goes_down_with_each_accepted_request() -> None:
    harness = OracleHarness()
    assert check(harness, 0, remaining="400") == set()
    assert check(harness, 1, remaining="390") == set()
    assert check(harness, 2, remaining="390") == {"TS-RATE-REMAINING"}
    assert check(harness, 3, remaining="395") == {"TS-RATE-REMAINING"}
    assert check(OracleHarness(), remaining="501") == {"TS-RATE-REMAINING"}, "it is never above the limit"


@pytest.mark.parametrize("shown", [("500", "499", "498", "499"), ("500", "500", "500")])
def test_remaining_may_leave_out_the_request_that_it_answers_and_goes_down(shown: tuple[str, ...]) -> None:
    harness = OracleHarness()
    *before, last = [check(harness, number, remaining=remaining) for number, remaining in enumerate(shown)]
    assert (set().union(*before), last) == (set(), {"TS-RATE-REMAINING"})


def test_over_the_limit_nothing_is_accepted() -> None:
    assert check(harness := OracleHarness(), 0, remaining="0") == set()
    assert "TS-RATE-EXCEEDED" in check(harness, 1, remaining="0")


def test_a_429_comes_with_nothing_remaining() -> None:
    for remaining, found in (("0", set()), ("3", {"TS-RATE-429"})):
        assert check(OracleHarness(), status=429, remaining=remaining) == found


def test_a_429_of_the_window_before_shows_the_next_one_unused() -> None:
    for remaining, found in (("500", set()), ("499", {"TS-RATE-429"})):
        check(harness := OracleHarness(), remaining="1")
        harness.now = RESET - 0.005
        assert check(harness, 1, status=429, remaining=remaining, reset=str(RESET + 60)) == found


def test_a_429_while_requests_remain_and_no_other_client_is_there_is_too_early() -> None:
    harness = OracleHarness()
    for number in range(3):
        check(harness, number, remaining=str(499 - number))
    assert check(harness, 3, status=429, remaining="0") == {"TS-RATE-429"}


def test_another_client_of_the_workspace_explains_an_early_429() -> None:
    harness = OracleHarness()
    check(harness, 0, remaining="400")
    check(harness, 1, remaining="300")
    assert check(harness, 2, status=429, remaining="0") == set()


def test_a_429_changes_nothing() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check(
        {"events": [{"external_id": "u", "name": "seen", "time": TIME}]},
        {"message": "over"},
        429,
        headers={"x-ratelimit-remaining": "0"},
    )
    harness.now = RESET + 1.0
    assert harness.event(3) == {"TS-STATE-REFUSED"}


# --- the count of one window ------------------------------------------------------------------------------------------

NO_HEADERS: dict[str, str | None] = dict.fromkeys(NAMES)


def window(remaining: int, limit: int = 500, reset: int = RESET) -> dict[str, str | None]:
    return dict(zip(NAMES, (str(limit), str(remaining), str(reset)), strict=True))


def hear_429(harness: OracleHarness, headers: dict[str, str | None], **how: Any) -> set[str]:
    return harness.clauses(body(99), {"message": "over"}, 429, headers=headers, **how)


def test_more_accepted_requests_than_the_limit_are_found_without_the_headers_too() -> None:
    harness = OracleHarness(rate_limit=3)
    harness.check(body(0), response(0), headers=window(2, 3))
    for number in (1, 2):
        assert harness.clauses(body(number), response(number), headers=NO_HEADERS) == {"TS-RATE-HEADERS"}
    findings = harness.check(body(3), response(3), headers=window(1, 3))
    assert [one.clause for one in findings] == ["TS-RATE-EXCEEDED"]
    assert findings[0].message == "4 requests were accepted in one window with a limit of 3"
    assert (findings[0].pointer, findings[0].expected, findings[0].actual) == ("/response/status", 429, 201)
    assert harness.last is not None
    assert "TS-RATE-EXCEEDED" in harness.last.covered


def test_as_many_accepted_requests_as_the_limit_are_right() -> None:
    harness = OracleHarness(rate_limit=3)
    harness.check(body(0), response(0), headers=window(2, 3))
    harness.check(body(1), response(1), headers=NO_HEADERS)
    assert harness.check(body(2), response(2), headers=window(0, 3)) == []
    harness = OracleHarness(rate_limit=1)
    assert harness.check(body(0), response(0), headers=window(0, 1)) == []


def test_what_was_refused_is_not_counted_as_accepted() -> None:
    harness = OracleHarness(rate_limit=2)
    harness.check(body(0), response(0), headers=window(1, 2))
    for _ in range(3):
        wrong = harness.clauses({"events": []}, {"message": "wrong", "errors": ["'events' is empty"]}, 400,
                              headers=NO_HEADERS)  # fmt: skip
        assert wrong == {"TS-RATE-HEADERS"}
    assert harness.check(body(1), response(1), headers=window(0, 2)) == []


def test_a_request_that_was_accepted_although_nothing_remained_says_so() -> None:
    harness = OracleHarness()
    harness.check(body(0), response(0), headers=window(0))
    findings = {one.clause: one for one in harness.check(body(1), response(1), headers=window(0))}
    found = findings["TS-RATE-EXCEEDED"]
    assert "nothing remained" in found.message
    assert (found.pointer, found.expected, found.actual) == ("/response/status", 429, 201)
    assert harness.last is not None
    assert "TS-RATE-EXCEEDED" in harness.last.covered


def test_a_429_is_too_early_only_if_more_remained_than_responses_came_without_a_number() -> None:
    for before, unshown, found in ((1, 0, True), (1, 1, False), (2, 1, True), (2, 2, False)):
        harness = OracleHarness()
        harness.check(body(0), response(0), headers=window(before, before + 1))
        for number in range(unshown):
            harness.check(body(1 + number), response(1 + number), headers=NO_HEADERS)
        assert hear_429(harness, window(0, before + 1)) == ({"TS-RATE-429"} if found else set())


def test_a_401_with_empty_headers_counts_too() -> None:
    harness = OracleHarness()
    harness.check(body(0), response(0), headers=window(1, 2))
    empty: dict[str, str | None] = dict.fromkeys(NAMES, "")
    harness.check(body(1), {"message": "Invalid API key"}, 401, credential=Credential.INVALID, headers=empty)
    assert hear_429(harness, window(0, 2)) == set()


def test_a_response_of_another_endpoint_without_the_headers_counts_in_its_own_window() -> None:
    deletion = {"external_ids": ["u"]}
    done = {"deleted": 1, "message": "success"}
    harness = OracleHarness()
    assert harness.check(deletion, done, path="/users/delete", headers=window(1, 2)) == []
    assert harness.check(deletion, done, path="/users/delete", headers=NO_HEADERS) == []
    assert harness.check(deletion, {"message": "over"}, 429, path="/users/delete", headers=window(0, 2)) == []


def test_each_endpoint_has_a_window_of_its_own() -> None:
    harness = OracleHarness()
    exported = {"users": [], "message": "success"}
    queued = {"message": "success", "events_processed": 1}
    assert harness.check({"external_ids": ["u"]}, {"deleted": 1, "message": "success"}, path="/users/delete",
                      headers=window(10, 20)) == []  # fmt: skip
    assert harness.check({"external_ids": ["u"]}, exported, path="/users/export/ids", headers=window(400)) == []
    assert harness.check(body(0), queued, path="/users/track", headers=window(3000, 4000)) == []
    assert harness.check(body(1), response(1), headers=window(450)) == []


def test_a_window_belongs_to_others_too_where_more_is_gone_than_was_sent() -> None:
    for remaining, found in ((7, {"TS-RATE-429"}), (6, set())):
        harness = OracleHarness()
        harness.check(body(0), response(0), headers=window(9, 10))
        harness.check(body(1), response(1), headers=NO_HEADERS)
        harness.check(body(2), response(2), headers=window(remaining, 10))
        assert hear_429(harness, window(0, 10)) == found
    harness = OracleHarness()
    harness.check(body(0), response(0), headers=window(8, 10))
    assert hear_429(harness, window(0, 10)) == set()


def test_overlapping_responses_need_not_go_down() -> None:
    harness = OracleHarness()
    harness.check(body(0), response(0), headers=window(400))
    assert harness.clauses(body(1), response(1), headers=window(400), wait=0.0) == set()
    assert harness.clauses(body(2), response(2), headers=window(400)) == {"TS-RATE-REMAINING"}


def test_overlapping_requests_are_remembered_in_the_next_window() -> None:
    harness = OracleHarness()
    harness.now = RESET - 1.0
    harness.check(body(0), response(0), headers=window(400), took=5.0)
    harness.now = RESET + 1.0
    harness.check(body(1), response(1), headers=window(490, reset=RESET + 60))
    assert harness.check(body(2), response(2), headers=window(491, reset=RESET + 60)) == []


def test_the_limit_is_remembered_in_the_next_window() -> None:
    harness = OracleHarness()
    harness.check(body(0), response(0), headers=window(499))
    assert harness.clauses(body(1), response(1), headers=window(399, 400, RESET + 60), wait=60.0) == {"TS-RATE-LIMIT"}


def test_a_429_at_the_end_of_a_window_with_others_in_flight_may_show_any_number() -> None:
    other = Request("POST", "/users/track/sync", (), json.dumps(body(1)).encode())
    for in_flight, found in (((), {"TS-RATE-429"}), ((other,), set())):
        harness = OracleHarness()
        harness.check(body(0), response(0), headers=window(1))
        harness.now = RESET - 0.005
        assert hear_429(harness, window(499, reset=RESET + 60), in_flight=in_flight) == found


# --- the limit --------------------------------------------------------------------------------------------------------


def test_a_wrong_limit_says_what_was_expected_and_how_to_tell_another() -> None:
    (found,) = OracleHarness(rate_limit=100).check(body(0), response(0), headers=window(499))
    assert found.message == "x-ratelimit-limit is 500, not 100 (give another limit of the workspace with --rate-limit)"
    assert (found.pointer, found.expected, found.actual) == ("/response/headers/x-ratelimit-limit", 100, 500)
    found = next(iter(OracleHarness(rate_limit=100).check(body(0), response(0), headers=window(0, 0))))
    assert found.message == "x-ratelimit-limit is 0, not 100"
    found = next(iter(OracleHarness().check(body(0), response(0), headers=window(0, 0))))
    assert found.message == "x-ratelimit-limit is 0, not a positive number"
    assert (found.clause, found.expected, found.actual) == ("TS-RATE-LIMIT", 1, 0)
    harness = OracleHarness()
    harness.check(body(0), response(0), headers=window(499))
    (found,) = harness.check(body(1), response(1), headers=window(398, 400))
    assert found.message == "x-ratelimit-limit is 400, not 500"


def test_a_limit_of_one_is_a_limit() -> None:
    assert OracleHarness().check(body(0), response(0), headers=window(0, 1)) == []


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_400_carries_the_headers_too() -> None:
    wrong = {"message": "wrong", "errors": ["'events' is empty"]}
    assert OracleHarness().clauses({"events": []}, wrong, 400, headers=NO_HEADERS) == {"TS-RATE-HEADERS"}


@pytest.mark.parametrize(
    ("status", "credential"), [(401, Credential.INVALID), (403, Credential.UNPRIVILEGED), (429, Credential.VALID)]
)
def test_other_refusals_carry_the_headers_too(status: int, credential: Credential) -> None:
    how: dict[str, Any] = {"credential": credential, "headers": NO_HEADERS}
    assert OracleHarness().clauses(body(0), {"message": "no"}, status, **how) == {"TS-RATE-HEADERS"}


@pytest.mark.parametrize("status", [404, 405, 413, 415])
def test_a_response_from_before_the_endpoint_need_not_carry_them(status: int) -> None:
    harness = OracleHarness()
    harness.check(body(0), {"message": "no"}, status, headers=NO_HEADERS)
    assert harness.last is not None
    assert "TS-RATE-HEADERS" not in {one.clause for one in harness.last.findings}


def test_accepted_requests_of_another_endpoint_count_without_the_headers_too() -> None:
    deletion, done = {"external_ids": ["u"]}, {"deleted": 1, "message": "success"}
    harness = OracleHarness()
    harness.check(deletion, done, path="/users/delete", headers=window(1, 2))
    for _ in range(2):
        assert harness.check(deletion, done, path="/users/delete", headers=NO_HEADERS) == []
    assert harness.clauses(deletion, done, path="/users/delete", headers=window(0, 2)) == {"TS-RATE-EXCEEDED"}


def test_a_number_of_too_many_digits_is_not_a_number() -> None:
    assert check(OracleHarness(), reset="9" * 20) == {"TS-RATE-RESET"}
    assert check(OracleHarness(), reset="9" * 21) == {"TS-RATE-HEADERS"}


def test_a_limit_that_changed_is_wrong_in_every_later_window() -> None:
    harness = OracleHarness()
    harness.check(body(0), response(0), headers=window(499))
    for number in (1, 2):
        headers = window(399, 400, RESET + 60 * number)
        assert harness.clauses(body(number), response(number), headers=headers, wait=60.0) == {"TS-RATE-LIMIT"}


def test_a_limit_of_zero_is_not_remembered() -> None:
    harness = OracleHarness()
    assert "TS-RATE-LIMIT" in harness.clauses(body(0), response(0), headers=window(0, 0))
    assert "TS-RATE-LIMIT" not in harness.clauses(body(1), response(1), headers=window(0, 5))
    harness = OracleHarness()
    harness.check(body(0), response(0), headers=window(0, 1))
    assert "TS-RATE-LIMIT" in harness.clauses(body(1), response(1), headers=window(0, 5))
    (found,) = OracleHarness(rate_limit=5).check(body(0), response(0), headers=window(0, 1))
    assert "--rate-limit" in found.message


def test_what_is_refused_when_nothing_remains_leaves_nothing() -> None:
    wrong = {"message": "wrong", "errors": ["'events' is empty"]}
    for remaining, found in ((0, set()), (1, {"TS-RATE-REMAINING"})):
        harness = OracleHarness()
        harness.check(body(0), response(0), headers=window(0))
        assert harness.clauses({"events": []}, wrong, 400, headers=window(remaining)) == found


def test_the_lowest_number_of_a_window_counts_and_not_the_last() -> None:
    harness = OracleHarness()
    harness.check(body(0), response(0), headers=window(400))
    assert harness.clauses(body(1), response(1), headers=window(410), wait=0.0) == set()
    assert harness.clauses(body(2), response(2), headers=window(405)) == {"TS-RATE-REMAINING"}


@pytest.mark.parametrize(
    ("path", "requested", "done"),
    [
        ("/users/track", body(0), {"message": "success", "events_processed": 1}),
        ("/users/delete", {"external_ids": ["u"]}, {"deleted": 1, "message": "success"}),
        ("/users/export/ids", {"external_ids": ["u"]}, {"users": [], "message": "success"}),
    ],
)
def test_the_window_of_another_endpoint_goes_down_too(path: str, requested: Any, done: Any) -> None:
    harness = OracleHarness()
    assert harness.check(requested, done, path=path, headers=window(40)) == []
    assert harness.check(requested, done, path=path, headers=window(39)) == []
    assert harness.clauses(requested, done, path=path, headers=window(39)) == {"TS-RATE-REMAINING"}
