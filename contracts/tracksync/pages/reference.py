"""The pages of commands and options, from the command line itself, and of settings, from the form of tracksync.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import click
import msgspec

from tracksync.config import COMMAND_TABLES, SETTINGS, sentence_of, value_of
from tracksync.model.page_addresses import Subject
from tracksync.pages.entry import Entry, Fact, Named, Reference, facts
from tracksync.settings import may_be_list, reason_against, sentence, settings_of

Commands = Mapping[str, click.Command]
_UNSET: Final = (None, (), "", False)


def commands_of(root: click.Group) -> dict[str, click.Command]:
    """Every command by its words: `fuzz`, `spec`, `spec diff`."""
    found: dict[str, click.Command] = {}

    def walk(command: click.Command, words: str) -> None:
        if words:
            found[words] = command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                if inner is not None:
                    walk(inner, f"{words} {name}".strip())

    walk(root, "")
    return found


def entries(commands: Commands) -> Iterator[Entry]:
    """Every command, option and setting."""
    yield from (_command(name, command) for name, command in commands.items())
    yield from _options(commands)
    yield from _settings(commands)


def _command(name: str, command: click.Command) -> Entry:
    summary, *paragraphs = _paragraphs(command)
    examples = [text for text in paragraphs if text.startswith("Examples:")]
    lines = [line.strip() for text in examples for line in text.splitlines()[1:] if line.strip()]
    context = click.Context(command, info_name=f"tracksync {name}")
    options = [Reference(Subject.OPTION, _long(one), _help(one)) for one in _visible(command)]
    inner = [Reference(Subject.COMMAND, f"{name} {one}") for one in getattr(command, "commands", {})]
    return Entry(
        Subject.COMMAND,
        name,
        summary,
        facts(
            Fact("Usage", (" ".join(["tracksync", name, *command.collect_usage_pieces(context)]),), code=True),
            Fact("What it does", tuple(" ".join(text.split()) for text in paragraphs if text not in examples)),
            Fact("Examples", tuple(lines), code=True),
            Fact("Options", tuple(options)),
            Fact("Subcommands", tuple(inner)),
        ),
    )


def _paragraphs(command: click.Command) -> list[str]:
    """The help of a command without click's marks, as paragraphs."""
    text = (command.help or "").split("\f")[0].replace("\b\n", "").replace("\b", "")
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def _options(commands: Commands) -> Iterator[Entry]:
    by_name: dict[str, list[tuple[str, click.Option]]] = {}
    for name, command in commands.items():
        for option in _visible(command):
            by_name.setdefault(_long(option), []).append((name, option))
    for name, uses in sorted(by_name.items()):
        first = uses[0][1]
        same = len({_help(option) for _, option in uses}) == 1
        yield Entry(
            Subject.OPTION,
            name,
            _help(first) or f"See the commands that take {name}.",
            facts(
                Fact("Written as", tuple(dict.fromkeys(_written(option) for _, option in uses)), code=True),
                Fact("Default", tuple(dict.fromkeys(_default(option) for _, option in uses if _default(option)))),
                Fact("May be given several times", ("yes",) if first.multiple else ()),
                Fact(
                    "Commands that take it",
                    tuple(Reference(Subject.COMMAND, command, "" if same else _help(one)) for command, one in uses),
                ),
                Fact("In the tables of tracksync.toml", _tables(name[2:], dict(uses))),
                Fact("Not a setting", _no_setting(name[2:], dict(uses))),
            ),
        )


def _tables(name: str, commands: Mapping[str, click.Option]) -> tuple[Reference, ...]:
    """The tables of tracksync.toml that the option can stand in."""
    there = (one for one in COMMAND_TABLES if one in commands and not reason_against(one, name))
    return tuple(
        Reference(Subject.SETTING, table, f"{name} = {'[…]' if may_be_list(commands[table]) else '…'}")
        for table in there
    )


def _no_setting(name: str, commands: Iterable[str]) -> tuple[str, ...]:
    """Why the option is not a setting of some commands."""
    there = (one for one in COMMAND_TABLES if one in commands)
    return tuple(f"For {one}: {why}." for one in there if (why := reason_against(one, name)))


def _visible(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def _long(option: click.Option) -> str:
    return max(option.opts, key=len)


def _help(option: click.Option) -> str:
    return re.sub(r"\s*\[default: .*\]$", "", option.help or "")


def _written(option: click.Option) -> str:
    names = ", ".join(sorted(option.opts, key=len))
    return names if option.is_flag else f"{names} {option.make_metavar(click.Context(click.Command('')))}"


def _default(option: click.Option) -> str:
    said = re.search(r"\[default: (.*)\]$", option.help or "")
    if said:
        return said[1]
    value: Any = option.default
    return "" if value in _UNSET or callable(value) or "UNSET" in repr(value) else str(value)


def _settings(commands: Commands) -> Iterator[Entry]:
    for table, form in SETTINGS.items():
        for field in msgspec.structs.fields(form):
            if not table and field.name in SETTINGS:
                continue
            default = field.default
            shown = (
                "" if default in (None, {}) or default is msgspec.NODEFAULT else msgspec.json.encode(default).decode()
            )
            yield Entry(
                Subject.SETTING,
                f"{table}.{field.name}" if table else field.name,
                sentence_of(field.type),
                facts(
                    Fact("Where", (f"tracksync.toml, {f'in the table [{table}]' if table else 'at the top'}",)),
                    Fact("Value", (value_of(field.type),)),
                    Fact("Default", (shown,) if shown else ()),
                    Fact("Settings", _options_as_settings(field.name, commands)),
                ),
                f"[{table}]" if table else "At the top of the file",
            )


def _options_as_settings(table: str, commands: Commands) -> tuple[Reference | Named, ...]:
    """What can stand in the table of a command."""
    return tuple(
        Reference(Subject.OPTION, _long(one), _help(one))
        if isinstance(one, click.Option)
        else Named(name, sentence(name, one))
        for name, one in (settings_of(table, commands[table]).items() if table in COMMAND_TABLES else ())
    )
