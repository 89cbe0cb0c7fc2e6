"""A small suite over the client that openapi-python-client writes from the spec.

It succeeds where each write was applied. tests/test_gate_generated.py has it type-checked and starts it.
"""

from __future__ import annotations

import datetime
import os
import sys

import httpx
from written_client import AuthenticatedClient
from written_client.api.track import track_user_sync, track_users
from written_client.api.users import delete_users, export_users_by_identifier
from written_client.models import (
    AttributesRequest,
    Currency,
    DeleteByExternalId,
    DeleteSuccess,
    Event,
    EventRequest,
    ExportByExternalId,
    ExportSuccess,
    FieldsToExportItem,
    Purchase,
    PurchaseRequest,
    SyncSuccess,
    TrackRequest,
    TrackSuccess,
    UpdatedUser,
    UserAttributes,
)
from written_client.types import Unset

USER = "python-user"


class Failed(Exception):
    """A write that was not applied."""


def sync(client: AuthenticatedClient, body: AttributesRequest | EventRequest | PurchaseRequest) -> UpdatedUser:
    """The user as the response shows it."""
    response = track_user_sync.sync_detailed(client=client, body=body)
    if not isinstance(response.parsed, SyncSuccess):
        raise Failed(f"{response.status_code.value}: refused")
    if not response.parsed.users:
        raise Failed("no user was updated")
    return response.parsed.users[0]


def applied(what: str, held: bool) -> None:
    if not held:
        raise Failed(f"{what}: completed and not applied")
    print(f"{what}: applied")


def main(client: AuthenticatedClient) -> None:
    time = datetime.datetime.now(datetime.UTC)

    person = UserAttributes(external_id=USER, first_name="Ada")
    person["fruit"] = "banana"
    person["visits"] = 3
    shown = sync(client, AttributesRequest(attributes=[person])).custom_attributes
    applied("attributes", not isinstance(shown, Unset) and (shown["fruit"], shown["visits"]) == ("banana", 3))

    event = Event(external_id=USER, name="rented_movie", time=time)
    events = sync(client, EventRequest(events=[event])).custom_events
    applied("event", not isinstance(events, Unset) and events[0].count >= 1 and events[0].last.tzinfo is not None)

    purchase = Purchase(
        external_id=USER, product_id="Completed Order", currency=Currency.USD, price=219.98, time=time, quantity=2
    )
    purchases = sync(client, PurchaseRequest(purchases=[purchase])).purchase_events
    applied("purchase", not isinstance(purchases, Unset) and purchases[0].count >= 1)

    queued = track_users.sync(client=client, body=TrackRequest(attributes=[person]))
    applied("batch", isinstance(queued, TrackSuccess) and queued.message == "success")

    wanted = ExportByExternalId(external_ids=[USER], fields_to_export=[FieldsToExportItem.EXTERNAL_ID])
    exported = export_users_by_identifier.sync(client=client, body=wanted)
    applied("export", isinstance(exported, ExportSuccess) and exported.users[0].external_id == USER)

    deleted = delete_users.sync(client=client, body=DeleteByExternalId(external_ids=[USER]))
    applied("deletion", isinstance(deleted, DeleteSuccess) and deleted.deleted == 1)


if __name__ == "__main__":
    try:
        with AuthenticatedClient(
            base_url=os.environ["BRAZE_REST_ENDPOINT"], token=os.environ["BRAZE_API_KEY"], timeout=httpx.Timeout(60)
        ) as made:
            main(made)
    except Failed as problem:
        sys.exit(str(problem))
