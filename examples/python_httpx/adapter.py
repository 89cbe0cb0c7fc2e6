"""The adapter of the httpx client: lines in, lines out.

tracksync gate --driver -- python examples/python_httpx/adapter.py
"""

from __future__ import annotations

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from client import Client, Result

CALLS = {"set": Client.set, "increment": Client.increment, "event": Client.event, "purchase": Client.purchase}
HEAD = {"type", "id", "operation", "update_existing_only"}
HELLO = {"type": "hello", "protocol": 1, "client": "httpx example 1.0", "operations": list(CALLS), "pipelining": True}


def perform(client: Client, message: dict[str, Any]) -> Result:
    """Do what a line asks for."""
    members = {name: value for name, value in message.items() if name not in HEAD}
    if "update_existing_only" in message:
        members["_update_existing_only"] = message["update_existing_only"]
    result: Result = getattr(client, message["operation"])(**members)
    return result


def serve(client: Client) -> None:
    """Answer every line until standard input ends. Operations that come together are done together."""
    writing = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        with writing:
            print(json.dumps(message), flush=True)

    def answer(message: dict[str, Any]) -> None:
        result = perform(client, message)
        say({"type": "outcome", "id": message["id"], **vars(result)})

    def work(message: dict[str, Any]) -> None:
        try:
            answer(message)
        except BaseException as error:
            print(f"the client raised {error!r}", file=sys.stderr, flush=True)
            os._exit(1)

    with ThreadPoolExecutor(8) as pool:
        for line in sys.stdin:
            message = json.loads(line)
            if message["type"] == "hello":
                say(HELLO)
            elif message["type"] == "operation":
                pool.submit(work, message)


if __name__ == "__main__":
    serve(Client(os.environ["BRAZE_REST_ENDPOINT"], os.environ["BRAZE_API_KEY"]))
