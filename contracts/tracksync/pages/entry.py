"""What a page about one named thing says: frozen data, which a template shows."""

from __future__ import annotations

from dataclasses import dataclass

from tracksync.model.page_addresses import Subject, path_of


@dataclass(frozen=True, slots=True)
class Reference:
    """A link to the page of something, with a sentence about it, which may be empty."""

    kind: Subject
    name: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A name that has no page of its own, with its sentence; `anchor` makes it a place that links lead to."""

    name: str
    sentence: str
    anchor: bool = False


Item = Reference | Named | str


@dataclass(frozen=True, slots=True)
class Fact:
    """A label, such as `Source`, and what there is to say under it. `code`: the items are commands to copy."""

    label: str
    items: tuple[Item, ...]
    code: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """The page of one thing. `group` is a heading of the list that it stands in, empty where there is one list."""

    kind: Subject
    name: str
    summary: str
    facts: tuple[Fact, ...]
    group: str = ""

    @property
    def path(self) -> str:
        """The page's file, from the top of the site."""
        return path_of(self.kind, self.name)


def facts(*wanted: Fact) -> tuple[Fact, ...]:
    """Those that say something."""
    return tuple(one for one in wanted if one.items)
