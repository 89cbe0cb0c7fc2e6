"""The HTML page: complete, accessible, without scripts, and safe with any text of a server."""

from __future__ import annotations

import re

from html_page import Page
from report_samples import DOCUMENTED, exchange, finding, result_of, run

from tracksync.contract.clauses import catalogue
from tracksync.report import compare, html

HOSTILE = "</script><img src=x onerror=alert(1)>|`*[a](http://evil.example)\x1b[31m\u202e\x00"


def test_the_page_has_verdict_findings_clauses_interpretations_and_timeline() -> None:
    page = Page(
        html.render(result_of(run(finding(expected="success", actual="fine"), interpretations={"no-user": "omitted"})))
    )
    for part in ("FAILED", DOCUMENTED, '"success"', "omitted", "users is left out", "2023-11-14 22:13", "2 of 500"):
        assert part in page.text
    assert all(id_ in page.text for id_ in catalogue())


def test_the_page_is_self_contained_and_runs_no_script() -> None:
    page = Page(html.render(result_of(run(finding()))))
    names = {name for name, _ in page.tags}
    assert names.isdisjoint({"script", "img", "link", "iframe", "object"})
    for _, attributes in page.tags:
        assert not (attributes.get("href") or "#").lstrip("#").startswith(("http", "/", "java"))
        assert not any(name.startswith("on") or name == "src" for name in attributes)


def test_the_page_is_accessible() -> None:
    page = Page(html.render(result_of(run(finding(), interpretations={"no-user": "omitted"}))))
    names = [name for name, _ in page.tags]
    attributes = dict(page.tags)
    assert attributes["html"]["lang"] == "en"
    assert names.count("h1") == 1
    assert {"main", "header", "nav", "title"} <= set(names)
    assert names.count("caption") == names.count("table") == 3
    assert all("scope" in attrs for name, attrs in page.tags if name == "th")
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        for name in ("href", "aria-labelledby"):
            if name in attrs:
                assert (attrs[name] or "").lstrip("#") in ids


def test_hostile_texts_stay_text_in_the_page() -> None:
    found = finding(message=HOSTILE, expected=HOSTILE, actual=HOSTILE, pointer=HOSTILE)
    result = result_of(run(found, shown=exchange(HOSTILE.encode()), target=HOSTILE, why_not={"TS-RATE-429": HOSTILE}))
    result["interpretations"] = {HOSTILE: HOSTILE}
    source = html.render(result, compare.compare(result, result))
    page = Page(source)
    assert {name for name, _ in page.tags}.isdisjoint({"script", "img"})
    assert "\x1b" not in source
    assert "\x00" not in source


def test_light_and_dark_have_readable_contrast() -> None:
    source = html.render(result_of(run()))
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block)) for block in re.findall(r":root \{([^}]*)\}", source)
    )
    for colours in (light, dark):
        for name in ("text", "muted", "passed", "failed", "incomplete", "link"):
            for background in ("background", "soft"):
                assert contrast(colours[name], colours[background]) >= 4.5, (name, background)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    values = sorted(luminance(one) for one in (one, other))
    return (values[1] + 0.05) / (values[0] + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
