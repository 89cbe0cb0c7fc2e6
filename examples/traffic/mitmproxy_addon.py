"""Writes exchanges for `tracksync replay` while mitmproxy runs: mitmdump -s mitmproxy_addon.py --set tracksync=FILE.

Only requests to the endpoints that tracksync checks are written, and no header with a key.
"""

import base64
import json
from pathlib import Path
from typing import Any

PATHS = ("/users/track/sync", "/users/track", "/users/delete", "/users/export/ids")
HEADERS = {
    *("content-type", "content-encoding", "date"),
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
}


class Exchanges:
    """An addon with one option: the file to which lines are added."""

    def __init__(self) -> None:
        self.path = ""

    def load(self, loader: Any) -> None:
        """Declare the option."""
        loader.add_option("tracksync", str, "tracksync.ndjson", "The file to which exchanges are written.")

    def configure(self, updated: set[str]) -> None:
        """Take its value."""
        from mitmproxy import ctx

        self.path = ctx.options.tracksync

    def response(self, flow: Any) -> None:
        """A response came."""
        self.write(flow)

    def error(self, flow: Any) -> None:
        """There will be none."""
        self.write(flow)

    def write(self, flow: Any) -> None:
        """Add one line: of a flow without a response, that it ended so."""
        request, response = flow.request, flow.response
        if not request.path.partition("?")[0].endswith(PATHS):
            return
        end = (response.timestamp_end if response else None) or flow.error.timestamp
        line: dict[str, Any] = {
            "at": end,
            "elapsed": end - request.timestamp_start,
            "request": {"method": request.method, "url": request.url, **content(request)},
        }
        if response is None:
            line["failure"] = {"kind": "reset", "detail": flow.error.msg}
        else:
            line["response"] = {"status": response.status_code, **content(response)}
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def content(message: Any) -> dict[str, Any]:
    """Headers and body; a body that is not UTF-8, such as a compressed one, in base64."""
    headers = [[name, value] for name, value in message.headers.items() if name.lower() in HEADERS]
    raw = message.raw_content or b""
    try:
        return {"headers": headers, "body": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"headers": headers, "body_base64": base64.b64encode(raw).decode("ascii")}


addons = [Exchanges()]
