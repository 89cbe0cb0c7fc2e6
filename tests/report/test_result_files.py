"""Result files: written as a whole, read back, and refused in clear words if they are not results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report_samples import DOCUMENTED, finding, result_of, run

from tracksync.errors import ConfigError, UsageError
from tracksync.report import files, html, json_result, junit, markdown, terminal

HOSTILE = "</script><img src=x onerror=alert(1)>|`*[a](http://evil.example)\x1b[31m\u202e\x00"


def test_a_result_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    files.write(path, "one")
    files.write(path, "two")
    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    files.write(path, "one")
    with pytest.raises(UnicodeEncodeError):
        files.write(path, "\ud800")
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_keeps_pointing_at_the_file_and_the_mode_stays(tmp_path: Path) -> None:
    path, link = tmp_path / "result.json", tmp_path / "latest.json"
    path.write_text("one")
    path.chmod(0o640)
    link.symlink_to(path)
    files.write(link, "two")
    assert link.is_symlink()
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["", "nowhere/result.json"])
def test_a_place_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        files.check_writable(tmp_path / name)
    with pytest.raises(UsageError, match="cannot write"):
        files.write(tmp_path / name, "x")


def valid() -> dict[str, Any]:
    result: dict[str, Any] = json.loads(json_result.render(result_of(run(finding()))))
    return result


def test_a_result_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    result = result_of(run(finding()))
    files.write(path, json_result.render(result))
    assert json_result.read(path) == result


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"{\n\n oops", "line 3: this is not JSON"),
        (b"[]", "is not a result of tracksync"),
        (b'{"results": []}', "is not a result of tracksync"),
        (b'{"tracksync": "9.0", "schema": 9}', "result schema 9 and this tracksync reads schema 2"),
        (b'{"tracksync": "1", "schema": 2}', "at the top: 'command' is a required property"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
    ],
)
def test_a_file_that_is_not_a_result_is_refused_in_clear_words(tmp_path: Path, content: bytes, hint: str) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        json_result.read(path)
    assert hint in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_result_is_refused_in_clear_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*No such file"):
        json_result.read(tmp_path / "result.json")


@pytest.mark.parametrize(
    "damage",
    [
        {"verdict": "fine"},
        {"clauses": {DOCUMENTED: {"covered": 1}}},
        {"findings": [{"clause": "nonsense", "severity": "error", "message": "", "exchanges": [], "cause": 1}]},
        {"timeline": [{}]},
        {"timeline": 5},
        {"timeline": [{"at": 10**12, "requests": 1, "limited": 0, "failed": 0}]},
        {"interpretations": {"no-user": 5}},
        {"budget": [1]},
        {"reason": 5},
        {"findings": [{"clause": "TS-X", "evidence": "observed", "message": "", "exchanges": [{"request": 5}]}]},
        {
            "findings": [
                {
                    "clause": "TS-X",
                    "evidence": "observed",
                    "message": "",
                    "exchanges": [{"request": {"headers": [[1]]}}],
                }
            ]
        },
    ],
)
def test_a_damaged_result_is_refused_and_the_place_is_named(damage: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"result.json is not a result of tracksync: at /{next(iter(damage))}"):
        json_result.checked({**valid(), **damage}, "result.json")


def test_only_the_required_members_are_enough_to_be_shown() -> None:
    minimal = {
        "tracksync": "0.0",
        "schema": 2,
        "command": "gate",
        "verdict": "failed",
        "requests": 1,
        "seconds": 0.5,
        "findings": [{"clause": "TC-NEW", "severity": "note", "message": "m", "exchanges": [{}], "cause": 1}],
        "clauses": {"TC-NEW": {"covered": 1, "broken": 1}, "TC-OTHER": {"covered": 0, "broken": 0}},
    }
    result = json_result.checked(minimal, "x")
    for render in (terminal.render, junit.render, html.render, markdown.render):
        assert "TC-NEW" in render(result)  # type: ignore[operator]
