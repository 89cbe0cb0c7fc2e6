"""JSON Schemas of the files that people write and programs read, for editors. Made from the forms that read the files.

Each has an `$id` of its own, a URN, since tracksync is published at no fixed address. An editor finds a schema by the
comment `#:schema FILE` at the top of a TOML file, or by its own settings: docs/editors.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from tracksync.cli.shared import command_named
from tracksync.config import COMMAND_TABLES, Config
from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.clauses import catalogue
from tracksync.settings import form_of, sentence, settings_of

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def settings() -> dict[str, Any]:
    """`tracksync.toml`."""
    made = _made(Config, "settings", "The settings of tracksync: tracksync.toml.")
    for name in COMMAND_TABLES:
        known = settings_of(name, command_named(name))
        members = {one: {"description": sentence(one, setting)} | form_of(setting) for one, setting in known.items()}
        made["properties"][name] |= {"properties": members, "additionalProperties": False}
    return made


def scenarios() -> dict[str, Any]:
    """A file of scenarios, as `gate --scenario-file` reads it."""
    from tracksync.mock.scenarios import ACTIONS, BODIES, Act, Scenario

    made = _made(Scenario, "scenarios", "Scenarios of your own: one table each.")
    act = made["$defs"][Act.__name__]
    act["properties"]["do"]["enum"] = list(ACTIONS)
    act["properties"]["body"]["enum"] = list(BODIES)
    act["additionalProperties"] = False
    table = {name: made.pop(name) for name in ("type", "properties")}
    del table["properties"]["name"]  # it is the name of the table
    table["properties"]["interpretations"] = _interpretations()
    return made | {
        "type": "object",
        "additionalProperties": table | {"additionalProperties": False, "required": ["sentence"]},
    }


def manifest() -> dict[str, Any]:
    """`manifest.toml` beside cassettes."""
    from tracksync.cassettes.manifest import ManifestEntry

    made = _made(ManifestEntry, "manifest", "What each cassette of a directory shows: manifest.toml.")
    table = {name: made.pop(name) for name in ("type", "properties")}
    for name in ("covers", "breaks"):
        table["properties"][name]["items"] = {"enum": list(catalogue())}
    for name in ("interpretations", "shown"):
        table["properties"][name] = _interpretations()
    return made | {"type": "object", "additionalProperties": table | {"additionalProperties": False}}


def result() -> dict[str, Any]:
    """What every command writes with `--json`."""
    from tracksync.report.json_result import schema

    return schema()


SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "settings": settings,
    "scenarios": scenarios,
    "manifest": manifest,
    "result": result,
}


def _made(form: type, name: str, description: str) -> dict[str, Any]:
    """The schema of `form`, with that of `form` itself at the top, and without null, which TOML does not have."""
    # A path is text in a file.
    made = msgspec.json.schema(form, schema_hook=lambda type_: {"type": "string"})
    definitions = {key: _without_null(one) for key, one in made["$defs"].items()}
    top = definitions.pop(form.__name__)
    head = {"$schema": _DIALECT, "$id": f"urn:tracksync:{name}:1", "title": f"tracksync {name}"}
    shown = {"type": "object", "properties": top["properties"]}
    if top.get("additionalProperties") is False:
        shown["additionalProperties"] = False
    return head | {"description": description} | shown | {"$defs": definitions}


def _without_null(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_null(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _without_null(one) for name, one in schema.items() if not (name == "default" and one in (None, {}))}
    if isinstance(made.get("pattern"), str):  # Python's end of a text, which other languages write as `$`
        made["pattern"] = made["pattern"].replace(r"\Z", "$")
    if isinstance(made.get("default"), dict):
        del made["default"]
    others = [one for one in made.get("anyOf", ()) if one != {"type": "null"}]
    if "anyOf" in made and len(others) == 1:
        del made["anyOf"]
        made = others[0] | made
    return made


def _interpretations() -> dict[str, Any]:
    """A table of interpretations by ambiguity."""
    return {
        "type": "object",
        "description": "Interpretations by ambiguity.",
        "properties": {
            one.name: {"description": one.question, "enum": list(one.interpretations)}
            for one in ambiguity_catalogue().values()
        },
        "additionalProperties": False,
    }
