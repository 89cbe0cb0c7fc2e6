"""What users give by mistake: one clear sentence, the right exit code, nothing lost. And streams that fail."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TextIO

import pytest
from process import refused, tracksync_here

from tracksync import cli

KEY = "canary-key-0123456789"
CASSETTE = Path(__file__).resolve().parents[2] / "cassettes" / "faults" / "success_body--message-ok.yaml"
FUZZ = ("fuzz", "--only", "TS-OK-MESSAGE")
DEEP, LONG, BINARY = "a = " + "[" * 5000, "a = 1" + "0" * 6000, bytes(range(256)).decode("latin-1")
# The content of the file `given`, where there is one; the words; what is said.
MISTAKES: list[tuple[str | None, tuple[str, ...], str]] = [
    *(
        (content, (*words, *(("--", "true") if words[0] == "gate" else ())), said)
        for content, said in (
            (DEEP, "given is nested too deep to be read, or a number in it is too long"),
            (LONG, "given is nested too deep to be read, or a number in it is too long"),
            ("[gate\n", "given, line 1, column 6: this is not TOML"),
            (BINARY, "given is not UTF-8 text; save it as UTF-8"),
        )
        for words in (
            ("config", "given"),
            ("gate", "--config", "given"),
            ("gate", "--scenario-file", "given"),
            ("gate", "--baseline", "given"),
            (*FUZZ, "--interpretations", "given"),
        )
    ),
    ("", (*FUZZ, "--spec", "given"), "given: this is not an OpenAPI document: it has no paths"),
    ("", ("report", "given"), "given is empty"),
    (None, ("fuzz", "--only", ","), "no clause is named"),
    (None, ("fuzz", "--max-time", "nan"), "'nan' is not a number of seconds"),
    (None, ("race", "--settle", "inf"), "'inf' is not a number of seconds"),
    (
        "[gate]\ntimeout = inf\n",
        ("gate", "--config", "given", "--", "true"),
        "given, line 2: timeout is wrong: inf",
    ),
    (DEEP, ("report", "given"), "given, line 1: this is not JSON"),
    ("[" * 10_000, ("report", "given"), "it is nested too deep"),
    (None, ("config", "given"), "cannot read given: No such file or directory"),
    (None, ("config", "."), "cannot read .: Is a directory"),
    (None, ("gate", "--config", "x" * 300, "--", "true"), "File name too long"),
    (None, (*FUZZ, "--json", "\udce9/r.json"), "there is no directory \\udce9"),
    ("", (*FUZZ, "--record", "given"), "cannot create given"),
    *(
        (None, (*words, "http://ünï.localhost:1"), "write such a host as xn--…")
        for words in (("fuzz", "--target"), ("race", "--target"), ("proxy", "--upstream"))
    ),
    *(
        ("", (*words, "http://127.0.0.1:1", "--ca", "given"), "given holds no CA certificates: --ca takes a PEM file")
        for words in (
            ("fuzz", "--target"),
            ("race", "--target"),
            ("proxy", "--upstream"),
            ("replay", str(CASSETTE), "--against"),
        )
    ),
]


@pytest.mark.parametrize(("content", "words", "said"), MISTAKES, ids=[said[:60] for _, _, said in MISTAKES])
def test_a_mistake_is_told_in_one_sentence(
    content: str | None, words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "given").write_bytes(content.encode("latin-1"))
    done = tracksync_here(*words, cwd=tmp_path, TRACKSYNC_API_KEY=KEY)
    refused(done, said)
    assert KEY not in done.stderr
    assert sum(not line.startswith("Usage:") for line in done.stderr.splitlines()) == 1


def test_a_link_to_itself_is_replaced_by_the_result(tmp_path: Path) -> None:
    (tmp_path / "r.json").symlink_to("r.json")
    assert tracksync_here(*FUZZ, "--json", "r.json", cwd=tmp_path).returncode == 0
    assert (tmp_path / "r.json").is_file()


# --- standard output ------------------------------------------------------------------------------------------------


def without_reader() -> TextIO:
    """A pipe whose reader is gone, as `head` leaves it."""
    reading, writing = os.pipe()
    os.close(reading)
    return io.TextIOWrapper(io.FileIO(writing, "w"), encoding="utf-8", write_through=True)


def full() -> TextIO:
    return Path("/dev/full").open("w", encoding="utf-8")


def ascii_only() -> TextIO:
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii")


@pytest.mark.parametrize(
    ("stream", "words", "code", "said"),
    [
        (without_reader, ("clauses",), 0, ""),
        (without_reader, (*FUZZ, "-q", "--fault", "message-ok", "--html", "r.html"), 1, ""),
        (without_reader, (*FUZZ, "-q", "--json", "-", "--html", "r.html"), 0, ""),
        (full, ("clauses",), 2, "No space left on device"),
        (full, (*FUZZ, "-q", "--html", "r.html"), 0, "the result could not be printed: No space left on device"),
        (ascii_only, ("mock", "--list-interpretations"), 0, ""),
    ],
)
def test_output_that_cannot_be_written_loses_no_result(
    stream: Callable[[], TextIO],
    words: tuple[str, ...],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with stream() as out, redirect_stdout(out), pytest.raises(SystemExit) as ended:
        cli.main(words)
    err = capsys.readouterr().err
    assert (ended.value.code, "Traceback" in err) == (code, False), err
    assert said in err
    assert (tmp_path / "r.html").exists() is ("--html" in words)


def test_closed_streams_are_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["clauses", "TS-OK-MESSAGE"])
    assert ended.value.code == 0
