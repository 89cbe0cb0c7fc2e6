"""Faults of /users/delete."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import Call
from tracksync.mock.core import Core


@fault("delete-counts-double", "/users/delete answers twice as many as were named.", "TS-DELETE-ANSWER")
class _DeleteCountsDouble(Core):
    def deleted_shown(self, named: int, found: int) -> Any:
        return 2 * named


@fault("delete-count-as-text", "/users/delete answers the count as a text.", "TS-DELETE-ANSWER")
class _DeleteCountAsText(Core):
    def deleted_shown(self, named: int, found: int) -> Any:
        return str(found)


@fault("delete-count-negative", "/users/delete answers a negative count.", "TS-DELETE-ANSWER")
class _DeleteCountNegative(Core):
    def deleted_shown(self, named: int, found: int) -> Any:
        return -found - 1


@fault("delete-message-deleted", "/users/delete answers with the message deleted.", "TS-DELETE-ANSWER")
class _DeleteMessageDeleted(Core):
    def delete(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
        return super().delete(call, document) | {"message": "deleted"}


@fault("delete-count-missing", "/users/delete answers without a count.", "TS-DELETE-ANSWER")
class _DeleteCountMissing(Core):
    def serve(self, call: Call) -> Any:
        body = super().serve(call)
        return {"message": body["message"]} if call.path == "/users/delete" else body
