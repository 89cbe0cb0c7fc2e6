"""Draw docs/economy.svg and docs/economy.md: the share of faults found against requests sent.

    tracksync selfcheck --json selfcheck.json; tools/curve.py selfcheck.json [--sample 40] [--seed 0] [--workers 2]

Ours comes from the selfcheck. Beside it stands `st run` with our document on the same faulty mocks. It is slow, so that
it gets a random sample of the faults, and LIMIT requests for each count; what it found is stored in .tracksync/ as it
goes, so that Ctrl-C ends it with the sample so far, and the next call goes on. A fault counts as found at the request
in the mock's journal whose test case id the first failure names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORM = ROOT / ".tracksync" / "lenient.json"  # what `tracksync spec --lenient` prints
STORED = ROOT / ".tracksync" / "economy.json"  # what st found, by fault
sys.path.insert(0, str(ROOT / "contracts"))

from tracksync.contract import spec  # noqa: E402 - the checkout's package comes first
from tracksync.contract.lenient import lenient  # noqa: E402
from tracksync.faults.catalogue import servers  # noqa: E402
from tracksync.mock import MockApp, MockConfig  # noqa: E402
from tracksync.model.exchange import header  # noqa: E402
from tracksync.wire.serve import served  # noqa: E402

LIMIT = 500
WIDTH, HEIGHT, EDGE = 740, 400, 60
MARKS = (50, 100, 150, 200, 250, 300, 400, 500)


def by_st(fault: str | None) -> int | None:
    """The request at which `st run` found a fault, None where it did not within LIMIT requests."""
    config = MockConfig(
        rate_limit=10**6,
        interpretations={"wrong-method": "not-allowed"},
        faults=servers((fault,) if fault else ()),
        journal=10**5,
    )
    app = MockApp(config)
    with served(app) as url:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(FORM), "--url", url),
            *("--checks", "all", "--header", f"Authorization: Bearer {config.key}", "--seed", "1", "--no-color"),
            # Its examples and random cases only: the coverage phase alone sends more than LIMIT requests.
            *("--phases", "examples,fuzzing", "--max-examples", str(LIMIT // 4)),
            # The first failing case is named, not a smaller one that came later; no run learns from another.
            *("--no-shrink", "--generation-database", "none"),
        ]
        done = subprocess.run(
            command,
            cwd=ROOT / ".tracksync",
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
    named = set(re.findall(r"Test Case ID: (\w+)", done.stdout))
    for number, entry in enumerate(app.journal, start=1):
        if number <= LIMIT and header(entry.request.headers, "X-Schemathesis-TestCaseId") in named:
            return number
    return None


def share(found: Sequence[int | None], requests: int) -> float:
    """Which part was found by then."""
    return sum(one is not None and one <= requests for one in found) / len(found)


def path(found: Sequence[int | None], colour: str, style: str = "") -> str:
    """The curve of one of them, as steps."""
    points = []
    for requests in range(LIMIT + 1):
        x = EDGE + (WIDTH - 2 * EDGE) * requests / LIMIT
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * share(found, requests)
        points.append(f"{x:.1f},{y:.1f}")
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2.5" {style}/>'


def drawing(ours: Sequence[int | None], same: Sequence[int | None], theirs: Sequence[int | None]) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="13" role="img" aria-label="Share of faults found against requests sent">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for tenth in range(0, 11, 2):
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * tenth / 10
        parts.append(f'<path d="M{EDGE} {y}H{WIDTH - EDGE}" stroke="#ddd"/>')
        parts.append(f'<text x="{EDGE - 8}" y="{y + 4}" text-anchor="end">{tenth * 10} %</text>')
    for mark in range(0, LIMIT + 1, 100):
        x = EDGE + (WIDTH - 2 * EDGE) * mark / LIMIT
        parts.append(f'<text x="{x}" y="{HEIGHT - EDGE + 20}" text-anchor="middle">{mark}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">requests sent</text>')
    curves = (
        (ours, "#7aa7e8", 'stroke-dasharray="5 4"', f"tracksync, all {len(ours)} faults"),
        (same, "#0a58ca", "", f"tracksync, {len(same)} of them"),
        (theirs, "#c2410c", "", f"st run, the same {len(theirs)}"),
    )
    for number, (found, colour, style, words) in enumerate(curves):
        x = EDGE + 10 + 215 * number
        parts.append(path(found, colour, style))
        parts.append(f'<path d="M{x} 26h24" stroke="{colour}" stroke-width="2.5" {style}/>')
        parts.append(f'<text x="{x + 30}" y="30" fill="#222">{words}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def page(ours: Sequence[int | None], theirs: Sequence[int | None], same: Sequence[int | None], seed: int) -> str:
    rows = [
        f"| {mark} | {share(ours, mark):.1%} | {share(same, mark):.1%} | {share(theirs, mark):.1%} |" for mark in MARKS
    ]
    return "\n".join(
        [
            "# What a request is worth",
            "",
            "Requests are the scarce thing: a workspace has about 500 a minute, and attributes cost data points. The",
            "curve shows which share of the mock's named faults has been found after so many requests.",
            "",
            "![Share of faults found against requests sent](economy.svg)",
            "",
            f"| requests | tracksync, all {len(ours)} faults | tracksync, the sample | st run, the sample |",
            "|---|---|---|---|",
            *rows,
            "",
            f"The sample is {len(theirs)} faults drawn at random (seed {seed}), since `st run` is slow. Both are",
            "measured in the same way: each fault alone in a fresh mock, and the number of the request whose response",
            "was the first with a finding. `st run` gets what `tracksync spec --lenient` prints, all checks, its",
            f"examples and fuzzing phases, {LIMIT // 4} examples an operation, and a mock without a rate limit, so",
            f"that nothing slows it down; its requests up to {LIMIT} count. Its coverage phase would send more, and is",
            "left out. On a mock without a fault neither finds anything. Most of the faults concern what a later",
            "response must show, and no schema can say that. The faults are those of this project itself, so that",
            "its own curve shows how few requests the probes need, and not that a server's next fault is among them.",
            "",
            "To draw it again: `tracksync selfcheck --json selfcheck.json; tools/curve.py selfcheck.json`",
            "",
        ]
    )


def drawn(names: Iterable[str], count: int, seed: int) -> list[str]:
    """A random sample that stays nearly the same when a fault is added."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())[:count]


def run_st(names: Sequence[str], workers: int) -> dict[str, int | None]:
    """At which request `st run` finds each of the faults; what an earlier call stored is not run again."""
    STORED.parent.mkdir(exist_ok=True)
    FORM.write_text(json.dumps(lenient(spec.document())), encoding="utf-8")
    if by_st(None) is not None:
        sys.exit("st run finds something on a mock without a fault, so that what it finds on others says nothing")
    stored: dict[str, int | None] = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    todo = [name for name in names if name not in stored]
    with ThreadPoolExecutor(workers) as pool:
        futures = {pool.submit(by_st, name): name for name in todo}
        try:
            for future in as_completed(futures):
                stored[futures[future]] = future.result()
                STORED.write_text(json.dumps(stored, indent=1), encoding="utf-8")
                print(f"{futures[future]}: {future.result() or 'not found'}", flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            print("stopped; the sample is what was done so far", flush=True)
    return {name: stored[name] for name in names if name in stored}


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw the economy curve.")
    parser.add_argument("selfcheck", type=Path, help="what `tracksync selfcheck --json` wrote")
    parser.add_argument("--sample", type=int, default=40, help="how many faults st run gets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="runs of st at a time")
    wanted = parser.parse_args()
    matrix = json.loads(wanted.selfcheck.read_text(encoding="utf-8"))["matrix"]
    first = {
        one["name"]: min((found["request"] for found in one["found"]), default=None)
        for one in matrix
        if one["kind"] == "fault"
    }
    found = run_st(drawn(first, wanted.sample, wanted.seed), wanted.workers)
    if not found:
        return 3
    ours, same, theirs = list(first.values()), [first[name] for name in found], list(found.values())
    docs = ROOT / "docs"
    (docs / "economy.svg").write_text(drawing(ours, same, theirs), encoding="utf-8")
    text = page(ours, theirs, same, wanted.seed)
    (docs / "economy.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
