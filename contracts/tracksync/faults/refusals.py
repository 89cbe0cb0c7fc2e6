"""Faults of refusing: what must be refused and is not, and lawful unusual forms that are not taken."""

from __future__ import annotations

import json
from typing import Any

from tracksync.faults.registry import accept_unapplied, fault, faults, refusing, row
from tracksync.mock.call import Call, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import UserIdentity

faults(
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
        message="Internal Server Error",
    ),
    row(
        "empty-sections-500",
        "An empty section makes the server fail.",
        "TS-FORM-EMPTY-SECTIONS",
        "TS-ANSWER-SERVER-ERROR",
        step="empty_section",
        status=500,
        message="Internal Server Error",
    ),
    row(
        "integer-id-500",
        "An integer identifier makes the server fail.",
        "TS-FORM-INTEGER-ID",
        "TS-ANSWER-SERVER-ERROR",
        step="integer_text",
        status=500,
        message="Internal Server Error",
    ),
    row(
        "two-sections-500",
        "Two sections make the server fail.",
        "TS-ANSWER-SERVER-ERROR",
        "TS-REFUSE-SECTIONS",
        step="refuse_sections",
        status=500,
        message="Internal Server Error",
    ),
    module=__name__,
)(refusing)


@faults(
    row(
        "name-of-any-type-accepted",
        "An event name of any type is accepted.",
        "TS-REFUSE-TYPE",
        field="name",
        value="unnamed",
    ),
    row(
        "properties-of-any-type-accepted",
        "Properties of any type are accepted.",
        "TS-REFUSE-TYPE",
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
        "TS-REFUSE-TYPE",
        field="external_id",
        value="unknown",
    ),
    row(
        "email-of-any-type-accepted",
        "An email of any type is accepted.",
        "TS-REFUSE-TYPE",
        field="email",
        value="unknown@example.com",
    ),
    row(
        "product-of-any-type-accepted",
        "A product_id of any type is accepted.",
        "TS-REFUSE-TYPE",
        field="product_id",
        value="unknown",
    ),
    row(
        "update-only-of-any-type-accepted",
        "_update_existing_only of any type is accepted and ignored.",
        "TS-REFUSE-TYPE",
        beyond="the documents give no consequence for a flag that is not a boolean",
        field="_update_existing_only",
        value=None,
    ),
    row(
        "app-id-of-any-type-accepted",
        "An app_id of any type is accepted.",
        "TS-REFUSE-TYPE",
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


@fault("empty-body-accepted", "An empty body is answered as a success.", "TS-REFUSE-SYNTAX")
class _EmptyBodyAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        return super().serve_sync(call) if call.request.body.strip() else accept_unapplied(self, call)


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


@fault("scalar-body-accepted", "A body that does not begin as an object is answered as a success.", "TS-REFUSE-SYNTAX")
class _ScalarBodyAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        if call.request.body.lstrip()[:1] != b"{":
            return accept_unapplied(self, call)
        return super().serve_sync(call)


@fault("nothing-accepted", "A request without any object is answered as a success.", "TS-REFUSE-EMPTY")
class _NothingAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        if not self.sections(call, self.parse(call)):
            return accept_unapplied(self, call)
        return super().serve_sync(call)


@fault("two-sections-first-applied", "Of two sections the first is applied.", "TS-REFUSE-SECTIONS")
class _TwoSectionsFirstApplied(Core):
    def refuse_sections(self, call: Call, filled: list[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
        return filled[0]


@fault("two-sections-last-applied", "Of two sections the last is applied.", "TS-REFUSE-SECTIONS")
class _TwoSectionsLastApplied(Core):
    def refuse_sections(self, call: Call, filled: list[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
        return filled[-1]


@fault("two-objects-first-applied", "Of two objects the first is applied.", "TS-REFUSE-OBJECTS")
class _TwoObjectsFirstApplied(Core):
    def refuse_objects(self, call: Call, section: str, found: list[Any]) -> Any:
        return found[0]


@fault("two-objects-last-applied", "Of two objects the last is applied.", "TS-REFUSE-OBJECTS")
class _TwoObjectsLastApplied(Core):
    def refuse_objects(self, call: Call, section: str, found: list[Any]) -> Any:
        return found[-1]


@fault("two-events-accepted", "Of two events the first is applied.", "TS-REFUSE-OBJECTS")
class _TwoEventsAccepted(Core):
    def refuse_objects(self, call: Call, section: str, found: list[Any]) -> Any:
        return found[0] if section == "events" else super().refuse_objects(call, section, found)


@fault("batch-of-three-accepted", "Of three objects the first is applied.", "TS-REFUSE-OBJECTS")
class _BatchOfThreeAccepted(Core):
    def refuse_objects(self, call: Call, section: str, found: list[Any]) -> Any:
        return found[0] if len(found) == 3 else super().refuse_objects(call, section, found)


# --- identifiers ----------------------------------------------------------------------------------------------
@fault(
    "no-identifier-accepted",
    "An object without an identifier is answered as a user that was not found.",
    "TS-REFUSE-IDENTIFIER",
)
class _NoIdentifierAccepted(Core):
    def refuse_no_user(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        return UserIdentity("braze_id", "", "")


@fault("no-identifier-creates", "An object without an identifier creates a user.", "TS-REFUSE-IDENTIFIER")
class _NoIdentifierCreates(Core):
    def refuse_no_user(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        return UserIdentity("external_id", "anonymous", "anonymous")


@fault(
    "event-without-identifier-accepted",
    "An event without an identifier is answered as a user that was not found.",
    "TS-REFUSE-IDENTIFIER",
)
class _EventWithoutIdentifierAccepted(Core):
    def refuse_no_user(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        if section == "events":
            return UserIdentity("braze_id", "", "")
        return super().refuse_no_user(section, index, item)


@fault("half-alias-accepted", "A user_alias without its name or its label is accepted.", "TS-REFUSE-ALIAS")
class _HalfAliasAccepted(Core):
    def refuse_alias(self, section: str, index: int, name: str, value: Any) -> str:
        return "" if value is None else super().refuse_alias(section, index, name, value)


@fault("alias-without-label-accepted", "A user_alias without a label is accepted.", "TS-REFUSE-ALIAS")
class _AliasWithoutLabelAccepted(Core):
    def refuse_alias(self, section: str, index: int, name: str, value: Any) -> str:
        if name == "alias_label" and value is None:
            return "default"
        return super().refuse_alias(section, index, name, value)


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
    "section-of-any-type-accepted",
    "A section that is a text, a number or a boolean is answered as a success.",
    "TS-REFUSE-TYPE",
)
class _SectionOfAnyTypeAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        document = self.parse(call)
        if any(isinstance(document.get(section), (str, int, float)) for section in ("attributes", "events")):
            return accept_unapplied(self, call)
        return super().serve_sync(call)


@fault(
    "quantity-of-any-type-accepted", "A quantity of any type is read as one.", "TS-REFUSE-TYPE", "TS-PURCHASE-QUANTITY"
)
class _QuantityOfAnyTypeAccepted(Core):
    def refuse_quantity(self, task: WriteTask, value: Any) -> int:
        return 1 if isinstance(value, (str, list, dict, bool)) else super().refuse_quantity(task, value)


# --- lawful unusual forms -------------------------------------------------------------------------------------
@fault("bare-object-lost", "A bare object is answered as a success and not applied.", "TS-FORM-BARE", "TS-OK-SHOWS")
class _BareObjectLost(Core):
    def serve_sync(self, call: Call) -> Any:
        if any(isinstance(held, dict) for held in self.parse(call).values()):
            return accept_unapplied(self, call)
        return super().serve_sync(call)


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


@fault(
    "integer-id-as-fraction",
    "An integer identifier is echoed as a text with a decimal point.",
    "TS-FORM-INTEGER-ID",
    "TS-OK-IDENTIFIER",
)
class _IntegerIdAsFraction(Core):
    def integer_text(self, section: str, index: int, name: str, value: int) -> Any:
        return f"{value}.0"


@fault(
    "integer-id-through-16-bits",
    "An integer identifier is echoed modulo 65536.",
    "TS-FORM-INTEGER-ID",
    "TS-OK-IDENTIFIER",
)
class _IntegerIdThrough16Bits(Core):
    def integer_text(self, section: str, index: int, name: str, value: int) -> Any:
        shown = super().integer_text(section, index, name, value)
        return type(shown)(value % 2**16)


@fault(
    "integer-id-finds-no-user",
    "An integer identifier is answered as a user that was not found.",
    "TS-FORM-INTEGER-ID",
    "TS-OK-USERS",
)
class _IntegerIdFindsNoUser(Core):
    def serve_sync(self, call: Call) -> Any:
        task = self.read_sync(call)
        if any(type(task.item.get(name)) is int for name in ("external_id", "product_id")):
            return accept_unapplied(self, call)
        return super().serve_sync(call)
