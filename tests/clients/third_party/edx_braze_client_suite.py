"""A small suite on top of the pip package edx-braze-client, which calls /users/track."""

import datetime
import os
import sys

from braze.client import BrazeClient

client = BrazeClient(os.environ["BRAZE_API_KEY"], os.environ["BRAZE_REST_ENDPOINT"], "an-app")
now = datetime.datetime.now(datetime.UTC).isoformat()
failed = 0
for call in (
    {"attributes": [{"external_id": "user-1", "colour": "red"}]},
    {"events": [{"external_id": "user-1", "name": "rated", "time": now}]},
    {
        "attributes": [{"external_id": f"user-{n}", "colour": "red"} for n in range(60)],
        "events": [{"external_id": f"user-{n}", "name": "rated", "time": now} for n in range(60)],
    },
):
    try:
        print(client.track_user(**call))
    except Exception as error:  # noqa: BLE001 - whatever the client raises is a failed call
        failed += 1
        print("failed:", type(error).__name__, error)
sys.exit(1 if failed else 0)
