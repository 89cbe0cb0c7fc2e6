"""Reading a body: from bytes to tasks that passed every check, or to a refusal.

Only the request is read here, never what the workspace holds. The texts of refusals are
those seen on the wire, where any were seen (WIRE).
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from tracksync.mock import limits
from tracksync.mock.call import Call, Detail, Refused, WriteTask
from tracksync.mock.identities import IdentityReader
from tracksync.values import currencies, jsontext, numbers, objects, times
from tracksync.values.text import fits

BAD_QUANTITY: Final = "'quantity' is not valid"
BAD_CURRENCY: Final = "'currency' must be an ISO 4217 currency"

NUMERIC_TEXT: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
# Quirks of a body that no JSON value can carry into a response; the others are accepted as they are.
UNREADABLE: Final = frozenset({"not-utf8", "nan", "too-deep"})


class RequestReader(IdentityReader):
    """Reads what a request asks for."""

    # --- the body as a whole ----------------------------------------------------------------------------------
    def parse(self, call: Call) -> dict[str, Any]:
        """The body as a JSON object."""
        text = jsontext.read_json(call.request.body)
        if not text.valid or text.quirks & UNREADABLE:
            return self.refuse_syntax(call)
        document = text.value
        if not isinstance(document, dict):
            return self.refuse_document(call, document)
        if "huge-number" in text.quirks and not _presentable(document):
            return self.refuse_syntax(call)
        return document

    def refuse_syntax(self, call: Call) -> dict[str, Any]:
        """A body that is not JSON is refused with 400 (ERRORS)."""
        raise Refused(400, Detail("The body is not valid JSON"))

    def refuse_document(self, call: Call, document: Any) -> dict[str, Any]:
        """A body that is JSON but not an object is refused with 400."""
        raise Refused(400, Detail("The body is not a JSON object"))

    def read_sync(self, call: Call) -> WriteTask:
        """The one task of a synchronous request."""
        section, objects_ = self.choose(call, self.sections(call, self.parse(call)))
        return self.examine(call, section, 0, self.only_object(call, section, objects_))

    def sections(self, call: Call, document: dict[str, Any]) -> list[tuple[str, list[Any]]]:
        """The sections that hold something, as lists. Ambiguities bare-object and empty-sections."""
        filled = []
        for section in limits.SECTIONS:
            value = document.get(section)
            if value is None:
                continue
            if isinstance(value, dict):
                value = self.bare_object(call, section, value)
            elif not isinstance(value, list):
                value = self.refuse_type(section, 0, section, value)
            if value:
                filled.append((section, value))
            else:
                self.empty_section(call, section)
        return filled

    def bare_object(self, call: Call, section: str, value: dict[str, Any]) -> list[Any]:
        """Ambiguity bare-object."""
        if self.interpretation("bare-object") == "refused" and call.path != "/users/track":
            raise Refused(400, Detail(f"'{section}' must be an array", section))
        return [value]

    def empty_section(self, call: Call, section: str) -> None:
        """Ambiguity empty-sections; /users/track takes them (WIRE)."""
        if self.interpretation("empty-sections") == "refused" and call.path != "/users/track":
            raise Refused(400, Detail(f"'{section}' must not be empty", section))

    def choose(self, call: Call, filled: list[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
        """The one section of a synchronous request."""
        if not filled:
            return self.refuse_nothing(call)
        if len(filled) > 1:
            return self.refuse_sections(call, filled)
        return filled[0]

    def refuse_nothing(self, call: Call) -> tuple[str, list[Any]]:
        """A request without any object is refused with 400 (WIRE)."""
        raise Refused(400, Detail("One of 'attributes', 'events', 'purchases' is required"))

    def refuse_sections(self, call: Call, filled: list[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
        """Two sections at once are refused with 400; ambiguity surplus-message."""
        raise Refused(400, Detail("Only one section is allowed"), message=self.surplus_message("section"))

    def only_object(self, call: Call, section: str, found: list[Any]) -> Any:
        """The one object of the section."""
        if len(found) > 1:
            return self.refuse_objects(call, section, found)
        return found[0]

    def refuse_objects(self, call: Call, section: str, found: list[Any]) -> Any:
        """Two objects in a section are refused with 400; ambiguity surplus-message."""
        raise Refused(400, Detail("Only one object is allowed"), message=self.surplus_message("object"))

    def surplus_message(self, what: str) -> str | None:
        """Ambiguity surplus-message."""
        if self.interpretation("surplus-message") == "special":
            return f"A synchronous request carries exactly one {what}."
        return None

    # --- one object -------------------------------------------------------------------------------------------
    def examine(self, call: Call, section: str, index: int, item: Any) -> WriteTask:
        """The task that one object asks for, after every check of its content; `index` counts from 0."""
        if not isinstance(item, dict):
            item = self.refuse_type(section, index, section, item)
        who = self.identify(section, index, item)
        task = WriteTask(section, index, item, who, self.may_create(section, index, item, who))
        self.check_control(section, index, item)
        if section == "attributes":
            self.read_attributes(task)
        elif section == "events":
            self.read_event(task)
        else:
            self.read_purchase(task)
        return task

    def refuse_missing(self, section: str, index: int, name: str) -> Any:
        """A required field that is absent is refused with 400; a fault may return a value to go on with."""
        raise Refused(400, Detail(f"'{name}' is required", section, index))

    def check_control(self, section: str, index: int, item: dict[str, Any]) -> None:
        """Control keys and app_id are of their documented types."""
        for name in ("_update_existing_only", "_merge_objects", "push_token_import"):
            value = item.get(name)
            if value is not None and not isinstance(value, bool) and (section == "attributes" or name[1] == "u"):
                self.refuse_type(section, index, name, value)
        if section != "attributes":
            app_id = item.get("app_id")
            if app_id is not None and not isinstance(app_id, str):
                self.refuse_type(section, index, "app_id", app_id)

    # --- attributes -------------------------------------------------------------------------------------------
    def read_attributes(self, task: WriteTask) -> None:
        """Check what of an attributes object can be refused; the rest is a matter of applying."""
        item, section, index = task.item, task.section, task.index
        email = item.get("email")
        if isinstance(email, str) and task.who.kind != "email":
            self.check_email(section, index, email)
        if item.get("push_token_import") is True:
            self.check_push_import(task)
        custom = False
        for name, value in item.items():
            kind = limits.attribute_kind(name)
            if kind == "custom":
                custom = True
                if isinstance(value, (dict, list)):
                    self.check_object(task, name, value)
            elif kind == "profile":
                custom = True
        if not custom and len(item) - len(limits.CONTROL_KEYS & item.keys()) < 2:
            self.no_attributes(task)

    def no_attributes(self, task: WriteTask) -> None:
        """Ambiguity empty-attributes."""
        if self.interpretation("empty-attributes") == "refused":
            raise Refused(400, Detail("No attribute is given", task.section, task.index))

    def check_push_import(self, task: WriteTask) -> None:
        """push_token_import must come without external_id and braze_id, and with a push token (ATTR)."""
        item = task.item
        if item.get("external_id") is not None or item.get("braze_id") is not None or not item.get("push_tokens"):
            raise Refused(400, Detail("'push_token_import' is not valid", task.section, task.index))

    def check_object(self, task: WriteTask, name: str, value: Any) -> None:
        """Ambiguity invalid-object, where it says 400."""
        if self.interpretation("invalid-object") == "refused" and self.forbidden(task, value):
            raise Refused(400, Detail(f"'{name}' is not valid", task.section, task.index))

    def forbidden(self, task: WriteTask, value: Any) -> bool:
        """Whether an object has a forbidden or overlong key name, an overlong string, or is too large itself."""
        return bool(self.problems(_content(value)) - DROPPING)

    def problems(self, value: Any) -> frozenset[objects.ObjectProblem]:
        """What is wrong inside a nested value (NESTED)."""
        return objects.problems(value, self.interpretation("string-length"), limits.OBJECT_LIMITS)

    # --- events and purchases ---------------------------------------------------------------------------------
    def read_event(self, task: WriteTask) -> None:
        """`name` and `time` are required (EVENT)."""
        name = self.required(task, "name")
        if not isinstance(name, str):
            name = self.coerce_text(task, "name", name)
        task.name, task.shown = self.spell("event", name), name
        self.read_time(task)
        self.read_properties(task)

    def read_purchase(self, task: WriteTask) -> None:
        """`product_id`, `currency`, `price`, `time` are required, `quantity` is 1 when left out (PURCH)."""
        product = self.required(task, "product_id")
        if isinstance(product, str):
            task.shown = product
        elif numbers.is_integer(product) and not isinstance(product, float):
            task.shown = self.integer_text(task.section, task.index, "product_id", product)
        else:
            task.shown = product = self.refuse_type(task.section, task.index, "product_id", product)
        task.name = self.spell("product", str(product))
        if not self.product_fits(str(product)):
            raise Refused(400, Detail("'product_id' is too long", task.section, task.index))
        currency = self.required(task, "currency")
        if not self.is_currency(currency):
            self.refuse_currency(task, currency)
        price = self.required(task, "price")
        if not self.is_price(task, price):
            self.refuse_type(task.section, task.index, "price", price)
        task.quantity = self.read_quantity(task, task.item.get("quantity"))
        self.read_time(task)
        self.read_properties(task)

    def product_fits(self, product: str) -> bool:
        """Whether a product_id is within the limit (PURCH); ambiguity string-length."""
        return fits(product, self.interpretation("string-length"), limits.PRODUCT_ID_CHARACTERS)

    def required(self, task: WriteTask, name: str) -> Any:
        """A field that must be there; an empty text is as good as none."""
        value = task.item.get(name)
        if value is None or value == "":
            return self.refuse_missing(task.section, task.index, name)
        return value

    def coerce_text(self, task: WriteTask, name: str, value: Any) -> str:
        """Ambiguity coerced-types: a number where a text is documented."""
        if numbers.is_number(value) and self.interpretation("coerced-types") == "accepted":
            return str(value)
        return str(self.refuse_type(task.section, task.index, name, value))

    def coerce_number(self, value: Any) -> Any:
        """Ambiguity coerced-types: a numeric text where a number is documented; other values as they are."""
        if (
            isinstance(value, str)
            and self.interpretation("coerced-types") == "accepted"
            and NUMERIC_TEXT.fullmatch(value)
        ):
            return float(value) if "." in value else int(value)
        return value

    def is_currency(self, code: Any) -> bool:
        """Whether a currency is an ISO 4217 code."""
        return isinstance(code, str) and currencies.is_currency(code)

    def refuse_currency(self, task: WriteTask, code: Any) -> None:
        """WIRE: the text seen for a currency that is not valid."""
        raise Refused(400, Detail(BAD_CURRENCY, task.section, task.index))

    def is_price(self, task: WriteTask, price: Any) -> bool:
        """Any number is a price: a negative one records a refund (PURCH)."""
        return numbers.is_number(self.coerce_number(price))

    def read_quantity(self, task: WriteTask, value: Any) -> int:
        """An integer from 1 to 100, 1 when left out (PURCH); ambiguity quantity-low."""
        if value is None:
            return 1
        value = self.coerce_number(value)
        if not numbers.is_integer(value) or value > self.quantity_max():
            return self.refuse_quantity(task, value)
        if value < 1:
            if self.interpretation("quantity-low") == "refused":
                return self.refuse_quantity(task, value)
            return 1
        return int(value)

    def quantity_max(self) -> int:
        """The largest quantity of one purchase (PURCH)."""
        return limits.QUANTITY_MAX

    def refuse_quantity(self, task: WriteTask, value: Any) -> int:
        """WIRE: the text seen for a quantity that is not valid; a fault may return a number to go on with."""
        raise Refused(400, Detail(BAD_QUANTITY, task.section, task.index))

    def read_time(self, task: WriteTask) -> None:
        """`time` is required and must be a time."""
        value = self.required(task, "time")
        if not isinstance(value, str):
            value = self.refuse_type(task.section, task.index, "time", value)
        text = times.read_time(value)
        instant = self.instant_of(value, text)
        task.instant = self.refuse_time(task, value) if instant is None else instant
        task.offset = text.offset_minutes or 0

    def instant_of(self, written: str, text: times.TimeText) -> int | None:
        """The instant that a text means, None when it means none. Without a zone it is in UTC (ATTR TYPES)."""
        return text.instant

    def refuse_time(self, task: WriteTask, value: Any) -> int:
        """A text that is not a time is refused with 400; a fault may return an instant to go on with."""
        raise Refused(400, Detail("'time' is not valid", task.section, task.index))

    def read_properties(self, task: WriteTask) -> None:
        """Properties are an object without reserved names (EVENT)."""
        properties = task.item.get("properties")
        if properties is None:
            return
        if not isinstance(properties, dict):
            self.refuse_type(task.section, task.index, "properties", properties)
            return
        self.check_properties(task, properties)

    def check_properties(self, task: WriteTask, properties: dict[str, Any]) -> None:
        """Refuse names that are reserved, empty, overlong or begin with a dollar sign (EVENT)."""
        for name in properties:
            if self.is_reserved(name):
                raise Refused(400, Detail(f"'{name}' is a reserved property name", task.section, task.index))
            if not name or name[0] == "$" or len(name) > limits.PROPERTY_NAME_CHARACTERS:
                raise Refused(400, Detail("'properties' has an invalid name", task.section, task.index))

    def is_reserved(self, name: str) -> bool:
        """Whether a property may not be called so (EVENT)."""
        return name in limits.RESERVED_PROPERTIES


# Problems that drop the update whatever the interpretations say; the others are ambiguity invalid-object.
DROPPING: Final = frozenset({objects.ObjectProblem.NULL, objects.ObjectProblem.BAD_TIME})
ARRAY_EDITS: Final = frozenset({"add", "remove"})
OBJECT_EDITS: Final = frozenset({"$add", "$update", "$remove"})


def _content(value: Any) -> Any:
    """The objects in a nested value, without the outer keys of an edit: those are not content."""
    if isinstance(value, list):
        return [element for element in value if isinstance(element, dict)]
    if not (value and all(isinstance(changes, list) for changes in value.values())):
        return value
    if value.keys() <= ARRAY_EDITS:
        return _content(value.get("add", []))
    if value.keys() <= OBJECT_EDITS:
        updates = [update.get("$new_object") for update in value.get("$update", []) if isinstance(update, dict)]
        return _content(value.get("$add", []) + updates)
    return value


def _presentable(value: Any) -> bool:
    """Whether every number in a value can be written as JSON again. The reader bounds the depth."""
    if isinstance(value, dict):
        return all(map(_presentable, value.values()))
    if isinstance(value, list):
        return all(map(_presentable, value))
    return not isinstance(value, float) or math.isfinite(value)
