"""Verdict, exit code, headline, JUnit, annotations and the table of scenarios agree, whatever the command did."""

from __future__ import annotations

import itertools
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from gate_runs import EXCHANGE, Did, result_of_gate

from tracksync.model.exchange import Exchange, Response
from tracksync.model.finding import Finding
from tracksync.model.verdict import EXIT_CODES, FailOn
from tracksync.report import github, html, json_result, junit, markdown, terminal, view

LIMIT = Finding("TC-STRING-LIMIT", "a string has 300 characters", "/request/body")  # documented
KIND = Finding("TC-OUTCOME-KIND", "another kind", "/outcome")  # observed
ZONE = Finding("TC-TIME-ZONE", "a time without a zone", "/request/body")  # assumed
HUNG_UP = Finding("TC-TIMEOUT-TEN", "the client hung up after 2.0 s", "/response")  # assumed
AGAIN = replace(EXCHANGE, response=Response(503, (), b""))
OTHER = replace(EXCHANGE, request=replace(EXCHANGE.request, body=b'{"attributes":[{"external_id":"u2","a":1}]}'))
FINDINGS = {LIMIT: FailOn.ERROR, KIND: FailOn.WARNING, ZONE: FailOn.NOTE}  # and the first measure that each one fails
ORDER = [FailOn.ERROR, FailOn.WARNING, FailOn.NOTE, FailOn.NEW]
ENDS = {
    "success": Did(),
    "failure": Did(status=1),
    "too late": Did(timed_out=True),
    "no request": Did(silent=True),
    "stopped": Did(stopped=True),
}


def agree(result: dict[str, Any], verdict: str) -> None:
    """Assert that every form of `result` says `verdict`."""
    good = verdict == "passed"
    assert result["verdict"] == verdict, result["reason"]
    assert (EXIT_CODES[result["verdict"]] == 0) is good
    headline = view.headline(result)
    assert headline.startswith(f"{verdict.upper()}: ")
    assert terminal.render(result, width=9999, brief=True) == f"{headline}\n"
    suite = ET.fromstring(junit.render(result)).find("testsuite")
    assert suite is not None
    assert (int(suite.attrib["failures"]) + int(suite.attrib["errors"]) == 0) is good
    assert ("::error " in github.render(result)) is not good
    assert json_result.checked(result, "the result")["verdict"] == verdict
    for run in result["test_command"]["runs"]:
        cases = [case for case in suite.iter("testcase") if case.attrib["classname"].endswith(f".{run['scenario']}")]
        assert any(case.find("failure") is not None for case in cases) is (run["verdict"] == "failed"), run
    assert verdict == "failed" or "failed" not in {run["verdict"] for run in result["test_command"]["runs"]}


@pytest.mark.parametrize("known", ["", "allow", "baseline"])
@pytest.mark.parametrize("end", ENDS)
def test_every_form_of_the_result_agrees_whatever_was_found_and_however_the_command_ended(end: str, known: str) -> None:
    for (finding, first), fail_on in itertools.product(FINDINGS.items(), ORDER):
        did = {**vars_of(ENDS[end]), "finding": None if ENDS[end].silent else finding}
        more: dict[str, Any] = {"allow": {"allowed": frozenset({finding.clause})}, "": {}}.get(
            known, {"known": frozenset({f"{finding.clause} {finding.pointer}"})}
        )
        broken = not known and end != "no request" and ORDER.index(fail_on) >= ORDER.index(first)
        implied = {"success": "passed", "failure": "failed"}.get(end, "incomplete")
        agree(result_of_gate({"normal": Did(**did)}, fail_on=fail_on, **more), "failed" if broken else implied)


def vars_of(did: Did) -> dict[str, Any]:
    return {name: getattr(did, name) for name in did.__dataclass_fields__}


SUCCESS, FAILURE = Did(), Did(status=1)
STRICT = {"fail_on": FailOn.WARNING}


@pytest.mark.parametrize(
    ("did", "plan", "verdict"),
    [
        ({"normal": SUCCESS, "gzip": SUCCESS}, {}, "passed"),
        ({"normal": SUCCESS, "gzip": FAILURE}, {}, "failed"),  # TC-TOLERANT
        ({"normal": SUCCESS, "gzip": FAILURE}, {"allowed": frozenset({"TC-TOLERANT"})}, "passed"),
        # TC-TIMEOUT-TEN, a note, says it all: a failure for the same reason is not an error beside it.
        ({"normal": SUCCESS, "slow-first-byte": Did(status=1, finding=HUNG_UP)}, {}, "passed"),
        ({"normal": SUCCESS, "slow-first-byte": FAILURE}, {}, "failed"),
        ({"normal": FAILURE, "gzip": FAILURE}, {}, "failed"),
        ({"normal": FAILURE, "gzip": SUCCESS}, {}, "failed"),
        ({"gzip": FAILURE}, {}, "failed"),
        ({"normal": SUCCESS, "error-503": Did(status=1, failed=True)}, {}, "passed"),  # TC-RECOVERS, a warning
        ({"normal": SUCCESS, "error-503": Did(status=1, failed=True)}, {"fail_on": FailOn.WARNING}, "failed"),
        # A request that met the limit at each of four tries may be given up; one that was sent three times may not.
        ({"normal": SUCCESS, "rate-burst": Did(1, failed=True, exchanges=(AGAIN,) * 4)}, STRICT, "passed"),
        ({"normal": SUCCESS, "rate-burst": Did(1, failed=True, exchanges=(AGAIN,) * 3)}, STRICT, "failed"),
        ({"normal": SUCCESS, "rate-burst": Did(1, failed=True, exchanges=(OTHER, *(AGAIN,) * 4))}, STRICT, "passed"),
        ({"normal": SUCCESS, "outage": Did(status=1, failed=True)}, {}, "passed"),
        ({"normal": SUCCESS, "outage": Did(failed=True)}, {}, "failed"),  # TC-FAILURE-TOLD
        # Given up after two tries: told as a success. Sent once in these words: it may have been sent again in others.
        ({"normal": SUCCESS, "outage": Did(failed=True, exchanges=(OTHER, AGAIN, AGAIN))}, {}, "failed"),
        ({"normal": SUCCESS, "outage": Did(failed=True, exchanges=(OTHER, AGAIN))}, {}, "passed"),
        ({"normal": SUCCESS, "outage": Did(exchanges=(AGAIN, AGAIN, EXCHANGE))}, {}, "passed"),
        ({"normal": SUCCESS, "outage": Did(failed=True)}, {"expected": {"outage": "success"}}, "passed"),
        ({"normal": SUCCESS, "outage": Did(status=1, failed=True)}, {"expected": {"outage": "success"}}, "failed"),
        ({"normal": SUCCESS, "outage": Did(failed=True)}, {"expected": {"outage": "any"}}, "passed"),
        ({"normal": SUCCESS, "outage": FAILURE}, {"aware": True}, "failed"),
        ({"normal": SUCCESS, "outage": SUCCESS}, {"aware": True}, "passed"),
        ({"normal": SUCCESS, "users-empty": Did(unapplied=True)}, {}, "failed"),  # TC-NOT-APPLIED
        ({"normal": SUCCESS, "users-empty": Did(status=1, unapplied=True)}, {}, "passed"),
        ({"normal": SUCCESS, "slow-30s": FAILURE}, {}, "passed"),
        ({"normal": SUCCESS, "gzip": Did(timed_out=True)}, {}, "incomplete"),
        ({"normal": SUCCESS, "gzip": Did(timed_out=True, finding=LIMIT)}, {}, "failed"),
        ({"normal": FAILURE, "gzip": Did(timed_out=True)}, {}, "failed"),
        ({"normal": SUCCESS, "gzip": Did(silent=True)}, {}, "incomplete"),
        ({"normal": SUCCESS, "http2": Did(status=1, silent=True)}, {}, "passed"),  # it need not trust the certificate
        ({"normal": SUCCESS, "http2": Did(silent=True), "gzip": Did(silent=True)}, {}, "incomplete"),
        ({"normal": FAILURE, "http2": Did(status=1, silent=True)}, {}, "failed"),
        ({"normal": Did(silent=True), "gzip": Did(silent=True)}, {}, "incomplete"),
        ({"normal": Did(finding=ZONE), "gzip": Did(finding=LIMIT)}, {}, "failed"),
        ({"normal": Did(finding=LIMIT), "gzip": Did(finding=LIMIT)}, {}, "failed"),
    ],
)
def test_every_form_of_the_result_agrees_under_several_scenarios(
    did: dict[str, Did], plan: dict[str, Any], verdict: str
) -> None:
    agree(result_of_gate(did, **plan), verdict)


def test_pages_have_the_headline_too() -> None:
    result = result_of_gate({"normal": SUCCESS, "gzip": FAILURE})
    headline = view.headline(result)
    assert f"<h1>{headline}</h1>" in html.render(result)
    assert f"**{headline}**" in markdown.render(result)


# --- what the command repeats of itself -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clause", "asked", "sent", "verdict"),
    [
        ("TC-NO-RETRY", 2, 2, "passed"),
        ("TC-NO-RETRY", 1, 2, "failed"),
        ("TC-NO-RETRY", 2, 3, "failed"),
        ("TC-RETRY-BOUNDED", 2, 24, "passed"),
        ("TC-RETRY-BOUNDED", 2, 25, "failed"),
        ("TC-STRING-LIMIT", 2, 2, "failed"),
    ],
)
def test_a_request_that_the_command_repeats_under_normal_too_is_no_second_try(
    clause: str, asked: int, sent: int, verdict: str
) -> None:
    again = Finding(clause, "sent again", "/request")
    normal = Did(exchanges=(EXCHANGE,) * asked)
    result = result_of_gate({"normal": normal, "rejected": Did(1, finding=again, exchanges=(EXCHANGE,) * sent)})
    assert result["verdict"] == verdict, result["reason"]
    agree(result, verdict)


def met(status: int, **attributes: str) -> Exchange:
    """An exchange about these attributes of one user."""
    content = json.dumps({"attributes": [{"external_id": "u1", **attributes}]}).encode()
    return replace(EXCHANGE, request=replace(EXCHANGE.request, body=content), response=Response(status, (), b"{}"))


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        ((met(429, a="1"), met(201, b="2")), "failed"),
        ((met(503, a="1"), met(201, b="2")), "failed"),
        ((met(201, a="0"), met(429, a="1"), met(201, b="2")), "failed"),
        ((met(429, a="1"), met(201, a="1")), "passed"),
        ((met(429, a="1"), met(429, b="2"), met(201, a="1", b="3")), "passed"),  # in other words
        ((met(500, a="1"), met(201, b="2")), "passed"),  # it may have been applied
    ],
)
def test_a_request_that_is_left_undone_is_a_failure_to_report(sent: tuple[Exchange, ...], verdict: str) -> None:
    result = result_of_gate({"normal": Did(), "rate-burst": Did(exchanges=sent)})
    assert result["verdict"] == verdict, result["reason"]
    assert {one["clause"] for one in result["findings"]} == ({"TC-FAILURE-TOLD"} if verdict == "failed" else set())
    assert result_of_gate({"normal": Did(), "rate-burst": Did(1, exchanges=sent)})["verdict"] == "passed"
