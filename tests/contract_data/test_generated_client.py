"""A Python client that openapi-python-client writes from the spec as it stands talks with the mock on a real port."""

from __future__ import annotations

import datetime
import importlib
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tracksync.contract import spec
from tracksync.mock import MockApp, MockConfig
from tracksync.wire.serve import served

CONFIG = MockConfig(async_delay=0.0)
EXAMPLES = spec.examples()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The models of a freshly written client. Its other modules are imported beside them."""
    home = tmp_path_factory.mktemp("generated")
    settings = home / "settings.yaml"
    settings.write_text("post_hooks: []\n", encoding="utf-8")  # it would format the code, for which it wants ruff
    target = home / "written_client"
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"),
        *("--config", str(settings), "--path", str(spec.path()), "--output-path", str(target)),
    ]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr
    sys.path.insert(0, str(home))
    try:
        yield importlib.import_module("written_client.models")
    finally:
        sys.path.remove(str(home))
        for name in [name for name in sys.modules if name.partition(".")[0] == "written_client"]:
            del sys.modules[name]


@pytest.fixture
def url() -> Iterator[str]:
    """Where a mock is served, one for each test: they may run in any order."""
    with served(MockApp(CONFIG)) as url:
        yield url


@pytest.fixture
def client(models: ModuleType, url: str) -> Iterator[Any]:
    """A client with the right key."""
    written = importlib.import_module("written_client.client")
    with written.AuthenticatedClient(base_url=url, token=CONFIG.key) as client:
        yield client


def call(name: str, client: Any, body: Any) -> Any:
    """The whole result of the function that the client has for an operation."""
    return importlib.import_module(f"written_client.api.{name}").sync_detailed(client=client, body=body)


def test_it_writes_attributes(models: ModuleType, client: Any) -> None:
    person = models.UserAttributes(external_id="attributes", first_name="Ada")
    person["fruit"] = "banana"
    person["numbers"] = [1, 2]
    answer = call("track.track_user_sync", client, models.AttributesRequest(attributes=[person]))
    assert answer.status_code == 201
    assert isinstance(answer.parsed, models.SyncSuccess)
    (user,) = answer.parsed.users
    assert user.external_id == "attributes"
    assert user.custom_attributes.to_dict() == {"fruit": "banana", "numbers": [1, 2]}


def test_it_records_an_event_and_reads_its_times(models: ModuleType, client: Any) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=1))
    moment = datetime.datetime(2022, 12, 6, 19, 20, 45, tzinfo=zone)
    event = models.Event(name="rented_movie", time=moment, email="person@example.com")
    answer = call("track.track_user_sync", client, models.EventRequest(events=[event]))
    (tally,) = answer.parsed.users[0].custom_events
    assert (tally.name, tally.first, tally.last, tally.count) == ("rented_movie", moment, moment, 1)


def test_it_records_a_purchase_by_alias(models: ModuleType, client: Any) -> None:
    purchase = models.Purchase(
        product_id="Completed Order",
        currency=models.Currency.USD,
        price=219.98,
        time=datetime.datetime(2022, 12, 6, tzinfo=datetime.UTC),
        user_alias=models.UserAlias(alias_name="device123", alias_label="my_device_identifier"),
        field_update_existing_only=False,
        quantity=3,
    )
    answer = call("track.track_user_sync", client, models.PurchaseRequest(purchases=[purchase]))
    (tally,) = answer.parsed.users[0].purchase_events
    assert (tally.product_id, tally.count) == ("Completed Order", 3)


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_models_carry_the_documented_exchange_unchanged(models: ModuleType, client: Any, name: str) -> None:
    request = {"attributes": "AttributesRequest", "event": "EventRequest", "purchase": "PurchaseRequest"}
    body = EXAMPLES[name]["request"]["body"]
    model = getattr(models, request[name]).from_dict(body)
    assert model.to_dict() == body
    assert call("track.track_user_sync", client, model).status_code == 201
    models.SyncSuccess.from_dict(EXAMPLES[name]["response"]["body"])


def test_it_understands_a_refusal(models: ModuleType, client: Any) -> None:
    unnamed = models.UserAttributes(first_name="Ada")
    answer = call("track.track_user_sync", client, models.AttributesRequest(attributes=[unnamed]))
    assert answer.status_code == 400
    assert isinstance(answer.parsed, models.BadRequestError)
    assert answer.parsed.errors[0].input_array == "attributes"


def test_it_understands_that_its_key_is_wrong(models: ModuleType, url: str) -> None:
    written = importlib.import_module("written_client.client")
    with written.AuthenticatedClient(base_url=url, token="wrong") as stranger:
        body = models.AttributesRequest(attributes=[models.UserAttributes(external_id="u", first_name="Ada")])
        answer = call("track.track_user_sync", stranger, body)
    assert (answer.status_code, answer.headers["x-ratelimit-limit"]) == (401, "")
    assert isinstance(answer.parsed, models.FatalError)


def test_it_calls_the_neighbours(models: ModuleType, client: Any) -> None:
    person = models.UserAttributes(external_id="neighbours", first_name="Ada")
    answer = call("track.track_users", client, models.TrackRequest(attributes=[person]))
    assert (answer.status_code, answer.parsed.message) == (201, "success")

    wanted = models.ExportByExternalId(
        external_ids=["neighbours"], fields_to_export=[models.FieldsToExportItem.EXTERNAL_ID]
    )
    exported = call("users.export_users_by_identifier", client, wanted).parsed
    assert [user.external_id for user in exported.users] == ["neighbours"]

    answer = call("users.delete_users", client, models.DeleteByExternalId(external_ids=["neighbours"]))
    assert (answer.parsed.deleted, answer.parsed.message) == (1, "success")
