"""Which process sent a request is known for processes below ours, on Linux."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tracksync.wire.senders import sender_of

pytestmark = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="there is no /proc")

CONNECT = "import socket, sys; c = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); c.recv(1)"
FORK = CONNECT.replace("c.recv(1)", "import os; os.fork(); c.recv(1)")


def found(*words: str) -> tuple[tuple[int, ...], frozenset[int], int]:
    """Line and living processes of the sender, as they are while `words`, with our port, has a connection open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = subprocess.Popen([*words, str(port)])
        connection, (_, client) = server.accept()
        with connection:
            sender = sender_of(client, port)
            connection.send(b"x" * 2)
        process.wait()
    assert sender is not None
    return sender.line, sender.living, process.pid


def test_the_process_that_has_the_connection_open_is_the_sender() -> None:
    line, living, pid = found(sys.executable, "-c", CONNECT)
    assert line == (pid,)
    assert pid in living
    assert os.getpid() not in living


def test_the_line_of_a_sender_names_the_processes_that_started_it() -> None:
    line, living, pid = found("sh", "-c", f'"{sys.executable}" -c "{CONNECT}" "$0"; true')
    assert line[1:] == (pid,)
    assert {*line} <= living


def test_a_connection_belongs_to_the_process_that_opened_it_and_not_to_those_forked_since() -> None:
    line, living, pid = found(sys.executable, "-c", FORK)
    assert line == (pid,)
    assert len(living) >= 1


def test_a_connection_of_our_own_has_no_sender() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            assert sender_of(client.getsockname()[1], port) is None
    assert sender_of(1, 2) is None
