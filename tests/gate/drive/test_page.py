"""docs/drive.md says what the code does: the table of outcomes, the clauses, the examples."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from drive_harness import ROOT, drive

from tracksync.contract.clauses import Side, catalogue
from tracksync.gate.drive import behaviours
from tracksync.gate.drive.protocol import Kind, ReportedOutcome, hello_message, read_hello, read_report, write
from tracksync.gate.drive.script import read
from tracksync.gate.drive.truth import KnownToClient, table

PAGE = (ROOT / "docs" / "drive.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, without its head."""
    part = PAGE.partition(f"## {heading}\n")[2]
    lines = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)
    assert lines is not None
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[0].splitlines()]
    return cells[:1] + cells[2:]


def test_the_table_of_outcomes_is_the_one_that_is_applied() -> None:
    head, *body = rows("Which outcome is right")
    assert head[2:] == [str(outcome) for outcome in ReportedOutcome]
    shown = {}
    for known, true, *cells in body:
        name = KnownToClient(re.split(r"[:,]", known)[0])
        clauses = ["" if cell == "-" else f"TC-{cell}" for cell in cells]
        shown[name, not true.startswith("nothing")] = dict(zip(ReportedOutcome, clauses, strict=True))
    assert shown == table()


def test_clauses_and_behaviours_that_the_page_names_exist() -> None:
    assert set(re.findall(r"TC-[A-Z-]+[A-Z]", PAGE)) <= catalogue(Side.CLIENT).keys()
    assert set(re.findall(r"--scenario ([a-z0-9-]+)", PAGE)) <= behaviours.everything().keys()


def test_the_lines_of_the_protocol_are_what_is_written_and_read() -> None:
    lines = re.findall(r"^\| (?:tracksync|adapter) \| `(\{.*?\})`", PAGE, re.MULTILINE)
    hello, reply, operation, outcome = lines
    assert hello == write(hello_message())
    assert read_hello(reply).operations == (Kind.SET, Kind.EVENT)
    script = read('{"type":"server","behaviour":"normal"}\n' + operation, "page", behaviours.catalogue())
    assert write(script.messages(10.0)[2]) == operation
    report = read_report(outcome, 2, frozenset({1}))
    assert report is not None
    assert report.outcome is ReportedOutcome.APPLIED


def test_the_script_on_the_page_shows_what_the_page_says() -> None:
    match = re.search(r"<<'END'\n(.*?)\n +END\n", PAGE, re.DOTALL)
    assert match is not None
    text = "\n".join(line.strip() for line in match[1].splitlines())
    assert all(isinstance(json.loads(line), dict) for line in text.splitlines())
    template = str(Path(ROOT, "examples", "template", "adapter.py"))
    outcome = drive(sys.executable, template, script=read(text, "page", behaviours.catalogue()))
    assert outcome.clauses == {"TC-NOT-APPLIED"}
    message = " ".join(outcome.finding("TC-NOT-APPLIED")["message"].split())
    assert message in " ".join(PAGE.split())
