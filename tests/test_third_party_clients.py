"""Two clients that nobody here wrote drive the served mock, and the oracle judges what went over the wire.

braze-client (PyPI) and braze-api (npm) speak to the neighbours of the synchronous endpoint: /users/track above all.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import types
from pathlib import Path
from typing import Any

import pytest

from npm_packages import installed
from tracksync.exchange import Credential, Exchange, header
from tracksync.mock import MockApp, MockConfig
from tracksync.mock.serve import served
from tracksync.oracle import Belief, Settings, judge

ROOT = Path(__file__).resolve().parent.parent
KEY = "canary-key-0123456789"
PACKAGES = ROOT / "tests" / "clients" / "third_party"

SCRIPT = """
import { Braze } from "braze-api"
const braze = new Braze(process.argv[2], process.argv[3])
const user = { external_id: "third-party-1" }
const answers = [
  await braze.users.track({ attributes: [{ ...user, colour: "green", visits: 3 }] }),
  await braze.users.track({ events: [{ ...user, name: "rented_movie", time: "2023-06-01T00:00:00Z" }] }),
  await braze.users.track({
    purchases: [{ ...user, product_id: "sku-1", currency: "EUR", price: 9.99, time: "2023-06-01T00:00:00Z" }],
  }),
  await braze.users.export.ids({ external_ids: [user.external_id], fields_to_export: ["custom_attributes"] }),
  await braze.users.delete({ external_ids: [user.external_id] }),
]
console.log(JSON.stringify(answers))
"""


def braze_client(url: str) -> Any:
    """The client from PyPI. It pins a tenacity that wants asyncio.coroutine, which Python 3.11 no longer has."""
    if not hasattr(asyncio, "coroutine"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "coroutine", types.coroutine, raising=False)
            from braze.client import BrazeClient
    from braze.client import BrazeClient

    return BrazeClient(api_key=KEY, api_url=url)


def clauses_broken(app: MockApp) -> list[tuple[str, str]]:
    """What the oracle finds in the mock's journal, in the order of the answers."""
    belief = Belief.start(Settings(rate_limit=500))
    found = []
    for entry in app.journal:
        assert header(entry.request.headers, "Authorization") == f"Bearer {KEY}"
        judgement = judge(belief, Exchange(entry.request, entry.response, entry.at, entry.at + 0.01, Credential.VALID))
        belief = judgement.belief
        found += [(finding.clause, finding.message) for finding in judgement.findings]
    return found


def test_braze_client_from_pypi_is_served_and_judged_clean() -> None:
    app = MockApp(MockConfig(key=KEY, journal=100))
    user = {"external_id": "third-party-1"}
    with served(app) as url:
        client = braze_client(url)
        answers = [
            client.user_track(attributes=[{**user, "colour": "green", "visits": 3}]),
            client.user_track(events=[{**user, "name": "rented_movie", "time": "2023-06-01T00:00:00Z"}]),
            client.user_track(
                purchases=[
                    {**user, "product_id": "sku-1", "currency": "EUR", "price": 9.99, "time": "2023-06-01T00:00:00Z"}
                ]
            ),
            client.user_export(external_ids=["third-party-1"], fields_to_export=["custom_attributes"]),
            client.user_delete(external_ids=["third-party-1"]),
        ]
        client.session.close()
    assert [answer["success"] for answer in answers] == [True] * 5
    assert [entry.request.path for entry in app.journal][:2] == ["/users/track", "/users/track"]
    assert len(app.journal) == 5
    assert clauses_broken(app) == []


def test_a_fault_shows_in_the_traffic_of_braze_client() -> None:
    app = MockApp(MockConfig(key=KEY, journal=100, faults=("delete-count-negative",)))
    with served(app) as url:
        client = braze_client(url)
        client.user_delete(external_ids=["third-party-1"])
        client.session.close()
    assert [clause for clause, _ in clauses_broken(app)] == ["TS-DELETE-ANSWER"]


@pytest.mark.node
def test_braze_api_from_npm_is_served_and_judged_clean(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(installed(PACKAGES))
    script = tmp_path / "drive.mjs"
    script.write_text(SCRIPT, encoding="utf-8")
    app = MockApp(MockConfig(key=KEY, journal=100))
    with served(app) as url:
        done = subprocess.run(["node", str(script), url, KEY], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [answer["message"] for answer in json.loads(done.stdout)] == ["success"] * 5
    assert len(app.journal) == 5
    assert clauses_broken(app) == []
