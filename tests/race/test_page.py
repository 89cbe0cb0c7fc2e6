"""docs/ordering.md shows what its command prints: the form to the letter, and the figures that never differ."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracksync.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ordering.md"
BLOCK = re.compile(r"```console\n\$ tracksync ([^\n]*)\n((?:(?!```).*\n)*)```")


def blocks() -> dict[str, str]:
    return dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))


def printed(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main(words.split())
    return capsys.readouterr().out


def table(text: str) -> dict[str, list[str]]:
    """The cells of the consistency table by level."""
    rows = [re.split(r" {2,}", line.strip()) for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if row[0] in ("linearizable", "sequential", "final value only", "none")}


def test_the_first_command_of_the_page_shows_the_pair_that_the_page_speaks_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words, shown = next(iter(blocks().items()))
    assert "--endpoint both" in words
    now = printed(words, capsys)
    before, after = table(shown), table(now)
    assert before.keys() == after.keys()
    for name in before:
        # Where the last cell is wrapped depends on the figures before it.
        assert before[name][-1].split()[:3] == after[name][-1].split()[:3]
        assert before[name][0] == after[name][0], "what sync keeps is the same in every run"
    for rows in (before, after):
        assert int(rows["linearizable"][1]) < 24, "some cells do not hold on /users/track"
    assert [row[0] for row in before.values()] == ["12", "0", "0", "0"]
    for text in (shown, now):
        assert text.startswith("PASSED: no findings")
        assert " on track: " in text, "a history that no order explains is drawn"


def test_the_second_command_of_the_page_shows_a_finding_with_its_diagram(capsys: pytest.CaptureFixture[str]) -> None:
    words, shown = list(blocks().items())[1]
    for text in (shown, printed(words, capsys)):
        assert text.startswith("FAILED: ")
        assert "1. ERROR TS-" in text
        assert re.search(r"^   The smallest part of the history that breaks TS-", text, re.MULTILINE)
        assert re.search(r"\|=+\| +! client \d", text)
        assert f"reproduce: tracksync {words.split('--')[0]}" in text


def test_the_page_names_only_options_clauses_and_faults_that_exist() -> None:
    from tracksync.cli.race import command
    from tracksync.contract.clauses import catalogue
    from tracksync.faults.catalogue import catalogue as faults

    text = PAGE.read_text(encoding="utf-8")
    options = {name for parameter in command.params for name in parameter.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= options | {"--data-raw"}
    assert set(re.findall(r"\bTS-[A-Z][A-Z-]*[A-Z]\b", text)) <= set(catalogue())
    assert {"whole-profile-written-back", "lost-in-parallel", "user-of-a-parallel-request"} <= set(faults())
