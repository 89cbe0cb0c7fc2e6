"""The documents: every example prints what it says, every figure is right, every link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("documents_script", ROOT / "tools" / "documents.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


documents = _module()
PATHS = [str(path.relative_to(ROOT)) for path in documents.documents()]
CONSOLE = [name for name in PATHS if "```console\n" in (ROOT / name).read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", CONSOLE)
def test_the_examples_of_a_document_print_what_it_shows(name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert documents.with_output(text, documents.prepared(tmp_path)) == text, "tools/documents.py --write mends it"


@pytest.mark.parametrize("name", PATHS)
def test_the_figures_of_a_document_are_right(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert documents.with_figures(text) == text, "tools/documents.py --write mends it"


def test_the_readme_has_the_examples_and_the_figures_that_a_newcomer_needs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first_screen = "\n".join(text.splitlines()[:55])
    assert {"make fuzz", "make test"} <= set(re.findall(r"make \w+", first_screen))
    assert "contract test" in text
    assert "fault injection" in text
    assert sum(bool(re.search(pattern, text)) for pattern in documents.figures()) >= 4


@pytest.mark.parametrize("name", [*PATHS, "SECURITY.md", "CHANGELOG.md"])
def test_the_links_of_a_document_lead_to_files(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in link:
            assert ((ROOT / name).parent / link).exists(), link


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_path_that_a_document_names_exists(name: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    places = [
        ROOT,
        ROOT / "contracts" / "tracksync",
        ROOT / "contracts" / "tracksync" / "contract",
        ROOT / "tests" / "clients",
    ]
    for path in set(re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.(?:py|toml|yaml|md|json|mjs))?)`", text)):
        assert any((place / path).exists() for place in places), path


def test_an_example_that_prints_something_else_is_found(tmp_path: Path) -> None:
    text = "```console\n$ echo 500 requests in 1.2 s\n499 requests in 3.4 s\n```\n"
    changed = documents.with_output(text, documents.prepared(tmp_path))
    assert changed == text.replace("499 requests in 3.4 s", "500 requests in 1.2 s")


def test_an_example_that_differs_in_its_times_only_stays_as_it_is(tmp_path: Path) -> None:
    text = "```console\n$ echo 500 requests in 1.2 s\n500 requests in 3.4 s\n$ exit 3\n```\n"
    assert documents.with_output(text, documents.prepared(tmp_path)) == text


def test_a_wrong_figure_is_found() -> None:
    assert documents.with_figures("It has 1 clauses of a server.") != "It has 1 clauses of a server."
