"""A small suite on top of the pip package braze-api-client, pointed at the synchronous endpoint."""

import datetime
import os
import sys

from braze_api_client.client import Client
from braze_api_client.resources.base import ActionPool

client = Client(os.environ["BRAZE_API_KEY"], os.environ["BRAZE_REST_ENDPOINT"])
track_sync = ActionPool(os.environ["BRAZE_REST_ENDPOINT"] + "/users/track/sync", client._session)
now = datetime.datetime.now(datetime.UTC).isoformat()
failed = 0
for call in (
    {"attributes": [{"external_id": "user-1", "colour": "red"}]},
    {"events": [{"external_id": "user-1", "name": "rated", "time": now}]},
    {"purchases": [{"external_id": "user-1", "product_id": "book", "currency": "EUR", "price": 9.5, "time": now}]},
):
    try:
        response = track_sync.create_item(call)
        response.raise_for_status()
        print(response.json())
    except Exception as error:  # noqa: BLE001 - whatever the client raises is a failed call
        failed += 1
        print("failed:", type(error).__name__, error)
sys.exit(1 if failed else 0)
