"""Faults of refusing: what must be refused and is not, and lawful unusual forms that are not taken."""

from __future__ import annotations

import json
from typing import Any

from tracksync.faults.registry import accept_unapplied, fault, faults, overriding, refusing, row
from tracksync.mock.call import Call, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import UserIdentity

faults(module=__name__)(
    row(
        "bad-email-answered-403",
        "An email that is none is answered 403.",
        "TS-REFUSE-EMAIL",
        step="refuse_email",
        status=403,
        message="'email' is not valid",
    ),
    row(
        "bare-object-500",
        "A bare object makes the server fail.",
        "TS-FORM-BARE",
        "TS-ANSWER-SERVER-ERROR",
        step="bare_object",
        status=500,
    ),
    row(
        "empty-sections-500",
        "An empty section makes the server fail.",
        "TS-FORM-EMPTY-SECTIONS",
        "TS-ANSWER-SERVER-ERROR",
        step="empty_section",
        status=500,
    ),
    row(
        "integer-id-500",
        "An integer identifier makes the server fail.",
        "TS-FORM-INTEGER-ID",
        "TS-ANSWER-SERVER-ERROR",
        step="integer_text",
        status=500,
    ),
    row(
        "two-sections-500",
        "Two sections make the server fail.",
        "TS-ANSWER-SERVER-ERROR",
        "TS-REFUSE-SECTIONS",
        step="refuse_sections",
        status=500,
    ),
)(refusing)


@faults("TS-REFUSE-TYPE")(
    row("name-of-any-type-accepted", "An event name of any type is accepted.", field="name", value="unnamed"),
    row(
        "properties-of-any-type-accepted",
        "Properties of any type are accepted.",
        beyond="the documents give no consequence for properties that are not an object",
        field="properties",
        value={},
    ),
    row(
        "time-of-any-type-accepted",
        "A time of any type is accepted.",
        "TS-REFUSE-TYPE",
        "TS-EVENT-TIME-VALID",
        field="time",
        value="2000-01-01T00:00:00Z",
    ),
    row(
        "external-id-of-any-type-accepted",
        "An external_id of any type is accepted.",
        field="external_id",
        value="unknown",
    ),
    row("email-of-any-type-accepted", "An email of any type is accepted.", field="email", value="unknown@example.com"),
    row("product-of-any-type-accepted", "A product_id of any type is accepted.", field="product_id", value="unknown"),
    row(
        "update-only-of-any-type-accepted",
        "_update_existing_only of any type is accepted and ignored.",
        beyond="the documents give no consequence for a flag that is not a boolean",
        field="_update_existing_only",
        value=None,
    ),
    row(
        "app-id-of-any-type-accepted",
        "An app_id of any type is accepted.",
        beyond="no document gives app_id a type",
        field="app_id",
        value=None,
    ),
)
def _take_type(field: str, value: Any) -> type[Core]:
    """Goes on with a value of its own where a typed field is of a wholly wrong type."""

    class _Typeless(Core):
        def refuse_type(self, section: str, index: int, wrong: str, sent: Any) -> Any:
            return value if wrong == field else super().refuse_type(section, index, wrong, sent)

    return _Typeless


# --- syntax and sections --------------------------------------------------------------------------------------
@fault("bad-syntax-accepted", "Bad JSON is answered as a success.", "TS-REFUSE-SYNTAX")
class _BadSyntaxAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        try:
            self.parse(call)
        except Refused:
            return accept_unapplied(self, call)
        return super().serve_sync(call)


overriding("serve_sync", "TS-REFUSE-SYNTAX", module=__name__)(
    row(
        "empty-body-accepted",
        "An empty body is answered as a success.",
        when=lambda call: not call.request.body.strip(),
        result=lambda server, call: accept_unapplied(server, call),
    ),
    row(
        "scalar-body-accepted",
        "A body that does not begin as an object is answered as a success.",
        when=lambda call: call.request.body.lstrip()[:1] != b"{",
        result=lambda server, call: accept_unapplied(server, call),
    ),
    row(
        "nothing-accepted",
        "A request without any object is answered as a success.",
        "TS-REFUSE-EMPTY",
        when=lambda server, call: not server.sections(call, server.parse(call)),
        result=lambda server, call: accept_unapplied(server, call),
    ),
    row(
        "section-of-any-type-accepted",
        "A section that is a text, a number or a boolean is answered as a success.",
        "TS-REFUSE-TYPE",
        when=lambda server, call: any(
            isinstance(server.parse(call).get(section), (str, int, float)) for section in ("attributes", "events")
        ),
        result=lambda server, call: accept_unapplied(server, call),
    ),
    row(
        "bare-object-lost",
        "A bare object is answered as a success and not applied.",
        "TS-FORM-BARE",
        "TS-OK-SHOWS",
        when=lambda server, call: any(isinstance(held, dict) for held in server.parse(call).values()),
        result=lambda server, call: accept_unapplied(server, call),
    ),
    row(
        "integer-id-finds-no-user",
        "An integer identifier is answered as a user that was not found.",
        "TS-FORM-INTEGER-ID",
        "TS-OK-USERS",
        when=lambda server, call: any(
            type(server.read_sync(call).item.get(name)) is int for name in ("external_id", "product_id")
        ),
        result=lambda server, call: accept_unapplied(server, call),
    ),
)


@fault("trailing-garbage-accepted", "What follows the JSON object is ignored.", "TS-REFUSE-SYNTAX")
class _TrailingGarbageAccepted(Core):
    def refuse_syntax(self, call: Call) -> dict[str, Any]:
        try:
            document, _ = json.JSONDecoder().raw_decode(call.request.body.decode())
        except (ValueError, RecursionError):
            document = None
        return document if isinstance(document, dict) else super().refuse_syntax(call)


@fault("list-body-accepted", "A list is read as attributes.", "TS-REFUSE-SYNTAX")
class _ListBodyAccepted(Core):
    def refuse_document(self, call: Call, document: Any) -> dict[str, Any]:
        if isinstance(document, list):
            return {"attributes": document}
        return super().refuse_document(call, document)


overriding("refuse_sections", "TS-REFUSE-SECTIONS", module=__name__)(
    row("two-sections-first-applied", "Of two sections the first is applied.", result=lambda filled: filled[0]),
    row("two-sections-last-applied", "Of two sections the last is applied.", result=lambda filled: filled[-1]),
)


overriding("refuse_objects", "TS-REFUSE-OBJECTS", module=__name__)(
    row("two-objects-first-applied", "Of two objects the first is applied.", result=lambda found: found[0]),
    row("two-objects-last-applied", "Of two objects the last is applied.", result=lambda found: found[-1]),
    row(
        "two-events-accepted",
        "Of two events the first is applied.",
        when=lambda section: section == "events",
        result=lambda found: found[0],
    ),
    row(
        "batch-of-three-accepted",
        "Of three objects the first is applied.",
        when=lambda found: len(found) == 3,
        result=lambda found: found[0],
    ),
)


# --- identifiers ----------------------------------------------------------------------------------------------
overriding("refuse_no_user", "TS-REFUSE-IDENTIFIER", module=__name__)(
    row(
        "no-identifier-accepted",
        "An object without an identifier is answered as a user that was not found.",
        result=lambda: UserIdentity("braze_id", "", ""),
    ),
    row(
        "no-identifier-creates",
        "An object without an identifier creates a user.",
        result=lambda: UserIdentity("external_id", "anonymous", "anonymous"),
    ),
    row(
        "event-without-identifier-accepted",
        "An event without an identifier is answered as a user that was not found.",
        when=lambda section: section == "events",
        result=lambda: UserIdentity("braze_id", "", ""),
    ),
)


overriding("refuse_alias", "TS-REFUSE-ALIAS", module=__name__)(
    row(
        "half-alias-accepted",
        "A user_alias without its name or its label is accepted.",
        when=lambda value: value is None,
        result=lambda: "",
    ),
    row(
        "alias-without-label-accepted",
        "A user_alias without a label is accepted.",
        when=lambda name, value: name == "alias_label" and value is None,
        result=lambda: "default",
    ),
)


@fault(
    "bad-email-answered-as-no-user",
    "An email that is not valid is answered as a user that was not found.",
    "TS-REFUSE-EMAIL",
    beyond="the documents do not say what a bad email leads to",
)
class _BadEmailAnsweredAsNoUser(Core):
    def serve_sync(self, call: Call) -> Any:
        try:
            return super().serve_sync(call)
        except Refused as refusal:
            if any("email" in detail.type and "valid email" in detail.type for detail in refusal.details):
                return accept_unapplied(self, call)
            raise


@fault(
    "bad-email-refused-now-and-then",
    "An email that is none is refused every other time.",
    "TS-INTERPRETATION-KEPT",
    "TS-REFUSE-EMAIL",
)
class _BadEmailRefusedNowAndThen(Core):
    __seen = 0

    def refuse_email(self, section: str, index: int, value: str) -> None:
        self.__seen += 1
        if self.__seen % 2:
            super().refuse_email(section, index, value)


# --- types ----------------------------------------------------------------------------------------------------


@fault(
    "quantity-of-any-type-accepted", "A quantity of any type is read as one.", "TS-REFUSE-TYPE", "TS-PURCHASE-QUANTITY"
)
class _QuantityOfAnyTypeAccepted(Core):
    def refuse_quantity(self, task: WriteTask, value: Any) -> int:
        return 1 if isinstance(value, (str, list, dict, bool)) else super().refuse_quantity(task, value)


# --- lawful unusual forms -------------------------------------------------------------------------------------


@fault(
    "empty-sections-lose-the-update",
    "Beside an empty section an object is answered as a success and not applied.",
    "TS-FORM-EMPTY-SECTIONS",
    "TS-OK-SHOWS",
)
class _EmptySectionsLoseTheUpdate(Core):
    def serve_sync(self, call: Call) -> Any:
        document = self.parse(call)
        if self.sections(call, document) and any(held == [] for held in document.values()):
            return accept_unapplied(self, call)
        return super().serve_sync(call)


overriding("integer_text", "TS-FORM-INTEGER-ID", "TS-OK-IDENTIFIER", module=__name__)(
    row(
        "integer-id-as-fraction",
        "An integer identifier is echoed as a text with a decimal point.",
        result=lambda value: f"{value}.0",
    ),
    row(
        "integer-id-through-16-bits",
        "An integer identifier is echoed modulo 65536.",
        result=lambda right, value: type(right)(value % 2**16),
    ),
)
