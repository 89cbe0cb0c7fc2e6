"""Replay with several processes and on a cluster: the results of one process, and what happens when one is lost."""

from __future__ import annotations

import gzip
import os
import signal
import threading
import time
from concurrent.futures import Future
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
from cassette_harness import command, two_events, vcrpy_document
from cluster_harness import cluster_here
from mixed_traffic import mixed

from tracksync.cassettes import replaying
from tracksync.cassettes.exchange_lines import write_gap, write_line
from tracksync.cassettes.replaying import ReplayPlan, replay
from tracksync.engine.cluster import Task
from tracksync.errors import Incomplete, MissingExtraError
from tracksync.model.exchange import Exchange
from tracksync.report import Redactor, Tally

yaml = pytest.importorskip("yaml")
ORIGIN = "https://rest.example.com"


def result(plan: ReplayPlan) -> dict[str, Any]:
    tally = Tally(Redactor(()))
    replay(plan, tally, lambda: 0.0)
    return {name: value for name, value in tally.result().items() if name not in ("started", "seconds")}


def written(path: Path, exchanges: list[Exchange], *, gap: int | None = None) -> Path:
    lines = [write_line(one, ORIGIN) for one in exchanges]
    if gap is not None:
        lines.insert(gap, write_gap("a restart", exchanges[gap].received, ORIGIN))
        lines.insert(gap + 5, b"not an exchange\n")
    path.write_bytes(b"".join(lines))
    return path


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording whose users are divided among processes."""
    monkeypatch.setattr(replaying, "SHARED_FROM", 0)
    return written(tmp_path / "large.ndjson", mixed(5, 200, users=5, fault="event-count-by-two", odd=0.03), gap=150)


@pytest.fixture
def several(tmp_path: Path) -> Path:
    folder = tmp_path / "several"
    folder.mkdir()
    for number, fault in enumerate((None, "message-ok", "track-processed-as-text")):
        written(folder / f"{number}.ndjson", mixed(number, 60, fault=fault, odd=0.03), gap=20 if number == 2 else None)
    (folder / "c.yaml").write_text(yaml.safe_dump(vcrpy_document(two_events(1))))
    (folder / "other.json").write_text('{"no": "recording"}')
    return folder


def test_users_divided_among_processes_give_the_result_of_one(large: Path) -> None:
    alone = result(ReplayPlan(paths=(large,)))
    assert alone["findings"]
    assert alone["skipped"] == 2
    assert result(ReplayPlan(paths=(large,), jobs=2)) == alone


def test_a_file_that_is_cut_short_is_checked_as_far_as_it_goes(large: Path) -> None:
    whole = gzip.compress(large.read_bytes())
    short = large.with_name("short.ndjson.gz")
    short.write_bytes(whole[: len(whole) * 3 // 4])
    alone = result(ReplayPlan(paths=(short,)))
    assert "cut short" in alone["reason"]
    assert result(ReplayPlan(paths=(short,), jobs=2)) == alone


def test_files_side_by_side_give_the_result_of_one_after_another(several: Path) -> None:
    alone = result(ReplayPlan(paths=(several,)))
    assert len(alone["findings"]) > 1
    assert result(ReplayPlan(paths=(several,), jobs=2)) == alone


def test_no_more_findings_are_shown_than_by_one_process(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "MOST_FINDINGS", 1)
    assert result(ReplayPlan(paths=(several,), jobs=2)) == result(ReplayPlan(paths=(several,)))


def test_a_process_that_is_killed_leaves_the_run_incomplete(large: Path) -> None:
    def kill() -> None:
        while not (children := active_children()):
            time.sleep(0.01)
        os.kill(children[0].pid or 0, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(Incomplete, match="was ended from outside"):
        result(ReplayPlan(paths=(large,), jobs=2))
    killer.join()
    assert active_children() == []


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_result_of_one_process(several: Path) -> None:
    alone = result(ReplayPlan(paths=(several,)))
    with cluster_here() as scheduler:
        assert result(ReplayPlan(paths=(several,), scheduler=scheduler)) == alone


def test_work_with_which_workers_die_is_given_to_others_and_then_given_up() -> None:
    distributed = pytest.importorskip("distributed")
    lost = distributed.KilledWorker("check_file", None, 3)

    class Client:
        def __init__(self, *outcomes: Any) -> None:
            self.outcomes = list(outcomes)

        def submit(self, *arguments: Any, **more: Any) -> Any:
            future: Future[Any] = Future()
            outcome = self.outcomes.pop(0)
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
            return future

    assert Task(Client(lost, lost, "done"), print, ()).result() == "done"
    with pytest.raises(Incomplete, match="died with one piece of work"):
        Task(Client(*[lost] * 9), print, ()).result()
    with pytest.raises(Incomplete, match="the cluster was lost"):
        Task(Client(OSError("closed")), print, ()).result()


def test_recordings_are_read_from_urls(several: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    storage = fsspec.filesystem("memory")
    for one in several.glob("*.ndjson"):
        storage.pipe(f"/logs/{one.name}", one.read_bytes())
    there = result(ReplayPlan(paths=(Path("memory://logs/*.ndjson"),)))
    here = result(ReplayPlan(paths=tuple(sorted(several.glob("*.ndjson")))))
    assert there["clauses"] == here["clauses"]
    assert there["interpretations"] == here["interpretations"]
    assert there["findings"][0]["cassette"].startswith("memory:/logs/1.ndjson:")


def test_a_url_that_leads_nowhere_is_told_with_its_name() -> None:
    pytest.importorskip("fsspec")
    failed = result(ReplayPlan(paths=(Path("memory://logs/nothing.ndjson"),)))
    assert failed["verdict"] == "incomplete"
    assert "memory:/logs/nothing.ndjson" in failed["reason"]


def test_without_the_extra_it_is_named(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingExtraError, match="distributed"):
        result(ReplayPlan(paths=(several,), scheduler="tcp://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--jobs", "2", "--against", "http://127.0.0.1:9"), 2, "leave out --jobs"),
        (("--audit", "--scheduler", "tcp://127.0.0.1:9"), 2, "go to no cluster"),
        (("--scheduler", "nonsense://x"), 3, "no Dask scheduler responds"),
    ],
)
def test_what_does_not_go_together_is_one_line(several: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = command("replay", str(several), *words)
    assert done.returncode == code
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
