"""Where the page of a named thing is: the pages and every report take the address from here."""

from __future__ import annotations

import enum


class Subject(enum.StrEnum):
    """The kinds of things that have a page. The value is the word for one of them."""

    CLAUSE = "clause"
    AMBIGUITY = "ambiguity"
    FAULT = "fault"
    SCENARIO = "scenario"
    COMMAND = "command"
    OPTION = "option"
    SETTING = "setting"

    @property
    def plural(self) -> str:
        """The word for several of them; also the name of their folder."""
        return "ambiguities" if self is Subject.AMBIGUITY else f"{self.value}s"


def path_of(kind: Subject, name: str) -> str:
    """The file of the page about this thing, from the top of the site."""
    return f"{kind.plural}/{name.lstrip('-').replace(' ', '-')}.html"


def address_of(site: str, kind: Subject, name: str) -> str:
    """The address of the page on a site whose top is at the URL `site`; empty where there is no site."""
    return f"{site.rstrip('/')}/{path_of(kind, name)}" if site else ""


def command_for(name: str) -> str:
    """The command that opens the page on any machine that has tracksync."""
    return f"tracksync docs {name}"
