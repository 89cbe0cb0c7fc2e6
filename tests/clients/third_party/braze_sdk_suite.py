"""A small suite on top of the pip package braze-sdk, which calls /users/track and hands on the raw response."""

import os
import sys

from braze_sdk import UserDataClient

client = UserDataClient(os.environ["BRAZE_API_KEY"])
client.end_point = os.environ["BRAZE_REST_ENDPOINT"]
failed = 0
for attributes in (
    [{"external_id": "user-1", "colour": "red"}],
    [{"external_id": "user-1", "visits": 3}, {"external_id": "user-2", "visits": 4}],
    [{"external_id": "user-1", "colour": None}],
):
    try:
        response = client.add_custom_attributes_json(attributes)
        response.raise_for_status()
        print(response.json())
    except Exception as error:  # noqa: BLE001 - whatever the client raises is a failed call
        failed += 1
        print("failed:", type(error).__name__, error)
sys.exit(1 if failed else 0)
