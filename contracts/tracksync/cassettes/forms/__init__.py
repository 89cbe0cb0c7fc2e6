"""One module for each family of recorders. It recognises its documents and turns them into drafts.

A module has `recognise(document) -> str` (the form's name, or "") and `drafts(document, lines)`, which yields a Draft
for every interaction, or a RecordingProblem for one that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracksync.cassettes.forms import har, schemathesis_events, vcr
from tracksync.cassettes.interaction import Draft, RecordingProblem


@dataclass(frozen=True, slots=True)
class Form:
    """How one family of recorders is read. `path` leads to the list of interactions, for the lines in JSON files."""

    recognise: Callable[[Any], str]
    drafts: Callable[[Any, Sequence[int]], Iterator[Draft | RecordingProblem]]
    path: Callable[[Any], tuple[str, ...]]


FORMS: Final = (
    Form(vcr.recognise, vcr.drafts, vcr.path),
    Form(har.recognise, har.drafts, har.path),
    Form(schemathesis_events.recognise, schemathesis_events.drafts, lambda document: ()),
)
