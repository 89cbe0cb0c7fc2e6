"""Histories in files: the findings and the consistency of one history in memory, however its cells are divided."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from race_histories import EVENT, done, drawn, exchanged, ordered_history, ordered_operations

from tracksync.cassettes import replaying
from tracksync.cassettes.exchange_lines import write_gap, write_line
from tracksync.cassettes.replaying import ReplayPlan
from tracksync.cli import main
from tracksync.cli.history import check_history
from tracksync.engine.freshness import everything, nothing
from tracksync.errors import Incomplete, UsageError
from tracksync.generate.build import json_request
from tracksync.generate.harmless import Namer
from tracksync.model.exchange import Exchange, Request
from tracksync.oracle import Settings
from tracksync.race.checking import checked_history
from tracksync.race.consistency import Level, count, report, unexplained
from tracksync.race.figure import figure
from tracksync.race.history import History, RaceOperation, Write
from tracksync.race.stored import CellFiles, decided
from tracksync.race.summary import Consistency
from tracksync.race.workload import LONGEST_ARRAY, Planner, planned, slots
from tracksync.report import Redactor, Tally

ORIGIN = "https://rest.example.com"


def exchange_of(operation: RaceOperation) -> Exchange:
    assert operation.exchange is not None
    return operation.exchange


def stored(
    folder: Path, operations: list[RaceOperation], *, fresh: Callable[[str, str], bool] = everything, **options: Any
) -> list[Consistency]:
    folder.mkdir()
    cells = CellFiles(folder, **options)
    for one in operations:
        assert cells.add((0,), exchange_of(one), fresh=fresh)
    return decided(cells.paths())


def written(path: Path, operations: list[RaceOperation], *more: bytes) -> Path:
    path.write_bytes(b"".join([*(write_line(exchange_of(one), ORIGIN) for one in operations), *more]))
    return path


def checked(path: Path, **options: Any) -> dict[str, Any]:
    tally = Tally(Redactor(()))
    check_history(ReplayPlan(paths=(path,), **options), tally)
    return {name: value for name, value in tally.result().items() if name not in ("started", "seconds")}


# --- operations and requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["sync", "track"])
@pytest.mark.parametrize("overlap", [False, True])
def test_the_operation_is_read_from_each_request_that_a_race_makes(endpoint: Any, overlap: bool) -> None:
    rng = random.Random(4)
    planner = Planner(rng, endpoint, overlap)
    for slot in slots(Namer("ts-test", rng), users=2, cells=10, overlap=overlap):
        for _ in range(3 * LONGEST_ARRAY):
            one = planner.next(slot)
            slot.opened = True
            assert planned(one.request) == (one.place, one.write)


@pytest.mark.parametrize(
    "body",
    [
        {"attributes": [{"external_id": "u", "a": 1, "b": 2}]},
        {"attributes": [{"external_id": "u"}]},
        {"attributes": [{"external_id": "u", "first_name": "Ada"}]},
        {"attributes": [{"external_id": "u", "a": "2026-01-01"}]},
        {"attributes": [{"external_id": "u", "a": ["2026-01-01"]}]},
        {"attributes": [{"external_id": "u", "a": ["x", "x"]}]},
        {"attributes": [{"external_id": "u", "a": None}]},
        {"attributes": [{"external_id": "u", "a": True}]},
        {"attributes": [{"external_id": "u", "a": {"add": ["x"], "remove": ["y"]}}]},
        {"attributes": [{"external_id": "u", "a": {"inc": 1.5}}]},
        {"attributes": [{"external_id": "u", "a": {"$add": [{"id": 1}]}}]},
        {"attributes": [{"external_id": "u", "_merge_objects": True, "a": 1}]},
        {"attributes": [{"external_id": "u", "_update_existing_only": True, "a": 1}]},
        {"attributes": [{"email": "u@example.com", "a": 1}]},
        {"attributes": [{"external_id": "u", "a": 1}, {"external_id": "v", "a": 1}]},
        {"attributes": [{"external_id": "u", "a": 1}], "events": []},
        {"events": [{"external_id": "u", "name": "e", "time": "2026-01-01T00:00:00Z", "user_alias": {}}]},
        {"purchases": [{"external_id": "u", "product_id": "p", "currency": "EUR", "price": 1}]},
        {"external_ids": ["u"]},
        [],
    ],
)
def test_a_request_that_a_race_does_not_make_is_no_operation(body: Any, tmp_path: Path) -> None:
    request: Request = json_request(body)
    assert planned(request) is None
    assert not CellFiles(tmp_path).add((0,), Exchange(request, None, 0.0, 1.0), fresh=nothing)


def test_a_deletion_is_no_operation() -> None:
    request = json_request({"attributes": [{"external_id": "u", "a": 1}]}, path="/users/delete")
    assert planned(request) is None


# --- consistency ------------------------------------------------------------------------------------------------------


def test_any_division_of_the_cells_gives_the_consistency_of_the_whole(tmp_path: Path) -> None:
    kinds = ("number", "event", "product")
    right = list(ordered_operations(300, users=3, cells=8, lost=(50, 120, 121, 200), kinds=kinds))
    odd = [
        exchanged(one)
        for seed in range(25)
        for one in drawn(random.Random(seed), (f"ts-v{seed}", "attributes", "number"))
    ]
    operations = [*right, *odd]
    whole = History.of(operations)
    reports = report(whole)
    levels = count(reports)
    assert levels[Level.NONE]
    assert levels[Level.SEQUENTIAL]
    results = [
        stored(tmp_path / f"{files}-{held}", operations, files=files, held=held)
        for files, held in ((1, 10_000), (1, 7), (3, 1), (50, 64))
    ]
    assert all(one == results[0] for one in results)
    ((one),) = results[0]
    assert (one.endpoint, one.broken) == ("sync", True)
    assert {level: one.levels.get(level, 0) for level in Level} == levels
    smallest = min((cell for cell in reports if cell.decision.holds is False), key=lambda cell: cell.operations)
    assert len(one.figures) == 3
    assert len(one.figures[0].bars) == len(figure("", unexplained(whole.partition()[smallest.place])).bars)


def test_cells_of_two_workspaces_are_apart_and_a_cell_written_to_on_track_is_one_of_track(tmp_path: Path) -> None:
    cells = CellFiles(tmp_path)
    first, second = (exchange_of(exchanged(done(1, Write("count", 1), 0, 1, 1, EVENT))) for _ in range(2))
    on_track = replace(second, request=replace(second.request, path="/users/track"), response=None)
    for workspace, one in ((0, first), (1, second), (2, first), (2, on_track)):
        assert cells.add((workspace,), one, fresh=everything)
    assert {one.endpoint: dict(one.levels) for one in decided(cells.paths())} == {
        "sync": {Level.LINEARIZABLE: 2},
        "track": {Level.LINEARIZABLE: 1},
    }


def test_users_count_from_zero_where_they_are_known_to_be_new(tmp_path: Path) -> None:
    jump = [exchanged(done(1, Write("count", 1), 0, 1, 2, EVENT))]
    untagged = [replace(one, exchange=replace(exchange_of(one), tags=())) for one in jump]
    assert stored(tmp_path / "race", jump, fresh=nothing)[0].broken
    assert stored(tmp_path / "fresh", untagged)[0].broken
    assert not stored(tmp_path / "known", untagged, fresh=nothing)[0].broken


def test_without_the_number_of_a_client_no_order_of_its_own_is_held_against_the_server(tmp_path: Path) -> None:
    stale = [done(1, Write("set", 1), 0, 1, 1), done(1, Write("add", 7), 2, 3, 8), done(1, Write("read"), 4, 5, 1)]
    known = [exchanged(one) for one in stale]
    unknown = [replace(one, exchange=replace(exchange_of(one), tags=())) for one in known]
    levels = [stored(tmp_path / name, those)[0].levels for name, those in (("known", known), ("unknown", unknown))]
    assert [next(iter(one)) for one in levels] == [Level.NONE, Level.SEQUENTIAL]


# --- the command ------------------------------------------------------------------------------------------------------


def test_a_history_in_a_file_has_the_findings_and_the_consistency_of_one_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "SHARED_FROM", 0)
    operations = list(ordered_operations(250, users=3, cells=6, lost=(40, 100)))
    found = checked_history(operations, Settings(fresh=everything))
    clauses = {finding.clause for one in found for finding in one.findings}
    assert clauses
    path = written(tmp_path / "history.ndjson", operations)
    (tmp_path / "manifest.toml").write_text('["history.ndjson"]\nfresh = "*"\n')
    alone = checked(path)
    assert {one["clause"] for one in alone["findings"]} == clauses
    linearizable = count(report(History.of(operations)))[Level.LINEARIZABLE]
    assert alone["reason"].startswith(f"{linearizable} of 18 cells linearizable on sync; 250 interactions")
    assert linearizable < 18
    assert checked(path, jobs=2) == alone


def test_a_right_history_passes_also_with_strict_and_compressed(tmp_path: Path) -> None:
    path = written(tmp_path / "right.ndjson", list(ordered_history(60, users=2, cells=5)))
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert checked(path, strict=True)["verdict"] == "passed"


def test_strict_fails_a_history_that_breaks_no_clause_and_is_not_linearizable(tmp_path: Path) -> None:
    lost = [done(1, Write("set", 1), 0, 1, 1), done(2, Write("add", 2), 2, 8, 3), done(3, Write("add", 4), 3, 7, 5)]
    exchanges = [exchanged(one, remaining=400 - number) for number, one in enumerate(lost)]
    path = written(tmp_path / "overlap.ndjson", exchanges)
    assert checked(path)["verdict"] == "passed"
    strict = checked(path, strict=True)
    assert strict["verdict"] == "failed"
    assert "with --strict every cell has to be linearizable" in strict["reason"]


@pytest.mark.parametrize("what", ["gap", "broken", "other"])
def test_nothing_is_said_of_consistency_where_something_else_may_have_changed_a_cell(tmp_path: Path, what: str) -> None:
    operations = list(ordered_history(5))
    body = {"attributes": [{"external_id": "ts-u0", "a": 1, "b": 2}]}
    other = replace(exchange_of(operations[0]), request=json_request(body), response=None)
    line = {
        "gap": write_gap("a restart", 1_800_000_002.0, ORIGIN),
        "broken": b"{\n",
        "other": write_line(replace(other, sent=1_800_000_002.0, received=1_800_000_003.0), ORIGIN),
    }[what]
    result = checked(written(tmp_path / "history.ndjson", operations, line), strict=True)
    assert result["verdict"] == "incomplete"
    assert "which consistency held is not known: " in result["reason"]
    assert f"{tmp_path / 'history.ndjson'}:6 " in result["reason"]
    assert not result.get("sections")


def test_standard_input_and_other_forms_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="read twice"):
        checked(Path("-"))
    path = tmp_path / "other.json"
    path.write_text('{"a": 1}')
    with pytest.raises(UsageError, match="is not a history, which has one exchange a line"):
        checked(path)


def test_where_the_operations_cannot_be_written_the_run_is_incomplete(tmp_path: Path) -> None:
    cells = CellFiles(tmp_path / "not-there")
    assert cells.add((0,), exchange_of(exchanged(done(1, Write("set", 1), 0, 1, 1))), fresh=nothing)
    with pytest.raises(Incomplete, match="No such file or directory; TMPDIR names another directory"):
        cells.paths()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--history", "absent.ndjson"], "absent.ndjson does not exist"),
        (["--history", "absent.ndjson", "--ops", "3"], "so that --ops says nothing"),
        (["--history", "absent.ndjson", "--exchanges", "x"], "so that --exchanges says nothing"),
        (["--jobs", "2"], "a race is one process"),
        (["--history", "absent.ndjson", "--jobs", "0"], "0 is not in the range"),
    ],
)
def test_wrong_use_is_one_sentence(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["race", *words])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
