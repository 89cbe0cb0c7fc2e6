"""The documents of the project as pages: Markdown to HTML, with links between them and to what they name.

The documents are written for the repository, so their links are paths of the repository. A link to a file that has no
page, such as a test, becomes plain text.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

import tracksync
from tracksync.pages.names import Names, link, linked

_PACKAGE: Final = Path(tracksync.__file__).resolve().parent
# The wheel carries the documents inside the package; in a checkout (and an editable install) they stand at its top.
_PLACES: Final = (_PACKAGE / "documents", _PACKAGE.parent.parent)
_SECTIONS: Final = (  # heading of the list, files of the repository, folder of the pages
    ("Tutorials", "docs/tutorials/*.md", "tutorials"),
    ("Guides", "docs/*.md", "guides"),
    ("The project", "[A-Z]*.md", "project"),
    ("The project", "spec/README.md", "project"),
)
HOME: Final = "README.md"


@dataclass(frozen=True, slots=True)
class Article:
    """A document: `source` is its file in the repository, `path` that of its page; `text` is Markdown."""

    source: str
    path: str
    section: str
    title: str
    text: str


def articles() -> list[Article]:
    """Every document of this installation, in the order of the site."""
    top = next(place for place in _PLACES if (place / "docs").is_dir())
    found = []
    for section, pattern, folder in _SECTIONS:
        for file in sorted(top.glob(pattern)):
            text = file.read_text(encoding="utf-8")
            source = file.relative_to(top).as_posix()
            name = "specification" if source == "spec/README.md" else file.stem.lower()
            path = "index.html" if source == HOME else f"{folder}/{name}.html"
            found.append(Article(source, path, section, _title(text), text))
    return found


def images() -> dict[str, bytes]:
    """The pictures of the documents by their path in the site."""
    top = next(place for place in _PLACES if (place / "docs").is_dir())
    return {f"guides/{file.name}": file.read_bytes() for file in sorted((top / "docs").glob("*.[ps][nv]g"))}


def _title(text: str) -> str:
    heading = re.search(r"^# (.+)$", text, re.MULTILINE)
    return heading[1].replace("`", "") if heading else "tracksync"


def html(article: Article, paths: Mapping[str, str], names: Names, top: str) -> Markup:
    """The body of the page. `paths`: page by file of the repository. `top` leads to the top of the site."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(article.text)
    _name_headings(tokens)
    for inline in (token for token in tokens if token.type == "inline"):
        inline.children = list(_with_links(inline.children or [], article, paths, names, top))
    text = parser.renderer.render(tokens, parser.options, {})
    numbers = itertools.count(1)
    region = '<div class="wide" role="region" aria-label="Table {}" tabindex="0"><table>'
    text = re.sub(r"<table>", lambda _: region.format(next(numbers)), text)
    text = text.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')
    return Markup(text)  # noqa: S704 - the documents are ours, and the parser escapes what is not Markdown


def _name_headings(tokens: Sequence[Token]) -> None:
    """Give each heading the id that GitHub gives it, so that links with `#` lead to it."""
    seen: dict[str, int] = {}
    for opening, inline in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            words = "".join(one.content for one in inline.children or [])
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            seen[slug] = seen.get(slug, -1) + 1
            opening.attrSet("id", f"{slug}-{seen[slug]}" if seen[slug] else slug)


def _with_links(
    tokens: Sequence[Token], article: Article, paths: Mapping[str, str], names: Names, top: str
) -> Iterator[Token]:
    """The parts of a line, with links of the site for those of the repository, and on names."""
    inside = 0  # links that are open
    dropped = False
    for token in tokens:
        if token.type == "link_open":
            address = _address(str(token.attrGet("href")), article, paths, top)
            dropped = address is None
            inside += 1
            if address is None:
                continue
            token.attrSet("href", address)
        elif token.type == "link_close":
            inside -= 1
            if dropped:
                continue
        elif token.type == "code_inline" and not inside and token.content in names:
            markup = link(token.content, names[token.content], top)
            token = _html(Markup("<code>{}</code>").format(markup))
        elif token.type == "text" and not inside:
            token = _html(linked(token.content, names, top))
        yield token


def _html(markup: Markup) -> Token:
    return Token("html_inline", "", 0, content=str(markup))


def _address(href: str, article: Article, paths: Mapping[str, str], top: str) -> str | None:
    """Where a link of a document leads in the site; None where the site has no such page."""
    if "://" in href or href.startswith(("#", "mailto:")):
        return href
    file, sign, anchor = href.partition("#")
    source = posixpath.normpath(posixpath.join(posixpath.dirname(article.source), file))
    page = paths.get(source) or paths.get(f"{source}/README.md")
    return None if page is None else f"{top}{page}{sign}{anchor}"


def plain(text: str) -> Markup:
    """`text` of the OpenAPI document, which is Markdown, as HTML."""
    return Markup(MarkdownIt("commonmark").enable("table").render(text)) if text else escape("")  # noqa: S704
