"""A small suite on top of the pip package braze-client, pointed at the synchronous endpoint."""

import datetime
import os
import sys

import braze.client
from braze.client import BrazeClient

braze.client.USER_TRACK_ENDPOINT = "/users/track/sync"
client = BrazeClient(api_key=os.environ["BRAZE_API_KEY"], api_url=os.environ["BRAZE_REST_ENDPOINT"])
now = datetime.datetime.now(datetime.UTC).isoformat()
failed = 0
for call in (
    {"attributes": [{"external_id": "user-1", "colour": "red"}]},
    {"events": [{"external_id": "user-1", "name": "rated", "time": now}]},
    {"purchases": [{"external_id": "user-1", "product_id": "book", "currency": "EUR", "price": 9.5, "time": now}]},
):
    try:
        print(client.user_track(**call))
    except Exception as error:  # noqa: BLE001 - whatever the client raises is a failed call
        failed += 1
        print("failed:", type(error).__name__, error)
sys.exit(1 if failed else 0)
