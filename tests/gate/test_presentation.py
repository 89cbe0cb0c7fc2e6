"""What a client team looks at: the page of a gate as wide as a telephone and as a desktop, and the terminal."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gate_runs import EXCHANGE, Did, result_of_gate

from tracksync.gate.scenarios import groups
from tracksync.model.exchange import Exchange, Response
from tracksync.model.finding import Finding
from tracksync.report import html, terminal

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Each frame is as wide as a window, so that one browser shows the page at every width.
FRAMES = """<!DOCTYPE html><body><script>
const shown = [];
for (const width of [390, 768, 1280]) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { width, height: 900, src: "result.html" });
  frame.onload = () => {
    const page = frame.contentDocument, root = page.documentElement;
    const cut = [];
    for (const element of page.body.querySelectorAll("*")) {
      let box = element.parentElement;
      while (box && !/auto|scroll/.test(frame.contentWindow.getComputedStyle(box).overflowX)) box = box.parentElement;
      const place = element.getBoundingClientRect();
      const out = place.right > width || place.left < 0;
      if (!box && place.width && out && !element.matches(".skip")) cut.push(element.outerHTML.slice(0, 80));
    }
    const sizes = [...page.querySelectorAll("p, td, h1")].map((one) => parseFloat(getComputedStyle(one).fontSize));
    shown.push({ width, scrolls: root.scrollWidth > root.clientWidth, cut, smallest: Math.min(...sizes),
      headline: page.querySelector("h1").getBoundingClientRect().top, text: page.body.innerText });
    if (shown.length === 3) document.body.textContent = "SHOWN" + JSON.stringify(shown) + "END";
  };
  document.body.append(frame);
}
</script>"""


def seen(status: int, at: float) -> Exchange:
    return replace(EXCHANGE, sent=at, received=at + 0.02, response=Response(status, (), b'{"message":"..."}'))


def sample() -> dict[str, Any]:
    """A gate under all scenarios: a finding with a timeline, one of a long text, a command that failed."""
    did: dict[str, Did] = dict.fromkeys(groups()["all"], Did())
    tries = tuple(seen(503 if n < 3 else 201, 1_700_000_001 + 0.3 * n) for n in range(4))
    backoff = Finding("TC-RETRY-BACKOFF", "the pauses do not grow", "/request", "pauses that grow", [0.3, 0.3, 0.3])
    long = Finding("TC-STRING-LIMIT", "x" * 300, "/request/body/attributes/0/" + "y" * 120, 255, 300)
    did |= {
        "error-503": Did(finding=backoff, exchanges=tries),
        "normal": Did(status=1, finding=long),
        "slow-30s": Did(timed_out=True),
    }
    return result_of_gate(did)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: chromium)")
def test_the_page_fits_a_telephone_and_a_desktop_and_hides_nothing(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    (tmp_path / "result.html").write_text(html.render(sample()), encoding="utf-8")
    (tmp_path / "frames.html").write_text(FRAMES, encoding="utf-8")
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000", "--dump-dom"),
            (tmp_path / "frames.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    measured = re.search(r"SHOWN(.*)END", done.stdout, re.DOTALL)
    assert measured, done.stdout[-2000:] + done.stderr[-2000:]
    for page in json.loads(measured[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")):
        assert not page["scrolls"], page["width"]
        assert page["cut"] == [], page["width"]
        assert page["smallest"] >= 12, page["width"]
        assert page["headline"] < 200, page["width"]
        for part in ("FAILED", "TC-RETRY-BACKOFF", "slow-30s", "did not end within 1 s", "The tries of this request"):
            assert part in page["text"], page["width"]


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_every_scenario_within_its_width(width: int) -> None:
    text = terminal.render(sample(), width=width)
    long = [line for line in text.splitlines() if len(line) > width]
    # What can be copied stays on its line, and a word that is longer than the line.
    assert all(re.search("--data-raw|reproduce:|-> |x{80}|y{80}", line) for line in long), long
    for name in groups()["all"]:
        assert re.search(rf"^  (scenario: )?{name}( |$)", text, re.MULTILINE), name
    for part in ("TC-RETRY-BACKOFF", "What to do:", "The tries of this request", "reproduce: tracksync gate"):
        assert part in text
    words = set(text.split())
    assert words.isdisjoint({"pas", "sed", "happen", "ed", "succ", "eeds"})
    assert ("  scenario: normal\n    the server:" in text) is (width == 80)
