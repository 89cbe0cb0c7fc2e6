"""Faults of the body of a refusal: message and errors."""

from __future__ import annotations

from tracksync.faults.registry import overriding, row, without

# Puts another message into refusals.
overriding("fatal_message", "TS-REFUSE-BODY", module=__name__)(
    row(
        "message-success-on-403",
        "A 403 has the message of a success.",
        result=lambda right, refusal: "success" if refusal.status == 403 else right,
    ),
    row(
        "refusal-message-success",
        "A 400 says success.",
        result=lambda right, refusal: "success" if refusal.status == 400 else right,
    ),
    row(
        "refusal-message-null",
        "The message of a 400 is null.",
        result=lambda right, refusal: None if refusal.status == 400 else right,
    ),
    row("refusal-message-object", "The message of a fatal error is an object.", result=lambda right: {"text": right}),
    row(
        "unauthorised-message-success",
        "A 401 and a 403 say success.",
        result=lambda right, refusal: "success" if refusal.status in (401, 403) else right,
    ),
)


# Puts other entries into errors.
overriding("error_entry", "TS-REFUSE-ENTRY", module=__name__)(
    row("errors-as-numbers", "The entries of errors are numbers.", "TS-REFUSE-BODY", result=lambda: 1042),
    row(
        "errors-count-from-one",
        "The index in an entry of errors counts from one.",
        result=lambda right: (
            right | {"index": right["index"] + 1} if isinstance(right, dict) and "index" in right else right
        ),
    ),
    row(
        "errors-index-minus-one",
        "The index in an entry of errors is -1.",
        result=lambda right: right | {"index": -1} if isinstance(right, dict) and "index" in right else right,
    ),
    row(
        "errors-name-the-wrong-section",
        "An entry of errors names another section.",
        result=lambda right, detail: (
            right | {"input_array": "events" if detail.section == "attributes" else "attributes"}
            if isinstance(right, dict) and "input_array" in right
            else right
        ),
    ),
)


overriding("fatal", "TS-REFUSE-BODY", module=__name__)(
    row(
        "refusal-message-missing",
        "A 400 has no message.",
        when=lambda call: call.status == 400,
        result=lambda right: without(right, "message"),
    ),
    row(
        "errors-missing",
        "A 400 has no errors.",
        when=lambda call: call.status == 400,
        result=lambda right: without(right, "errors"),
    ),
)


overriding("errors", "TS-REFUSE-BODY", module=__name__)(
    row(
        "errors-empty",
        "The errors of a 400 are an empty list.",
        when=lambda refusal: refusal.status == 400,
        result=lambda right: [],
    ),
    row(
        "errors-as-text",
        "errors is one text.",
        result=lambda refusal: "; ".join(detail.type for detail in refusal.details),
    ),
    row("errors-as-object", "errors is an object.", result=lambda right: dict(enumerate(right))),
)
