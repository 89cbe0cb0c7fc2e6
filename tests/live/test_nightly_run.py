"""A nightly run against a workspace behind real TLS: harmless, journalled, killed, cleaned, resumed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fuzz_plans import fuzz_plan
from live_harness import KEY, UNPRIVILEGED, Harness
from process import tracksync_here

from tracksync.contract.bounds import DELETE
from tracksync.engine import FuzzPlan, fuzz
from tracksync.engine.opening import open_target
from tracksync.engine.targets import HarmfulRequest, Target
from tracksync.errors import UsageError
from tracksync.generate.build import Step, attributes_request, json_request
from tracksync.live import Journal, NightlyRun, incomplete_runs
from tracksync.live import journal as journals
from tracksync.live.journal_clean_up import clean
from tracksync.model.events import Cleaned, Event, ExchangeChecked, FindingConfirmed, RunEnded
from tracksync.model.exchange import Exchange
from tracksync.report import Redactor

PREFIX = "tsaaaaaaaaaaaa"
KEYS = {"key": KEY, "unprivileged_key": UNPRIVILEGED}


@pytest.fixture(autouse=True)
def _no_late_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracksync.engine.clean_up.SETTLE", 0.1)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("harness"), limit=60_000) as served:
        yield served


def plan(harness: Harness, **more: Any) -> FuzzPlan:
    known = {"address": harness.url, "verify": str(harness.ca), "rate_limit": 60_000, "seed": 3, "requests": 120}
    return fuzz_plan(**{**known, **KEYS, **more})


class Killed(BaseException):
    """Ends a run as `kill -9` does: nothing after it is executed."""


class KilledAfter:
    """A target that is cut off after some requests; what the request did at the server stays done."""

    def __init__(self, inner: Target, requests: int) -> None:
        self.inner, self.left = inner, requests
        self.name, self.clock_skew, self.settling = inner.name, inner.clock_skew, inner.settling
        self.now, self.sleep, self.can, self.close = inner.now, inner.sleep, inner.can, inner.close
        self.hurry = inner.hurry

    def send(self, step: Step) -> Exchange:
        self.left -= 1
        exchange = self.inner.send(step)
        if self.left < 0:
            raise Killed
        return exchange


def run(nightly: NightlyRun, kill_after: int | None = None) -> list[Event]:
    events: list[Event] = []

    def watch(event: Event) -> None:
        nightly.watch(event)
        events.append(event)

    def wrap(target: Target, prefixes: Any) -> Target:
        return nightly.wrap(target if kill_after is None else KilledAfter(target, kill_after), prefixes)

    try:
        fuzz(nightly.plan, watch, wrap)
        nightly.close()
    except Killed:
        nightly.journal.close()
    return events


def checked(events: list[Event]) -> list[ExchangeChecked]:
    return [event for event in events if isinstance(event, ExchangeChecked)]


# --- harmless ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        attributes_request({"external_id": "customer-7"}, {"colour": "red"}),
        attributes_request({"email": "someone@gmail.com"}, {"colour": "red"}),
        attributes_request({"external_id": f"{PREFIX}-u"}, {"note": "write to someone@gmail.com"}),
        attributes_request({"external_id": f"{PREFIX}-u"}, push_tokens=[{"app_id": "a", "token": "t"}]),
        attributes_request({"external_id": f"{PREFIX}-u"}, email_subscribe="opted_in"),
        attributes_request({"phone": "+4915112345678"}, {"colour": "red"}),
        json_request({"external_ids": [f"{PREFIX}-u", "customer-7"]}, path=DELETE),
        json_request({}, path="/users/identify"),
    ],
)
def test_a_request_that_could_reach_a_person_is_never_sent(harness: Harness, request_: Any) -> None:
    before = harness.stats()["requests"]
    target = open_target(plan(harness), [PREFIX])
    with pytest.raises(HarmfulRequest):
        target.send(Step(request_))
    target.close()
    assert harness.stats()["requests"] == before


def test_a_harmless_request_is_sent(harness: Harness) -> None:
    target = open_target(plan(harness), [PREFIX])
    exchange = target.send(Step(attributes_request({"external_id": f"{PREFIX}-u"}, {"colour": "red"})))
    assert exchange.response is not None
    assert exchange.response.status == 201
    target.send(Step(json_request({"external_ids": [f"{PREFIX}-u"]}, path=DELETE)))
    target.close()


# --- the whole run ----------------------------------------------------------------------------------------------------


def test_a_run_ends_with_no_user_no_journal_and_no_key_on_the_disk(harness: Harness, tmp_path: Path) -> None:
    nightly = NightlyRun.begin(plan(harness), harness.url, tmp_path, Redactor(KEYS.values()), "nightly")
    assert nightly.plan.users.prefix is not None
    assert nightly.plan.users.prefix.startswith("nightly-")
    events = run(nightly, kill_after=60)
    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b'"record":"exchange"' in text for text in texts)
    assert not any(KEY.encode() in text or UNPRIVILEGED.encode() in text for text in texts)
    events = run(NightlyRun.resume(incomplete_runs(tmp_path)[0], KEYS, Redactor(KEYS.values())))
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert next(event for event in events if isinstance(event, Cleaned)).left == ()
    assert harness.stats()["users"] == 0
    assert incomplete_runs(tmp_path) == []


@pytest.mark.parametrize("cleaned", [True, False])
def test_a_killed_run_is_resumed_where_it_was_without_false_findings(
    harness: Harness, tmp_path: Path, cleaned: bool
) -> None:
    redactor = Redactor(KEYS.values())
    whole = plan(harness, requests=170, phases=("stateful",))
    counts = []
    first = run(NightlyRun.begin(whole, harness.url, tmp_path, redactor), kill_after=45)
    counts.append(len(checked(first)))
    (path,) = incomplete_runs(tmp_path)
    for after in (45, None):
        state = journals.read(path)
        assert state is not None
        assert state.resumable
        assert harness.stats()["users"] > 0
        if cleaned:
            target = open_target(plan(harness), list(state.prefixes))
            done = clean(Journal.open(path), target, deletion_timeout=20, keep=True)
            target.close()
            assert (done.left, done.verified) == ((), True)
            assert harness.stats()["users"] == 0
        before = harness.stats()["requests"]
        events = run(NightlyRun.resume(path, KEYS, redactor), kill_after=after)
        sent = harness.stats()["requests"] - before
        assert sent < len(checked(events)) + 30  # the earlier ones came from the journal
        counts.append(len(checked(events)))
    assert counts[0] < counts[1] < counts[2] <= 170
    assert counts[2] > 150
    assert not any(event.findings for event in checked(events))
    assert harness.stats()["users"] == 0
    assert incomplete_runs(tmp_path) == []


def test_a_finding_of_a_killed_run_is_reported_by_the_resumed_run_shrunk_and_once(tmp_path: Path) -> None:
    redactor = Redactor(KEYS.values())
    with Harness(tmp_path, limit=60_000, fault=["event-count-third-lost"]) as broken:
        first = run(
            NightlyRun.begin(plan(broken, requests=400, phases=("probes",)), broken.url, tmp_path, redactor),
            kill_after=150,
        )
        assert any(event.findings for event in checked(first))
        events = run(NightlyRun.resume(incomplete_runs(tmp_path)[0], KEYS, redactor))
        confirmed = [event for event in events if isinstance(event, FindingConfirmed)]
        (count,) = [event for event in confirmed if event.finding.clause == "TS-EVENT-COUNT"]
        assert len(count.exchanges) == 3
        assert len(checked(events)) <= 400
        assert broken.stats()["users"] == 0
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.verdict == "failed"


def test_a_known_finding_does_not_fail_the_run_and_hides_no_new_one(tmp_path: Path) -> None:
    with Harness(tmp_path, limit=60_000, fault=["event-count-third-lost"]) as broken:
        known = frozenset({"TS-EVENT-COUNT /response/body/users/*/custom_events/*/count"})
        events: list[Event] = []
        fuzz(plan(broken, requests=60, known=known, phases=("probes",), shrink=False), events.append)
    confirmed = [event for event in events if isinstance(event, FindingConfirmed)]
    assert {event.known for event in confirmed if event.finding.clause == "TS-EVENT-COUNT"} == {True}
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    new = [event for event in confirmed if not event.known]
    assert (ended.verdict == "failed") == bool(new)


def test_a_key_without_permission_to_export_says_why_nothing_was_verified(tmp_path: Path) -> None:
    with Harness(tmp_path, limit=60_000, forbid=["/users/export/ids", "/users/delete"]) as closed:
        short = plan(closed, requests=80, phases=("stateful",))
        nightly = NightlyRun.begin(short, closed.url, tmp_path / "j", Redactor(KEYS.values()))
        events = run(nightly)
        ended = events[-1]
        assert isinstance(ended, RunEnded)
        assert "403" in ended.why_not["TS-EXPORT-AGREES"] or "does not offer" in ended.why_not["TS-EXPORT-AGREES"]
        (cleaned,) = [event for event in events if isinstance(event, Cleaned)]
        assert "users.delete" in cleaned.why
        (path,) = incomplete_runs(tmp_path / "j")
        state = journals.read(path)
        assert state is not None
        assert not state.resumable
        assert set(state.users) == set(cleaned.left)


# --- the journal --------------------------------------------------------------------------------------------------


def test_each_user_is_on_the_disk_before_the_request_that_makes_it_is_sent(harness: Harness, tmp_path: Path) -> None:
    journal_file: list[Path] = []
    seen: list[bool] = []
    nightly = NightlyRun.begin(plan(harness, requests=40, phases=("probes",)), harness.url, tmp_path, Redactor())
    journal_file.append(nightly.journal.path)

    class Looking(KilledAfter):
        def send(self, step: Step) -> Exchange:
            text = journal_file[0].read_text()
            named = step.request.body.decode("utf-8", "replace").split('"external_id":"')
            if len(named) > 1:
                seen.append(named[1].split('"')[0] in text)
            return self.inner.send(step)

    events: list[Event] = []
    fuzz(nightly.plan, events.append, lambda target, prefixes: nightly.wrap(Looking(target, 0), prefixes))
    assert len(seen) > 20
    assert all(seen)
    nightly.journal.remove()


def test_an_incomplete_last_line_is_ignored_and_cut_off(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, {"target": "http://127.0.0.1:1", "plan": {}}, PREFIX, 0.0)
    journal.write("sending", n=1, digest="d", path="/", users=[["external_id", f"{PREFIX}-u"]], at=1.0)
    journal.close()
    whole = journal.path.read_bytes()
    with journal.path.open("ab") as file:
        file.write(b'{"record":"exchange","n":1,"resp')
    state = journals.read(journal.path)
    assert state is not None
    assert state.users == (("external_id", f"{PREFIX}-u"),)
    Journal.open(journal.path).close()
    assert journal.path.read_bytes() == whole


def test_a_run_that_is_still_active_cannot_be_resumed_or_cleaned(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, {"target": "http://127.0.0.1:1", "plan": {}}, PREFIX, 0.0)
    with pytest.raises(UsageError, match="still active"):
        Journal.open(journal.path)
    journal.close()


def test_a_journal_of_another_run_is_not_resumed_as_this_one(harness: Harness, tmp_path: Path) -> None:
    run(NightlyRun.begin(plan(harness), harness.url, tmp_path, Redactor()), kill_after=20)
    (path,) = incomplete_runs(tmp_path)
    lines = path.read_text().splitlines()
    record = json.loads(lines[3])
    record["digest"] = "0" * 24
    path.write_text("\n".join([*lines[:3], json.dumps(record), *lines[4:]]) + "\n")
    nightly = NightlyRun.resume(path, KEYS, Redactor())
    with pytest.raises(UsageError, match="cannot be resumed"):
        fuzz(nightly.plan, lambda event: None, nightly.wrap)
    target = open_target(plan(harness), [str(nightly.plan.users.prefix)])
    clean(nightly.journal, target, deletion_timeout=10)
    target.close()


# --- the command line -------------------------------------------------------------------------------------------


def command(harness: Harness, folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, with the keys of the workspace."""
    keys = {"TRACKSYNC_API_KEY": KEY, "TRACKSYNC_UNPRIVILEGED_KEY": UNPRIVILEGED}
    return tracksync_here(*words, cwd=folder, **{**keys, **variables, "NO_COLOR": "1"})


def test_a_run_by_command_compares_itself_with_the_last_one_and_cleans(harness: Harness, tmp_path: Path) -> None:
    (tmp_path / "tracksync.toml").write_text(
        f'endpoint = "{harness.url}"\nlive = true\nbaseline = "tracksync-baseline.toml"\n'
        '[workspace]\nrate_limit = 60000\nprefix = "nightly"\n[budget]\nrequests = 290\ndata_points = 2000\n'
    )
    some = ("fuzz", "--target", "live", "--ca", str(harness.ca), "--only", "TS-USER-UPDATE-ONLY,TS-ATTR-STRING")
    first = command(harness, tmp_path, *some, "--seed", "1")
    assert first.returncode == 0, first.stderr
    assert "data points" in first.stderr
    assert "(1,5" in first.stderr or "left)" in first.stderr
    harness.tell("interpretation?no-user=omitted")
    second = command(harness, tmp_path, *some, "--seed", "2", "--json", "b.json", "--html", "b.html")
    harness.tell("interpretation?no-user=empty-list")
    assert second.returncode == 0, second.stderr
    result = json.loads((tmp_path / "b.json").read_text())
    (drift,) = [one for one in result["drift"] if one["ambiguity"] == "no-user"]
    assert (drift["before"], drift["after"]) == ("empty-list", "omitted")
    assert drift["exchange_before"]["response"]["body"] != drift["exchange_after"]["response"]["body"]
    page = (tmp_path / "b.html").read_text()
    assert "Drift" in page
    assert "Network" in page
    assert result["cleaning"]["left"] == []
    assert command(harness, tmp_path, "clean").stdout.startswith("nothing to clean")
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or KEY not in path.read_text("utf-8", "replace")


def test_nothing_goes_to_another_machine_without_the_opt_in(harness: Harness, tmp_path: Path) -> None:
    ended = command(harness, tmp_path, "fuzz", "--target", "https://rest.iad-01.braze.com")
    assert ended.returncode == 2
    assert "live = true" in ended.stderr
    (tmp_path / "tracksync.toml").write_text('endpoint = "https://rest.iad-01.braze.com"\n')
    ended = command(harness, tmp_path, "fuzz", "--target", "live")
    assert ended.returncode == 2
    assert "live = true" in ended.stderr


def test_resuming_where_nothing_was_killed_is_wrong_use(harness: Harness, tmp_path: Path) -> None:
    ended = command(harness, tmp_path, "fuzz", "--resume")
    assert ended.returncode == 2
    assert "no run" in ended.stderr
    assert list(tmp_path.iterdir()) == []
