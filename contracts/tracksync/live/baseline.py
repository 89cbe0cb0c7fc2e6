"""The baseline: findings that were reviewed and accepted for now, in a file that is reviewed like code.

Two findings of different runs are the same if clause and place are, without indexes and generated names (see
`tracksync.model.verdict.fingerprint`). Known findings do not fail a run. One that is gone although its clause was
covered is reported as fixed, so that its entry can be deleted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tracksync.config import toml_of
from tracksync.contract.clauses import catalogue
from tracksync.errors import ConfigError, unreadable
from tracksync.model.verdict import fingerprint
from tracksync.report import files
from tracksync.report.tally import Result
from tracksync.values.near_names import suggestion

FILE_NAME: Final = "tracksync-baseline.toml"
_MEMBERS: Final = ("clause", "pointer", "since", "message", "note")
_HEAD: Final = """\
# Findings that are known: they do not fail a run. Each entry is one clause at one place; give the reason in `note`.
# `tracksync fuzz --update-baseline` adds what is new. An entry whose finding is announced as fixed can be deleted.
"""


@dataclass(frozen=True, slots=True)
class Known:
    """One entry. `pointer` is in the form of a fingerprint: indexes and drawn names stand as `*`."""

    clause: str
    pointer: str = ""
    since: str = ""
    message: str = ""
    note: str = ""

    @property
    def fingerprint(self) -> str:
        """What identifies this finding in every run."""
        return fingerprint(self.clause, self.pointer)


def read(path: Path) -> tuple[Known, ...]:
    """The entries of the baseline at `path`; none where there is no file. Raises ConfigError with the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    content = toml_of(text, path)
    for name in content:
        if name != "known":
            raise ConfigError(f"{path}: unknown key {name!r}; entries are tables [[known]]")
    entries = content.get("known", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError(f"{path}: `known` has to be a list of tables, each headed [[known]]")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*known\s*\]\]", line)]
    return tuple(
        _entry(entry, f"{path}, line {lines[index]}" if index < len(lines) else str(path))
        for index, entry in enumerate(entries)
    )


def _entry(entry: Mapping[str, Any], where: str) -> Known:
    for name, value in entry.items():
        if name not in _MEMBERS:
            raise ConfigError(f"{where}: unknown key {name!r} in this entry; {suggestion(name, _MEMBERS, most=1)}")
        if not isinstance(value, str):
            raise ConfigError(f"{where}: {name} has to be a string, in quotes")
    clause = entry.get("clause")
    if clause is None:
        raise ConfigError(f"{where}: this entry names no clause")
    if clause not in catalogue(None):
        hint = suggestion(clause, catalogue(None), "`tracksync clauses` lists them all", most=1)
        raise ConfigError(f"{where}: there is no clause {clause!r}; {hint}")
    return Known(**entry)


def write(path: Path, entries: Iterable[Known]) -> None:
    """Write `entries` to `path`, as a whole or not at all."""
    lines = [_HEAD]
    for entry in sorted(entries, key=lambda one: one.fingerprint):
        lines.append("[[known]]")
        for name in _MEMBERS:
            value = getattr(entry, name)
            if value or name in ("clause", "pointer", "note"):
                lines.append(f"{name} = {_quoted(value)}")
        lines.append("")
    files.write(path, "\n".join(lines))


def _quoted(text: str) -> str:
    """`text` as a TOML string; JSON's escapes are TOML's, save for unpaired surrogates, which no TOML can hold."""
    return json.dumps(text.encode("utf-8", "replace").decode("utf-8"), ensure_ascii=False).replace("\x7f", "\\u007f")


def updated(entries: Iterable[Known], result: Result) -> tuple[Known, ...]:
    """The entries, and one for each finding of `result` that has none."""
    known = {entry.fingerprint: entry for entry in entries}
    for finding in result["findings"]:
        mark = fingerprint(finding["clause"], finding.get("pointer", ""))
        if mark not in known and finding["clause"] in catalogue(None):
            clause, _, pointer = mark.partition(" ")
            message = " ".join(str(finding["message"]).split())[:200]
            known[mark] = Known(clause, pointer, str(result.get("started", ""))[:10], message)
    return tuple(known.values())


def settle(entries: Iterable[Known], result: Result) -> dict[str, Any]:
    """The state of the entries after the run of `result`, for its member `baseline`.

    `fixed`: gone although the clause was covered. `unseen`: gone, and the clause was not covered or the run was
    incomplete.
    """
    there = {fingerprint(one["clause"], one.get("pointer", "")) for one in result["findings"]}
    fixed, unseen, still = [], [], 0
    for entry in entries:
        shown = {"clause": entry.clause, "pointer": entry.pointer, "message": entry.message, "note": entry.note}
        if entry.fingerprint in there:
            still += 1
        elif result["verdict"] != "incomplete" and result["clauses"].get(entry.clause, {}).get("covered"):
            fixed.append(shown)
        else:
            unseen.append(shown)
    return {"known": still, "fixed": fixed, "unseen": unseen}
