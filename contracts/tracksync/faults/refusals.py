"""Faults of refusing: what ought to be turned down and is not, and how it is turned down."""

from __future__ import annotations

import json
from typing import Any

from tracksync.faults.registry import fault, wave_through
from tracksync.mock.call import Call, Detail, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import UserIdentity


# --- syntax and sections ----------------------------------------------------------------------------------------
@fault("bad-syntax-accepted")
class _BadSyntaxAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        try:
            self.parse(call)
        except Refused:
            return wave_through(self, call)
        return super().serve_sync(call)


@fault("empty-body-accepted")
class _EmptyBodyAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        return super().serve_sync(call) if call.request.body.strip() else wave_through(self, call)


@fault("trailing-garbage-accepted")
class _TrailingGarbageAccepted(Core):
    def refuse_syntax(self, call: Call) -> dict[str, Any]:
        try:
            document, _ = json.JSONDecoder().raw_decode(call.request.body.decode())
        except (ValueError, RecursionError):
            document = None
        return document if isinstance(document, dict) else super().refuse_syntax(call)


@fault("list-body-accepted")
class _ListBodyAccepted(Core):
    def refuse_document(self, call: Call, document: Any) -> dict[str, Any]:
        if isinstance(document, list):
            return {"attributes": document}
        return super().refuse_document(call, document)


@fault("scalar-body-accepted")
class _ScalarBodyAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        if call.request.body.lstrip()[:1] != b"{":
            return wave_through(self, call)
        return super().serve_sync(call)


@fault("nothing-accepted")
class _NothingAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        if not self.sections(call, self.parse(call)):
            return wave_through(self, call)
        return super().serve_sync(call)


@fault("two-sections-first-applied")
class _TwoSectionsFirstApplied(Core):
    def refuse_sections(self, call: Call, filled: list[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
        return filled[0]


@fault("two-sections-last-applied")
class _TwoSectionsLastApplied(Core):
    def refuse_sections(self, call: Call, filled: list[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
        return filled[-1]


@fault("two-objects-first-applied")
class _TwoObjectsFirstApplied(Core):
    def refuse_objects(self, call: Call, section: str, found: list[Any]) -> Any:
        return found[0]


@fault("two-objects-last-applied")
class _TwoObjectsLastApplied(Core):
    def refuse_objects(self, call: Call, section: str, found: list[Any]) -> Any:
        return found[-1]


@fault("two-events-accepted")
class _TwoEventsAccepted(Core):
    def refuse_objects(self, call: Call, section: str, found: list[Any]) -> Any:
        return found[0] if section == "events" else super().refuse_objects(call, section, found)


@fault("batch-of-three-accepted")
class _BatchOfThreeAccepted(Core):
    def refuse_objects(self, call: Call, section: str, found: list[Any]) -> Any:
        return found[0] if len(found) == 3 else super().refuse_objects(call, section, found)


# --- identifiers ------------------------------------------------------------------------------------------------
@fault("no-identifier-accepted")
class _NoIdentifierAccepted(Core):
    def refuse_no_user(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        return UserIdentity("braze_id", "", "")


@fault("no-identifier-creates")
class _NoIdentifierCreates(Core):
    def refuse_no_user(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        return UserIdentity("external_id", "anonymous", "anonymous")


@fault("event-without-identifier-accepted")
class _EventWithoutIdentifierAccepted(Core):
    def refuse_no_user(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        if section == "events":
            return UserIdentity("braze_id", "", "")
        return super().refuse_no_user(section, index, item)


@fault("half-alias-accepted")
class _HalfAliasAccepted(Core):
    def refuse_alias(self, section: str, index: int, name: str, value: Any) -> str:
        return "" if value is None else super().refuse_alias(section, index, name, value)


@fault("alias-without-label-accepted")
class _AliasWithoutLabelAccepted(Core):
    def refuse_alias(self, section: str, index: int, name: str, value: Any) -> str:
        if name == "alias_label" and value is None:
            return "default"
        return super().refuse_alias(section, index, name, value)


@fault("bad-email-answered-as-nobody")
class _BadEmailAnsweredAsNobody(Core):
    def serve_sync(self, call: Call) -> Any:
        try:
            return super().serve_sync(call)
        except Refused as refusal:
            if any("email" in detail.type and "valid email" in detail.type for detail in refusal.details):
                return wave_through(self, call)
            raise


@fault("bad-email-answered-403")
class _BadEmailAnswered403(Core):
    def refuse_email(self, section: str, index: int, value: str) -> None:
        raise Refused(403, Detail("'email' is not valid", section, index))


@fault("bad-email-refused-now-and-then")
class _BadEmailRefusedNowAndThen(Core):
    __seen = 0

    def refuse_email(self, section: str, index: int, value: str) -> None:
        self.__seen += 1
        if self.__seen % 2:
            super().refuse_email(section, index, value)


# --- types ------------------------------------------------------------------------------------------------------
def _take_type(name: str, field: str, value: Any) -> None:
    """Enter a fault that goes on with a value of its own where a typed field is of a wholly wrong type."""

    class _Typeless(Core):
        def refuse_type(self, section: str, index: int, wrong: str, sent: Any) -> Any:
            return value if wrong == field else super().refuse_type(section, index, wrong, sent)

    fault(name)(_Typeless)


_take_type("name-of-any-type-accepted", "name", "unnamed")
_take_type("properties-of-any-type-accepted", "properties", {})
_take_type("time-of-any-type-accepted", "time", "2000-01-01T00:00:00Z")
_take_type("external-id-of-any-type-accepted", "external_id", "unknown")
_take_type("email-of-any-type-accepted", "email", "unknown@example.com")
_take_type("product-of-any-type-accepted", "product_id", "unknown")
_take_type("update-only-of-any-type-accepted", "_update_existing_only", None)
_take_type("app-id-of-any-type-accepted", "app_id", None)


@fault("section-of-any-type-accepted")
class _SectionOfAnyTypeAccepted(Core):
    def serve_sync(self, call: Call) -> Any:
        document = self.parse(call)
        if any(isinstance(document.get(section), (str, int, float)) for section in ("attributes", "events")):
            return wave_through(self, call)
        return super().serve_sync(call)


@fault("quantity-of-any-type-accepted")
class _QuantityOfAnyTypeAccepted(Core):
    def refuse_quantity(self, task: WriteTask, value: Any) -> int:
        return 1 if isinstance(value, (str, list, dict, bool)) else super().refuse_quantity(task, value)


# --- the body of a refusal --------------------------------------------------------------------------------------
@fault("refusal-message-success")
class _RefusalMessageSuccess(Core):
    def fatal_message(self, call: Call, refusal: Refused) -> Any:
        return "success" if refusal.status == 400 else super().fatal_message(call, refusal)


@fault("refusal-message-missing")
class _RefusalMessageMissing(Core):
    def fatal(self, call: Call, refusal: Refused) -> Any:
        body = super().fatal(call, refusal)
        return {name: held for name, held in body.items() if name != "message"} if call.status == 400 else body


@fault("refusal-message-null")
class _RefusalMessageNull(Core):
    def fatal_message(self, call: Call, refusal: Refused) -> Any:
        return None if refusal.status == 400 else super().fatal_message(call, refusal)


@fault("refusal-message-object")
class _RefusalMessageObject(Core):
    def fatal_message(self, call: Call, refusal: Refused) -> Any:
        return {"text": super().fatal_message(call, refusal)}


@fault("unauthorised-message-success")
class _UnauthorisedMessageSuccess(Core):
    def fatal_message(self, call: Call, refusal: Refused) -> Any:
        return "success" if refusal.status in (401, 403) else super().fatal_message(call, refusal)


@fault("errors-missing")
class _ErrorsMissing(Core):
    def fatal(self, call: Call, refusal: Refused) -> Any:
        body = super().fatal(call, refusal)
        return {name: held for name, held in body.items() if name != "errors"} if call.status == 400 else body


@fault("errors-empty")
class _ErrorsEmpty(Core):
    def errors(self, call: Call, refusal: Refused) -> Any:
        return [] if refusal.status == 400 else super().errors(call, refusal)


@fault("errors-as-text")
class _ErrorsAsText(Core):
    def errors(self, call: Call, refusal: Refused) -> Any:
        return "; ".join(detail.type for detail in refusal.details)


@fault("errors-as-object")
class _ErrorsAsObject(Core):
    def errors(self, call: Call, refusal: Refused) -> Any:
        return dict(enumerate(super().errors(call, refusal)))


@fault("errors-as-numbers")
class _ErrorsAsNumbers(Core):
    def error_entry(self, call: Call, detail: Detail) -> Any:
        return 1042


@fault("errors-name-the-wrong-section")
class _ErrorsNameTheWrongSection(Core):
    def error_entry(self, call: Call, detail: Detail) -> Any:
        entry = super().error_entry(call, detail)
        if isinstance(entry, dict) and "input_array" in entry:
            entry["input_array"] = "events" if detail.section == "attributes" else "attributes"
        return entry


@fault("errors-count-from-one")
class _ErrorsCountFromOne(Core):
    def error_entry(self, call: Call, detail: Detail) -> Any:
        entry = super().error_entry(call, detail)
        return entry | {"index": entry["index"] + 1} if isinstance(entry, dict) and "index" in entry else entry


@fault("errors-index-minus-one")
class _ErrorsIndexMinusOne(Core):
    def error_entry(self, call: Call, detail: Detail) -> Any:
        entry = super().error_entry(call, detail)
        return entry | {"index": -1} if isinstance(entry, dict) and "index" in entry else entry


# --- lawful unusual forms ---------------------------------------------------------------------------------------
@fault("bare-object-lost")
class _BareObjectLost(Core):
    def serve_sync(self, call: Call) -> Any:
        if any(isinstance(held, dict) for held in self.parse(call).values()):
            return wave_through(self, call)
        return super().serve_sync(call)


@fault("bare-object-500")
class _BareObject500(Core):
    def bare_object(self, call: Call, section: str, value: dict[str, Any]) -> list[Any]:
        raise Refused(500, message="Internal Server Error")


@fault("empty-sections-lose-the-update")
class _EmptySectionsLoseTheUpdate(Core):
    def serve_sync(self, call: Call) -> Any:
        document = self.parse(call)
        if self.sections(call, document) and any(held == [] for held in document.values()):
            return wave_through(self, call)
        return super().serve_sync(call)


@fault("empty-sections-500")
class _EmptySections500(Core):
    def empty_section(self, call: Call, section: str) -> None:
        raise Refused(500, message="Internal Server Error")


@fault("integer-id-as-fraction")
class _IntegerIdAsFraction(Core):
    def integer_text(self, section: str, index: int, name: str, value: int) -> Any:
        return f"{value}.0"


@fault("integer-id-through-16-bits")
class _IntegerIdThrough16Bits(Core):
    def integer_text(self, section: str, index: int, name: str, value: int) -> Any:
        shown = super().integer_text(section, index, name, value)
        return type(shown)(value % 2**16)


@fault("integer-id-500")
class _IntegerId500(Core):
    def integer_text(self, section: str, index: int, name: str, value: int) -> Any:
        raise Refused(500, message="Internal Server Error")


@fault("integer-id-finds-nobody")
class _IntegerIdFindsNobody(Core):
    def serve_sync(self, call: Call) -> Any:
        task = self.read_sync(call)
        if any(type(task.item.get(name)) is int for name in ("external_id", "product_id")):
            return wave_through(self, call)
        return super().serve_sync(call)


@fault("two-sections-500")
class _TwoSections500(Core):
    def refuse_sections(self, call: Call, filled: list[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
        raise Refused(500, message="Internal Server Error")
