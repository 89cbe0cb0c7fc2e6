"""Scenarios: what the mock plays against clients, in process and from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mock_harness import START, Harness, entry, head, value

from tracksync.errors import ConfigError
from tracksync.mock import MockConfig, ResponseLost
from tracksync.mock.call import Cut, Delivery
from tracksync.mock.scenarios import Act, Scenario, UnknownScenario, catalogue, load, scenario
from tracksync.model.exchange import FailureKind, Response, header
from tracksync.values.jsontext import read_json

NAMES = tuple(catalogue())


def deliver(harness: Harness, n: int = 1) -> Delivery:
    from mock_harness import request

    return harness.app.deliver(request({"attributes": [{"external_id": "u1", "n": n}]}))


def statuses(harness: Harness, times: int, n: int = 1) -> list[int]:
    return [harness.attributes(n=n).status for _ in range(times)]


def test_every_scenario_says_what_it_does_and_can_be_played() -> None:
    for name, one in catalogue().items():
        assert one.sentence.endswith("."), name
        harness = Harness(scenario=name)
        for n in range(6):
            assert isinstance(deliver(harness, n % 2), Delivery)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("normal", "optional-omitted", "http2")])
def test_every_other_scenario_differs_from_normal(name: str) -> None:
    def run(scenario: str) -> list[Delivery]:
        harness = Harness(scenario=scenario)
        return [deliver(harness, n) for n in (1, 2, 3, 4, 5, 1, 1)]

    assert run(name) != run("normal")


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_is_the_same_for_the_same_seed(name: str) -> None:
    def run() -> list[Delivery]:
        harness = Harness(scenario=name, seed=5)
        return [deliver(harness, n) for n in range(20)]

    assert run() == run()


def test_another_seed_is_another_day() -> None:
    def run(seed: int) -> list[int]:
        harness = Harness(scenario="errors-mixed", seed=seed)
        return [deliver(harness, n).response.status for n in range(40)]

    assert run(1) != run(2)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_passing_error_ends_for_each_request(status: int) -> None:
    harness = Harness(scenario=f"error-{status}")
    assert statuses(harness, 4) == [status, status, 201, 201]
    assert statuses(harness, 3, n=2) == [status, status, 201]


def test_an_outage_does_not_end() -> None:
    assert set(statuses(Harness(scenario="outage"), 20)) == {503}


def test_an_error_after_applying_applies_once_more_when_sent_again() -> None:
    harness = Harness(scenario="error-500-after-applying")
    body = {"events": [{"external_id": "u1", "name": "e", "time": "2022-01-01T00:00:00Z"}]}
    assert harness.send(body).status == 500
    assert entry(harness.send(body))["custom_events"][0]["count"] == 2


@pytest.mark.parametrize(("name", "count"), [("reset-before-applying", 1), ("reset-after-applying", 2)])
def test_a_reset_comes_before_or_after_applying(name: str, count: int) -> None:
    harness = Harness(scenario=name, journal=2)
    with pytest.raises(ResponseLost) as lost:
        harness.event()
    assert lost.value.kind is FailureKind.RESET
    assert entry(harness.event())["custom_events"][0]["count"] == count
    assert [(one.response is None, one.applied) for one in harness.app.journal] == [(True, count == 2), (False, True)]


def test_a_cut_body_was_applied() -> None:
    harness = Harness(scenario="cut-body")
    with pytest.raises(ResponseLost) as lost:
        harness.attributes(n=1)
    assert lost.value.kind is FailureKind.TRUNCATED
    assert harness.stored()["custom_attributes"] == {"n": 1}


def broken(response: Response) -> bool:
    return not read_json(response.body).valid


def test_bodies_that_are_no_json() -> None:
    assert broken(Harness(scenario="truncated-json").attributes(n=1))
    assert Harness(scenario="empty-body").attributes(n=1).body == b""
    page = Harness(scenario="html-error").attributes(n=1)
    assert (page.status, header(page.headers, "content-type")) == (503, "text/html; charset=utf-8")
    assert broken(page)


def test_a_wrong_key_is_refused_in_any_scenario() -> None:
    harness = Harness(scenario="outage")
    assert harness.send({}, key="Bearer x").status == 401


def test_no_user_is_found_and_nothing_applied() -> None:
    harness = Harness(scenario="users-empty")
    assert value(harness.attributes(n=1)) == {"users": [], "message": "success"}
    assert harness.app.state_of("external_id", "u1") is None
    assert harness.attributes(n={}, external_id=None).status == 400


def test_values_stay_as_they_were() -> None:
    harness = Harness(scenario="value-unchanged", journal=1)
    assert harness.shown(n=1) == {}
    assert not harness.app.journal[0].applied
    assert entry(harness.event())["custom_events"][0]["count"] == 1


def test_the_windows_of_scenarios_are_short() -> None:
    harness = Harness(scenario="rate-narrow")
    assert statuses(harness, 4) == [201, 201, 201, 429]
    assert head(harness.attributes(n=1), "x-ratelimit-reset") == str(int(START) + 1)
    harness.now += 1
    assert statuses(harness, 1) == [201]


def test_a_burst_begins_with_the_first_request_and_comes_back() -> None:
    harness = Harness(scenario="rate-burst")
    response = harness.attributes(n=1)
    assert response.status == 429
    assert head(response, "x-ratelimit-remaining") == "0"
    assert head(response, "x-ratelimit-reset") == str(int(START) + 2)
    assert statuses(harness, 2) == [429, 429]
    harness.now += 2
    assert statuses(harness, 8) == [201] * 7 + [429]


def test_the_clock_may_be_ahead() -> None:
    harness = Harness(scenario="clock-ahead")
    assert head(harness.attributes(n=1), "x-ratelimit-reset") == str(int(START) + 3 + 2)


def test_header_names_may_be_in_capitals() -> None:
    assert {name for name, _ in deliver(Harness(scenario="header-capitals")).response.headers} >= {"X-RATELIMIT-LIMIT"}


def test_manners_of_delivery() -> None:
    assert deliver(Harness(scenario="slow-first-byte")).pause == 2.5
    assert deliver(Harness(scenario="slow-body")).pieces == 8
    assert deliver(Harness(scenario="gzip")).gzip
    assert deliver(Harness(scenario="chunked")).chunked
    assert deliver(Harness(scenario="keep-alive-closed")).close
    harness = Harness(scenario="keep-alive-dropped")
    assert [deliver(harness).hang_up for _ in range(4)] == [False, True, False, True]
    assert deliver(Harness(scenario="reset-before-applying")).cut is Cut.BEFORE


def test_neighbours_that_clean_up_are_left_alone() -> None:
    assert Harness(scenario="outage").send({"external_ids": ["u1"]}, "/users/delete").status == 200


def test_a_scenario_and_faults_play_together() -> None:
    harness = Harness(scenario="error-503", faults=("message-ok",))
    assert statuses(harness, 2) == [503, 503]
    assert value(harness.attributes(n=1))["message"] == "ok"


def test_a_scenario_from_a_file_is_played(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[mine]\nrate_limit = 1\nacts = [{ do = "status", status = 504, every = 2 }]\n', encoding="utf-8")
    harness = Harness(scenario=load(file)["mine"], window_seconds=1)
    found = []
    for _ in range(4):
        found.append(harness.attributes(n=1).status)
        harness.now += 1
    assert found == [201, 504, 201, 504]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[x", "not TOML"),
        ("x = 1", "a scenario is a table"),
        ('[x]\nacts = "y"', "acts"),
        ("[x]\nacts = [{}]", "field `do`"),
        ('[x]\nacts = [{ do = "dance" }]', "status, pause"),
        ('[x]\nacts = [{ do = "pause", second = 1 }]', "did you mean seconds"),
        ('[x]\nacts = [{ do = "pause", seconds = -1 }]', "at least 0"),
        ('[x]\nacts = [{ do = "pause", seconds = "1" }]', "float"),
        ('[x]\nacts = [{ do = "status", status = 99 }]', "from 100"),
        ('[x]\nacts = [{ do = "status", body = "xml" }]', "json, html, empty"),
        ("[x]\nrate_limt = 1", "did you mean rate_limit"),
        ("[x]\nrate_limit = 0", "at least 1"),
        ('[x]\ninterpretations = { no-user = "x" }', "no-user"),
    ],
)
def test_the_message_says_where_a_file_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words) as wrong:
        load(file)
    assert "mine.toml" in str(wrong.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")


def test_an_unknown_scenario_is_named_with_its_nearest_neighbours() -> None:
    with pytest.raises(UnknownScenario, match="rate-burst"):
        MockConfig(scenario="rate-brust")


def test_a_scenario_can_be_made_in_python() -> None:
    made: Any = Scenario(name="x", sentence="x.", acts=(Act(do="status", status=500, body="empty"),))
    assert Harness(scenario=made).attributes(n=1).body == b""


def test_errors_of_a_scenario_keep_the_contract() -> None:
    for name in ("error-500", "error-503", "rejected", "unauthorised", "forbidden", "not-found"):
        response = Harness(scenario=name).attributes(n=1)
        assert isinstance(json.loads(response.body)["message"], str)
        assert header(response.headers, "x-ratelimit-limit") is not None


def test_another_scenario_is_played_from_the_next_request_on_and_the_workspace_stays() -> None:
    harness = Harness(journal=10)
    seen = []
    for name in ("normal", "error-503", "normal", "rate-burst", "normal"):
        harness.app.play(scenario(name))
        seen.append(harness.attributes(visits={"inc": 1}).status)
    # The limit that the last but one scenario set is in force until it ends, whatever is played by then.
    assert seen == [201, 503, 201, 429, 429]
    state = harness.app.state_of("external_id", "u1")
    assert state is not None
    assert state["custom_attributes"] == {"visits": 2}
    assert [entry.applied for entry in harness.app.journal] == [True, False, True, False, False]
