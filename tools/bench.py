"""Measure speed: each figure as a ratio or a rate of one run, printed and written to bench.json.

    tools/bench.py [--only cases,check,mock] [--out bench.json]

cases  checked cases per CPU second: `tracksync fuzz` on the embedded mock against `st run` on the same mock, which is
       served in another process whose time is not counted. CPU time is that of the process that generates and checks.
check  exchanges a second through the oracle alone, over real exchanges of stateful sequences, the belief kept: the best
       of PASSES over the same ones, since other work on a machine can only slow a pass down.
mock   requests a second over loopback: the mock in a process of its own against Prism with the same document, under
       the same load from a third process; in rounds by turns, of which the medians count.
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
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "contracts"))

from tracksync.contract import spec  # noqa: E402 - the checkout's package comes first
from tracksync.engine import Budget, FindingPlan, FuzzPlan, TargetPlan, fuzz  # noqa: E402
from tracksync.model.events import ExchangeChecked  # noqa: E402
from tracksync.oracle import Belief, Settings, check  # noqa: E402

KEY = "bench-key"
SECONDS = 2.0  # of load on each server in a round
ROUNDS = 5
CONNECTIONS = 8
EXCHANGES = 20_000
PASSES = 5
BODY = json.dumps(
    {"events": [{"external_id": "bench-1", "name": "rented_movie", "time": "2023-06-01T00:00:00Z"}]}
).encode()

SERVE = f"""
import sys
sys.path.insert(0, {str(ROOT / "contracts")!r})
from tracksync.mock import MockApp, MockConfig
from tracksync.mock.serve import serve
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
    """Exchanges a second through the oracle alone."""
    exchanges = []

    def keep(event: object) -> None:
        if isinstance(event, ExchangeChecked):
            exchanges.append(event.exchange)

    plan = FuzzPlan(
        seed=3,
        target=TargetPlan(rate_limit=500),
        budget=Budget(requests=EXCHANGES),
        findings=FindingPlan(shrink=False),
    )
    fuzz(plan, keep)
    found, rates = 0, []
    for _ in range(PASSES):
        gc.collect()
        gc.freeze()  # the exchanges are kept by this script, and no work of the oracle's
        belief = Belief.start(Settings(rate_limit=500, fresh=lambda kind, text: True, clock_skew=1.0))
        begin = time.perf_counter()
        for exchange in exchanges:
            check_result = check(belief, exchange)
            belief = check_result.belief
            found += len(check_result.findings)
        rates.append(round(len(exchanges) / (time.perf_counter() - begin)))
        gc.unfreeze()
    return {
        "exchanges": len(exchanges),
        "checked_per_second": max(rates),
        "each_pass": rates,
        "findings": found,
        "wanted_per_second": 10_000,
    }


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


MEASURES: dict[str, Callable[[], dict[str, Any]]] = {"oracle": oracle_alone, "mock": mock, "cases": cases}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure speed, and write bench.json.")
    parser.add_argument("--only", default=",".join(MEASURES), help="some of " + ", ".join(MEASURES))
    parser.add_argument("--out", type=Path, default=ROOT / "bench.json")
    wanted = parser.parse_args()
    result: dict[str, Any] = {"python": sys.version.split()[0], "cores": os.cpu_count()}
    for name in wanted.only.split(","):
        if name not in MEASURES:
            parser.error(f"there is no measure {name!r}; there are {', '.join(MEASURES)}")
        result[name] = MEASURES[name]()
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in result[name].items()), flush=True)
    result["load"] = [round(one, 2) for one in os.getloadavg()]
    wanted.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"load {result['load']}; written to {wanted.out.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
