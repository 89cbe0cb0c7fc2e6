"""Puts the pages together: the text of each file of the site, and writing them to a folder."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from tracksync import __version__
from tracksync.errors import UsageError
from tracksync.model.page_addresses import Subject, path_of
from tracksync.pages import articles, catalogues, openapi, reference
from tracksync.pages.entry import Entry
from tracksync.pages.names import Names, linked, names
from tracksync.pages.reference import Commands
from tracksync.values.near_names import suggestion

_ASSETS: Final = ("style.css", "search.js")
_SECTIONS: Final[Mapping[Subject, str]] = {  # what stands at the top of each list
    Subject.CLAUSE: "What a server (TS-…) and a client (TC-…) have to keep, each with its source in the documents.",
    Subject.AMBIGUITY: "Questions that the documents leave open or answer twice. Every interpretation is lawful.",
    Subject.FAULT: "Defects that the mock can carry, to test the oracle. They are grouped by what they are about.",
    Subject.SCENARIO: "How the mock treats a client: transient failures, slow responses, rate limits, lost responses.",
    Subject.COMMAND: "What tracksync does.",
    Subject.OPTION: "Every option of every command. An option means the same in all of them.",
    Subject.SETTING: "What tracksync.toml can say. Options of a command stand in its table, or in [tool.tracksync.…] "
    "of pyproject.toml; what the command line says comes before them.",
}


def site(commands: Commands) -> dict[str, str | bytes]:
    """The content of each file of the site by its path, `index.html` among them. `commands`: by their words."""
    entries = [*catalogues.entries(), *reference.entries(commands)]
    documents = articles.articles()
    known = names(entries)
    paths = {one.source: one.path for one in documents}
    files: dict[str, str | bytes] = {
        name: resources.files("tracksync.pages").joinpath("templates", name).read_text("utf-8") for name in _ASSETS
    }
    files |= articles.images()
    for document in documents:
        body = articles.html(document, paths, known, _top(document.path))
        files[document.path] = _page("article", document.path, known, title=document.title, body=body)
    for entry in entries:
        files[entry.path] = _page("entry", entry.path, known, title=_title(entry), entry=entry)
    for kind, lead in _SECTIONS.items():
        chosen = [one for one in entries if one.kind is kind]
        groups = [(name, list(group)) for name, group in itertools.groupby(chosen, lambda one: one.group)]
        path = f"{kind.plural}/index.html"
        title = kind.plural.capitalize()
        files[path] = _page("list", path, known, title=title, lead=lead, groups=groups)
    sections = [(name, list(group)) for name, group in itertools.groupby(documents, lambda one: one.section)]
    files["documents.html"] = _page("documents", "documents.html", known, title="Documents", sections=sections)
    files["openapi.html"] = _page(
        "openapi",
        "openapi.html",
        known,
        title="The OpenAPI document",
        operations=openapi.operations(),
        schemas=list(openapi.schemas()),
        markdown=articles.plain,
    )
    files["search.html"] = _page("search", "search.html", known, title="Search", entries=entries, documents=documents)
    return files


def page_of(name: str, commands: Commands) -> str:
    """The page about what has this name, an interpretation (`a=b`) included. Raises UsageError."""
    entries = [*catalogues.entries(), *reference.entries(commands)]
    known = {**{one.name: one.path for one in entries if one.kind is Subject.COMMAND}, **names(entries)}
    if name not in known:
        raise UsageError(f"no page is about {name!r}; {suggestion(name, known, 'tracksync docs opens the first page')}")
    return known[name]


def write(files: Mapping[str, str | bytes], folder: Path) -> None:
    """Write the files of a site below `folder`. Raises UsageError where that is not possible."""
    try:
        for directory in {(folder / path).parent for path in files}:
            directory.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror or error}") from None


def _title(entry: Entry) -> str:
    name = f"tracksync {entry.name}" if entry.kind is Subject.COMMAND else entry.name
    return f"{entry.kind.capitalize()} {name}"


def _top(path: str) -> str:
    """What leads from the page at `path` to the top of the site."""
    return "../" * path.count("/")


def _page(template: str, path: str, known: Names, **values: Any) -> str:
    top = _top(path)
    return (
        _environment()
        .get_template(f"{template}.html")
        .render(
            version=__version__,
            path=path,
            top=top,
            kinds=list(_SECTIONS),
            linked=lambda text: linked(text, known, top),
            path_of=path_of,
            **values,
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tracksync.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
