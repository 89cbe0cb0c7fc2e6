"""Which names in a text have a page, and where: every form of output takes its links from here. Pure.

A clause, an option and an interpretation (`a=b`) are known by their form. Faults, scenarios and ambiguities may have
names that are ordinary words, so that they count only after the word for what they are: `under normal`, `--fault x`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tracksync.model.page_addresses import Subject

# The address of the page about a thing of this kind with this name; empty where there is none.
PageOf = Callable[[Subject, str], str]

_NAME: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_NAMED: Final = re.compile(
    r"(?P<clause>(?<![\w/-])(?:TS|TC)-[A-Z0-9]+(?:-[A-Z0-9]+)*\b)"
    r"|(?P<option>(?<![\w-])--[a-z]+(?:-[a-z]+)*\b)"
    rf"|(?P<interpretation>(?<![\w-]){_NAME}={_NAME}\b)"
    r"|(?P<word>\b(?:under|scenarios?|faults?|[Aa]mbiguit(?:y|ies))\b)"
)
_AFTER_WORD: Final = re.compile(rf":?\s+(?P<names>{_NAME}(?:(?:,|,? and)\s+{_NAME})*)")
_WORDS: Final = {
    "under": Subject.SCENARIO,
    "scenario": Subject.SCENARIO,
    "scenarios": Subject.SCENARIO,
    "--scenario": Subject.SCENARIO,
    "--exclude": Subject.SCENARIO,
    "fault": Subject.FAULT,
    "faults": Subject.FAULT,
    "--fault": Subject.FAULT,
    "ambiguity": Subject.AMBIGUITY,
    "ambiguities": Subject.AMBIGUITY,
}


@dataclass(frozen=True, slots=True)
class LinkedName:
    """A name from `start` to `end` of a text, and the address of its page."""

    start: int
    end: int
    name: str
    address: str


def no_page(kind: Subject, name: str) -> str:
    """What a run knows of pages that are published nowhere."""
    return ""


def names_in(text: str, page: PageOf) -> Iterator[LinkedName]:
    """The names in `text` that have a page, in order."""
    at = 0
    while page is not no_page and (match := _NAMED.search(text, at)):
        at = match.end()
        form = str(match.lastgroup)
        if form != "word":
            of = Subject.AMBIGUITY if form == "interpretation" else Subject(form)
            yield from _name(of, match[0], match.start(), page)
        after = _AFTER_WORD.match(text, at)
        kind = _WORDS.get(match[0].lower())
        if kind is None or after is None:
            continue
        for one in re.finditer(rf"\b(?!and\b){_NAME}", after["names"]):
            found = list(_name(kind, one[0], after.start("names") + one.start(), page))
            if not found:
                break
            at = found[0].end
            yield found[0]


def _name(kind: Subject, name: str, start: int, page: PageOf) -> Iterator[LinkedName]:
    if address := page(kind, name):
        yield LinkedName(start, start + len(name), name, address)


def linked(text: str, page: PageOf, link: Callable[[str, str], str], plain: Callable[[str], str] = str) -> str:
    """`text` with `link(name, address)` in place of each name that has a page, and `plain` of what is between."""
    parts, at = [], 0
    for one in names_in(text, page):
        parts += [plain(text[at : one.start]), link(one.name, one.address)]
        at = one.end
    return "".join([*parts, plain(text[at:])])


def cell_linked(
    column: str, text: str, page: PageOf, link: Callable[[str, str], str], plain: Callable[[str], str] = str
) -> str:
    """A cell of a table, as `linked`; under a heading that is the word for a kind of thing it is the name of one."""
    address = address_under(column, text, page)
    return link(text, address) if address else linked(text, page, link, plain)


def address_under(column: str, text: str, page: PageOf) -> str:
    """The page of what a cell names whose heading is the word for a kind of thing; otherwise empty."""
    kind = next((one for one in Subject if one == column.lower()), None)
    return page(kind, text) if kind else ""


def in_terminal(text: str, page: PageOf) -> str:
    """`text`, which may have colours, with each name as a link of the terminal (OSC 8)."""
    return "".join(
        part if part.startswith("\x1b") else linked(part, page, terminal_link) for part in _STYLES.split(text)
    )


def terminal_link(name: str, address: str) -> str:
    """A name as a link of the terminal."""
    return f"\x1b]8;;{address}\x1b\\{name}\x1b]8;;\x1b\\"


# Colours, and links that are there already.
_STYLES: Final = re.compile(r"(\x1b\[[0-9;]*m|\x1b]8;;[^\x1b]+\x1b\\[^\x1b]*\x1b]8;;\x1b\\)")
