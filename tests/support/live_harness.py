"""A mock workspace behind real TLS, in a process of its own, that can be disturbed: for the tests of `live`.

Run as a script it serves until it is killed, and prints one line: its port. `Harness` starts and controls it.
Disturbances are lawful: gateway responses without the contract's headers, 429s, writes that come through although their
response did not, writes that come through late, cut connections, and another job that uses up the rate window.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

KEY = "canary-7d1f0c52-9b1e-4f7a-8a53-5be8f3b0c1d9"
UNPRIVILEGED = "canary-unprivileged-0e4b7a"
ROOT = Path(__file__).resolve().parents[2]


class Disturbed:
    """The mock as an ASGI app, with disturbed responses and a control path."""

    def __init__(self, options: argparse.Namespace) -> None:
        from tracksync.faults.catalogue import servers
        from tracksync.mock import MockApp, MockConfig

        self.options = options
        self.app = MockApp(
            MockConfig(
                key=KEY,
                unprivileged_key=UNPRIVILEGED,
                rate_limit=options.limit,
                async_delay=options.delay,
                window_seconds=60,
                interpretations=dict(pair.split("=") for pair in options.interpretation),
                faults=servers(options.fault),
            )
        )
        self.rng = random.Random(options.seed)
        self.stats: dict[str, Any] = {"requests": 0, "windows": {}, "injected": {}, "statuses": {}, "taken": {}}
        self.next_burst = 0.0
        self.made: set[str] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].startswith("/_"):
            await self.control(scope, send)
        else:
            await self.disturb(scope, receive, send)

    # --- disturbance --------------------------------------------------------------------------------------------

    async def disturb(self, scope: Any, receive: Any, send: Any) -> None:
        options, rng = self.options, self.rng
        self.other_job()
        window = str(int(time.time() // 60) * 60)
        sync = scope["path"] == "/users/track/sync"
        self.stats["requests"] += 1
        entry = self.stats["windows"].setdefault(window, {"ours": 0, "limited": 0})
        if options.latency:
            await asyncio.sleep(rng.uniform(0.2, 1.8) * options.latency)
        if options.slow and rng.random() < options.slow:
            await asyncio.sleep(rng.uniform(0.2, 0.6) * options.stall)
        body = await _body(receive)
        if b"external_id" in body:
            self.made.add("requested")
        if options.forbid and scope["path"] in options.forbid:
            return await _respond(send, 403, b'{"message":"Forbidden","errors":["no permission"]}')

        async def apply(out: Any) -> None:
            minute = str(int(time.time() // 60) * 60)  # the minute in which the workspace counts it
            self.stats["windows"].setdefault(minute, {"ours": 0, "limited": 0})["ours"] += sync

            async def once() -> dict[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            await self.app(dict(scope), once, out)

        async def nowhere(message: Any) -> None:
            return None

        async def count(message: Any) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                self.stats["statuses"][str(status)] = self.stats["statuses"].get(str(status), 0) + 1
                if status == 429 and sync:
                    entry["limited"] += 1
            await send(message)

        if rng.random() >= options.share:
            return await apply(count)
        kind = rng.choice(options.kinds)
        self.stats["injected"][kind] = self.stats["injected"].get(kind, 0) + 1
        if kind == "429":
            if not sync:
                return await _respond(send, 429, b'{"message":"too many requests"}')
            self.use_up(time.time())
            return await apply(count)
        if kind == "5xx-lost":
            return await _respond(send, rng.choice((500, 502, 503, 504)), b"<html>bad gateway</html>", b"text/html")
        if kind == "5xx-applied":
            await apply(nowhere)
            return await _respond(send, 504, b'{"message":"upstream silent"}')
        if kind == "timeout-applied":
            await apply(nowhere)
            await asyncio.sleep(options.stall)
        elif kind == "timeout-late":
            await asyncio.sleep(options.stall)
            await apply(nowhere)
        elif kind == "reset-after":
            await apply(nowhere)
        send.__self__.transport.abort()  # the connection ends without a response
        return None

    def other_job(self) -> None:
        """At random times another job uses up the rest of the window."""
        if not self.options.bursts:
            return
        now = time.time()
        if not self.next_burst:
            self.next_burst = now + self.rng.uniform(0.5, 1.5) * self.options.bursts
        if now >= self.next_burst:
            self.next_burst = now + self.rng.uniform(0.5, 1.5) * self.options.bursts
            self.use_up(now)

    def use_up(self, now: float) -> None:
        """Another job uses up the rest of this window, so that the next request gets 429."""
        window = self.app._core.windows["/users/track/sync"]
        window.roll(now)
        self.stats["taken"][str(window.start)] = window.limit - window.used
        window.used = window.limit

    # --- control ------------------------------------------------------------------------------------------------

    async def control(self, scope: Any, send: Any) -> None:
        if scope["path"] == "/_fault":
            from tracksync.faults.catalogue import servers
            from tracksync.mock.core import with_faults

            names = scope["query_string"].decode().split(",")
            core = self.app._core
            core.__class__ = with_faults(servers(names))
        elif scope["path"] == "/_interpretation":
            ambiguity, _, interpretation = scope["query_string"].decode().partition("=")
            self.app._core.interpretations = {**self.app._core.interpretations, ambiguity: interpretation}
        elif scope["path"] == "/_down":
            self.options.share = 1.0 if scope["query_string"] == b"1" else 0.0
            self.options.kinds = ["5xx-lost"]
        core = self.app._core
        core.settle(time.time() + 0.0)
        profiles = list(core.store)
        self.stats["users"] = len(profiles)
        self.stats["names"] = [str(one.external_id or one.email or one.phone or one.aliases) for one in profiles[:20]]
        await _respond(send, 200, json.dumps(self.stats).encode())


async def _body(receive: Any) -> bytes:
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


async def _respond(send: Any, status: int, body: bytes, media: bytes = b"application/json") -> None:
    headers = [(b"content-type", media), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# A 429 lasts until the end of its minute, so it is drawn less often.
ALL_KINDS = ("5xx-lost", "5xx-applied", "timeout-applied", "timeout-late", "reset-before", "reset-after") * 3 + ("429",)


def main() -> None:
    """Serve until killed."""
    import socket

    import uvicorn

    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--private-key", required=True)
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--share", type=float, default=0.0)
    parser.add_argument("--kinds", nargs="*", default=list(ALL_KINDS))
    parser.add_argument("--stall", type=float, default=3.0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--bursts", type=float, default=0.0)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--forbid", nargs="*", default=[])
    parser.add_argument("--interpretation", nargs="*", default=[])
    parser.add_argument("--fault", nargs="*", default=[])
    options = parser.parse_args()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        Disturbed(options),
        ssl_certfile=options.certificate,
        ssl_keyfile=options.private_key,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])


class Harness:
    """A served workspace; use it in a `with` statement. `options` are those of the script, without dashes."""

    def __init__(self, folder: Path, **options: Any) -> None:
        import trustme

        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        chain, private = folder / "server.pem", folder / "server.key"
        private.write_bytes(certificate.private_key_pem.bytes())
        chain.write_bytes(b"".join(one.bytes() for one in certificate.cert_chain_pems))
        words = [sys.executable, __file__, "--certificate", str(chain), "--private-key", str(private)]
        for name, value in options.items():
            words.append("--" + name.replace("_", "-"))
            words += [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
        paths = [str(ROOT / "contracts"), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        port = self.process.stdout.readline().strip()
        self.url = f"https://localhost:{port}"
        self._client = httpx.Client(verify=ssl.create_default_context(cafile=str(self.ca)), timeout=30)
        for _ in range(100):
            try:
                self.stats()
                break
            except httpx.TransportError:
                time.sleep(0.1)

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def tell(self, what: str) -> dict[str, Any]:
        """Call the control path `what`; returns the counts so far."""
        response: dict[str, Any] = self._client.get(f"{self.url}/_{what}").json()
        return response

    def stats(self) -> dict[str, Any]:
        """The counts so far: requests, windows, statuses, injected faults, users that exist."""
        return self.tell("stats")

    def environment(self) -> dict[str, str]:
        """The environment for a run on this workspace."""
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT / "contracts"),
            "TRACKSYNC_API_KEY": KEY,
            "TRACKSYNC_UNPRIVILEGED_KEY": UNPRIVILEGED,
        }

    def command(self, *words: str) -> list[str]:
        """A tracksync command line."""
        return [sys.executable, "-m", "tracksync", *words]


if __name__ == "__main__":
    main()
