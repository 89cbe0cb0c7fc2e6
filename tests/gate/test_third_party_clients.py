"""Two published clients use the served mock, and the oracle checks their exchanges.

braze-client (PyPI) and braze-api (npm) speak to the neighbours of the synchronous endpoint: /users/track above all.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from npm_packages import installed
from third_party import KEY, braze_client

from tracksync.faults.catalogue import servers
from tracksync.mock import MockApp, MockConfig
from tracksync.model.exchange import Credential, Exchange, header
from tracksync.oracle import Belief, Settings, check
from tracksync.wire.serve import served

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "tests" / "clients" / "third_party"

SCRIPT = """
import { Braze } from "braze-api"
const braze = new Braze(process.argv[2], process.argv[3])
const user = { external_id: "third-party-1" }
const responses = [
  await braze.users.track({ attributes: [{ ...user, colour: "green", visits: 3 }] }),
  await braze.users.track({ events: [{ ...user, name: "rented_movie", time: "2023-06-01T00:00:00Z" }] }),
  await braze.users.track({
    purchases: [{ ...user, product_id: "sku-1", currency: "EUR", price: 9.99, time: "2023-06-01T00:00:00Z" }],
  }),
  await braze.users.export.ids({ external_ids: [user.external_id], fields_to_export: ["custom_attributes"] }),
  await braze.users.delete({ external_ids: [user.external_id] }),
]
console.log(JSON.stringify(responses))
"""


def clauses_broken(app: MockApp) -> list[tuple[str, str]]:
    """What the oracle finds in the mock's journal, in the order of the responses."""
    belief = Belief.start(Settings(rate_limit=500))
    found = []
    for entry in app.journal:
        assert header(entry.request.headers, "Authorization") == f"Bearer {KEY}"
        check_result = check(
            belief, Exchange(entry.request, entry.response, entry.at, entry.at + 0.01, Credential.VALID)
        )
        belief = check_result.belief
        found += [(finding.clause, finding.message) for finding in check_result.findings]
    return found


def test_braze_client_from_pypi_is_served_and_checked_clean() -> None:
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
    app = MockApp(MockConfig(key=KEY, journal=100, faults=servers(("delete-count-negative",))))
    with served(app) as url:
        client = braze_client(url)
        client.user_delete(external_ids=["third-party-1"])
        client.session.close()
    assert [clause for clause, _ in clauses_broken(app)] == ["TS-DELETE-ANSWER"]


@pytest.mark.node
def test_braze_api_from_npm_is_served_and_checked_clean(tmp_path: Path) -> None:
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
