"""A figure as text and as SVG: which client did what when, and the response that no order explains, without colour."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from race_histories import CELL, EVENT, done, put, unanswered

from tracksync.model.events import FindingConfirmed, RunEnded, RunStarted, SectionAdded
from tracksync.model.exchange import Exchange, Request, Response
from tracksync.model.figures import Bar, Figure, Section
from tracksync.model.finding import Finding
from tracksync.race.figure import figure
from tracksync.race.history import Write
from tracksync.report import Redactor, Tally, html, json_result, markdown, terminal
from tracksync.report.drawing import figure_json, lines, svg

SPACE = "{http://www.w3.org/2000/svg}"


def drawn() -> dict[str, Any]:
    chosen = [done(1, put(5), 10.0, 10.5, 5), done(2, Write("add", 3), 10.75, 11.0, 5)]
    context = [done(3, Write("count", 1), 10.25, 10.9, 1, EVENT), unanswered(4, put(9), 10.6)]
    return figure_json(figure("What happened", chosen, context, note="Look."))


def test_the_text_has_a_line_for_each_operation_in_the_order_of_their_calls() -> None:
    text = lines(drawn())
    assert text[0] == "What happened"
    assert [line.split("client ")[1][0] for line in text[2:6]] == ["1", "3", "4", "2"]
    assert text[-1].strip() == "Look."


def test_the_response_that_no_order_explains_is_marked_without_colour() -> None:
    text = lines(drawn())
    assert [line for line in text if " ! " in line] == [line for line in text if "add 3 -> 5" in line]
    assert "=" in text[5].split("!")[0]


def test_concurrent_operations_are_dotted_and_one_without_a_response_is_an_arrow() -> None:
    text = lines(drawn())
    assert "|...." in text[3]
    assert ".>" in text[4]
    assert "no response" in text[4]


def test_bars_stand_where_their_times_are() -> None:
    text = lines(drawn())
    starts = [line.index("|") for line in text[2:6]]
    assert starts == sorted(starts)
    assert starts[0] < starts[1] < starts[3]


def test_every_operation_names_its_user_where_there_are_several() -> None:
    shown = figure("Two", [done(1, put(5), 0, 1, 5), done(2, put(6), 2, 3, 6)], several=True)
    assert shown.bars[0].text.startswith(f"u0 {CELL[2]}")


def test_the_svg_is_one_element_with_a_lane_for_each_client_and_a_bar_for_each_operation() -> None:
    root = ElementTree.fromstring(svg(drawn()))
    assert root.tag == f"{SPACE}svg"
    assert [text.text for text in root.iter(f"{SPACE}text") if text.get("class") == "lane"] == [
        "client 1",
        "client 3",
        "client 4",
        "client 2",
    ]
    marks = [bar.get("class") for bar in root.iter(f"{SPACE}rect")]
    assert sorted(mark or "" for mark in marks) == ["context", "context", "fault", "plain"]
    assert root.find(f"{SPACE}title") is not None
    assert root.find(f"{SPACE}desc") is not None


def test_labels_of_one_lane_never_lie_on_each_other() -> None:
    bars = tuple(
        Bar("client 1", f"number_{index}: add 1 -> 2", 0.001 * index, 0.001 * index + 0.001) for index in range(9)
    )
    root = ElementTree.fromstring(svg(figure_json(Figure("Close", bars))))
    labels = [text for text in root.iter(f"{SPACE}text") if "label" in (text.get("class") or "")]
    boxes = [(text.get("y"), float(text.get("x") or 0), len(text.text or "") * 6.3) for text in labels]
    for index, (row, left, width) in enumerate(boxes):
        for other_row, other_left, _ in boxes[index + 1 :]:
            assert row != other_row or left + width <= other_left + 1 or other_left + width <= left + 1


@pytest.mark.parametrize("seed", range(20))
def test_no_text_from_the_wire_can_break_out_of_the_drawing(seed: int) -> None:
    rng = random.Random(seed)
    text = "".join(rng.choice("<>&\"'\x00\x1b\ud800é漢\u202e]]-->") for _ in range(30))
    shown = figure_json(Figure(text, (Bar(text, text, 0.0, None, "fault"),), text))
    ElementTree.fromstring(svg(shown))
    assert "\x1b" not in "".join(lines(shown))


def result_with_a_figure() -> dict[str, Any]:
    secret = "very-secret-key"
    bars = (Bar("client 1", f"set {secret} -> <b>", 0.0, 0.5, "fault"),)
    shown = Figure("Drawn", bars, "Note.")
    exchange = Exchange(Request("POST", "/users/track/sync"), Response(201), 1.0, 2.0)
    tally = Tally(Redactor([secret]))
    tally(RunStarted("race", "mock", 1.0))
    tally(FindingConfirmed(Finding("TS-STATE-VISIBLE", "lost"), (exchange,), "", figure=shown))
    tally(SectionAdded(Section("CellValue", "All | of it.", ("level", "cells"), (("weak <b>", secret),), (shown,))))
    tally(RunEnded("failed", "done", 2.0))
    return tally.result()


def test_every_report_shows_the_figure_and_the_section_and_none_shows_the_key() -> None:
    result = json_result.checked(result_with_a_figure(), "the result")
    for rendered in (terminal.render(result), markdown.render(result), html.render(result), json_result.render(result)):
        assert "Drawn" in rendered
        assert "CellValue" in rendered
        assert "very-secret-key" not in rendered
    assert html.render(result).count("<svg") == 2
    assert "<b>" not in html.render(result)
    assert "| level | cells |" in markdown.render(result)


def test_a_result_without_figures_and_sections_is_as_it_was() -> None:
    tally = Tally(Redactor([]))
    tally(RunStarted("fuzz", "mock", 1.0))
    tally(RunEnded("passed", "done", 2.0))
    assert "sections" not in tally.result()
    assert "<svg" not in html.render(tally.result())
