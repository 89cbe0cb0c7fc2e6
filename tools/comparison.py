#!/usr/bin/env python3
"""Compare what tracksync, schemathesis, Prism and Pact find in the same faulty servers: docs/comparison.md.

    python tools/comparison.py [--sample 12] [--seed 0] [--only tracksync,prism,pact,schemathesis]

The servers are the mock with one fault each, drawn at random, and the mock without one. Each tool is used as its own
documents say, with what this repository has for it:

- tracksync: `fuzz`, 500 requests.
- schemathesis: `st run` with the document of `tracksync spec --lenient`, all checks, 50 examples.
- Prism: `prism proxy` with spec/openapi.yaml stands before the server; the recorded requests of cassettes/probes pass
  through it. A violation in a response counts.
- Pact: the provider verification of a contract with the three documented examples, matched by type except for what a
  client relies on. Needs `pip install pact-python`.

A fault counts as found if the tool says something that it does not say of the server without a fault. Each row names
the faults that were found. Needs Node, for Prism (`tools/spec-lint --install`).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parents[1]
PRISM = ROOT / ".tracksync" / "npm" / "node_modules" / ".bin" / "prism"
sys.path.insert(0, str(ROOT / "contracts"))

from tracksync.contract import spec  # noqa: E402 - the checkout's package comes first
from tracksync.contract.lenient import lenient  # noqa: E402
from tracksync.faults.catalogue import catalogue, servers  # noqa: E402
from tracksync.mock import MockApp, MockConfig  # noqa: E402
from tracksync.selfcheck import Job, carry_out  # noqa: E402
from tracksync.wire.serve import served  # noqa: E402

KEY = MockConfig().key
UNANSWERED: list[tuple[str, str]] = []  # what Prism did not forward within the time-out is not sent again


def mock(fault: str) -> MockApp:
    """The server with this fault; without one where it is empty. It has no rate limit, which no tool is asked about."""
    config = MockConfig(
        rate_limit=10**6, interpretations={"wrong-method": "not-allowed"}, faults=servers((fault,) if fault else ())
    )
    return MockApp(config)


def by_tracksync(fault: str) -> set[str]:
    """The clauses that a fuzz run finds broken."""
    job = Job("fault", fault, 0, (fault,) if fault else ())
    return {clause for clause, _ in carry_out(job).found}


def by_schemathesis(fault: str) -> set[str]:
    """The titles of the failures of a run with the lenient document, which a correct server fits."""
    with served(mock(fault)) as url, tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        document.write_text(json.dumps(lenient(spec.document())), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", url, "--checks", "all"),
            *("--header", f"Authorization: Bearer {KEY}", "--max-examples", "50", "--seed", "1", "--no-color"),
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        return {" ".join(one.split()) for one in re.findall(r"^- (ST\d+ .*)", done.stdout, re.MULTILINE)}


def by_prism(fault: str) -> set[str]:
    """The violations in responses that Prism writes to its log."""
    with served(mock(fault)) as url, tempfile.TemporaryFile("w+") as log:
        port = httpx.URL(url).port or 0
        other = port + 1 if port < 65000 else port - 1
        command = [str(PRISM), "proxy", str(spec.path()), url, "--host", "127.0.0.1", "--port", str(other)]
        prism = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{other}", timeout=3) as client:
                _await(client)
                headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
                for request in recorded_requests():
                    path, body = request
                    if request not in UNANSWERED:
                        try:
                            client.post(path, content=body, headers=headers)
                        except httpx.TransportError:
                            UNANSWERED.append(request)
        finally:
            prism.terminate()
            prism.wait()
        log.seek(0)
        return set(re.findall(r"Violation: (response\S* .*)", log.read()))


def _await(client: httpx.Client) -> None:
    for _ in range(100):
        try:
            client.get("/")
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("Prism did not start")


def recorded_requests() -> list[tuple[str, str]]:
    """Path and body of the recorded probes that have the key and a JSON body."""
    found = []
    for path in sorted((ROOT / "cassettes" / "probes").glob("*.yaml")):
        for one in yaml.safe_load(path.read_text("utf-8"))["interactions"]:
            request = one["request"]
            body, headers = request["body"], json.dumps(request["headers"])
            if request["method"] == "POST" and isinstance(body, str) and body.startswith("{") and "json" in headers:
                found.append((httpx.URL(request["uri"]).path, body))
    return found


def by_pact(fault: str) -> set[str]:
    """`found` where the provider does not keep the contract of a consumer of the three documented examples."""
    from pact import Verifier

    with served(mock(fault)) as url, tempfile.TemporaryDirectory() as folder:
        contract = Path(folder) / "consumer-provider.json"
        contract.write_text(json.dumps(pact()), encoding="utf-8")
        try:
            Verifier("provider", host="127.0.0.1").add_transport(url=url).add_source(contract).verify()
        except RuntimeError:
            return {"found"}
        return set()


def pact() -> dict[str, Any]:
    """The contract of a consumer, of version 3 of Pact's specification."""
    when = "2026-01-01T00:00:00Z"
    examples: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("attributes", {"plan": "trial"}, {"custom_attributes": {"plan": "trial"}}),
        ("events", {"name": "rented", "time": when}, {"custom_events": [{"name": "rented", "count": 1}]}),
        (
            "purchases",
            {"product_id": "book", "currency": "EUR", "price": 9.99, "time": when},
            {"purchase_events": [{"product_id": "book", "count": 1}]},
        ),
    ]
    interactions = []
    for section, item, shown in examples:
        user = f"pact-{section}"
        interactions.append(
            {
                "description": section,
                "request": {
                    "method": "POST",
                    "path": "/users/track/sync",
                    "headers": {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
                    "body": {section: [{"external_id": user, **item}]},
                },
                "response": {
                    "status": 201,
                    "headers": {"Content-Type": "application/json"},
                    "body": {"message": "success", "users": [{"external_id": user, **shown}]},
                },
            }
        )
    return {
        "consumer": {"name": "consumer"},
        "provider": {"name": "provider"},
        "interactions": interactions,
        "metadata": {"pactSpecification": {"version": "3.0.0"}},
    }


TOOLS: dict[str, Callable[[str], set[str]]] = {
    "tracksync": by_tracksync,
    "prism": by_prism,
    "pact": by_pact,
    "schemathesis": by_schemathesis,
}


def main() -> int:
    """Run the tools on the sample, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(TOOLS))
    wanted = parser.parse_args()
    names = sorted(one.name for one in catalogue().values() if one.family != "race" and not one.beyond)
    sample = random.Random(wanted.seed).sample(names, wanted.sample)
    print(f"{wanted.sample} faults, seed {wanted.seed}: {', '.join(sample)}")
    for name in wanted.only.split(","):
        begun = time.monotonic()
        baseline = TOOLS[name]("")
        found = [fault for fault in sample if TOOLS[name](fault) - baseline]
        seconds = time.monotonic() - begun
        said = f"{len(baseline)} complaints about the server without a fault"
        print(
            f"{name:14} {len(found):3} of {len(sample)}  {seconds:6.0f} s  {said}; {', '.join(found) or 'none'}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
