"""Faults of the body of a refusal: message and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, faults, row
from tracksync.mock.call import Call, Detail, Refused
from tracksync.mock.core import Core


@faults(
    row(
        "message-success-on-403",
        "A 403 has the message of a success.",
        "TS-REFUSE-BODY",
        message=lambda refusal, right: "success" if refusal.status == 403 else right,
    ),
    row(
        "refusal-message-success",
        "A 400 says success.",
        "TS-REFUSE-BODY",
        message=lambda refusal, right: "success" if refusal.status == 400 else right,
    ),
    row(
        "refusal-message-null",
        "The message of a 400 is null.",
        "TS-REFUSE-BODY",
        message=lambda refusal, right: None if refusal.status == 400 else right,
    ),
    row(
        "refusal-message-object",
        "The message of a fatal error is an object.",
        "TS-REFUSE-BODY",
        message=lambda refusal, right: {"text": right},
    ),
    row(
        "unauthorised-message-success",
        "A 401 and a 403 say success.",
        "TS-REFUSE-BODY",
        message=lambda refusal, right: "success" if refusal.status in (401, 403) else right,
    ),
)
def _fatal_message(message: Callable[[Refused, Any], Any]) -> type[Core]:
    """Puts another message into refusals."""

    class FatalMessage(Core):
        def fatal_message(self, call: Call, refusal: Refused) -> Any:
            return message(refusal, super().fatal_message(call, refusal))

    return FatalMessage


@faults(
    row("errors-as-numbers", "The entries of errors are numbers.", "TS-REFUSE-BODY", entry=lambda detail, right: 1042),
    row(
        "errors-count-from-one",
        "The index in an entry of errors counts from one.",
        "TS-REFUSE-ENTRY",
        entry=lambda detail, right: (
            right | {"index": right["index"] + 1} if isinstance(right, dict) and "index" in right else right
        ),
    ),
    row(
        "errors-index-minus-one",
        "The index in an entry of errors is -1.",
        "TS-REFUSE-ENTRY",
        entry=lambda detail, right: right | {"index": -1} if isinstance(right, dict) and "index" in right else right,
    ),
)
def _entry(entry: Callable[[Detail, Any], Any]) -> type[Core]:
    """Puts other entries into errors."""

    class Entry(Core):
        def error_entry(self, call: Call, detail: Detail) -> Any:
            return entry(detail, super().error_entry(call, detail))

    return Entry


@fault("refusal-message-missing", "A 400 has no message.", "TS-REFUSE-BODY")
class _RefusalMessageMissing(Core):
    def fatal(self, call: Call, refusal: Refused) -> Any:
        body = super().fatal(call, refusal)
        return {name: held for name, held in body.items() if name != "message"} if call.status == 400 else body


@fault("errors-missing", "A 400 has no errors.", "TS-REFUSE-BODY")
class _ErrorsMissing(Core):
    def fatal(self, call: Call, refusal: Refused) -> Any:
        body = super().fatal(call, refusal)
        return {name: held for name, held in body.items() if name != "errors"} if call.status == 400 else body


@fault("errors-empty", "The errors of a 400 are an empty list.", "TS-REFUSE-BODY")
class _ErrorsEmpty(Core):
    def errors(self, call: Call, refusal: Refused) -> Any:
        return [] if refusal.status == 400 else super().errors(call, refusal)


@fault("errors-as-text", "errors is one text.", "TS-REFUSE-BODY")
class _ErrorsAsText(Core):
    def errors(self, call: Call, refusal: Refused) -> Any:
        return "; ".join(detail.type for detail in refusal.details)


@fault("errors-as-object", "errors is an object.", "TS-REFUSE-BODY")
class _ErrorsAsObject(Core):
    def errors(self, call: Call, refusal: Refused) -> Any:
        return dict(enumerate(super().errors(call, refusal)))


@fault("errors-name-the-wrong-section", "An entry of errors names another section.", "TS-REFUSE-ENTRY")
class _ErrorsNameTheWrongSection(Core):
    def error_entry(self, call: Call, detail: Detail) -> Any:
        entry = super().error_entry(call, detail)
        if isinstance(entry, dict) and "input_array" in entry:
            entry["input_array"] = "events" if detail.section == "attributes" else "attributes"
        return entry
