"""The inspector in a real browser: headless Chromium, and a served mock that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from admin_harness import KEY, setup
from playwright.sync_api import Browser, Page, sync_playwright
from required_programs import program

from tracksync.admin.serving import mock_app
from tracksync.admin.workspace import MockWorkspace
from tracksync.wire.serve import served

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium as it is installed on this machine."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program("chromium", "chromium-browser"), args=list(FLAGS))
        try:
            yield found
        finally:
            found.close()


class Inspected:
    """A served mock and its inspector in a page. `problems`: what the browser complained about."""

    def __init__(self, page: Page, url: str, workspace: MockWorkspace) -> None:
        self.page, self.url, self.workspace = page, url, workspace
        self.client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False)
        self.problems: list[str] = []
        self.requested: set[str] = set()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        # A refused request is a line on the console, too; what the page makes of it is tested by what it shows.
        page.on(
            "console",
            lambda line: (
                self.problems.append(line.text)
                if line.type == "error" and "responded with a status of 4" not in line.text
                else None
            ),
        )
        page.on("request", lambda request: self.requested.add(request.url))
        page.on("dialog", lambda dialog: self.problems.append(f"a dialog: {dialog.message}"))

    def open(self) -> Inspected:
        """Open the inspector and wait until it has everything."""
        self.page.goto(f"{self.url}/__tracksync/")
        self.page.wait_for_selector("body[data-ready=true]")
        return self

    def track(self, body: Any, path: str = "/users/track/sync") -> httpx.Response:
        """A request of a client."""
        return self.client.post(path, json=body)


@contextmanager
def inspected(found: Browser, *, keys: tuple[str, ...] = (KEY,), **options: Any) -> Iterator[Inspected]:
    """A mock with a workspace for each key, shown in a new page. `options` are those of a browser's context."""
    workspaces = {str(number): MockWorkspace(str(number), setup(key)) for number, key in enumerate(keys, 1)}
    with served(mock_app(workspaces)) as url:
        context = found.new_context(**options)
        context.set_default_timeout(15_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        try:
            shown = Inspected(context.new_page(), url, workspaces["1"])
            with shown.client:
                yield shown
        finally:
            context.close()
