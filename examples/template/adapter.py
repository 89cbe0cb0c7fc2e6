"""A template: copy it, and replace `call` by your client. Nothing but Python's standard library; any language will do.

    tracksync gate --driver -- python adapter.py

`call` below is the naive client that most teams begin with. Drive it as it stands, to see what is found.
"""

import json
import os
import sys
import urllib.error
import urllib.request

# Leave out what your client cannot do. `"pipelining": True` says that it may be asked for several things at once.
HELLO = {
    "type": "hello",
    "protocol": 1,
    "client": "template 1",
    "operations": ["set", "event", "purchase", "increment"],
}


def call(body, deadline):
    """Your client: send `body`, wait at most `deadline` seconds. Gives (status, response)."""
    request = urllib.request.Request(
        os.environ["BRAZE_REST_ENDPOINT"] + "/users/track/sync",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {os.environ['BRAZE_API_KEY']}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=deadline) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, None
    except (OSError, ValueError):
        return 0, None


def perform(asked):
    """Do one operation, and say what became of it."""
    user = dict(asked["user"])
    if "update_existing_only" in asked:
        user["_update_existing_only"] = asked["update_existing_only"]
    kind = asked["operation"]
    if kind == "set":
        body = {"attributes": [{**user, **asked["attributes"]}]}
    elif kind == "increment":
        body = {"attributes": [{**user, asked["name"]: {"inc": asked["by"]}}]}
    else:
        section, names = {
            "event": ("events", ("name", "time", "properties")),
            "purchase": ("purchases", ("product_id", "currency", "price", "quantity", "time", "properties")),
        }[kind]
        body = {section: [{**user, **{name: asked[name] for name in names if name in asked}}]}

    status, response = call(body, asked["deadline"])

    # The six outcomes: what your client raises or returns has to be told apart here.
    if 200 <= status < 300 and response:
        outcome = "applied" if response.get("users") else "not_applied"
    elif status in (401, 403):
        outcome = "unauthorised"
    elif status == 429:
        outcome = "rate_limited"
    elif 400 <= status < 500:
        outcome = "rejected"
    else:
        outcome = "failed"  # it is not known whether it was applied
    return {"outcome": outcome}


for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "hello":
        print(json.dumps(HELLO), flush=True)
    elif message["type"] == "operation":
        print(json.dumps({"type": "outcome", "id": message["id"], **perform(message)}), flush=True)
