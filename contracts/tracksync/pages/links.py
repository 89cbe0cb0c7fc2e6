"""Checks the links of a site: each has to lead to one of its pages, and to a place in it that exists."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class _Found(HTMLParser):
    """The addresses and the anchors of one page."""

    addresses: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.addresses.append(value)
            elif name == "id" and value:
                self.anchors.append(value)


def broken_links(site: Mapping[str, str | bytes]) -> Iterator[str]:
    """`PAGE: ADDRESS` for every link that leads nowhere, and `PAGE: two places …` for an id that is used twice.

    Addresses outside the site are not visited.
    """
    pages = {path: _read(text) for path, text in site.items() if isinstance(text, str) and path.endswith(".html")}
    for path, found in pages.items():
        for anchor in {one for one in found.anchors if found.anchors.count(one) > 1}:
            yield f"{path}: two places called {anchor}"
        for address in found.addresses:
            if "://" in address or address.startswith("mailto:"):
                continue
            file, _, anchor = address.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
            if target not in site or (anchor and anchor not in pages[target].anchors):
                yield f"{path}: {address}"


def _read(text: str) -> _Found:
    found = _Found()
    found.feed(text)
    return found
