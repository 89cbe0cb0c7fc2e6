"""For every clause there is a fault that breaks it, and the oracle finds it; lawful servers have no finding."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cluster_harness import cluster_here
from fuzz_plans import fuzz_plan

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.clauses import catalogue as clauses
from tracksync.engine import fuzz
from tracksync.faults.catalogue import catalogue as faults
from tracksync.model.events import Event, ExchangeChecked
from tracksync.selfcheck import Job, JobResult, Selfcheck, carry_out, run_all
from tracksync.selfcheck.jobs import NEEDS_CONCURRENCY, fault_jobs, fault_pair_jobs, interpretation_pair_jobs

SERVER = [one for one in clauses() if one.startswith("TS-")]
SEQUENTIAL = [one for one in faults().values() if one.family != NEEDS_CONCURRENCY and not one.beyond]
COUNTS = ("event-count-stuck", "event-count-by-two")
# Only a response that is cut on every try breaks it, and its clause is then the first of several.
PROVEN_BY = {"TS-ANSWER-ARRIVES": "reset-on-astral"}


def candidates(clause: str) -> list[str]:
    named = [one.name for one in SEQUENTIAL if clause in one.clauses]
    first = [one.name for one in SEQUENTIAL if one.clauses[0] == clause]
    return [PROVEN_BY[clause]] if clause in PROVEN_BY else [*first, *(name for name in named if name not in first)]


def broken_by(fault: str, **plan: Any) -> set[str]:
    """The clauses that a run with `fault` finds broken."""
    found: set[str] = set()

    def note(event: Event) -> None:
        if isinstance(event, ExchangeChecked):
            found.update(finding.clause for finding in event.findings)

    fuzz(fuzz_plan(faults=(fault,), shrink=False, **plan), note)
    return found


@pytest.mark.parametrize("clause", SERVER)
def test_a_fault_breaks_this_clause_and_is_found_by_it(clause: str) -> None:
    tried = candidates(clause)[:6]
    # The probes of the clause alone show most; the others take a whole run.
    for plan in ({"only": (clause,)}, {}):
        for name in tried:
            if clause in broken_by(name, **plan):
                return
    pytest.fail(f"none of {', '.join(tried) or 'no fault'} is found by {clause}")


@pytest.mark.parametrize("job", list(interpretation_pair_jobs(3))[::3], ids=lambda job: job.name)
def test_no_combination_of_lawful_interpretations_has_a_finding(job: Job) -> None:
    assert carry_out(job).found == ()


@pytest.mark.parametrize("job", list(fault_pair_jobs(11, 6)), ids=lambda job: job.name)
def test_two_faults_at_once_are_found(job: Job) -> None:
    assert carry_out(job).found


def test_the_covering_array_holds_every_pair_of_interpretations() -> None:
    pairs = {
        frozenset([one, other])
        for job in interpretation_pair_jobs(0)
        for one in job.interpretations
        for other in job.interpretations
    }
    ambiguities = list(ambiguity_catalogue().values())
    for index, ambiguity in enumerate(ambiguities):
        for other in ambiguities[index + 1 :]:
            for one in ambiguity.interpretations:
                for two in other.interpretations:
                    assert frozenset([(ambiguity.name, one), (other.name, two)]) in pairs


def test_a_surviving_fault_and_a_finding_on_a_lawful_server_fail_the_selfcheck() -> None:
    gentle = next(one.name for one in faults().values() if one.beyond)  # one that the contract does not forbid
    survivor = Job("fault", "inc-by-one", 0, (gentle,), max_requests=100)
    accused = Job("interpretation", "lawful by name only", 0, (SEQUENTIAL[0].name,), max_requests=250)
    checked = run_all([survivor, accused], seed=0, workers=1)
    totals = checked.totals()
    assert totals.survivors == ("inc-by-one",)
    assert totals.accused == ("lawful by name only",)
    assert checked.result()["verdict"] == "failed"


def test_causes_are_counted_where_findings_are_made_short() -> None:
    one = Job("fault", "message-ok", 0, ("message-ok",), max_requests=40, causes=True)
    two = Job("fault pair", "two", 0, ("null-as-word", "event-count-stuck"), max_requests=60, causes=True)
    plain = Job("fault", "event-count-stuck", 0, ("event-count-stuck",), max_requests=40)
    totals = run_all([one, two, plain], seed=0, workers=1).totals()
    assert (totals.with_causes, totals.one_cause, totals.led) == (1, 1, 1)
    assert (totals.pairs_with_causes, totals.two_causes, totals.pairs_hidden) == (1, 1, 0)


def test_a_pair_of_which_one_fault_shows_nothing_of_its_own_is_counted_as_hidden() -> None:
    job = Job("fault pair", "two", 0, ("null-as-word", "event-count-stuck"), causes=True)
    shown = [("TS-ATTR-NULL", 1), ("TS-ANSWER-JSON", 2)]
    hidden = JobResult(job, tuple(shown), True, 2, 2, ("TS-ATTR-NULL",))
    both = replace(hidden, found=(*shown, ("TS-EVENT-COUNT", 3)))
    assert Selfcheck((hidden, both), 0.0, 0).totals().pairs_hidden == 1


def test_every_sequential_fault_gets_a_run() -> None:
    assert {job.name for job in fault_jobs(0)} == {one.name for one in SEQUENTIAL}
    assert len(SEQUENTIAL) >= 120


def test_the_command_writes_a_result_and_a_page_with_the_matrix(tmp_path: Path) -> None:
    name = "message-ok"
    result, page = tmp_path / "selfcheck.json", tmp_path / "selfcheck.html"
    command = [sys.executable, "-m", "tracksync", "selfcheck", "--only", name, "--only", "extras=rich", "--seeds", "1"]
    command += ["--workers", "1"]  # what is drawn from the spec for one run serves the other
    ended = subprocess.run(
        [*command, "--json", str(result), "--html", str(page)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "faults found           1 of 1" in ended.stdout
    written = json.loads(result.read_text())
    schema = json.loads(
        (Path(__file__).resolve().parents[2] / "contracts/tracksync/report/result.schema.json").read_text()
    )
    jsonschema.validate(written, schema)
    assert "<svg" in page.read_text()
    assert name in page.read_text()


def test_an_interrupt_ends_the_workers_and_keeps_the_outcomes_so_far() -> None:
    def interrupt(outcome: JobResult, done: int, total: int) -> None:
        raise KeyboardInterrupt

    quick = Job("fault", SEQUENTIAL[0].name, 0, (SEQUENTIAL[0].name,), max_requests=10)
    endless = Job("interpretation", "no faults", 0, max_requests=10**9)
    before = set(multiprocessing.active_children())
    checked = run_all([quick, endless, endless], seed=0, workers=2, progress=interrupt)
    assert [outcome.job for outcome in checked.outcomes] == [quick]
    assert set(multiprocessing.active_children()) == before


def test_ctrl_c_on_the_command_line_shows_the_outcomes_so_far_and_leaves_no_worker(tmp_path: Path) -> None:
    result = tmp_path / "selfcheck.json"
    command = [sys.executable, "-m", "tracksync", "selfcheck", "--workers", "2", "--json", str(result)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as running:
        while len(process_group(running.pid)) < 3 and running.poll() is None:
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        try:
            shown, errors = running.communicate(timeout=60)
        finally:
            if running.returncode is None:
                os.killpg(running.pid, signal.SIGKILL)
    assert (running.returncode, errors) == (3, f"wrote {result}\n")
    assert "incomplete: " in shown
    assert json.loads(result.read_text())["verdict"] == "incomplete"
    deadline = time.monotonic() + 60
    while process_group(running.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process_group(running.pid) == []


def process_group(leader: int) -> list[int]:
    """The running processes that a terminal would send Ctrl-C to."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            ended = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if not ended and os.getpgid(int(entry.name)) == leader:
                found.append(int(entry.name))
    return found


def test_an_unknown_name_is_a_wrong_use() -> None:
    command = [sys.executable, "-m", "tracksync", "selfcheck", "--only", "no-such-fault"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "no-such-fault" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_outcomes_of_one_process() -> None:
    jobs = [replace(job, max_requests=60) for job in fault_jobs(1) if job.name in COUNTS]
    with cluster_here() as scheduler:
        checked = run_all(jobs, seed=1, scheduler=scheduler)
    assert checked.outcomes == tuple(map(carry_out, jobs))
