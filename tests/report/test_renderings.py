"""The terminal text, JUnit, Markdown and the comparison: the verdict, each finding, how to reproduce it."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from html_page import Page
from report_samples import ASSUMED, DOCUMENTED, OBSERVED, START, exchange, finding, result_of, run

from tracksync.contract.clauses import catalogue
from tracksync.model.events import ExchangeChecked, FindingConfirmed, RunEnded
from tracksync.report import compare, html, junit, markdown, terminal
from tracksync.report.exchange_text import printable

HOSTILE = "</script><img src=x onerror=alert(1)>|`*[a](http://evil.example)\x1b[31m\u202e\x00"


def test_the_terminal_shows_clause_sentence_values_pointer_and_ends_in_the_line_that_reproduces() -> None:
    text = terminal.render(result_of(run(finding(expected="success", actual="fine"))))
    assert text.startswith("FAILED: 1 error; ")
    for part in (
        f"1. ERROR {DOCUMENTED} (documented)",
        catalogue()[DOCUMENTED].sentence,
        "the message is another one",
        "at        /response/body/message",
        'expected  "success"',
        'actual    "fine"',
        '-H "Authorization: Bearer $TRACKSYNC_API_KEY"',
        '-> 201 {"message":"fine"}',
        f"Not covered ({len(catalogue()) - 2}):",
    ):
        assert part in text
    assert text.splitlines()[-1].strip() == "reproduce: tracksync fuzz --seed 7"


def test_a_passed_run_says_so_and_how_much_was_covered() -> None:
    text = terminal.render(result_of(run()))
    assert text.startswith(f"PASSED: no findings; 2 of {len(catalogue())} clauses covered\n")
    assert "seed 7" in text


def test_a_long_list_of_clauses_that_share_a_reason_is_cut_and_a_short_one_is_not() -> None:
    text = terminal.render(result_of(run(why_not={"TS-RATE-429": "it costs a minute"})))
    assert "it costs a minute\n    TS-RATE-429\n" in text
    assert f"and {len(catalogue()) - 3 - 24} more, named in the JSON and HTML results" in " ".join(text.split())


def test_the_id_of_a_finding_is_a_link_of_the_terminal_only_where_it_has_a_page() -> None:
    result = result_of(run(finding()))
    shown = terminal.render(result, link=lambda kind, name: f"file:///{name}.html")
    assert f"\x1b]8;;file:///{DOCUMENTED}.html\x1b\\{DOCUMENTED}\x1b]8;;\x1b\\ (documented)" in shown
    assert "\x1b" not in terminal.render(result)


def test_the_id_of_a_finding_leads_to_the_row_of_its_clause_in_the_page() -> None:
    page = html.render(result_of(run(finding())))
    assert f'<a href="#clause-{DOCUMENTED}">' in page
    assert f'<tr id="clause-{DOCUMENTED}">' in page


def test_colours_come_only_when_asked_for() -> None:
    result = result_of(run(finding(), finding(OBSERVED)))
    plain, coloured = terminal.render(result), terminal.render(result, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_many_findings_are_shown_in_full_up_to_ten() -> None:
    ids = list(catalogue())[:13]
    text = terminal.render(result_of(run(*(finding(id_) for id_ in ids))))
    assert text.count("reproduce:") == 10
    assert "3 more findings" in text
    assert all(id_ in text for id_ in ids)


def test_nothing_from_the_wire_can_steer_a_terminal() -> None:
    found = finding(message=HOSTILE, expected=HOSTILE, actual=HOSTILE, pointer=f"/{HOSTILE}")
    text = terminal.render(result_of(run(found, shown=exchange(HOSTILE.encode(), body=HOSTILE.encode()))))
    assert printable(text) == text
    assert "\x1b" not in text


def cases(result: dict[str, Any]) -> dict[str, ET.Element]:
    root = ET.fromstring(junit.render(result))
    return {case.attrib["name"]: case for case in root.iter("testcase")}


def test_junit_has_one_case_a_clause_with_failure_skip_and_pass() -> None:
    result = result_of(run(finding(), why_not={"TS-RATE-429": "it costs a minute"}))
    found = cases(result)
    assert set(found) == set(catalogue())
    failure = found[DOCUMENTED].find("failure")
    assert failure is not None
    assert failure.attrib == {"message": "the message is another one", "type": "error"}
    assert "reproduce: tracksync fuzz --seed 7" in (failure.text or "")
    skipped = found["TS-RATE-429"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "it costs a minute"
    assert list(found[OBSERVED]) == []
    suite = ET.fromstring(junit.render(result)).find("testsuite")
    assert suite is not None
    expected = {"tests": str(len(catalogue())), "failures": "1", "skipped": str(len(catalogue()) - 2), "time": "4.0"}
    assert expected.items() <= suite.attrib.items()


@pytest.mark.parametrize(("strict", "known", "failed"), [(False, False, 0), (True, False, 1), (True, True, 0)])
def test_a_warning_is_output_unless_strict_and_unknown(strict: bool, known: bool, failed: int) -> None:
    case = cases(result_of(run(finding(OBSERVED), strict=strict, known=known, verdict="passed")))[OBSERVED]
    assert len(case.findall("failure")) == failed
    assert len(case.findall("system-out")) == 1 - failed
    assert case.find("skipped") is None


def test_junit_stays_xml_whatever_the_wire_says() -> None:
    found = finding(message=HOSTILE, expected=HOSTILE, actual="]]>\ud800\ufffe")
    failure = cases(result_of(run(found)))[DOCUMENTED].find("failure")
    assert failure is not None
    assert "</script>" in failure.attrib["message"]


def test_the_summary_has_verdict_finding_and_reproduction() -> None:
    text = markdown.render(
        result_of(run(finding(expected="success", actual="fine"), interpretations={"no-user": "omitted"}))
    )
    assert text.startswith("## ❌ tracksync fuzz: failed\n")
    for part in (
        f"#### {DOCUMENTED} (error)",
        'expected "success"',
        "tracksync fuzz --seed 7",
        "| no-user | omitted |",
    ):
        assert part in text
    assert markdown.render(result_of(run())).startswith("## ✅")


def test_hostile_texts_open_neither_markup_nor_fences() -> None:
    found = finding(message=f"``` {HOSTILE}\n# head", expected="```\n````")
    text = markdown.render(result_of(run(found, shown=exchange(b"````\n```"), why_not={"TS-RATE-429": HOSTILE})))
    fence = ""
    for line in text.splitlines():
        ticks = re.match(r"(`{3,})", line)
        if not fence and ticks:
            fence = ticks[1]
        elif fence and line == fence:
            fence = ""
        elif not fence:
            assert re.sub(r"</?(details|summary)>", "", line).count("<") == 0
            assert re.search(r"(?<!\\)\]\(", line) is None
    assert fence == ""


def test_two_results_are_compared() -> None:
    before = result_of(
        run(finding(DOCUMENTED), finding(OBSERVED), interpretations={"no-user": "omitted", "bare-object": "refused"})
    )
    gone = finding(ASSUMED, pointer="/response")
    before["findings"].append(
        {"clause": ASSUMED, "severity": "note", "message": gone.message, "exchanges": [], "cause": 9}
    )
    new = finding("TS-OK-STATUS", "it was 200", pointer="/response/status")
    after = result_of(run(finding(DOCUMENTED, "in other words"), new, interpretations={"no-user": "empty-list"}))
    comparison = compare.compare(before, after)
    assert [found["clause"] for found in comparison.new] == ["TS-OK-STATUS"]
    assert [found["message"] for found in comparison.known] == ["in other words"]
    assert [found["clause"] for found in comparison.fixed] == [OBSERVED]
    assert [found["clause"] for found in comparison.unseen] == [ASSUMED]
    assert [(drift.ambiguity, drift.before, drift.after) for drift in comparison.drift] == [
        ("no-user", "omitted", "empty-list")
    ]
    for text in (
        compare.render(comparison),
        markdown.render(after, comparison),
        Page(html.render(after, comparison)).text,
    ):
        for part in ("new", "fixed", "drift", "no-user", "empty-list", ASSUMED):
            assert part in text


def test_the_shell_can_run_what_reproduces(tmp_path: Path) -> None:
    text = terminal.render(result_of(run(finding())))
    assert shlex.split(text.splitlines()[-1].split("reproduce: ")[1]) == ["tracksync", "fuzz", "--seed", "7"]


def test_an_unconfirmed_finding_is_marked() -> None:
    events = [event for event in run(finding()) if not isinstance(event, FindingConfirmed | RunEnded)]
    assert isinstance(events[-1], ExchangeChecked)
    result = result_of(events)
    assert "unconfirmed" in terminal.render(result)
    assert "unconfirmed" in html.render(result)
    assert result["timeline"][0]["at"] <= START
