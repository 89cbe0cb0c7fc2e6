"""Measure speed: each figure as a ratio or a rate of one run, printed and written to bench.json.

    tools/bench.py [--only oracle,replay,mock,cases] [--out bench.json] [--keep]

cases  checked cases per CPU second: `tracksync fuzz` on the embedded mock against `st run` on the same mock, which is
       served in another process whose time is not counted. CPU time is that of the process that generates and checks.
oracle the CPU time of checking an exchange by the CPU time of decoding its two bodies with the standard json module, in
       the same process, for a run of `fuzz` and for ordinary traffic; the best of PASSES over the same exchanges each,
       since other work on a machine can only slow a pass down.
replay the same for `replay` of ordinary traffic, end to end, from NDJSON and from HAR.
mock   requests a second over loopback: the mock in a process of its own against Prism with the same document, under
       the same load from a third process; in rounds by turns, of which the medians count.

`--keep` adds the ratios to docs/speed.ndjson and draws docs/speed.svg.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "contracts"))

import bench_history  # noqa: E402 - the checkout's package comes first
from traffic import RATE_LIMIT, traffic  # noqa: E402

from tracksync.cassettes.exchange_lines import write_line  # noqa: E402
from tracksync.cassettes.replaying import ReplayPlan, replay  # noqa: E402
from tracksync.cassettes.writing import ORIGIN, iso  # noqa: E402
from tracksync.contract import spec  # noqa: E402
from tracksync.engine import Budget, FindingPlan, FuzzPlan, TargetPlan, fuzz  # noqa: E402
from tracksync.model.events import ExchangeChecked  # noqa: E402
from tracksync.model.exchange import Exchange  # noqa: E402
from tracksync.oracle import Belief, Settings, check  # noqa: E402

KEY = "bench-key"
SECONDS = 2.0  # of load on each server in a round
ROUNDS = 5
CONNECTIONS = 8
EXCHANGES = 20_000
PASSES = 4
BODY = json.dumps(
    {"events": [{"external_id": "bench-1", "name": "rented_movie", "time": "2023-06-01T00:00:00Z"}]}
).encode()

SERVE = f"""
import sys
sys.path.insert(0, {str(ROOT / "contracts")!r})
from tracksync.mock import MockApp, MockConfig
from tracksync.wire.serve import serve
config = MockConfig(key={KEY!r}, rate_limit=10**9, interpretations={{"wrong-method": "not-allowed"}})
serve(MockApp(config), port=int(sys.argv[1]))
"""

LOAD = """
import asyncio, sys, time, uvloop
port, connections, seconds, request = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.stdin.buffer.read()
done = bad = 0
async def one(end):
    global done, bad
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < end:
        writer.write(request)
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        length = next(line for line in head.lower().split(b"\\r\\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length[15:]))
        done += 1
        bad += b" 201 " not in head[:16]
    writer.close()
async def all():
    await asyncio.gather(*(one(time.monotonic() + 1.0) for _ in range(connections)))  # warm up
    global done
    done, begin = 0, time.monotonic()
    await asyncio.gather(*(one(begin + seconds) for _ in range(connections)))
    print(done / (time.monotonic() - begin), bad)
uvloop.run(all())
"""


def cases() -> dict[str, Any]:
    """Checked cases per CPU second, ours and `st run`'s."""
    ours = 0

    def count(event: object) -> None:
        nonlocal ours
        ours += isinstance(event, ExchangeChecked)

    fuzz(
        FuzzPlan(seed=0, budget=Budget(requests=200), findings=FindingPlan(shrink=False)), count
    )  # imports and caches, which a run pays once
    ours, begin = 0, time.process_time()
    for seed in range(1, 6):
        fuzz(FuzzPlan(seed=seed, budget=Budget(requests=2000), findings=FindingPlan(shrink=False)), count)
    mine = ours / (time.process_time() - begin)
    port = free_port()
    with running([sys.executable, "-c", SERVE, str(port)], port):
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(spec.path())),
            *("--url", f"http://127.0.0.1:{port}", "--checks", "all", "--header", f"Authorization: Bearer {KEY}"),
            *("--include-path", "/users/track/sync", "--max-examples", "200", "--seed", "1", "--no-color"),
        ]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        folder = ROOT / ".tracksync"
        folder.mkdir(exist_ok=True)
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said, _ = process.communicate(timeout=600)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    made = re.search(r"(\d+) generated", said)
    if made is None:
        raise SystemExit(f"bench: st run said no number of cases:\n{said[-2000:]}")
    theirs = int(made[1]) / seconds
    return {
        "tracksync_cases_per_cpu_second": round(mine),
        "tracksync_cases": ours,
        "st_run_cases_per_cpu_second": round(theirs, 1),
        "st_run_cases": int(made[1]),
        "st_run_cpu_seconds": round(seconds, 1),
        "ratio": round(mine / theirs, 1),
        "wanted_ratio": 10,
    }


def oracle_alone() -> dict[str, Any]:
    """What checking an exchange costs: of a run of `fuzz`, and of ordinary traffic."""
    of_fuzz: list[Exchange] = []

    def keep(event: object) -> None:
        if isinstance(event, ExchangeChecked):
            of_fuzz.append(event.exchange)

    plan = FuzzPlan(
        seed=3,
        target=TargetPlan(rate_limit=500),
        budget=Budget(requests=EXCHANGES),
        findings=FindingPlan(shrink=False),
    )
    fuzz(plan, keep)
    result: dict[str, Any] = {}
    for name, exchanges, limit in (("fuzz", of_fuzz, 500), ("traffic", list(traffic(EXCHANGES)), RATE_LIMIT)):
        settings = Settings(rate_limit=limit, fresh=lambda kind, text: True, clock_skew=1.0)
        found, checking, decoding = 0, [], []
        gc.collect()
        gc.freeze()  # the exchanges are kept by this script, and no work of the oracle's
        for _ in range(PASSES):
            belief, begin = Belief.start(settings), time.process_time()
            for exchange in exchanges:
                check_result = check(belief, exchange)
                belief = check_result.belief
                found += len(check_result.findings)
            checking.append(time.process_time() - begin)
            decoding.append(decoded(exchanges))
        gc.unfreeze()
        result |= {
            f"{name} exchanges": len(exchanges),
            f"{name} findings": found,
            f"{name} per CPU second": round(len(exchanges) / min(checking)),
            f"{name} µs": round(min(checking) / len(exchanges) * 1e6, 1),
            f"{name} µs to decode": round(min(decoding) / len(exchanges) * 1e6, 2),
            f"{name} ratio": round(min(checking) / min(decoding), 1),
        }
    return {**result, "wanted_ratio": 5}


def decoded(exchanges: Iterable[Exchange]) -> float:
    """CPU seconds that the standard json module takes for both bodies of each exchange."""
    begin = time.process_time()
    for exchange in exchanges:
        for message in (exchange.request, exchange.response):
            if message is not None:
                with suppress(ValueError, RecursionError):  # some are not JSON, or nested too deeply for it
                    json.loads(message.body)
    return time.process_time() - begin


def replayed() -> dict[str, Any]:
    """What `replay` costs for each exchange, end to end, against decoding its bodies: NDJSON and HAR."""
    exchanges = list(traffic(EXCHANGES))
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        lines, har = Path(folder, "traffic.ndjson"), Path(folder, "traffic.har")
        lines.write_bytes(b"".join(write_line(one, ORIGIN) for one in exchanges))
        har.write_text(har_text(exchanges), encoding="utf-8")
        for name, path in (("NDJSON", lines), ("HAR", har)):
            taken, decoding, checked = [], [], 0
            for _ in range(PASSES):
                events: list[int] = []
                begin = time.process_time()
                replay(ReplayPlan(paths=(path,)), count_into(events), lambda: 0.0)
                taken.append(time.process_time() - begin)
                decoding.append(decoded(exchanges))
                checked = len(events)
            result |= {
                f"{name} exchanges": checked,
                f"{name} per CPU second": round(checked / min(taken)),
                f"{name} ratio": round(min(taken) / min(decoding), 1),
            }
    return {**result, "wanted_ratio": 8}


def count_into(events: list[Any]) -> Callable[[object], None]:
    def count(event: object) -> None:
        if isinstance(event, ExchangeChecked):
            events.append(event.index)

    return count


def har_text(exchanges: Iterable[Exchange]) -> str:
    """The exchanges as a HAR document, such as proxies write."""
    return json.dumps(
        {
            "log": {
                "version": "1.2",
                "creator": {"name": "bench", "version": "1"},
                "entries": [
                    {
                        "startedDateTime": iso(one.sent),
                        "time": (one.received - one.sent) * 1000,
                        "request": {
                            "method": one.request.method,
                            "url": ORIGIN + one.request.path,
                            "headers": [{"name": name, "value": value} for name, value in one.request.headers],
                            "postData": {"mimeType": "application/json", "text": one.request.body.decode()},
                        },
                        "response": {
                            "status": one.response.status,
                            "headers": [{"name": name, "value": value} for name, value in one.response.headers],
                            "content": {"mimeType": "application/json", "text": one.response.body.decode()},
                        },
                    }
                    for one in exchanges
                    if one.response is not None
                ],
            }
        }
    )


def mock() -> dict[str, Any]:
    """Requests a second over loopback, ours and Prism's."""
    subprocess.run([str(ROOT / "tools" / "spec-lint"), "--install"], check=True)
    prism = ROOT / ".tracksync" / "npm" / "node_modules" / ".bin" / "prism"
    port, other = free_port(), free_port()
    command = [str(prism), "mock", str(spec.path()), "--host", "127.0.0.1", "--port", str(other)]
    mine, theirs, ratios, bad = [], [], [], 0
    with (
        running([sys.executable, "-c", SERVE, str(port)], port),
        running([*command, "--verboseLevel", "silent"], other),
    ):
        for _ in range(ROUNDS):
            (ours, wrong), (prisms, worse) = load(port), load(other)
            mine.append(ours)
            theirs.append(prisms)
            ratios.append(round(ours / prisms, 2))
            bad += wrong + worse
    return {
        "mock_requests_per_second": round(median(mine)),
        "prism_requests_per_second": round(median(theirs)),
        "not_201": bad,
        "each_ratio": ratios,
        "ratio": median(ratios),
        "wanted_ratio": 4,
    }


def load(port: int) -> tuple[float, int]:
    """Send the same event over and over for a while. Returns requests a second, and how many were not answered 201."""
    head = (
        f"POST /users/track/sync HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    command = [sys.executable, "-c", LOAD, str(port), str(CONNECTIONS), str(SECONDS)]
    done = subprocess.run(command, input=head.encode() + BODY, stdout=subprocess.PIPE, check=True, timeout=60)
    rate, bad = done.stdout.split()
    return float(rate), int(bad)


class running:  # noqa: N801 - reads as a word in a with statement
    """A process that serves on `port` for as long as the context lasts."""

    def __init__(self, command: list[str], port: int) -> None:
        self.command, self.port = command, port

    def __enter__(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(f"bench: {self.command[0]} did not start") from None
                time.sleep(0.05)
            else:
                return
        raise SystemExit(f"bench: {self.command[0]} does not listen")

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


MEASURES: dict[str, Callable[[], dict[str, Any]]] = {
    "oracle": oracle_alone,
    "replay": replayed,
    "mock": mock,
    "cases": cases,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure speed, and write bench.json.")
    parser.add_argument("--only", default=",".join(MEASURES), help="some of " + ", ".join(MEASURES))
    parser.add_argument("--out", type=Path, default=ROOT / "bench.json")
    parser.add_argument("--keep", action="store_true", help="add the ratios to docs/speed.ndjson, and draw them")
    wanted = parser.parse_args()
    result: dict[str, Any] = {"python": sys.version.split()[0], "cores": os.cpu_count()}
    for name in wanted.only.split(","):
        if name not in MEASURES:
            parser.error(f"there is no measure {name!r}; there are {', '.join(MEASURES)}")
        result[name] = MEASURES[name]()
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in result[name].items()), flush=True)
    result["load"] = [round(one, 2) for one in os.getloadavg()]
    wanted.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if wanted.keep:
        bench_history.add(result, iso(time.time()))
    print(f"load {result['load']}; written to {wanted.out.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
