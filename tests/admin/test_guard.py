"""Who may use the admin API: this machine's programs and its own page; all others are refused, and nothing happens."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import unquote

import pytest
from admin_harness import BASE, AdminHarness

from tracksync.admin import guard
from tracksync.admin.addresses import PREFIX


def untouched(harness: AdminHarness) -> bool:
    return len(harness.workspace.app.store) == 1 and harness.workspace.setup.faults == ()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.evil.com", "localhost.evil.com", "[::2]:80"]
)
def test_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    harness = AdminHarness()
    status, error = harness.refused("GET", "/snapshot", headers={"host": host})
    assert (status, "Host" in error) == (403, True)


@pytest.mark.parametrize(
    "host", ["localhost:8080", "127.0.0.1", "127.8.9.1:1", "[::1]:8080", "mock.localhost", "LOCALHOST."]
)
def test_the_names_of_this_machine_are_known(host: str) -> None:
    assert AdminHarness().send("GET", f"{PREFIX}/health", headers={"host": host}).status_code == 200


def test_other_machines_are_refused_unless_they_are_let_in_by_name() -> None:
    for peer in ("192.0.2.7", "2001:db8::1", "testclient"):
        status, error = AdminHarness(peer=peer).refused("GET", "/users")
        assert (status, "--admin-host" in error) == (403, True)
    for peer in ("::1", "::ffff:127.0.0.1"):
        assert AdminHarness(peer=peer).send("GET", f"{PREFIX}/users").status_code == 200
    harness = AdminHarness(peer="192.0.2.7", names=("mock",))
    assert harness.send("GET", f"{PREFIX}/users", base="http://mock:8080").status_code == 200
    assert harness.refused("GET", "/users", base="http://other:8080")[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8081"},
        {"origin": "https://127.0.0.1:8080"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_page_of_another_origin_can_neither_change_nor_read_anything(headers: dict[str, str]) -> None:
    harness = AdminHarness()
    harness.write(n=1)
    for method, path, body in (
        ("POST", "/reset", {}),
        ("POST", "/users", []),
        ("PATCH", "/settings", {"faults": ["message-ok"]}),
        ("PUT", "/snapshot", {}),
        ("GET", "/log", None),
        ("GET", "/events", None),
    ):
        response = harness.send(method, PREFIX + path, body=body, headers=headers)
        assert response.status_code == 403, path
        assert not any(name.startswith("access-control") for name in response.headers)
    assert untouched(harness)


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp"]
)
def test_what_a_form_can_send_is_refused(media: str) -> None:
    harness = AdminHarness()
    harness.write(n=1)
    headers = {"content-type": media} if media else {}
    response = harness.send("PATCH", f"{PREFIX}/settings", content=b'{"faults":["message-ok"]}', headers=headers)
    assert response.status_code == 415
    assert untouched(harness)


def test_the_inspectors_own_requests_and_links_to_it_pass() -> None:
    harness = AdminHarness()
    own = {"origin": BASE, "sec-fetch-site": "same-origin"}
    assert harness.send("POST", f"{PREFIX}/reset", body={}, headers=own).status_code == 200
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert harness.send("GET", f"{PREFIX}/health", headers=link).status_code == 200
    assert harness.send("POST", f"{PREFIX}/reset", body={}, headers=link).status_code == 403


def test_a_body_over_the_limit_is_refused_whatever_its_length_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LARGEST_BODY", 1000)
    harness = AdminHarness()
    harness.write(n=1)
    document = [{"external_id": "x" * 2000}]
    assert harness.refused("POST", "/users", document)[0] == 413
    for length in ("10", "-1", "1e3", "99999999999999999999"):
        headers = {"content-type": "application/json", "content-length": length}
        response = harness.send("POST", f"{PREFIX}/users", content=json.dumps(document).encode(), headers=headers)
        assert response.status_code == 413, length
    assert untouched(harness)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 150 + b"1" + b"}" * 150, b"[1e999]", b"[NaN]", b"9" * 5000],
)
def test_a_body_that_is_no_sensible_json_is_refused_with_a_sentence(content: bytes) -> None:
    harness = AdminHarness()
    headers = {"content-type": "application/json"}
    for method, path in (("POST", "/users"), ("PUT", "/snapshot"), ("PATCH", "/settings"), ("POST", "/clock")):
        response = harness.send(method, PREFIX + path, content=content, headers=headers)
        assert response.status_code == 400
        assert 0 < len(response.json()["error"]) < 500


@pytest.mark.parametrize(
    "path",
    [
        "/../users/track/sync",
        "/..%2f..%2fetc/passwd",
        "/inspector.css/../../../../pyproject.toml",
        "/%2e%2e/%2e%2e/pyproject.toml",
        "//etc/passwd",
        "/log/-1",
        "/log/1/..",
        "/log/٣",
        "/LOG",
        "/status/",
        "/page/inspector.html",
        "/inspector.html%00.css",
    ],
)
def test_path_tricks_lead_nowhere(path: str) -> None:
    harness = AdminHarness()
    harness.write(n=1)
    assert raw(harness, f"{PREFIX}{path}") == 404


def raw(harness: AdminHarness, path: str) -> int:
    """The status for a path that no client has tidied up."""
    status: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8080")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }
    asyncio.run(harness.app(scope, receive, send))
    return status[0]


def test_the_contracts_paths_are_the_mocks_and_a_path_that_only_begins_alike_is_too() -> None:
    harness = AdminHarness()
    for path in ("/__tracksyncfoo", "/__tracksync.yaml", "/users/track/sync", "/__TRACKSYNC/", "//__tracksync/"):
        response = harness.send("POST", f"{BASE}{path}", body={})
        assert "x-ratelimit-limit" in response.headers, path
    assert harness.send("GET", "/__tracksync").headers["location"] == "/__tracksync/"


def test_every_response_tells_browsers_to_keep_other_pages_away() -> None:
    harness = AdminHarness()
    for path in ("/", "/health", "/nowhere", "/inspector.js"):
        headers = harness.send("GET", PREFIX + path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers


def test_the_guard_also_holds_for_an_address_that_does_not_exist() -> None:
    assert AdminHarness().refused("GET", "/nowhere", headers={"host": "evil.example"})[0] == 403
