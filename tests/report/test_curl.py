"""The curl command of an exchange sends the same request again."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from report_samples import exchange, lost

from tracksync.model.exchange import Credential, FailureKind
from tracksync.report.exchange_text import curl, exchange_json, outcome_line

HOSTILE = "</script><img src=x onerror=alert(1)>|`*[a](http://evil.example)\x1b[31m\u202e\x00"


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
        (Credential.QUOTED, ['Authorization: Bearer "K"']),
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
