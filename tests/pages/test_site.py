"""The documentation as pages: everything has one, every link leads somewhere, and what is shown is the data."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tracksync.cli import COMMANDS, root
from tracksync.cli.docs import pages_for_terminal, pages_of
from tracksync.cli.names import interpretation_names
from tracksync.config import SETTINGS
from tracksync.contract import spec
from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.clauses import catalogue
from tracksync.errors import UsageError
from tracksync.faults.catalogue import catalogue as faults
from tracksync.mock.scenarios import catalogue as scenarios
from tracksync.model.page_addresses import Subject
from tracksync.pages.links import broken_links
from tracksync.pages.names import linked
from tracksync.pages.reference import commands_of
from tracksync.pages.site import page_of, site, write

ROOT = Path(__file__).resolve().parents[2]


@cache
def whole() -> dict[str, str | bytes]:
    return site(commands_of(root))


@cache
def pages() -> dict[str, str]:
    return {path: text for path, text in whole().items() if isinstance(text, str)}


def text_of(page: str) -> str:
    """What a reader sees of a page, in one line."""
    found: list[str] = []

    class Text(HTMLParser):
        def handle_data(self, data: str) -> None:
            found.append(data)

    Text().feed(pages()[page])
    return " ".join("".join(found).split())


def test_no_link_of_the_site_is_broken() -> None:
    assert list(broken_links(whole())) == []


def test_a_broken_link_a_missing_place_and_a_place_twice_are_found() -> None:
    a = '<a href="b.html">b</a><a href="c.html">c</a><a href="b.html#y">y</a><a href="#x">x</a><img src="p.svg">'
    broken = list(broken_links({"a.html": a, "b.html": '<p id="x"></p><p id="x"></p>'}))
    assert broken == [
        "a.html: c.html",
        "a.html: b.html#y",
        "a.html: #x",
        "a.html: p.svg",
        "b.html: two places called x",
    ]


def test_everything_that_has_a_name_has_a_page() -> None:
    options = {
        max(option.opts, key=len)[2:]
        for command in commands_of(root).values()
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    }
    settings = {f"{table}.{name}".lstrip(".") for table, form in SETTINGS.items() for name in form.__struct_fields__}
    for folder, names in {
        "clauses": catalogue(None),
        "ambiguities": ambiguity_catalogue(),
        "faults": faults(),
        "scenarios": scenarios(),
        "commands": COMMANDS,
        "options": options,
        "settings": settings - SETTINGS.keys(),
    }.items():
        made = {path.removeprefix(f"{folder}/") for path in pages() if path.startswith(f"{folder}/")}
        missing = {f"{name}.html" for name in names} - made
        assert not missing, missing
        index = pages()[f"{folder}/index.html"]
        assert all(f'{folder}/{name}.html"' in index for name in names)


def test_the_page_of_a_clause_says_what_the_catalogue_says() -> None:
    for clause in catalogue(None).values():
        text = text_of(f"clauses/{clause.id}.html")
        for expected in (clause.sentence, clause.source, clause.evidence.value):
            assert " ".join(expected.replace("`", "").split()) in text, clause.id
        for ambiguity in clause.ambiguities:
            assert f"ambiguities/{ambiguity}.html" in pages()[f"clauses/{clause.id}.html"]


def test_every_setting_and_every_option_is_explained() -> None:
    for path in pages():
        if path.startswith(("settings/", "options/")) and not path.endswith("index.html"):
            lead = re.search(r'<p class="lead">(.*?)</p>', pages()[path])
            assert lead is not None, path
            assert lead[1], path


def test_the_openapi_document_is_shown_whole() -> None:
    page = pages()["openapi.html"]
    for name, schema in spec.document()["components"]["schemas"].items():
        assert f'<h3 id="{name}">' in page
        for member in schema.get("properties", {}):
            assert f"<code>{member}</code>" in page
    for path in spec.document()["paths"]:
        assert f"POST {path}<" in page


def test_a_text_of_the_data_cannot_open_markup() -> None:
    shown = str(linked("`<b>` <script> & TS-OK-MESSAGE", {"TS-OK-MESSAGE": "clauses/x.html"}, "../"))
    assert shown == ('<code>&lt;b&gt;</code> &lt;script&gt; &amp; <a href="../clauses/x.html">TS-OK-MESSAGE</a>')


def test_a_name_in_a_document_leads_to_its_page() -> None:
    page = pages()["tutorials/client.html"]
    assert '<a href="../clauses/TC-PURCHASE-PRICE.html">TC-PURCHASE-PRICE</a>' in page
    assert '<a href="../guides/gate.html">' in page
    assert '<a href="../options/install.html">--install</a>' in pages()["project/changelog.html"]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("TS-OK-MESSAGE", "clauses/TS-OK-MESSAGE.html"),
        ("array-overflow=newest", "ambiguities/array-overflow.html#newest"),
        ("message-ok", "faults/message-ok.html"),
        ("error-503", "scenarios/error-503.html"),
        ("--seed", "options/seed.html"),
        ("fuzz", "commands/fuzz.html"),
        ("spec diff", "commands/spec-diff.html"),
        ("workspace.prefix", "settings/workspace.prefix.html"),
    ],
)
def test_a_name_leads_to_its_page(name: str, page: str) -> None:
    assert page_of(name, commands_of(root)) == page


def test_an_unknown_name_is_refused_with_a_similar_one() -> None:
    with pytest.raises(UsageError, match="no page is about 'TS-OK-MESAGE'; did you mean TS-OK-MESSAGE"):
        page_of("TS-OK-MESAGE", commands_of(root))


def test_the_command_writes_the_pages_and_prints_the_address(tmp_path: Path) -> None:
    done = CliRunner().invoke(root, ["docs", "array-overflow=newest", "--directory", str(tmp_path), "--no-browser"])
    assert done.exit_code == 0, done.output
    assert done.output.strip() == f"{(tmp_path / 'ambiguities' / 'array-overflow.html').as_uri()}#newest"
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == set(whole())


def test_a_clause_has_an_address_for_the_terminal_once_the_pages_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert pages_for_terminal("")(Subject.CLAUSE, "TS-OK-MESSAGE") == ""
    assert CliRunner().invoke(root, ["docs", "--no-browser"]).exit_code == 0
    assert pages_for_terminal("")(Subject.CLAUSE, "TS-OK-MESSAGE").startswith(tmp_path.as_uri())
    assert pages_for_terminal("")(Subject.CLAUSE, "TS-UNKNOWN") == ""


def test_every_address_in_an_output_is_a_page_and_a_place_of_the_site() -> None:
    page = pages_of("https://docs.example.com")
    options = {max(one.opts, key=len) for command in commands_of(root).values() for one in command.params}
    names = {
        Subject.CLAUSE: catalogue(None),
        Subject.AMBIGUITY: [*ambiguity_catalogue(), *interpretation_names()],
        Subject.FAULT: faults(),
        Subject.SCENARIO: scenarios(),
        Subject.OPTION: [one for one in options if one.startswith("--")],
    }
    found = {page(kind, name) for kind, known in names.items() for name in known}
    links = "".join(f'<a href="{one.removeprefix("https://docs.example.com/")}">x</a>' for one in found)
    assert list(broken_links({**whole(), "links.html": links})) == []
    assert len(found) > 1000


def test_a_folder_that_cannot_be_written_is_an_error_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write to"):
        write({"a.html": ""}, tmp_path / "file")


def test_no_page_needs_the_network() -> None:
    for path, text in pages().items():
        loaded = re.findall(r'<(?:link|script|img)[^>]*?(?:href|src)="([^"]+)"', text)
        assert not [address for address in loaded if "://" in address], path
