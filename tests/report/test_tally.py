"""The tally turns events into a result of the documented form, and never loses a finding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from report_samples import ASSUMED, DOCUMENTED, OBSERVED, START, exchange, finding, lost, result_of, run

from tracksync.contract.clauses import catalogue
from tracksync.model.events import (
    ExchangeChecked,
    FindingConfirmed,
    InterpretationLearned,
    Paused,
    PhaseStarted,
    Retried,
    RunEnded,
    RunStarted,
    Skipped,
)
from tracksync.model.exchange import FailureKind
from tracksync.model.verdict import fails, fingerprint
from tracksync.report import Redactor, Tally, json_result
from tracksync.report import interpretations as interpretations_file


def test_a_passed_run_has_the_documented_form_and_counts_everything() -> None:
    result = result_of(run())
    Draft202012Validator(json_result.schema()).validate(json.loads(json_result.render(result)))
    assert (result["verdict"], result["requests"], result["data_points"], result["seed"]) == ("passed", 2, 2, 7)
    assert result["seconds"] == 4
    assert result["started"] == "2023-11-14T22:13:20.000Z"
    assert result["findings"] == []
    assert result["phases"] == {"directed": 2}
    assert result["budget"] == {"requests": 500, "seconds": None, "data_points": None}


def test_every_clause_of_the_catalogue_is_in_the_table_and_says_why_not() -> None:
    clauses = result_of(run(why_not={"TS-RATE-429": "it costs a minute"}))["clauses"]
    assert set(clauses) == set(catalogue())
    assert clauses[DOCUMENTED] == {"covered": 2, "broken": 0}
    assert clauses["TS-RATE-429"] == {"covered": 0, "broken": 0, "why_not": "it costs a minute"}
    assert all(entry["covered"] or entry["why_not"] for entry in clauses.values())


def test_a_finding_has_the_documented_form() -> None:
    result = result_of(run(finding(expected="success", actual="fine")))
    Draft202012Validator(json_result.schema()).validate(json.loads(json_result.render(result)))
    (found,) = result["findings"]
    assert result["verdict"] == "failed"
    assert found["clause"] == DOCUMENTED
    assert found["evidence"] == "documented"
    assert (found["expected"], found["actual"]) == ("success", "fine")
    assert found["reproduce"] == "tracksync fuzz --seed 7"
    assert found["exchanges"][0]["request"]["body"] == '{"attributes":[{"external_id":"u1","colour":"red"}]}'
    assert found["exchanges"][0]["response"]["status"] == 201
    assert result["clauses"][DOCUMENTED] == {"covered": 2, "broken": 1}


def test_a_missing_value_is_left_out_and_null_is_not() -> None:
    (found,) = result_of(run(finding(actual=None)))["findings"]
    assert "expected" not in found
    assert found["actual"] is None


def test_a_broken_clause_counts_as_covered_even_if_the_event_does_not_say_so() -> None:
    broken = ExchangeChecked(1, exchange(), (finding(ASSUMED),), frozenset())
    assert result_of([broken])["clauses"][ASSUMED] == {"covered": 1, "broken": 1}


@pytest.mark.parametrize(
    ("clause", "strict", "known", "verdict"),
    [
        (DOCUMENTED, False, False, "failed"),
        (DOCUMENTED, True, False, "failed"),
        (DOCUMENTED, True, True, "passed"),
        (OBSERVED, False, False, "passed"),
        (OBSERVED, True, False, "failed"),
        (OBSERVED, True, True, "passed"),
        (ASSUMED, False, False, "passed"),
        (ASSUMED, True, False, "passed"),
    ],
)
def test_what_fails_a_run(clause: str, strict: bool, known: bool, verdict: str) -> None:
    result = result_of(run(finding(clause), strict=strict, known=known, verdict="passed"))
    assert result["verdict"] == verdict
    assert [found["clause"] for found in result["findings"]] == [clause]
    evidence = catalogue()[clause].evidence
    assert fails(evidence, strict=strict, known=known) is (verdict == "failed")


def test_incomplete_stays_incomplete() -> None:
    assert result_of(run(verdict="incomplete"))["verdict"] == "incomplete"
    assert result_of(run(finding(), verdict="incomplete"))["verdict"] == "incomplete"


def test_a_run_cut_short_keeps_the_finding_that_nothing_confirmed() -> None:
    started, phase, first, second = run(finding())[:4]
    result = result_of([started, phase, first, second])
    assert result["verdict"] == "incomplete"
    (found,) = result["findings"]
    assert found["clause"] == DOCUMENTED
    assert found["confirmed"] is False
    assert len(found["exchanges"]) == 1


def test_a_confirmed_finding_is_not_repeated_as_unconfirmed() -> None:
    (found,) = result_of(run(finding()))["findings"]
    assert "confirmed" not in found


def test_errors_come_before_warnings_and_known_findings_last() -> None:
    events = run(finding(OBSERVED), finding(DOCUMENTED))
    events.insert(-1, FindingConfirmed(finding("TS-OK-STATUS"), (), "", known=True))
    found = [(entry["clause"], entry["known"]) for entry in result_of(events)["findings"]]
    assert found == [(DOCUMENTED, False), (OBSERVED, False), ("TS-OK-STATUS", True)]


def test_before_the_first_event_there_is_a_result_too() -> None:
    result = result_of([])
    Draft202012Validator(json_result.schema()).validate(result)
    assert (result["verdict"], result["requests"]) == ("incomplete", 0)


def test_a_request_that_never_left_is_not_counted() -> None:
    result = result_of(
        [
            RunStarted("fuzz", "http://localhost:1", START),
            ExchangeChecked(1, lost(FailureKind.UNREACHABLE), data_points=1),
            ExchangeChecked(2, lost(FailureKind.TIMEOUT), data_points=1),
        ]
    )
    assert (result["requests"], result["data_points"]) == (1, 1)


def test_pauses_retries_skips_and_interpretations_are_counted() -> None:
    events = run(interpretations={"no-user": "omitted"})
    events[2:2] = [
        Paused(1.5, "window"),
        Retried(2, "503"),
        Skipped("a", "b"),
        InterpretationLearned("bare-object", "refused"),
    ]
    result = result_of(events)
    assert result["pauses"] == {"count": 1, "seconds": 1.5}
    assert (result["retries"], result["skipped"]) == (1, 1)
    assert result["interpretations"] == {"bare-object": "refused", "no-user": "omitted"}


def test_the_timeline_counts_each_clock_minute_with_the_limit_the_target_named() -> None:
    minute = START // 60 * 60
    limited = (("X-RateLimit-Limit", "250"),)
    result = result_of(
        [
            RunStarted("fuzz", "mock", minute),
            PhaseStarted("directed"),
            ExchangeChecked(1, exchange(at=minute + 1, response_headers=limited)),
            ExchangeChecked(2, exchange(at=minute + 59.9, status=429, response_headers=(("x-ratelimit-limit", "٣"),))),
            ExchangeChecked(3, exchange(at=minute + 60, status=503, response_headers=(("x-ratelimit-limit", ""),))),
            ExchangeChecked(4, lost(FailureKind.RESET, at=minute + 61)),
        ]
    )
    assert result["timeline"] == [
        {"at": minute, "requests": 2, "limited": 1, "failed": 0, "limit": 250},
        {"at": minute + 60, "requests": 2, "limited": 0, "failed": 2},
    ]


def test_with_a_clock_the_duration_is_that_of_the_process_and_not_of_the_target() -> None:
    times = iter([100.0, 100.0, 102.5])
    tally = Tally(Redactor(), lambda: next(times))
    for event in run():
        tally(event)
    assert tally.result()["seconds"] == 2.5


def test_bodies_that_are_not_text_or_too_long_are_shortened() -> None:
    (binary,) = result_of(run(finding(), shown=exchange(b"\xff\x00")))["findings"]
    assert binary["exchanges"][0]["response"]["body_base64"] == "/wA="
    (long,) = result_of(run(finding(), shown=exchange(b"x" * 100_000)))["findings"]
    assert long["exchanges"][0]["response"]["body_bytes"] == 100_000
    assert len(json_result.render(result_of(run(finding(), shown=exchange(b"x" * 100_000))))) < 80_000


def test_a_result_is_ascii_json_even_with_lone_surrogates_and_odd_numbers() -> None:
    result = result_of(run(finding(message="a\ud800b", expected=float("nan"), actual=10**400)))
    text = json_result.render(result)
    assert text.isascii()
    assert json.loads(text)["findings"][0]["message"] == "a\ud800b"


def test_of_two_ends_the_later_one_counts() -> None:
    events = [*run(), RunEnded("incomplete", "stopped by hand", START + 5)]
    result = result_of(events)
    assert (result["verdict"], result["reason"]) == ("incomplete", "stopped by hand")


def test_the_shipped_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_result.schema())
    assert set(json_result.schema()["required"]) >= {"tracksync", "schema", "command", "verdict", "findings", "clauses"}


def test_learned_interpretations_can_be_read_back(tmp_path: Path) -> None:
    from tracksync.config import read_interpretations

    path = tmp_path / "interpretations.toml"
    interpretations = {"no-user": "omitted", "array-overflow": "newest"}
    path.write_text(
        interpretations_file.render(result_of(run(interpretations=interpretations, target='a "quoted"\nname'))),
        encoding="utf-8",
    )
    assert read_interpretations(path) == interpretations


@pytest.mark.parametrize(
    ("pointer", "same"),
    [
        ("/response/body/users/0/custom_events/3/count", "/response/body/users/*/custom_events/*/count"),
        ("/response/body/users/0/custom_attributes/ts1-x", "/response/body/users/*/custom_attributes/*"),
        ("/request/body/attributes/0/ts1-x", "/request/body/attributes/*/*"),
        ("/request/body/events/0/properties/p9", "/request/body/events/*/properties/*"),
        ("", ""),
    ],
)
def test_a_finding_is_the_same_whatever_index_or_name_it_was_seen_at(pointer: str, same: str) -> None:
    assert fingerprint("TS-X", pointer) == f"TS-X {same}".rstrip()
    assert fingerprint("TS-X", pointer) != fingerprint("TS-Y", pointer)
