"""Which page a name in a text leads to: clauses, options, interpretations, scenarios and the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from markupsafe import Markup, escape

from tracksync.model.page_addresses import Subject
from tracksync.pages.entry import Entry, Named

# In running text only what cannot be an ordinary word: the id of a clause, and an option.
_PLAIN: Final = re.compile(r"`[^`]+`|\b(?:TS|TC)-[A-Z0-9]+(?:-[A-Z0-9]+)*\b|(?<![\w-])--[a-z][a-z-]+\b")
# A name that several kinds of things have belongs to the first of these.
_RANK: Final = (Subject.CLAUSE, Subject.OPTION, Subject.AMBIGUITY, Subject.SCENARIO, Subject.FAULT, Subject.SETTING)

Names = Mapping[str, str]


def names(entries: Iterable[Entry]) -> dict[str, str]:
    """Each name that has a page or a place in one, with its address from the top of the site.

    Commands have none here: `fuzz` is a word too, and the name of a table of settings.
    """
    found: dict[str, str] = {}
    entries = list(entries)
    commands = {one.name for one in entries if one.kind is Subject.COMMAND}
    ranked = (one for one in entries if one.kind in _RANK and one.name not in commands)
    by_rank = sorted(ranked, key=lambda one: _RANK.index(one.kind))
    for entry in by_rank:
        found.setdefault(entry.name, entry.path)
        for item in (item for fact in entry.facts for item in fact.items):
            if isinstance(item, Named) and item.anchor:
                found.setdefault(f"{entry.name}={item.name}", f"{entry.path}#{item.name}")
    return found


def linked(text: str, known: Names, top: str) -> Markup:
    """`text`, escaped, with a link on each clause and option in it. `top` leads to the top of the site.

    What stands in backquotes is code, and a link if it is any name that has a page.
    """
    parts, at = [], 0
    for match in _PLAIN.finditer(text):
        name = match[0].strip("`")
        shown = link(name, known[name], top) if name in known else escape(name)
        if name != match[0]:
            shown = Markup("<code>{}</code>").format(shown)
        parts += [escape(text[at : match.start()]), shown]
        at = match.end()
    return Markup("").join([*parts, escape(text[at:])])


def link(text: str, address: str, top: str) -> Markup:
    """A link with `text`, which is escaped."""
    return Markup('<a href="{}{}">{}</a>').format(top, address, text)
