"""Broken and hostile files: each ends in a named error with its line, nothing is executed, and the rest still runs."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
import yaml
from cassette_harness import (
    command,
    event_body,
    event_response,
    har_document,
    replayed,
    two_events,
    vcrpy_document,
    vcrpy_item,
)

from tracksync.cassettes.reading import MAX_FILE, read_recording
from tracksync.cassettes.strict_json import read_json
from tracksync.cassettes.strict_yaml import read_yaml
from tracksync.wire import bodies
from tracksync.wire.bodies import Unreadable

GOOD = yaml.safe_dump(vcrpy_document(two_events()))
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (BOMB, 5, "aliases stand for more"),
        ("a: &a [*a]\n", 1, "inside its anchor"),
        ("version: 1\ninteractions:\n- !!python/object/apply:os.system ['touch pwned']\n", 3, "the tag"),
        ("version: 1\ninteractions: !!python/name:os.system\n", 2, "the tag"),
        ("version: 1\nx: !!python/object/new:subprocess.Popen\n  args: [ls]\n", 2, "the tag"),
        ("version: 1\nx: !ruby/object:Gem::Installer {}\n", 2, "the tag"),
        ("a:\n" + "".join(" " * depth + "- \n" for depth in range(2, 100)), 65, "nested deeper"),
        ("[" * 100_000, 1, "nested deeper"),
        ("version: 1\ninteractions:\n- request: {method: POST\n", 4, "not YAML"),
        ("version: 1\ninteractions:\n\t- tab\n", 3, "not YAML"),
        ("version: 1\nx: \x00\n", 0, "not YAML"),
        ("version: 1\n---\nversion: 2\n", 2, "more than one YAML document"),
        ("version: 1\nx: !!binary 'a'\n", 2, "base64"),
    ],
)
def test_yaml_that_is_not_plain_data_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_yaml(text)
    assert words in caught.value.message
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{\n"a": 1,\n}', 3, "not JSON"),
        ('{"a":\n' + "[" * 100_000 + "]" * 100_000 + "}", 2, "nested deeper"),
        ('{"a":\n' + "[" * 300 + "]" * 300 + "}", 2, "nested deeper"),
        ('{"a": ' + "9" * 10_000 + "}", 1, "beyond reading"),
    ],
)
def test_json_beyond_reason_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_json(text)
    assert words in caught.value.message
    assert caught.value.line == line


def test_an_ordinary_alias_is_read(tmp_path: Path) -> None:
    """PyYAML writes one wherever the same list occurs twice."""
    shared = ["application/json"]
    document = vcrpy_document(two_events(1))
    for item in document["interactions"]:
        item["request"]["headers"]["Content-Type"] = shared
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(document))
    assert "*id001" in path.read_text()
    assert replayed(path).broken == ["TS-EVENT-COUNT"]


def test_a_file_of_two_hundred_megabytes_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(200 * 1024**2)
    with pytest.raises(Unreadable, match="it has more than 64 MB, which is not read in this form"):
        read_recording(path)
    assert path.stat().st_size > MAX_FILE


def test_a_body_that_unpacks_to_two_hundred_megabytes_is_refused_first(tmp_path: Path) -> None:
    packed = gzip.compress(gzip.compress(bytes(200 * 1024**2), 1), 1)
    twice = vcrpy_item(event_body(), packed, **{"Content-Encoding": "gzip, gzip"})
    path = tmp_path / "c.yaml"
    path.write_text(
        yaml.safe_dump({"version": 1, "interactions": [twice, *vcrpy_document(two_events())["interactions"]]})
    )
    replay_events = replayed(path)
    assert "unpacks to more than" in replay_events.skipped[0].why
    assert replay_events.checked == 2, "the rest of the file is checked"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda item: item["response"]["body"].update(string=gzip.compress(b"x" * 5000)[:-12]), "ends too early"),
        (lambda item: item["response"]["body"].update(string=b"\x1f\x8b\x08\x00rubbish"), "damaged|too early"),
        (lambda item: item.pop("response"), "the response is missing"),
        (lambda item: item.update(request=None), "the request is missing"),
        (lambda item: item["request"].update(uri="javascript:alert(1)"), "not an http or https URL"),
        (lambda item: item["request"].update(uri="https://[oops/users/track/sync"), "not an http or https URL"),
        (lambda item: item["request"].pop("method"), "method is missing"),
        (lambda item: item["response"]["status"].update(code="many"), "not a status code"),
        (lambda item: item["response"].update(headers="none"), "headers of the response"),
        (lambda item: item["response"]["body"].update(string=["a"]), "neither text nor bytes"),
    ],
)
def test_a_broken_interaction_is_named_with_its_line_and_the_rest_is_checked(tmp_path: Path, spoil, words: str) -> None:
    document = vcrpy_document(two_events())
    broken = vcrpy_item(event_body("else"), event_response(1, "else"), **{"Content-Encoding": "gzip"})
    spoil(broken)
    document["interactions"].insert(1, broken)
    for name in ("c.yaml", "c.json"):
        path = tmp_path / name
        if name.endswith("json"):
            try:
                path.write_text(json.dumps(document, indent=1))
            except TypeError:
                continue  # bytes
        else:
            path.write_text(yaml.safe_dump(document))
        replay_events = replayed(path)
        assert replay_events.checked == 2
        assert replay_events.verdict == "incomplete"
        import re

        assert re.search(words, replay_events.skipped[0].why)
        line = int(replay_events.skipped[0].what.rpartition(":")[2])
        assert 20 < line < 60, replay_events.skipped[0].what


def test_base64_that_is_damaged_is_named(tmp_path: Path) -> None:
    document = har_document(two_events(), base64_bodies=True)
    document["log"]["entries"][0]["response"]["content"]["text"] = "%%%"
    path = tmp_path / "c.har"
    path.write_text(json.dumps(document))
    assert "base64 body of the response is damaged" in replayed(path).skipped[0].why
    with pytest.raises(Unreadable, match="more than 32 MB"):
        bodies.from_base64(base64.b64encode(bytes(bodies.MAX_BODY * 2)).decode(), 1, "request")


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("latin.yaml", b"version: 1\nx: \xff\n", ":2: it is not UTF-8"),
        ("empty.yaml", b"", ": it is empty"),
        ("cut.json", json.dumps(vcrpy_document(two_events()), indent=1).encode()[:-30], ":"),
        ("cut.har", json.dumps(har_document(two_events())).encode()[:-30], ":1: this is not JSON"),
        ("bomb.yaml", BOMB.encode(), ":5: its aliases stand for more"),
        ("list.yaml", b"interactions: 7\n", ":1: its interactions are not a list"),
        ("pets.json", b'{"pets": []}', ": it is not a recording of a known form"),
    ],
)
def test_a_broken_file_is_named_the_rest_runs_and_the_exit_code_says_so(
    tmp_path: Path, name: str, content: bytes, where: str
) -> None:
    bad, good = tmp_path / name, tmp_path / "zz-good.yaml"
    bad.write_bytes(content)
    good.write_text(GOOD)
    replay_events = replayed(bad, good)
    assert (replay_events.verdict, replay_events.checked) == ("incomplete", 2)
    assert f"{bad}{where}" in replay_events.end.reason


def test_an_error_counts_more_than_a_file_that_could_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- [\n")
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(vcrpy_document(two_events(1))))
    assert replayed(tmp_path).verdict == "failed"


def test_lines_of_an_event_report_that_are_broken_are_named_and_the_others_read(tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[1] / "recordings" / "schemathesis" / "whole.ndjson.ndjson"
    lines = source.read_text().splitlines()
    lines.insert(2, '{"ScenarioFinished": {"recorder": ')
    path = tmp_path / "r.ndjson"
    path.write_text("\n".join(lines))
    replay_events = replayed(path)
    assert replay_events.skipped[0].what == f"{path}:3"
    assert replay_events.checked == replayed(source).checked


def test_other_files_in_a_directory_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "client"}')
    (tmp_path / "good.yaml").write_text(GOOD)
    replay_events = replayed(tmp_path)
    assert (replay_events.verdict, replay_events.checked) == ("passed", 2)


def test_the_command_line_names_a_bomb_in_one_line_and_ends_with_three(tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text(BOMB)
    (tmp_path / "evil.yaml").write_text("a: !!python/object/apply:os.system ['touch pwned']\n")
    done = command("replay", ".", cwd=tmp_path)
    assert done.returncode == 3
    assert "bomb.yaml:5: its aliases stand for more" in done.stdout
    assert "evil.yaml:1: the tag !!python/object/apply:os.system is refused" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "pwned").exists()
