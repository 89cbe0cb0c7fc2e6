"""No key leaves the program, in whatever spelling it comes back."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import exchange, finding, result_of, run

from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Request
from tracksync.report import Redactor, html, json_result, junit, markdown, terminal
from tracksync.report.redact import MARK

CANARY = "c4nary/+key-0123\"4567'89ab"
PLAIN_CANARY = "c4naryKey0123456789"


def spellings(key: str) -> dict[str, str]:
    raw = key.encode()
    return {
        "plain": key,
        "in quotes": f'"{key}"',
        "upper case": key.upper(),
        "as JSON": json.dumps(key)[1:-1],
        "as JSON with escaped slashes": json.dumps(key)[1:-1].replace("/", "\\/"),
        "as JSON in JSON": json.dumps(json.dumps(key)),
        "all \\u escapes": "".join(f"\\u{ord(sign):04x}" for sign in key),
        "all \\u escapes, upper case": "".join(f"\\u{ord(sign):04X}" for sign in key),
        "one \\u escape": f"\\u{ord(key[0]):04x}{json.dumps(key[1:])[1:-1]}",
        "\\x escapes": "".join(f"\\x{byte:02x}" for byte in raw),
        "percent-encoded": urllib.parse.quote(key, safe=""),
        "percent-encoded throughout": "".join(f"%{byte:02X}" for byte in raw),
        "percent-encoded twice": urllib.parse.quote(urllib.parse.quote(key, safe=""), safe=""),
        "HTML entities": "".join(f"&#{ord(sign)};" for sign in key),
        "HTML hex entities": "".join(f"&#x{ord(sign):x};" for sign in key),
        "base64": base64.b64encode(raw).decode(),
        "base64 of Bearer": base64.b64encode(b"Bearer " + raw).decode(),
        "base64 of Basic": base64.b64encode(b"user:" + raw + b":x").decode(),
        "base64 for URLs": base64.urlsafe_b64encode(b"\xff\xfe" + raw + b"\xff").decode(),
        "base64, percent-encoded": urllib.parse.quote(base64.b64encode(b"a" + raw).decode(), safe=""),
        "hex": raw.hex(),
        "UTF-16": key.encode("utf-16-le").decode("latin-1"),
    }


@pytest.mark.parametrize("key", [CANARY, PLAIN_CANARY])
@pytest.mark.parametrize("name", spellings(PLAIN_CANARY))
def test_every_spelling_of_the_key_is_found(name: str, key: str) -> None:
    spelled = spellings(key)[name]
    text = f'before {spelled} after, and {{"again": "{spelled}"}}'
    clean = Redactor([key]).text(text)
    assert MARK in clean
    core = spelled.strip('"=')
    assert core[4:-4] not in clean
    assert clean.startswith("before ")
    assert "after, and" in clean


@settings(deadline=None, max_examples=30)  # to compile a pattern takes what the machine gives
@given(st.text(max_size=40), st.text(max_size=40), st.text("abcdef0123456789-", min_size=12, max_size=40))
def test_the_key_never_survives_among_other_text(before: str, after: str, key: str) -> None:
    assert key.lower() not in Redactor([key]).text(before + key + after).lower().replace(MARK, "")


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_other_bytes_stay_as_they_are(before: bytes, after: bytes) -> None:
    redactor = Redactor([PLAIN_CANARY])
    assert redactor.bytes(before + b" " + after) == before + b" " + after
    assert redactor.bytes(before + b" " + PLAIN_CANARY.encode() + b" " + after) == (
        before + b" " + MARK.encode() + b" " + after
    )


def test_without_secrets_text_stays_as_it_is() -> None:
    for nothing in ([], [""], ["  "], ['""']):
        assert Redactor(nothing).text('a %41 \\u0041 "b"') == 'a %41 \\u0041 "b"'


def test_a_variable_with_quotes_around_the_key_hides_the_bare_key_too() -> None:
    assert PLAIN_CANARY not in Redactor([f'"{PLAIN_CANARY}"']).text(f"key {PLAIN_CANARY}")


def test_json_values_names_and_numbers_lose_the_key() -> None:
    redactor = Redactor(["12345678901234", PLAIN_CANARY])
    clean = redactor.json({PLAIN_CANARY: [1, 1.5, True, None, f"x{PLAIN_CANARY}y", {"n": 12345678901234}]})
    assert clean == {MARK: [1, 1.5, True, None, f"x{MARK}y", {"n": MARK}]}


def test_values_that_json_cannot_express_become_texts() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    clean = Redactor().json([float("nan"), float("inf"), 10**5000, b"\xff", deep])
    assert clean[:2] == ["nan", "inf"]
    assert "bits" in clean[2]
    json.dumps(clean, allow_nan=False)


@pytest.mark.parametrize("value", [f"Bearer {PLAIN_CANARY}", "Bearer another", "Basic dTpw", "", "nonsense"])
@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION", "Proxy-Authorization", "Cookie"])
def test_a_header_with_credentials_is_replaced_whole_whatever_it_holds(name: str, value: str) -> None:
    clean = Redactor().exchange(exchange(headers=((name, value), ("X-Other", "stays"))))
    assert clean.request.headers == ((name, MARK), ("X-Other", "stays"))


def test_a_key_that_only_the_recorded_header_holds_is_removed_from_the_response() -> None:
    recorded = exchange(
        b'{"message":"Unknown: another-key-1"}', status=401, headers=(("Authorization", 'Bearer "another-key-1"'),)
    )
    clean = Redactor().exchange(recorded)
    assert clean.response is not None
    assert clean.response.body == b'{"message":"Unknown: [redacted]"}'


def test_the_echo_of_an_unknown_key_is_removed() -> None:
    clean = Redactor().exchange(exchange(b'{"message":"Invalid API key: \\"unknown-9\\"","errors":[]}', status=401))
    assert clean.response is not None
    assert clean.response.body == b'{"message":"Invalid API key: [redacted]","errors":[]}'


def test_every_part_of_an_exchange_is_cleaned() -> None:
    key = PLAIN_CANARY
    dirty = Exchange(
        Request("POST", f"/users/track/sync?api_key={key}", (("X-Echo", key),), key.encode()),
        None,
        0.0,
        1.0,
        failure=Failure(FailureKind.RESET, f"while sending {key}"),
        tags=(key,),
    )
    assert key not in repr(Redactor([key]).exchange(dirty))


@pytest.mark.parametrize("name", spellings(PLAIN_CANARY))
def test_a_key_that_the_server_echoes_is_in_no_report(name: str) -> None:
    spelled = spellings(PLAIN_CANARY)[name].replace("\0", "\\u0000")
    echo = exchange(
        f'{{"message":"denied: {spelled}"}}'.encode(),
        body=f'{{"partner":"{spelled}"}}'.encode(),
        path=f"/users/track/sync?k={urllib.parse.quote(spelled)}",
        headers=(("Authorization", f"Bearer {PLAIN_CANARY}"), ("X-Trace", spelled)),
        response_headers=(("x-echo", spelled),),
        credential=Credential.VALID,
    )
    found = finding(message=f"said {spelled}", expected=spelled, actual={spelled: [spelled]}, pointer=f"/{spelled}")
    events = run(found, shown=echo, target=f"http://localhost/{spelled}", why_not={"TS-RATE-429": spelled})
    result = result_of(events, PLAIN_CANARY)
    for text in (
        json_result.render(result),
        junit.render(result),
        html.render(result),
        markdown.render(result),
        terminal.render(result),
    ):
        for leak in (PLAIN_CANARY, spelled.strip('"=')[4:-4]):
            assert leak.lower() not in text.lower()
