"""The mock behind a real socket: uvicorn in a thread, httpx and bare sockets in front."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
from mock_harness import SYNC

from tracksync.errors import UsageError
from tracksync.faults.catalogue import servers
from tracksync.mock import MockApp, MockConfig
from tracksync.wire.serve import check_certificate, serve, served

HEADERS = {"authorization": "Bearer mock-key", "content-type": "application/json"}


def body(n: int = 1) -> dict[str, object]:
    return {"attributes": [{"external_id": "u1", "n": n}]}


@contextmanager
def mock(app: MockApp | None = None, **config: object) -> Iterator[tuple[httpx.Client, MockApp]]:
    app = app or MockApp(MockConfig(**config))  # type: ignore[arg-type]
    with served(app) as url, httpx.Client(base_url=url, headers=HEADERS, timeout=10) as client:
        yield client, app


def test_a_request_over_a_socket_is_answered_and_applied() -> None:
    with mock() as (client, app):
        response = client.post(SYNC, json=body())
        assert response.status_code == 201
        assert response.json()["users"] == [{"external_id": "u1", "custom_attributes": {"n": 1}}]
        assert response.headers["content-type"] == "application/json"
        assert int(response.headers["x-ratelimit-remaining"]) == 499
        assert "server" not in response.headers
        profile = app.state_of("external_id", "u1")
        assert profile is not None
        assert profile["custom_attributes"] == {"n": 1}


def test_names_of_headers_are_lower_case_on_the_wire() -> None:
    with mock() as (client, _):
        raw = [name for name, _ in client.post(SYNC, json=body()).headers.raw]
        assert {b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset", b"x-request-id"} <= set(raw)


@pytest.mark.parametrize(("method", "status"), [("GET", 405), ("HEAD", 405), ("PUT", 405), ("OPTIONS", 405)])
def test_other_methods_over_a_socket(method: str, status: int) -> None:
    with mock() as (client, _):
        assert client.request(method, SYNC).status_code == status
        assert client.post(SYNC, json=body()).status_code == 201


def test_a_body_in_chunks_and_one_over_4_mb_are_read() -> None:
    with mock() as (client, _):
        content = json.dumps(body()).encode()
        assert client.post(SYNC, content=iter([content[:9], content[9:]])).status_code == 201
        assert client.post(SYNC, content=content.ljust(4 * 1024 * 1024 + 1)).status_code == 413


def test_parallel_clients_are_all_served() -> None:
    with mock(rate_limit=10_000) as (client, app):
        base = client.base_url

        def work(user: int) -> None:
            with httpx.Client(base_url=base, headers=HEADERS, timeout=10) as mine:
                for _ in range(20):
                    event = {"external_id": f"u{user}", "name": "e", "time": "2022-01-01T00:00:00Z"}
                    assert mine.post(SYNC, json={"events": [event]}).status_code == 201

        threads = [threading.Thread(target=work, args=(user,)) for user in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for user in range(8):
            profile = app.state_of("external_id", f"u{user}")
            assert profile is not None
            assert profile["custom_events"][0]["count"] == 20


@pytest.mark.parametrize("name", ["reset-before-applying", "reset-after-applying"])
def test_a_reset_is_a_reset_on_the_wire(name: str) -> None:
    with mock(scenario=name) as (client, _):
        with pytest.raises(httpx.ReadError):
            client.post(SYNC, json=body())
        assert client.post(SYNC, json=body()).status_code == 201


def test_a_cut_body_ends_before_its_announced_length() -> None:
    with mock(scenario="cut-body") as (client, app):
        with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
            client.post(SYNC, json=body())
        assert app.state_of("external_id", "u1") is not None
        assert client.post(SYNC, json=body()).status_code == 201


def test_a_fault_cuts_bodies_too() -> None:
    with mock(faults=servers(("body-cut-short",))) as (client, _):
        for _ in range(8):
            assert client.post(SYNC, json=body()).status_code == 201
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(SYNC, json=body())


def test_gzip_goes_to_those_who_take_it() -> None:
    with mock(scenario="gzip") as (client, _):
        assert client.post(SYNC, json=body()).headers["content-encoding"] == "gzip"
        plain = client.post(SYNC, json=body(), headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.json()["message"] == client.post(SYNC, json=body()).json()["message"] == "success"


def test_chunks_are_chunks() -> None:
    with mock(scenario="chunked") as (client, _):
        response = client.post(SYNC, json=body())
        assert response.headers["transfer-encoding"] == "chunked"
        assert response.json()["message"] == "success"


def test_a_kept_alive_connection_may_be_closed_with_and_without_a_word() -> None:
    with mock(scenario="keep-alive-closed") as (client, _):
        assert client.post(SYNC, json=body()).headers["connection"] == "close"
    with served(MockApp(MockConfig(scenario="keep-alive-dropped"))) as url:
        split = urlsplit(url)
        connection = http.client.HTTPConnection(split.hostname or "", split.port or 0, timeout=10)
        for _ in range(2):
            connection.request("POST", SYNC, json.dumps(body()), HEADERS)
            response = connection.getresponse()
            assert response.status == 201
            assert response.headers["connection"] != "close"
            response.read()
        assert connection.sock.recv(1) == b""
        connection.close()


def test_a_slow_body_comes_in_pieces() -> None:
    from tracksync.mock.scenarios import Act, Scenario

    slow = Scenario(
        name="slow", sentence="", acts=(Act(do="drip", pieces=4, seconds=0.02), Act(do="pause", seconds=0.02))
    )
    with mock(scenario=slow) as (client, _), client.stream("POST", SYNC, json=body()) as response:
        assert len(list(response.iter_raw())) >= 2
        assert response.status_code == 201


def test_tls_is_served_with_a_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with (
        served(MockApp(MockConfig(scenario="reset-before-applying")), certificate=certificate, key=key) as url,
        httpx.Client(base_url=url, headers=HEADERS, verify=context) as client,
    ):
        assert url.startswith("https://")
        with pytest.raises(httpx.TransportError):
            client.post(SYNC, json=body())
        assert client.post(SYNC, json=body()).status_code == 201


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)), served(MockApp(), port=port):
            pass


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no-such"), served(MockApp(), certificate=tmp_path / "no-such.pem"):
        pass
    with pytest.raises(UsageError, match="no-such"):
        serve(MockApp(), certificate=tmp_path / "no-such.pem")


def test_the_port_is_free_again_afterwards() -> None:
    with served(MockApp()) as url:
        port = urlsplit(url).port
        httpx.post(url + SYNC, json=body(), headers=HEADERS)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_the_app_works_in_any_asgi_client_without_a_socket() -> None:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=MockApp())
        async with httpx.AsyncClient(transport=transport, base_url="http://mock", headers=HEADERS) as client:
            return await client.post(SYNC, json=body())

    import asyncio

    assert asyncio.run(run()).status_code == 201


def test_files_that_are_no_certificate_are_named() -> None:
    with pytest.raises(UsageError, match=r"test_serve\.py are not a certificate and its key"):
        check_certificate(Path(__file__), None)
