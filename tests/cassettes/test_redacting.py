"""Keys and personal data stay out of files: redacted before writing, and searched for in recordings of others."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
import yaml
from cassette_harness import (
    CANARY,
    ROOT,
    command,
    event_body,
    event_response,
    har_document,
    replayed,
    served,
    two_events,
    vcrpy_document,
    vcrpy_item,
)
from fuzz_plans import fuzz_plan

from tracksync.cassettes.audit import Auditor
from tracksync.cassettes.pseudonyms import Pseudonyms
from tracksync.cassettes.reading import parse
from tracksync.cassettes.redacting import RecordingRedactor
from tracksync.cli.recording import recorder
from tracksync.engine import fuzz
from tracksync.model.exchange import Exchange, Request, Response
from tracksync.report.redact import Redactor


def redacted(
    body: str = "", response: str = "", *, path: str = "/users/track/sync", secrets: tuple[str, ...] = (), **more: str
) -> Exchange:
    headers = (
        ("Content-Length", str(len(body.encode()))),
        *((name.replace("_", "-"), value) for name, value in more.items()),
    )
    got = (("content-length", str(len(response.encode()))), ("set-cookie", f"session={CANARY}"))
    exchange = Exchange(Request("POST", path, headers, body.encode()), Response(401, got, response.encode()), 1.0, 2.0)
    return RecordingRedactor(Redactor(secrets)).exchange(exchange)


def text_of(exchange: Exchange) -> str:
    return repr(exchange)


@pytest.mark.parametrize(
    ("body", "response", "more"),
    [
        ("{}", json.dumps({"message": f"Invalid API key: {CANARY}"}), {"Authorization": f"Bearer {CANARY}"}),
        ("{}", json.dumps({"message": f"Invalid API key: {CANARY}"}), {}),
        ("{}", json.dumps({"sent": f"Bearer {CANARY}"}), {"Authorization": f"Bearer {CANARY}"}),
        ("{}", json.dumps({"echo": CANARY}), {"path": f"/users/track/sync?api_key={CANARY}"}),
        (json.dumps({"api_key": CANARY}), json.dumps({"echo": CANARY}), {}),
        ("{}", base64.b64encode(f"key {CANARY}".encode()).decode(), {"Authorization": f"Bearer {CANARY}"}),
        ("{}", "{}", {"X_Api_Key": CANARY}),
        ("{}", "{}", {"X_Auth_Token": CANARY}),
        ("{}", "{}", {"Cookie": f"a={CANARY}"}),
    ],
)
def test_a_key_is_in_no_part_of_what_is_written(body: str, response: str, more: dict[str, str]) -> None:
    path = more.pop("path", "/users/track/sync")
    exchange = redacted(body, response, path=path, **more)
    assert CANARY not in text_of(exchange)
    assert CANARY[:18] not in text_of(exchange)


def test_the_content_length_is_that_of_the_redacted_body() -> None:
    exchange = redacted(json.dumps({"api_key": CANARY}), json.dumps({"message": f"Invalid API key: {CANARY}"}))
    assert exchange.response is not None
    for message in (exchange.request, exchange.response):
        lengths = [value for name, value in message.headers if name.lower() == "content-length"]
        assert lengths == [str(len(message.body))]


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ('{"external_id":"customer 4711"}', '{"external_id":"person-1"}'),
        ('{"external_id": 4711123 }', '{"external_id": 900000000000001 }'),
        (
            '{"email":"ada@corp.io","phone":"+4915123456789"}',
            '{"email":"person-1@example.com","phone":"+442079460002"}',
        ),
        (
            '{"user_alias":{"alias_name":"ada","alias_label":"crm"}}',
            '{"user_alias":{"alias_name":"person-1","alias_label":"crm"}}',
        ),
        ('{"external_ids":["a","b","a"]}', '{"external_ids":["person-1","person-2","person-1"]}'),
        (
            '{"note":"write to ada@corp.io, or +4915123456789"}',
            '{"note":"write to person-1@example.com, or +442079460002"}',
        ),
        ('{"first_name":"Ada","dob":"1815-12-10"}', '{"first_name":"Person 1","dob":"1980-01-01"}'),
        ('{"external_id":"Ada"}{"external_id":"ada"}', '{"external_id":"person-1"}{"external_id":"person-2"}'),
        ('{"external_id":"\\u0061da"}', '{"external_id":"person-1"}'),
        ('{"email":"ada@example.com","phone":"+12015550123"}', '{"email":"ada@example.com","phone":"+12015550123"}'),
        ('{"external_id":"tscassette-u1"}', '{"external_id":"tscassette-u1"}'),
        (
            '{"name":"rented","time":"2022-12-06T19:20:45+01:00"}',
            '{"name":"rented","time":"2022-12-06T19:20:45+01:00"}',
        ),
        ('{"external_id": "cut o', '{"external_id": "person-1'),
        ("no JSON, ada@corp.io", "no JSON, person-1@example.com"),
    ],
)
def test_personal_data_becomes_pseudonyms_and_all_else_stays(sent: str, written: str) -> None:
    assert Pseudonyms("tscassette").body(sent.encode()) == written.encode()


def test_a_text_that_is_not_an_address_does_not_become_one() -> None:
    masked_body = json.loads(Pseudonyms().body(b'{"email":"ada lovelace@@corp"}'))
    from tracksync.values.identifiers import plausible_email

    assert plausible_email(masked_body["email"]) is not True
    assert "lovelace" not in masked_body["email"]


def test_the_same_person_has_one_pseudonym_in_request_and_response() -> None:
    exchange = redacted(
        '{"external_id":"ada-4711"}', '{"users":[{"external_id":"ada-4711"}],"message":"hello ada-4711"}'
    )
    assert exchange.response is not None
    assert b"ada-4711" not in exchange.response.body
    assert exchange.response.body.count(b"person-1") == 2


def test_a_name_at_the_limit_of_length_stays_as_long() -> None:
    name = "c" * 255
    assert len(json.loads(Pseudonyms().body(json.dumps({"external_id": name}).encode()))["external_id"]) == 255


def test_redacting_twice_is_redacting_once() -> None:
    once = Pseudonyms().body(b'{"external_id":"ada","email":"ada@corp.io","phone":"+4915123456789","first_name":"Ada"}')
    assert Pseudonyms().body(once) == once


def traces(document: object, secrets: tuple[str, ...] = ()) -> list[str]:
    text = yaml.safe_dump(document)
    return [trace.what for trace in Auditor(secrets).traces(text, parse(text, Path("c.yaml")))]


def item(**more: object) -> dict:
    return vcrpy_item(event_body(), event_response(1)) | more


def with_header(name: str, value: str) -> dict:
    one = item()
    one["request"]["headers"][name] = [value]
    return {"interactions": [one]}


@pytest.mark.parametrize(
    "document",
    [
        with_header("Authorization", f"Bearer {CANARY}"),
        with_header("authorization", CANARY),
        with_header("X-Api-Key", "sk_live_51Hq8zzYt2xTq9"),
        with_header("Cookie", "session=8f14e45fceea167a5a36dedd4bea2543"),
        {"interactions": [vcrpy_item(event_body(), f'{{"message": "Invalid API key: {CANARY}"}}', status=401)]},
        {
            "interactions": [
                vcrpy_item(
                    event_body(),
                    gzip.compress(f'{{"message":"Invalid API key: {CANARY}"}}'.encode()),
                    **{"Content-Encoding": "gzip"},
                )
            ]
        },
        {
            "interactions": [
                vcrpy_item(
                    event_body(), event_response(1), url=f"https://rest.iad-01.braze.com/users/track?api_key={CANARY}"
                )
            ]
        },
        {"interactions": [vcrpy_item(json.dumps({"api_key": CANARY}), "{}")]},
        {
            "interactions": [vcrpy_item(event_body(), event_response(1))],
            "command": f"st run -H 'Authorization: Bearer {CANARY}'",
        },
        {"interactions": [vcrpy_item(json.dumps({"attributes": [{"email": "ada@corp.io"}]}), "{}")]},
        {"interactions": [vcrpy_item('{"email": "ada\\u0040corp.io"}', "{}")]},
        {"interactions": [vcrpy_item('{"attributes": [{"phone": "0151 23456789"}]}', "{}")]},
        {"interactions": [vcrpy_item('{"attributes": [{"note": "+4915123456789"}]}', "{}")]},
        {"interactions": [vcrpy_item('{"jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc"}', "{}")]},
        {"interactions": [vcrpy_item("{}", "{}", url="https://user:passw0rd@rest.iad-01.braze.com/users/track/sync")]},
    ],
)
def test_the_audit_refuses_what_looks_like_a_secret_or_a_deliverable_address(document: dict) -> None:
    assert traces(document)


@pytest.mark.parametrize(
    "value",
    ["DUMMY", "[redacted]", "Bearer [redacted]",
     "Bearer <BRAZE_API_KEY>", "[Filtered]", "Bearer YOUR-REST-API-KEY", "***",
     "Bearer xxxxxxxx", "REDACTED",
     "Bearer 00000000-0000-0000-0000-000000000000", "Bearer mock-key", "Bearer test-key", ""],
)  # fmt: skip
def test_the_marks_of_filters_are_not_secrets(value: str) -> None:
    assert traces(with_header("Authorization", value)) == []


def test_the_audit_knows_a_given_key_in_any_spelling() -> None:
    spelled = "".join(f"\\u{ord(letter):04x}" for letter in CANARY)
    document = {"interactions": [vcrpy_item(f'{{"attributes": [{{"x": "{spelled}"}}]}}', "{}")]}
    assert traces(document) == []
    assert "a key of yours" in traces(document, (CANARY,))[0]


def test_the_audit_never_shows_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(with_header("Authorization", f"Bearer {CANARY}")))
    done = command(
        "replay", "--audit", "--json", "r.json", "--junit", "r.xml", "--html", "r.html", "c.yaml", cwd=tmp_path
    )
    assert done.returncode == 1
    assert "refused by the audit" in done.stdout
    said = done.stdout + done.stderr + "".join((tmp_path / name).read_text() for name in ("r.json", "r.xml", "r.html"))
    assert CANARY not in said


def test_a_refused_recording_is_not_checked_and_the_others_are(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(with_header("Authorization", f"Bearer {CANARY}")))
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(vcrpy_document(two_events())))
    replay_events = replayed(tmp_path, auditor=Auditor())
    assert (replay_events.verdict, replay_events.checked) == ("failed", 2)
    assert replayed(tmp_path).verdict == "passed", "without the audit it is"


def test_the_recordings_of_schemathesis_show_the_key_that_a_response_echoes() -> None:
    """Its own sanitising looks at headers and URLs; the response to a wrong key holds that key, here in base64."""
    path = ROOT / "tests" / "recordings" / "schemathesis" / "whole.har.json"
    found = Auditor().traces(path.read_text(), parse(path.read_text(), path))
    assert any("Invalid API key" in trace.what for trace in found)


def test_our_own_cassettes_pass_the_audit() -> None:
    for path in sorted((ROOT / "cassettes").rglob("*.yaml"))[::4]:
        text = path.read_text(encoding="utf-8")
        assert Auditor().traces(text, parse(text, path)) == [], path


def files_in(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("*") if path.is_file())


def record_findings(url: str, folder: Path) -> None:
    """What `fuzz --target URL --record` does, without the minute of verifying that its users are gone."""
    plan = fuzz_plan(
        address=url, key=CANARY, unprivileged_key=f"{CANARY}-2", rate_limit=100_000, phases=("probes",), shrink=False,
        read_back=False, outage_timeout=0.0, only=("TS-EVENT-COUNT", "TS-AUTH-INVALID"),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKSYNC_API_KEY", CANARY)
        fuzz(plan, recorder(folder, plan, every_probe=True)(lambda event: None))


def test_a_canary_key_is_in_no_file_on_any_path(tmp_path: Path) -> None:
    """fuzz --record on a server that echoes keys, replays with every report, every export, a second sending."""
    faults = ("event-count-stuck", "any-key-accepted")
    variables = {"TRACKSYNC_API_KEY": CANARY, "TRACKSYNC_UNPRIVILEGED_KEY": f"{CANARY}-2"}
    har = har_document([(event_body(), f'{{"message": "Invalid API key: {CANARY}"}}')])
    har["log"]["entries"][0]["request"]["headers"].append({"name": "authorization", "value": f"Bearer {CANARY}"})
    source = tmp_path / "theirs.har"
    source.write_text(json.dumps(har))
    out = tmp_path / "out"
    out.mkdir()
    output = ""
    with served(key=CANARY, unprivileged_key=f"{CANARY}-2", faults=faults, rate_limit=100_000) as url:
        record_findings(url, out / "found")
        for words in (
            ("replay", "found", "--json", "replay.json", "--junit", "replay.xml", "--html", "replay.html", "--audit"),
            ("replay", "../theirs.har", "--json", "theirs.json", "--junit", "theirs.xml", "--html", "theirs.html"),
            ("cassettes", "export", "../theirs.har", "found", "--format", "wiremock", "--output", "w.json"),
            ("cassettes", "export", "../theirs.har", "found", "--format", "har", "--output", "h.har"),
            ("cassettes", "export", "../theirs.har", "found", "--format", "prism-examples", "--output", "p.json"),
            ("replay", "found/probe--event-times.yaml", "--against", url, "--json", "again.json"),
        ):
            done = command(*words, cwd=out, **variables)
            assert done.returncode in (0, 1), done.stderr + done.stdout
            output += done.stdout + done.stderr
    written = files_in(out)
    assert len(list((out / "found").glob("*.yaml"))) > 3
    for part in (CANARY, CANARY.replace("-", ""), base64.b64encode(CANARY.encode()).decode()[:40]):
        assert part not in written + output
