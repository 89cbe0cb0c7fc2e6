"""The examples of docs/exchanges.md give lines that replay reads and checks."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cassette_harness import ROOT, event_body, event_response, rate, replayed

EXAMPLES = ROOT / "examples" / "traffic"
SENT = 1_670_350_850.0


def nginx_line(**variables: str) -> str:
    """The line that nginx writes for these variables, escaped as `escape=json` says."""
    text = (EXAMPLES / "nginx.conf").read_text(encoding="utf-8")
    form = "".join(re.findall(r"'([^']*)'", text[text.index("log_format") : text.index("server {")]))
    return re.sub(r"\$(\w+)", lambda name: json.dumps(variables.get(name[1], ""))[1:-1], form)


@pytest.mark.parametrize(("counts", "broken"), [((1, 2), []), ((1, 3), ["TS-EVENT-COUNT"])])
def test_the_log_of_nginx_is_checked(tmp_path: Path, counts: tuple[int, int], broken: list[str]) -> None:
    lines = []
    for number, count in enumerate(counts):
        names = {f"sent_http_{name.replace('-', '_')}": value for name, value in rate(499 - number).items()}
        lines.append(
            nginx_line(
                msec=f"{SENT + number:.3f}",
                request_time="0.120",
                request_method="POST",
                scheme="https",
                host="gateway.example",
                request_uri="/users/track/sync",
                content_type="application/json",
                sent_http_content_type="application/json",
                status="201",
                request_body=event_body(),
                tracksync_body=event_response(count),
                **names,
            )
        )
    path = tmp_path / "tracksync.ndjson"
    path.write_text("\n".join(lines), encoding="utf-8")
    events = replayed(path)
    assert (events.checked, events.broken) == (2, broken), events.end.reason


def addon(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("mitmproxy_addon", EXAMPLES / "mitmproxy_addon.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.Exchanges()
    found.path = str(path)
    return found


def flow(number: int, count: int | None, url: str = "https://rest.example/users/track/sync") -> Any:
    """What the addon looks at of mitmproxy's flows."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer secret"}
    request = SimpleNamespace(
        method="POST",
        url=url,
        path="/" + url.split("/", 3)[3],
        headers=headers,
        raw_content=event_body().encode(),
        timestamp_start=SENT + number,
    )
    if count is None:
        return SimpleNamespace(
            request=request, response=None, error=SimpleNamespace(timestamp=SENT + number, msg="cut")
        )
    response = SimpleNamespace(
        status_code=201,
        headers={"Content-Type": "application/json", **rate(499 - number)},
        raw_content=event_response(count).encode(),
        timestamp_end=SENT + number + 0.5,
    )
    return SimpleNamespace(request=request, response=response, error=None)


def test_the_addon_of_mitmproxy_writes_what_replay_checks(tmp_path: Path) -> None:
    path = tmp_path / "tracksync.ndjson"
    exchanges = addon(path)
    exchanges.response(flow(0, 1))
    exchanges.error(flow(1, None))
    exchanges.response(flow(2, 3))  # the one without a response was applied
    exchanges.response(flow(3, 9))
    exchanges.response(flow(4, 1, "https://rest.example/campaigns/trigger/send"))
    events = replayed(path)
    assert (events.checked, events.broken) == (4, ["TS-EVENT-COUNT"]), events.end.reason
    assert "secret" not in path.read_text(encoding="utf-8")
