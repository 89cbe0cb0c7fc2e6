"""What people and CI systems are shown: the verdict, each finding, how to see it again."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_samples import ASSUMED, DOCUMENTED, OBSERVED, START, exchange, finding, lost, result_of, run

from tracksync.contract.clauses import catalogue
from tracksync.errors import ConfigError, UsageError
from tracksync.model.events import ExchangeChecked, FindingConfirmed, RunEnded
from tracksync.model.exchange import Credential, FailureKind
from tracksync.report import compare, files, html, json_result, junit, markdown, terminal
from tracksync.report.exchange_text import curl, exchange_json, outcome_line, printable

HOSTILE = "</script><img src=x onerror=alert(1)>|`*[a](http://evil.example)\x1b[31m\u202e\x00"


# --- terminal ---------------------------------------------------------------------------------------------------


def test_the_terminal_shows_clause_sentence_values_pointer_and_ends_in_the_line_that_reproduces() -> None:
    text = terminal.render(result_of(run(finding(expected="success", actual="fine"))))
    assert text.startswith("FAILED: 1 error; ")
    for part in (
        f"1. ERROR {DOCUMENTED} (documented)",
        catalogue()[DOCUMENTED].sentence,
        "the message is another one",
        "at        /response/body/message",
        'expected  "success"',
        'actual    "fine"',
        '-H "Authorization: Bearer $TRACKSYNC_API_KEY"',
        '-> 201 {"message":"fine"}',
        f"Not covered ({len(catalogue()) - 2}):",
    ):
        assert part in text
    assert text.splitlines()[-1].strip() == "reproduce: tracksync fuzz --seed 7"


def test_a_passed_run_says_so_and_how_much_was_covered() -> None:
    text = terminal.render(result_of(run()))
    assert text.startswith(f"PASSED: no findings; 2 of {len(catalogue())} clauses covered\n")
    assert "seed 7" in text


def test_a_long_list_of_clauses_that_share_a_reason_is_cut_and_a_short_one_is_not() -> None:
    text = terminal.render(result_of(run(why_not={"TS-RATE-429": "it costs a minute"})))
    assert "it costs a minute\n    TS-RATE-429\n" in text
    assert f"and {len(catalogue()) - 3 - 24} more, named in the JSON and HTML results" in " ".join(text.split())


def test_colours_come_only_when_asked_for() -> None:
    result = result_of(run(finding(), finding(OBSERVED)))
    plain, coloured = terminal.render(result), terminal.render(result, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_many_findings_are_shown_in_full_up_to_ten() -> None:
    ids = list(catalogue())[:13]
    text = terminal.render(result_of(run(*(finding(id_) for id_ in ids))))
    assert text.count("reproduce:") == 10
    assert "3 more findings" in text
    assert all(id_ in text for id_ in ids)


def test_nothing_from_the_wire_can_steer_a_terminal() -> None:
    found = finding(message=HOSTILE, expected=HOSTILE, actual=HOSTILE, pointer=f"/{HOSTILE}")
    text = terminal.render(result_of(run(found, shown=exchange(HOSTILE.encode(), body=HOSTILE.encode()))))
    assert printable(text) == text
    assert "\x1b" not in text


# --- curl -------------------------------------------------------------------------------------------------------


def sent_by(command: str) -> dict[str, Any]:
    """What a shell would hand to curl: headers, body, method, url."""
    script = 'curl() { printf "%s\\0" "$@"; printf "\\0STDIN\\0"; [ -p /dev/stdin ] && cat || true; }\n' + command
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        check=True,
        env={
            "TRACKSYNC_API_KEY": "K",
            "TRACKSYNC_UNPRIVILEGED_KEY": "U",
            "TRACKSYNC_ENDPOINT": "http://e",
            "PATH": "/bin:/usr/bin",
        },
        stdin=subprocess.DEVNULL,
    )
    arguments, stdin = done.stdout.split(b"\0\0STDIN\0")
    words = arguments.split(b"\0")
    at = {word: index for index, word in enumerate(words)}
    body = words[at[b"--data-raw"] + 1] if b"--data-raw" in at else stdin if b"--data-binary" in at else b""
    return {
        "url": next(word for word in words if word.startswith(b"http")).decode(),
        "headers": [words[index + 1].decode() for index, word in enumerate(words) if word == b"-H"],
        "method": words[at[b"-X"] + 1].decode() if b"-X" in at else "POST",
        "body": body,
    }


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"it\'s $HOME `id` \\"quoted\\" \\\\ \\u0000"}',
        '{"ключ":"𝄞"}\n'.encode(),
        b"@/etc/passwd",
        b"a\x00b",
        b"\xff\xfe",
        b"",
    ],
)
def test_the_curl_line_sends_the_same_body(body: bytes) -> None:
    assert sent_by(curl(exchange_json(exchange(body=body)), "http://localhost:8080"))["body"] == body


@pytest.mark.parametrize(
    ("credential", "headers"),
    [
        (Credential.VALID, ["Authorization: Bearer K"]),
        (Credential.UNKNOWN, ["Authorization: Bearer K"]),
        (Credential.UNPRIVILEGED, ["Authorization: Bearer U"]),
        (Credential.INVALID, ["Authorization: Bearer no-such-key"]),
        (Credential.MISSING, []),
    ],
)
def test_the_curl_line_takes_the_key_from_the_environment(credential: Credential, headers: list[str]) -> None:
    shown = exchange(headers=(("Authorization", "Bearer s3cret-s3cret"), ("Host", "x")), credential=credential)
    assert sent_by(curl(exchange_json(shown), "http://localhost:8080"))["headers"] == headers


def test_the_curl_line_names_method_path_and_other_headers() -> None:
    shown = exchange(method="GET", path="/users/track/sync?a=1&b=$(id)", body=b"", headers=(("X-Odd", "it's; $X"),))
    sent = sent_by(curl(exchange_json(shown), "https://rest.iad-01.braze.com/"))
    assert (sent["method"], sent["url"]) == ("GET", "https://rest.iad-01.braze.com/users/track/sync?a=1&b=$(id)")
    assert "X-Odd: it's; $X" in sent["headers"]


def test_the_curl_line_for_the_embedded_mock_takes_the_address_from_the_environment() -> None:
    assert sent_by(curl(exchange_json(exchange()), "mock"))["url"] == "http://e/users/track/sync"


def test_a_body_too_long_to_show_is_said_to_be() -> None:
    line = curl(exchange_json(exchange(body=b"x" * 50_000)), "mock")
    assert "a body of 50000 bytes" in line
    assert len(line) < 500


def test_a_lost_response_says_how_it_was_lost() -> None:
    assert outcome_line(exchange_json(lost(FailureKind.TIMEOUT, "30 s"))) == "no response (timeout): 30 s"


# --- JUnit ------------------------------------------------------------------------------------------------------


def cases(result: dict[str, Any]) -> dict[str, ET.Element]:
    root = ET.fromstring(junit.render(result))
    return {case.attrib["name"]: case for case in root.iter("testcase")}


def test_junit_has_one_case_a_clause_with_failure_skip_and_pass() -> None:
    result = result_of(run(finding(), why_not={"TS-RATE-429": "it costs a minute"}))
    found = cases(result)
    assert set(found) == set(catalogue())
    failure = found[DOCUMENTED].find("failure")
    assert failure is not None
    assert failure.attrib == {"message": "the message is another one", "type": "error"}
    assert "reproduce: tracksync fuzz --seed 7" in (failure.text or "")
    skipped = found["TS-RATE-429"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "it costs a minute"
    assert list(found[OBSERVED]) == []
    suite = ET.fromstring(junit.render(result)).find("testsuite")
    assert suite is not None
    expected = {"tests": str(len(catalogue())), "failures": "1", "skipped": str(len(catalogue()) - 2), "time": "4.0"}
    assert expected.items() <= suite.attrib.items()


@pytest.mark.parametrize(("strict", "known", "failed"), [(False, False, 0), (True, False, 1), (True, True, 0)])
def test_a_deviation_is_output_unless_strict_and_unknown(strict: bool, known: bool, failed: int) -> None:
    case = cases(result_of(run(finding(OBSERVED), strict=strict, known=known, verdict="passed")))[OBSERVED]
    assert len(case.findall("failure")) == failed
    assert len(case.findall("system-out")) == 1 - failed
    assert case.find("skipped") is None


def test_junit_stays_xml_whatever_the_wire_says() -> None:
    found = finding(message=HOSTILE, expected=HOSTILE, actual="]]>\ud800\ufffe")
    failure = cases(result_of(run(found)))[DOCUMENTED].find("failure")
    assert failure is not None
    assert "</script>" in failure.attrib["message"]


# --- HTML -------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Every tag with its attributes, and the text; complains about tags that do not close."""

    VOID = frozenset({"meta", "br", "img", "hr", "link", "input"})

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_has_verdict_findings_clauses_interpretations_and_timeline() -> None:
    page = Page(
        html.render(result_of(run(finding(expected="success", actual="fine"), interpretations={"no-user": "omitted"})))
    )
    for part in ("FAILED", DOCUMENTED, '"success"', "omitted", "users is left out", "2023-11-14 22:13", "2 of 500"):
        assert part in page.text
    assert all(id_ in page.text for id_ in catalogue())


def test_the_page_is_self_contained_and_runs_no_script() -> None:
    page = Page(html.render(result_of(run(finding()))))
    names = {name for name, _ in page.tags}
    assert names.isdisjoint({"script", "img", "link", "iframe", "object"})
    for _, attributes in page.tags:
        assert not (attributes.get("href") or "#").lstrip("#").startswith(("http", "/", "java"))
        assert not any(name.startswith("on") or name == "src" for name in attributes)


def test_the_page_is_accessible() -> None:
    page = Page(html.render(result_of(run(finding(), interpretations={"no-user": "omitted"}))))
    names = [name for name, _ in page.tags]
    attributes = dict(page.tags)
    assert attributes["html"]["lang"] == "en"
    assert names.count("h1") == 1
    assert {"main", "header", "nav", "title"} <= set(names)
    assert names.count("caption") == names.count("table") == 3
    assert all("scope" in attrs for name, attrs in page.tags if name == "th")
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        for name in ("href", "aria-labelledby"):
            if name in attrs:
                assert (attrs[name] or "").lstrip("#") in ids


def test_hostile_texts_stay_text_in_the_page() -> None:
    found = finding(message=HOSTILE, expected=HOSTILE, actual=HOSTILE, pointer=HOSTILE)
    result = result_of(run(found, shown=exchange(HOSTILE.encode()), target=HOSTILE, why_not={"TS-RATE-429": HOSTILE}))
    result["interpretations"] = {HOSTILE: HOSTILE}
    source = html.render(result, compare.compare(result, result))
    page = Page(source)
    assert {name for name, _ in page.tags}.isdisjoint({"script", "img"})
    assert "\x1b" not in source
    assert "\x00" not in source


def test_light_and_dark_have_readable_contrast() -> None:
    source = html.render(result_of(run()))
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block)) for block in re.findall(r":root \{([^}]*)\}", source)
    )
    for colours in (light, dark):
        for name in ("text", "muted", "passed", "failed", "incomplete", "link"):
            for background in ("background", "soft"):
                assert contrast(colours[name], colours[background]) >= 4.5, (name, background)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    values = sorted(luminance(one) for one in (one, other))
    return (values[1] + 0.05) / (values[0] + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# --- Markdown ---------------------------------------------------------------------------------------------------


def test_the_summary_has_verdict_finding_and_reproduction() -> None:
    text = markdown.render(
        result_of(run(finding(expected="success", actual="fine"), interpretations={"no-user": "omitted"}))
    )
    assert text.startswith("## ❌ tracksync fuzz: failed\n")
    for part in (
        f"#### {DOCUMENTED} (error)",
        'expected "success"',
        "tracksync fuzz --seed 7",
        "| no-user | omitted |",
    ):
        assert part in text
    assert markdown.render(result_of(run())).startswith("## ✅")


def test_hostile_texts_open_neither_markup_nor_fences() -> None:
    found = finding(message=f"``` {HOSTILE}\n# head", expected="```\n````")
    text = markdown.render(result_of(run(found, shown=exchange(b"````\n```"), why_not={"TS-RATE-429": HOSTILE})))
    fence = ""
    for line in text.splitlines():
        ticks = re.match(r"(`{3,})", line)
        if not fence and ticks:
            fence = ticks[1]
        elif fence and line == fence:
            fence = ""
        elif not fence:
            assert re.sub(r"</?(details|summary)>", "", line).count("<") == 0
            assert re.search(r"(?<!\\)\]\(", line) is None
    assert fence == ""


# --- files and reading back -------------------------------------------------------------------------------------


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


# --- comparing --------------------------------------------------------------------------------------------------


def test_two_results_are_compared() -> None:
    before = result_of(
        run(finding(DOCUMENTED), finding(OBSERVED), interpretations={"no-user": "omitted", "bare-object": "refused"})
    )
    gone = finding(ASSUMED, pointer="/response")
    before["findings"].append(
        {"clause": ASSUMED, "severity": "note", "message": gone.message, "exchanges": [], "cause": 9}
    )
    new = finding("TS-OK-STATUS", "it was 200", pointer="/response/status")
    after = result_of(run(finding(DOCUMENTED, "in other words"), new, interpretations={"no-user": "empty-list"}))
    comparison = compare.compare(before, after)
    assert [found["clause"] for found in comparison.new] == ["TS-OK-STATUS"]
    assert [found["message"] for found in comparison.known] == ["in other words"]
    assert [found["clause"] for found in comparison.fixed] == [OBSERVED]
    assert [found["clause"] for found in comparison.unseen] == [ASSUMED]
    assert [(drift.ambiguity, drift.before, drift.after) for drift in comparison.drift] == [
        ("no-user", "omitted", "empty-list")
    ]
    for text in (
        compare.render(comparison),
        markdown.render(after, comparison),
        Page(html.render(after, comparison)).text,
    ):
        for part in ("new", "fixed", "drift", "no-user", "empty-list", ASSUMED):
            assert part in text


def test_the_shell_can_run_what_reproduces(tmp_path: Path) -> None:
    text = terminal.render(result_of(run(finding())))
    assert shlex.split(text.splitlines()[-1].split("reproduce: ")[1]) == ["tracksync", "fuzz", "--seed", "7"]


def test_an_unconfirmed_finding_is_marked() -> None:
    events = [event for event in run(finding()) if not isinstance(event, FindingConfirmed | RunEnded)]
    assert isinstance(events[-1], ExchangeChecked)
    result = result_of(events)
    assert "unconfirmed" in terminal.render(result)
    assert "unconfirmed" in html.render(result)
    assert result["timeline"][0]["at"] <= START
