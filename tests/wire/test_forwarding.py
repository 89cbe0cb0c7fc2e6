"""Forwarding in `tracksync proxy`: everything comes out as it went in, and a failure is reported as what it is."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
from proxy_harness import AUTHORIZED, SYNC, proxied, proxied_mock
from upstream import Receive, Send, Upstream, behind

from tracksync.mock import MockApp, MockConfig
from tracksync.model.exchange import FailureKind
from tracksync.wire.serve import served

ONE = {"attributes": [{"external_id": "u1", "n": 1}]}


def talk(url: str, *pieces: bytes, half_close: bool = False) -> bytes:
    """What comes back over a bare socket until the other side ends the connection."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        response = b""
        while chunk := connection.recv(65536):
            response += chunk
    return response


def post(body: bytes, *lines: str, version: str = "1.1") -> bytes:
    head = [f"POST {SYNC} HTTP/{version}", "host: x", "content-type: application/json", *lines]
    return "\r\n".join([*head, f"authorization: {AUTHORIZED['authorization']}", "", ""]).encode() + body


# --- unchanged ------------------------------------------------------------------------------------------------------


def test_status_headers_and_bytes_of_an_answer_come_through_as_they_are() -> None:
    packed = gzip.compress(b'{"message":"success"}')
    headers = (
        (b"Content-Encoding", b"gzip"),
        (b"X-RateLimit-Limit", b"9"),
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"Content-Length", b"%d" % len(packed)),
        (b"Connection", b"X-Hop"),
        (b"X-Hop", b"of this connection alone"),
    )
    with behind(Upstream(299, headers, packed)) as session, httpx.Client(base_url=session.url) as client:
        with client.stream("POST", SYNC, json=ONE, headers=AUTHORIZED) as response:
            assert response.status_code == 299
            assert b"".join(response.iter_raw()) == packed
        # Spelling, order and repetition stay; nothing is added, and only what belongs to one connection is gone.
        assert response.headers.raw == [*headers[:5]]


def test_method_target_headers_and_bytes_of_a_request_come_through_as_they_are() -> None:
    app = Upstream()
    body = b'{"attributes": [ {"external_id":"\xc3\xa9", "n":1}]}  '
    with behind(app) as session:
        request = post(
            body,
            f"content-length: {len(body)}",
            "x-odd: a, b",
            "te: trailers",
            "connection: close, x-mine",
            "x-mine: 1",
        ).replace(SYNC.encode(), b"/users/../users//track/sync%2f?a=%41&b=;c")
        assert b" 200 " in talk(session.url, request).partition(b"\r\n")[0]
    scope = app.scopes[0]
    assert (scope["method"], scope["raw_path"]) == ("POST", b"/users/../users//track/sync%2f")
    assert scope["query_string"] == b"a=%41&b=;c"
    assert app.bodies == [body]
    names = [name for name, _ in scope["headers"]]
    assert names == [b"host", b"content-type", b"content-length", b"x-odd", b"authorization"]
    assert dict(scope["headers"])[b"x-odd"] == b"a, b"
    assert dict(scope["headers"])[b"host"] != b"x"  # the endpoint is addressed by its own name


def test_a_path_in_the_endpoints_url_goes_before_the_clients() -> None:
    app = Upstream()
    with served(app, transparent=True) as url, proxied(f"{url}/base") as session:
        httpx.get(session.url + "/a?b")
    assert app.scopes[0]["raw_path"] == b"/base/a"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("DELETE", 200)])
def test_answers_without_a_body_end(method: str, status: int) -> None:
    headers = ((b"content-length", b"5"),) if method == "HEAD" else ()
    with behind(Upstream(status, headers, b"")) as session, httpx.Client(base_url=session.url) as client:
        for _ in range(2):
            response = client.request(method, "/x", timeout=5)
            assert (response.status_code, response.content) == (status, b"")


def test_one_connection_carries_many_requests() -> None:
    with proxied_mock() as (session, _), httpx.Client(base_url=session.url, headers=AUTHORIZED) as client:
        ports = set()
        for _ in range(3):
            response = client.post(SYNC, json=ONE)
            ports.add(response.extensions["network_stream"].get_extra_info("client_addr"))
        assert len(ports) == 1


@pytest.mark.parametrize("size", [5_000_000, 34_000_000])
def test_a_big_body_goes_through_in_both_directions(size: int) -> None:
    blob = b"x" * size
    app = Upstream(body=blob)
    with behind(app) as session:
        response = httpx.post(session.url + "/blob", content=blob, timeout=30)
    assert (len(app.bodies[0]), len(response.content)) == (size, size)
    assert app.bodies[0] == blob == response.content
    # What is too big to be kept is handed on all the same, and the result says that it was not checked.
    assert ("over 32 MB was passed on" in session.result["reason"]) is (size > 32 * 1024 * 1024)


def test_a_client_of_http_1_0_gets_its_answer_and_the_end_of_the_connection() -> None:
    with proxied_mock({"scenario": "chunked"}) as (session, _):
        body = json.dumps(ONE).encode()
        head, _, content = talk(session.url, post(body, f"content-length: {len(body)}", version="1.0")).partition(
            b"\r\n\r\n"
        )
    assert b" 201 " in head
    assert b"chunked" not in head.lower()
    assert json.loads(content)["message"] == "success"


def test_a_client_that_names_the_whole_url_is_served_and_a_tunnel_refused() -> None:
    app = Upstream()
    with behind(app) as session:
        talk(session.url, b"GET http://rest.example.com/a?b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        refused = talk(session.url, b"CONNECT rest.example.com:443 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert (app.scopes[0]["raw_path"], app.scopes[0]["query_string"]) == (b"/a", b"b")
    assert b" 400 " in refused
    assert b"in place of the endpoint's" in refused


# --- as it comes ----------------------------------------------------------------------------------------------------


def test_an_answer_is_handed_on_piece_by_piece() -> None:
    seen = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            await asyncio.to_thread(seen.wait, 10)  # nothing follows until the client has the first piece
            await send({"type": "http.response.body", "body": b"second"})
        else:
            await Upstream()(scope, receive, send)

    with behind(app) as session, httpx.stream("GET", session.url + "/x", timeout=5) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"first"
        seen.set()
        assert next(pieces) == b"second"


def test_a_request_is_handed_on_piece_by_piece() -> None:
    seen = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await Upstream()(scope, receive, send)
            return
        body = b""
        while b"second" not in body:
            body += (await receive())["body"]
            if body == b"first":
                seen.set()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    def pieces() -> Iterator[bytes]:
        yield b"first"
        assert seen.wait(5), "the endpoint has to have the first piece before the second is sent"
        yield b"second"

    with behind(app) as session:
        assert httpx.post(session.url + "/x", content=pieces(), timeout=5).content == b"firstsecond"


# --- TLS ------------------------------------------------------------------------------------------------------------


def pems(folder: Path) -> tuple[Path, Path, Path]:
    """A certificate, its key, and the CA that vouches for it."""
    authority = trustme.CA()
    identity = authority.issue_cert("localhost", "127.0.0.1")
    cert, key, ca = folder / "cert.pem", folder / "key.pem", folder / "ca.pem"
    identity.cert_chain_pems[0].write_to_path(cert)
    identity.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(ca)
    return cert, key, ca


@contextmanager
def tls_mock(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    cert, key, ca = pems(tmp_path)
    with served(MockApp(MockConfig(key=AUTHORIZED["authorization"][7:])), certificate=cert, key=key) as url:
        yield url, ca


def test_an_endpoint_with_tls_is_reached_by_its_ca(tmp_path: Path) -> None:
    with tls_mock(tmp_path) as (url, ca):
        with proxied(url, context=ssl.create_default_context(cafile=ca)) as session:
            assert httpx.post(session.url + SYNC, json=ONE, headers=AUTHORIZED).status_code == 201
        assert (session.result["verdict"], session.result["requests"]) == ("passed", 1)


def test_a_client_is_served_over_tls_where_there_is_a_certificate(tmp_path: Path) -> None:
    cert, key, ca = pems(tmp_path)
    with proxied_mock(certificate=cert, certificate_key=key) as (session, _):
        assert session.url.startswith("https://")
        context = ssl.create_default_context(cafile=ca)
        assert httpx.post(session.url + SYNC, json=ONE, headers=AUTHORIZED, verify=context).status_code == 201
    assert session.result["verdict"] == "passed"


def test_an_endpoint_whose_certificate_is_not_trusted_gets_no_request(tmp_path: Path) -> None:
    with tls_mock(tmp_path) as (url, _), proxied(url) as session:
        response = httpx.post(session.url + SYNC, json=ONE, headers=AUTHORIZED)
    assert response.status_code == 502
    assert "--ca" in response.json()["message"]
    assert "--ca" in session.result["reason"]
    assert session.exit_code == 3


# --- without a response -----------------------------------------------------------------------------------------


def test_an_endpoint_that_cannot_be_reached_is_named_and_breaks_no_clause() -> None:
    with served(MockApp()) as url:
        pass
    with proxied(url) as session, httpx.Client(base_url=session.url, headers=AUTHORIZED) as client:
        for _ in range(5):
            response = client.post(SYNC, json=ONE)
            assert response.status_code == 502
            assert f"{url} cannot be reached" in response.json()["message"]
    assert session.clauses == set()
    assert (session.result["verdict"], session.result["requests"], session.result["skipped"]) == ("incomplete", 0, 5)
    assert f"{url} cannot be reached" in session.result["reason"]


def test_an_endpoint_that_is_silent_is_given_up_with_504() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await Upstream()(scope, receive, send)
        while (await receive())["type"] != "http.disconnect":
            pass

    with behind(app, timeout=0.3) as session:
        response = httpx.post(session.url + SYNC, json=ONE, headers=AUTHORIZED)
        assert response.status_code == 504
        assert "sent nothing for 0.3 s" in response.json()["message"]
    failure = session.checked[0].exchange.failure
    assert failure is not None
    assert failure.kind is FailureKind.TIMEOUT
    assert session.clauses == set()


@pytest.mark.parametrize(
    ("scenario", "kind", "error"),
    [
        ("reset-after-applying", FailureKind.RESET, (httpx.ReadError, httpx.RemoteProtocolError)),
        ("cut-body", FailureKind.TRUNCATED, (httpx.ReadError, httpx.RemoteProtocolError)),
    ],
)
def test_a_connection_that_the_endpoint_cuts_is_cut_for_the_client(
    scenario: str, kind: FailureKind, error: tuple[type[Exception], ...]
) -> None:
    with proxied_mock({"scenario": scenario}) as (session, _):
        with pytest.raises(error):
            httpx.post(session.url + SYNC, json=ONE, headers=AUTHORIZED)
        assert httpx.post(session.url + SYNC, json=ONE, headers=AUTHORIZED).status_code == 201
    failure = session.checked[0].exchange.failure
    assert failure is not None
    assert failure.kind is kind
    assert session.clauses == set()


def test_a_client_that_leaves_within_its_request_is_neither_handed_on_nor_checked() -> None:
    with proxied_mock() as (session, app):
        talk(session.url, post(b'{"attributes":', "content-length: 60"), half_close=True)
        assert httpx.post(session.url + SYNC, json=ONE, headers=AUTHORIZED).status_code == 201
        assert [entry["external_id"] for entry in [app.state_of("external_id", "u1")] if entry] == ["u1"]
    assert session.clauses == set()
    assert (session.result["requests"], session.result["skipped"]) == (1, 1)
    assert "hung up before its request was whole" in session.result["reason"]


def test_a_client_that_does_not_wait_is_found_and_the_answer_is_known_all_the_same() -> None:
    with proxied_mock({"scenario": "jitter", "seed": 1}) as (session, _):
        # Half of the responses take a fifth of a second; which ones is drawn from the request.
        for number in range(50):
            event = {"external_id": "u1", "name": f"e{number}", "time": "2022-01-01T00:00:00Z"}
            try:
                httpx.post(session.url + SYNC, json={"events": [event]}, headers=AUTHORIZED, timeout=0.1)
            except httpx.ReadTimeout:
                break
        response = httpx.post(session.url + SYNC, json={"events": [event]}, headers=AUTHORIZED, timeout=10)
        assert response.json()["users"][0]["custom_events"][0]["count"] == 2
    assert session.clauses == {"TC-TIMEOUT"}
    assert session.result["requests"] == len(session.checked)
    assert all(checked.exchange.response is not None for checked in session.checked)
