"""The inspector as a person sees it, in a browser that runs it: live, by keyboard, on a phone, in the dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources

import pytest
from admin_harness import KEY, OTHER_KEY
from required_programs import program

if program("chromium", "chromium-browser") is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api")

from inspector_pages import Inspected, browser, inspected  # noqa: E402

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202e"
PURCHASE = {"external_id": "ada", "product_id": "book", "currency": "EUR", "price": "1", "time": "2025-01-01T00:00:00Z"}
PAGE = resources.files("tracksync.admin") / "page"


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    with browser() as found:
        yield found


@pytest.fixture
def shown(chromium: playwright.Browser) -> Iterator[Inspected]:
    with inspected(chromium) as session:
        yield session.open()
        assert session.problems == []
        assert all(url.startswith(session.url) for url in session.requested), "nothing is fetched from outside"


def test_exchanges_appear_as_they_come_and_open_with_clause_and_both_sides(shown: Inspected) -> None:
    page = shown.page
    assert page.locator("#empty").is_visible()
    shown.track({"attributes": [{"external_id": "ada", "colour": "red"}]})
    page.wait_for_selector("#list button >> text=passed")
    shown.track({"purchases": [PURCHASE]})
    page.click("#list button:has-text('error')")
    page.wait_for_selector("#detail-body article")
    text = page.inner_text("#detail")
    for part in (
        "TC-PURCHASE-PRICE",
        "A purchase has a price",
        "What to do",
        '"price": "1"',
        "400",
        "'price' is not valid",
    ):
        assert part in text
    boxes = [box for side in page.locator(".sides > div").all() if (box := side.bounding_box())]
    assert boxes[0]["y"] == boxes[1]["y"], "side by side"
    page.click("#copy")
    page.wait_for_selector("text=copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -sS")
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "tracksync-2.yaml"
    shown.track({"attributes": [{"external_id": "ada", "colour": "blue"}]})
    page.wait_for_selector("#window-text >> text=/^[123] of 500/")  # not 3 alone: a new window may have begun


def test_users_show_what_the_last_request_changed(shown: Inspected) -> None:
    page = shown.page
    shown.track({"attributes": [{"external_id": "ada", "colour": "red", "plan": "free"}]})
    page.wait_for_selector("#user >> text=colour")
    shown.track({"attributes": [{"external_id": "ada", "plan": "paid"}]})
    page.wait_for_selector("#user tr.changed")
    assert page.inner_text("#user tr.changed th") == "plan (changed)"
    shown.track({"events": [{"external_id": "ada", "name": "seen", "time": "2025-01-01T00:00:00Z"}]})
    page.wait_for_selector("#user tr.changed:has-text('seen')")
    assert page.locator("#user tr.changed").count() == 1


def test_the_switches_steer_the_mock(shown: Inspected) -> None:
    page = shown.page
    page.select_option("#scenario", "error-503")
    page.wait_for_selector("#result:has-text('scenario is played')")
    assert shown.track({"attributes": [{"external_id": "ada", "n": 1}]}).status_code == 503
    page.select_option("#scenario", "normal")
    page.fill("#fault", "message-ok")
    page.click("#add-fault")
    page.wait_for_selector("#faults >> text=message-ok")
    assert shown.track({"attributes": [{"external_id": "ada", "n": 1}]}).json()["message"] == "ok"
    page.wait_for_selector("#list button:has-text('TS-OK-MESSAGE')")
    page.fill("#fault", "mesage-ok")
    page.click("#add-fault")
    page.wait_for_selector("#result.error:has-text('did you mean message-ok')")
    page.click("text=Remove message-ok")
    page.select_option("#ambiguity", "no-user")
    page.select_option("#interpretation", "omitted")
    page.wait_for_selector("#result:has-text('interpretation is followed')")
    page.fill("#rate-limit", "7")
    page.press("#rate-limit", "Tab")
    page.wait_for_selector("#window-text:has-text('of 7')")
    settings = shown.workspace.setup.as_json()
    assert (settings["faults"], settings["interpretations"], settings["rate_limit"]) == ([], {"no-user": "omitted"}, 7)
    page.click("#advance")
    page.wait_for_selector("#clock:has-text('+60')")
    page.click("#reset")
    page.wait_for_selector("#empty", state="visible")
    assert shown.workspace.users() == (0, [])


def test_a_snapshot_is_saved_and_restored(shown: Inspected) -> None:
    page = shown.page
    shown.track({"attributes": [{"external_id": "ada", "n": 1}]})
    with page.expect_download() as download:
        page.click("#snapshot")
    shown.workspace.reset()
    page.set_input_files("#restore", download.value.path())
    page.wait_for_selector("#result:has-text('restored')")
    assert [user["external_id"] for user in shown.workspace.users()[1]] == ["ada"]


def test_markup_in_anything_that_came_is_shown_as_text(shown: Inspected) -> None:
    page = shown.page
    shown.track({"attributes": [{"external_id": MARKUP, MARKUP: MARKUP}]}, f"/users/track/sync?{MARKUP}")
    shown.track({"attributes": [{"external_id": MARKUP, "price": MARKUP, "n": [MARKUP]}]})
    shown.track({"purchases": [PURCHASE | {"external_id": MARKUP, "product_id": MARKUP}]})
    page.wait_for_selector("#user >> text=<img src=x")
    page.click("#list button:has-text('TC-PURCHASE-PRICE')")
    page.wait_for_selector("#detail-body article")
    page.click("#list button >> nth=2")
    page.wait_for_selector("#detail-body >> text=<img src=x")
    assert page.locator("img, #list script, #detail script, #users script").count() == 0
    assert "\u202e" not in page.inner_text("body")


def test_everything_is_reached_by_keyboard(shown: Inspected) -> None:
    page = shown.page
    for number in range(3):
        shown.track({"attributes": [{"external_id": "ada", "n": number}]})
    page.wait_for_selector("#list li:nth-child(3)")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the exchanges"
    page.focus("#list button >> nth=0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#detail-head:has-text('Exchange 2')")
    shown.track({"attributes": [{"external_id": "ada", "n": 9}]})
    page.wait_for_selector("#list li:nth-child(4)")
    assert page.evaluate("document.activeElement.dataset.number") == "2", "the focus stays where it was"
    nameless = page.evaluate(
        """[...document.querySelectorAll('input, select, button, meter')]
            .filter((one) => !(one.labels?.length || one.textContent.trim())).map((one) => one.id)"""
    )
    assert nameless == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_light_and_dark(chromium: playwright.Browser, scheme: str) -> None:
    with inspected(chromium, viewport={"width": 360, "height": 740}, color_scheme=scheme) as session:
        page = session.open().page
        session.track({"attributes": [{"external_id": "x" * 120, "long": "y" * 200}]})
        session.track({"purchases": [PURCHASE]})
        page.click("#list button:has-text('error')")
        page.wait_for_selector("#detail-body article")
        wide = (
            "[...document.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > 361).map((e) => e.id)"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.evaluate(wide)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 24, 29)")
        assert session.problems == []


def test_each_workspace_is_shown_by_itself(chromium: playwright.Browser) -> None:
    with inspected(chromium, keys=(KEY, OTHER_KEY)) as session:
        page = session.open().page
        session.client.headers["Authorization"] = f"Bearer {OTHER_KEY}"
        session.track({"attributes": [{"external_id": "bob", "n": 1}]})
        page.select_option("#workspace", "2")
        page.wait_for_selector("#list button:has-text('bob')")
        page.select_option("#workspace", "1")
        page.wait_for_selector("#empty", state="visible")


def test_a_page_of_another_origin_can_do_nothing(chromium: playwright.Browser) -> None:
    with inspected(chromium) as session, inspected(chromium) as other:
        session.track({"attributes": [{"external_id": "ada", "n": 1}]})
        other.page.goto(f"{other.url}/__tracksync/health")
        attack = """async (url) => {
            const tries = [() => fetch(url + "reset", {method: "POST", mode: "no-cors"}),
                () => fetch(url + "reset", {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"}),
                () => fetch(url + "snapshot").then((response) => response.text())];
            return Promise.all(tries.map((one) => one().then((found) => String(found.type ?? found), () => "refused")));
        }"""
        # The page's own policy forbids it as well: the mock has to refuse it without that help.
        other.page.goto("about:blank")
        assert other.page.evaluate(attack, f"{session.url}/__tracksync/")[1:] == ["refused", "refused"]
        assert session.workspace.users()[0] == 1


def test_the_scripts_make_no_markup_and_the_page_names_no_other_place() -> None:
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", text), file.name
        assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", text), file.name
        assert len(text.splitlines()) < 400
    page = (PAGE / "inspector.html").read_text(encoding="utf-8")
    assert not re.search(r"\son\w+=|style=|<style|javascript:", page)
