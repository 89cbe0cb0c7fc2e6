"""Every report of one run says the same: verdict, exit code, headline. No report breaks words or hides the verdict."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from report_samples import DOCUMENTED, OBSERVED, finding, result_of, run

from tracksync.cli.docs import pages_of
from tracksync.contract.clauses import catalogue
from tracksync.model.verdict import EXIT_CODES
from tracksync.report import github, html, json_result, junit, markdown, terminal, view

TOTAL = len(catalogue())
RUNS: dict[str, tuple[dict[str, Any], str]] = {
    "passed": (result_of(run()), f"PASSED: no findings; 2 of {TOTAL} clauses covered"),
    "failed": (
        result_of(run(finding(), finding("TS-OK-STATUS"), finding(OBSERVED))),
        f"FAILED: 2 errors, 1 warning; 3 of {TOTAL} clauses covered",
    ),
    "only a warning": (
        result_of(run(finding(OBSERVED), verdict="passed")),
        f"PASSED: 1 warning; 2 of {TOTAL} clauses covered",
    ),
    "strict": (result_of(run(finding(OBSERVED), strict=True)), f"FAILED: 1 warning; 2 of {TOTAL} clauses covered"),
    "known": (
        result_of(run(finding(), known=True, verdict="passed")),
        f"PASSED: 1 known finding; 2 of {TOTAL} clauses covered",
    ),
    "incomplete": (
        result_of(run(verdict="incomplete")),
        f"INCOMPLETE: all probes were sent; no findings; 2 of {TOTAL} clauses covered",
    ),
    "failed without a finding": (
        result_of(run(verdict="failed")),
        f"FAILED: no findings; 2 of {TOTAL} clauses covered",
    ),
}


def suite_of(result: dict[str, Any]) -> ET.Element:
    suite = ET.fromstring(junit.render(result)).find("testsuite")
    assert suite is not None
    return suite


@pytest.mark.parametrize("name", RUNS)
def test_every_report_has_the_same_headline(name: str) -> None:
    result, headline = RUNS[name]
    assert view.headline(result) == headline
    assert terminal.render(result, width=200).startswith(f"{headline}\n")
    assert terminal.render(result, width=200, brief=True) == f"{headline}\n"
    assert f"<h1>{headline}</h1>" in html.render(result)
    assert f"**{headline}**" in markdown.render(result)
    properties = {one.attrib["name"]: one.attrib["value"] for one in suite_of(result).iter("property")}
    assert properties["headline"] == headline
    assert properties["verdict"] == json_result.checked(result, "r")["verdict"]


@pytest.mark.parametrize("name", RUNS)
def test_junit_and_annotations_fail_exactly_when_the_exit_code_is_not_zero(name: str) -> None:
    result, _ = RUNS[name]
    suite = suite_of(result)
    broken = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    assert (broken > 0) is (EXIT_CODES[result["verdict"]] != 0)
    assert ("::error" in github.render(result)) is (EXIT_CODES[result["verdict"]] != 0)


def test_an_incomplete_run_has_a_test_case_with_the_reason() -> None:
    suite = suite_of(RUNS["incomplete"][0])
    (error,) = suite.iter("error")
    assert error.attrib["type"] == "incomplete"
    assert "all probes were sent" in error.attrib["message"]
    assert int(suite.attrib["tests"]) == TOTAL + 1


def test_an_annotation_is_an_error_where_the_finding_fails_the_run_and_one_line_each() -> None:
    lines = github.render(result_of(run(finding(message="50%,\nsecond line"), finding(OBSERVED)))).splitlines()
    assert lines[0] == f"::error title={DOCUMENTED}::50%25,%0Asecond line%0Atracksync docs {DOCUMENTED}"
    assert lines[1].startswith(f"::warning title={OBSERVED}::")


@pytest.mark.parametrize("width", [60, 80, 132])
def test_the_terminal_text_breaks_between_words_and_fits_its_width(width: int) -> None:
    result = result_of(run(finding(message="word " * 60), interpretations={"no-user": "omitted"}))
    result["sections"] = [
        {
            "title": "Table",
            "text": "text " * 40,
            "columns": ["Clause", "Long column"],
            "rows": [["TS-OK-MESSAGE", "cell " * 40]],
            "figures": [],
        }
    ]
    text = terminal.render(result, width=width)
    long = [line for line in text.splitlines() if len(line) > width]
    assert all(re.search("--data-raw|curl|-> 201", line) for line in long), "only what can be copied may be longer"
    words = set(text.split())
    assert {"word", "text", "cell"} <= words
    assert words.isdisjoint({"wor", "tex", "cel", "d", "t", "l"})


def test_a_wide_table_becomes_one_line_per_cell_and_a_narrow_one_stays_a_table() -> None:
    section = {"title": "T", "text": "", "columns": ["A", "B"], "rows": [["one", "two"]], "figures": []}
    result = {**result_of(run()), "sections": [section]}
    assert "  A    B\n  one  two\n" in terminal.render(result)
    wide = {**section, "rows": [["one", "word " * 40]]}
    assert "  A    B\n  one  word word" in terminal.render({**result, "sections": [wide]})
    wider = {**section, "rows": [["x" * 90, "word " * 40]]}
    assert f"  A: {'x' * 90}\n    B: word" in terminal.render({**result, "sections": [wider]})


SITE = "https://docs.example.com/tracksync/"
FORMS = {"terminal": terminal, "markdown": markdown, "html": html, "junit": junit, "annotations": github}
NAMES = (
    "[scenario error-503, 0.2 s after its start; seen twice, in the scenarios error-503 and outage]; it followed "
    "no-user=omitted under the fault message-ok; --timeout gives it more, --their-option does not; under which, a=x"
)
LINKS = (
    "scenarios/error-503.html",
    "scenarios/outage.html",
    "ambiguities/no-user.html#omitted",
    "faults/message-ok.html",
    "options/timeout.html",
)


@pytest.mark.parametrize("name", FORMS)
def test_every_form_links_what_it_names_to_its_page_where_the_pages_are_published(name: str) -> None:
    page = pages_of(SITE)
    more = {"link": page} if name == "terminal" else {}
    text = FORMS[name].render(result_of(run(finding(message=NAMES))), page=page, **more)
    for path in (f"clauses/{DOCUMENTED}.html", *LINKS):
        assert f"{SITE}{path}" in text
    assert "tracksync docs" not in text
    seed = "options/seed.html"  # of the line that reproduces it
    assert set(re.findall(rf"{SITE}((?!clauses)\w+/[\w.#-]+)", text)) - {seed} == set(LINKS)


@pytest.mark.parametrize("name", FORMS)
def test_every_form_names_the_command_that_opens_a_page_where_none_is_published(name: str) -> None:
    text = FORMS[name].render(result_of(run(finding())))
    assert f"tracksync docs {'NAME' if name == 'html' else DOCUMENTED}" in text
    assert f"clauses/{DOCUMENTED}.html" not in text


def test_the_ambiguities_clauses_and_scenarios_of_tables_are_links_too() -> None:
    page = pages_of(SITE)
    rows = [["normal", "it is normal"], ["ours", "it is ours"]]
    section = {"title": "T", "text": "", "columns": ["scenario", "what"], "rows": rows, "figures": []}
    result = {**result_of(run(finding())), "interpretations": {"no-user": "omitted"}, "sections": [section]}
    (missed, *_) = view.not_covered(result)
    linked = terminal.render(result, link=page)
    for text in (markdown.render(result, page=page), html.render(result, page=page), linked):
        for path in ("ambiguities/no-user.html", f"clauses/{missed}.html", "scenarios/normal.html"):
            assert f"{SITE}{path}" in text
        assert "ours.html" not in text
    plain = terminal.render(result)
    assert re.sub(r"\x1b]8;;[^\x1b]*\x1b\\", "", linked) == plain
