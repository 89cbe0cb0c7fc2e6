"""A small suite on top of the pip package braze-client-sdk, which calls /users/track."""

import datetime
import os
import sys

from braze import Braze

client = Braze(os.environ["BRAZE_REST_ENDPOINT"], os.environ["BRAZE_API_KEY"])
now = datetime.datetime.now(datetime.UTC).isoformat()
failed = 0
for call in (
    {"attributes": [{"external_id": "user-1", "colour": "red"}]},
    {"events": [{"external_id": "user-1", "name": "rated", "time": now}]},
    {"purchases": [{"external_id": "user-1", "product_id": "book", "currency": "EUR", "price": 9.5, "time": now}]},
):
    try:
        print(client.users.track(content=call))
    except Exception as error:  # noqa: BLE001 - whatever the client raises is a failed call
        failed += 1
        print("failed:", type(error).__name__, error)
sys.exit(1 if failed else 0)
