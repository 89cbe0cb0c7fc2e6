"""An OpenAPI document of other hands that a run holds the server against, beside ours.

It is read whole and compiled before a run begins, so that nothing in it can stop the run later.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from tracksync.contract.foreign import read_document, request_schema, request_validator
from tracksync.contract.responses import Responses
from tracksync.errors import ConfigError


class SecondDocument(Struct, frozen=True, eq=False):
    """`document`: in the form of OpenAPI 3.1, with our paths only. `responses`: its responses, compiled.

    `request_paths`: the paths of which it describes the request body.
    """

    document: Mapping[str, Any]
    responses: Responses
    request_paths: tuple[str, ...]


@cache
def second_document(file: Path) -> SecondDocument:
    """The document in `file`, read once. Raises ConfigError, in words for a user, where it cannot be used."""
    document = read_document(file)
    try:
        paths = tuple(path for path in document["paths"] if request_schema(document, path) is not None)
        for path in paths:
            request_validator(document, path)
        responses = Responses(_for_responses(document), name=str(file))
        responses.compile_all()
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None
    return SecondDocument(document, responses, paths)


def _for_responses(node: Any) -> Any:
    """`node` as responses have to keep it: none has to have a member that the document says is for requests only."""
    if isinstance(node, list):
        return [_for_responses(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    made = {key: _for_responses(value) for key, value in node.items()}
    required, members = node.get("required"), node.get("properties")
    if isinstance(required, list) and isinstance(members, Mapping):
        made["required"] = [name for name in required if not _is_for_requests_only(members.get(name))]
    return made


def _is_for_requests_only(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("writeOnly") is True
