"""Opens one file, recognises its recorder, and gives its interactions. Errors name the file's line.

read_recording(path) -> Recording       raises Unreadable for a file that cannot be read at all
find_files(paths) -> files              directories are searched for possible recordings
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Final

from tracksync.cassettes.exchange_lines import is_exchange_line
from tracksync.cassettes.forms import FORMS, har
from tracksync.cassettes.forms.schemathesis_events import Lines
from tracksync.cassettes.interaction import Draft, Recording, RecordingProblem
from tracksync.cassettes.sources import expanded, lines, opened, suffix_of
from tracksync.cassettes.streaming import Stream
from tracksync.cassettes.strict_json import item_lines, read_json
from tracksync.cassettes.strict_yaml import LINE, read_yaml
from tracksync.cassettes.timestamps import settle
from tracksync.wire.bodies import Unreadable

MAX_FILE: Final = 64 * 1024 * 1024  # bytes
SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".har", ".ndjson", ".jsonl"})
_OF_LINES: Final = (".ndjson", ".jsonl")
_FIRST_LINE: Final = 1024 * 1024  # bytes


class NoRecording(Unreadable):
    """A readable file that is not a recording. Within a directory that is not an error."""


def find_files(paths: Iterable[Path]) -> list[tuple[Path, bool]]:
    """Every file to read, in a stable order, and whether it was named rather than found in a directory."""
    found: dict[Path, bool] = {}
    for path in expanded(paths):
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if suffix_of(one) in SUFFIXES and one.is_file())
            for one in inside:
                if not any(part.startswith(".") for part in one.relative_to(path).parts):
                    found.setdefault(one, False)
        else:
            found[path] = True
    return list(found.items())


def read_recording(path: Path) -> Recording:
    """All interactions of the recording at `path`. Raises Unreadable."""
    return parse(read_file(path), path)


def read_file(path: Path) -> str:
    """The text of a file, uncompressed, if it is one of a reasonable size. Raises Unreadable."""
    with opened(path) as file:
        return read_text(file)


def read_text(file: IO[bytes]) -> str:
    """The text of an open file, if it is one of a reasonable size. Raises Unreadable."""
    raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise Unreadable(
            f"it has more than {MAX_FILE // 1024**2} MB, which is not read in this form; "
            "split the recording, or write it as one exchange a line (docs/exchanges.md)"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("it is not UTF-8 text", raw.count(b"\n", 0, error.start) + 1) from None


def parse(text: str, path: Path) -> Recording:
    """The recording in `text`, which stands in the file at `path`. Raises Unreadable."""
    if is_exchange_line(text.lstrip().partition("\n")[0].encode("utf-8", "replace")):
        return _exchanges(text, path)
    problems: list[RecordingProblem] = []
    suffix = path.suffix.lower()
    entries = None if suffix in _OF_LINES else har.drafts_by_entry(text)
    if entries is not None:
        return _settled(path, "HAR", entries, problems)
    document, in_json = _document(text, suffix, problems)
    for form in FORMS:
        name = form.recognise(document)
        if name:
            places = list(item_lines(text, form.path(document))) if in_json and form.path(document) else []
            return _settled(path, name, form.drafts(document, places), problems)
    raise NoRecording(
        "it is not a recording of a known form "
        "(exchanges as NDJSON, vcrpy, Ruby VCR, HAR, schemathesis VCR, HAR or NDJSON)"
    )


def _settled(
    path: Path, form: str, found: Iterable[Draft | RecordingProblem], problems: Sequence[RecordingProblem]
) -> Recording:
    """The recording with its times. `problems`: those that were met before."""
    drafts: list[Draft] = []
    problems = list(problems)
    for one in found:
        if isinstance(one, RecordingProblem):
            problems.append(one)
        else:
            drafts.append(one)
    timed = settle(drafts)
    problems = sorted([*problems, *timed.problems], key=lambda problem: problem.line)
    return Recording(path, form, timed.interactions, problems, timed.clock_skew)


def _exchanges(text: str, path: Path) -> Recording:
    """The recording in a text with one exchange a line."""
    stream = Stream(lines(io.BytesIO(text.encode("utf-8", "surrogatepass"))))
    recording = Recording(path, "exchanges", clock_skew=stream.clock_skew)
    for one in stream:
        if isinstance(one, RecordingProblem):
            recording.problems.append(one)
        else:
            recording.interactions.append(one)
    return recording


def opened_stream(file: IO[bytes]) -> Stream | None:
    """The interactions of a file with one exchange a line, None where it is of another form; nothing is read then."""
    start = file.peek(_FIRST_LINE)  # type: ignore[attr-defined]
    first, whole, _ = start.lstrip().partition(b"\n")
    cut = not whole and first.startswith((b'{"at":', b'{"request":'))  # a line longer than what was read
    return Stream(lines(file)) if cut or is_exchange_line(first) else None


def _document(text: str, suffix: str, problems: list[RecordingProblem]) -> tuple[Any, bool]:
    """The value in the file, and whether it is JSON. Lines of NDJSON that are broken become problems."""
    start = text.lstrip()[:1]
    if not start:
        raise Unreadable("it is empty")
    if suffix in _OF_LINES or _is_events(text):
        return _lines(text, problems), False
    if start in "{[" and suffix not in (".yaml", ".yml"):
        return read_json(text), True
    if start in "{[":
        try:
            return read_json(text), True
        except Unreadable:
            return read_yaml(text), False
    return read_yaml(text), False


def _is_events(text: str) -> bool:
    return text.startswith('{"Initialize":')


def _lines(text: str, problems: list[RecordingProblem]) -> Lines:
    values = Lines()
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                values.append((number, read_json(line, number)))
            except Unreadable as broken:
                problems.append(RecordingProblem(number, broken.message))
    if not values and problems:
        raise Unreadable(problems[0].message, problems[0].line)
    return values


def plain(value: Any) -> Any:
    """`value` without the line numbers of the YAML reader."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items() if name != LINE}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
