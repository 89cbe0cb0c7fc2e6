"""The pages in a browser, at the width of a phone and of a desktop: axe finds nothing, and nothing is cut off."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import npm_packages
import pytest
from required_programs import program

from tracksync.cli import root
from tracksync.pages.reference import commands_of
from tracksync.pages.site import site, write

CHROMIUM = program("chromium", "chromium-browser", "google-chrome")
PACKAGES = Path(__file__).resolve().parents[1] / "clients" / "accessibility"
WIDTHS = (360, 1280)
# One page of each kind, and those with the widest content.
PAGES = (
    *(
        "index.html",
        "documents.html",
        "openapi.html",
        "search.html",
        "clauses/index.html",
        "clauses/TS-OK-MESSAGE.html",
    ),
    *("clauses/TC-RETRY-BACKOFF.html", "ambiguities/array-overflow.html", "faults/message-ok.html"),
    *("scenarios/mixed-faults.html", "commands/fuzz.html", "options/scenario.html", "settings/workspace.prefix.html"),
    *("guides/how-it-works.html", "guides/gate.html", "guides/editors.html", "tutorials/client.html"),
)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
HARNESS = """<!doctype html><title>harness</title><script>
async function look(page, width) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width: ${width}px; height: 900px; border: 0`;
  frame.src = page;
  document.body.append(frame);
  await new Promise((done) => { frame.onload = done; });
  const inside = frame.contentDocument;
  const script = inside.createElement("script");
  script.src = "/axe.min.js";
  inside.head.append(script);
  await new Promise((done) => { script.onload = done; });
  const found = await frame.contentWindow.axe.run(inside, { resultTypes: ["violations"] });
  const violations = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).slice(0, 3)}`);
  const result = { page, width, violations, needed: inside.documentElement.scrollWidth };
  frame.remove();
  return result;
}
addEventListener("load", async () => {
  const results = [];
  try {
    for (const [page, width] of WANTED) results.push(await look(page, width));
  } catch (error) { results.push({ page: String(error), width: 0, violations: ["the harness failed"], needed: 0 }); }
  fetch("/results", { method: "POST", body: JSON.stringify(results) });
});
</script><body></body>"""


@pytest.mark.node
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_pages_are_accessible_and_fit_a_phone(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    pages = tmp_path / "site"
    write(site(commands_of(root)), pages)
    (pages / "axe.min.js").write_bytes((npm_packages.installed(PACKAGES) / "axe-core" / "axe.min.js").read_bytes())
    wanted = [[page, width] for page in PAGES for width in WIDTHS]
    (pages / "harness.html").write_text(HARNESS.replace("WANTED", json.dumps(wanted)))
    answered: queue.Queue[list[dict[str, Any]]] = queue.Queue()

    class Handler(SimpleHTTPRequestHandler):
        def do_POST(self) -> None:
            answered.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(pages)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/harness.html"
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--remote-debugging-port=0", address]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        results = answered.get(timeout=120)
    finally:
        browser.terminate()
        browser.wait()
        server.shutdown()
        server.server_close()
        thread.join()
    assert {(one["page"], one["width"]) for one in results} == {(page, width) for page, width in wanted}, results
    wrong = [one for one in results if one["violations"] or one["needed"] > one["width"]]
    assert not wrong, json.dumps(wrong, indent=1)
