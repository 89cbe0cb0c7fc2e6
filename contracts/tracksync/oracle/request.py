"""Step one: read the request alone. Whom does it address, what would it write, on which grounds may it be refused?

Knows the documents' rules for requests and nothing of belief, answers or state. A *ground* is a reason for which a
server must refuse (then 201 breaks its clause) or may refuse (then both are lawful). Where the documents do not say
what a server does with something odd, the ground is a may, and the write is *vague*: its effect is not checked.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct, field

from tracksync.contract.limits import (
    BODY_BYTES,
    CONTACTS,
    DELETE_BATCH,
    IDENTIFIERS,
    OBJECT_BYTES,
    PRODUCT_ID_CHARACTERS,
    PROPERTY_NAME_CHARACTERS,
    QUANTITY_MAX,
    RESERVED_PROPERTIES,
    SECTIONS,
    STRING_CHARACTERS,
    STRONG,
    TRACK_OBJECTS,
)
from tracksync.model.exchange import Credential, Exchange, Request, header, media_type
from tracksync.oracle.belief import CellKey, Identifier
from tracksync.values.currencies import is_currency, is_doubtful
from tracksync.values.identifiers import attribute_kind, plausible_email
from tracksync.values.jsontext import read_json
from tracksync.values.numbers import is_integer, is_number, within_int64
from tracksync.values.objects import ObjectProblem, doubtful, problems, serialized_size
from tracksync.values.text import fits, length
from tracksync.values.times import Certainty, read_time

BAD_REQUEST = frozenset({400})
PATHS = {
    "/users/track/sync": "sync",
    "/users/track": "track",
    "/users/delete": "delete",
    "/users/export/ids": "export",
}


class Refusal(Struct, frozen=True):
    """One reason to refuse. `statuses` with which; `must` or may; `row` and `interpretation`: what a lawful refusal shows."""

    clause: str
    statuses: frozenset[int]
    must: bool
    why: str
    pointer: str
    ambiguity: str | None = None
    interpretations: tuple[tuple[int, str], ...] = ()  # (status, reading of `row` that this status shows)


class CounterWrite(Struct, frozen=True):
    """An event or purchase. `instant` None: any time. `amounts`: (what it adds, reading of purchase-count or None)."""

    section: str
    name: Any  # str, or int where the row integer-products or coerced-types applies
    instant: int | None
    zoned: bool
    shifted: bool  # written with an offset other than zero
    amounts: tuple[tuple[int | None, str | None], ...]
    vague_name: bool = False
    too_long: bool = False  # over the documented length: not to be recorded as it is


class ParsedRequest(Struct, frozen=True):
    """What one request asks for."""

    endpoint: str
    refusals: tuple[Refusal, ...] = ()
    section: str | None = None
    identifiers: tuple[tuple[str, Any], ...] = ()
    update_only: bool | None = None
    update_unclear: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)
    odd_attributes: frozenset[str] = frozenset()
    profile: dict[str, Any] = field(default_factory=dict)
    merge: bool | None = False  # None: unclear
    counter: CounterWrite | None = None
    vague: bool = False
    features: frozenset[str] = frozenset()  # clauses that acceptance of this request covers
    body: Any = None

    def cells(self) -> tuple[CellKey, ...]:
        """The cells that the request writes."""
        if self.counter is not None:
            return ((self.counter.section, name_key(self.counter.name)),)
        return tuple(("attributes", name) for name in self.attributes)


def name_key(name: Any) -> str:
    """Under which text an event or product is remembered: an integer and its decimal text are one."""
    return str(name)


def identifier_key(kind: str, value: Any) -> Identifier:
    """The text under which an identifier is remembered."""
    if kind == "user_alias":
        return kind, f"{value.get('alias_label')}\0{value.get('alias_name')}"
    return kind, str(value)


def may(why: str, clause: str = "TS-OK-STATUS", pointer: str = "/request/body") -> Refusal:
    """A lawful refusal with 400 on which no ambiguity is kept."""
    return Refusal(clause, BAD_REQUEST, False, why, pointer)


def must(clause: str, why: str, pointer: str = "/request/body") -> Refusal:
    """A refusal with 400 that the documents ask for."""
    return Refusal(clause, BAD_REQUEST, True, why, pointer)


def ambiguity_may(ambiguity: str, clause: str, why: str, pointer: str) -> Refusal:
    """A refusal with 400 that is the interpretation `refused` of a ambiguity."""
    return Refusal(clause, BAD_REQUEST, False, why, pointer, ambiguity, ((400, "refused"),))


class _Reader:
    """Collects grounds while one request is read. Lives for one call."""

    __slots__ = ("features", "refusals", "vague")

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []
        self.features: set[str] = set()
        self.vague = False

    def odd(self, why: str, pointer: str) -> None:
        """Something on whose effect the documents are silent: it may be refused, and if not its effect is open."""
        self.refusals.append(may(why, pointer=pointer))
        self.vague = True


def read_request(exchange: Exchange) -> ParsedRequest:
    """What `exchange`'s request asks for. Never raises."""
    request = exchange.request
    path = request.path.partition("?")[0]
    endpoint = PATHS.get(path)
    refusals = list(_credential_grounds(exchange, endpoint))
    if endpoint is None:
        near = path.rstrip("/") in PATHS or path.lower() in PATHS
        if near or not _surely_wrong(path) or request.method not in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            return ParsedRequest("unclear", tuple(refusals), vague=True)
        refusals.append(Refusal("TS-ROUTE-URL", frozenset({404}), True, "the URL is wrong", "/request/path"))
        return ParsedRequest("nowhere", tuple(refusals))
    method = request.method
    if method != "POST":
        if method not in ("GET", "PUT", "DELETE", "PATCH"):
            return ParsedRequest("unclear", tuple(refusals), vague=True)
        interpretations = ((404, "not-found"), (405, "not-allowed"))
        refusals.append(
            Refusal(
                "TS-ROUTE-METHOD",
                frozenset({404, 405}),
                True,
                f"the method is {method}",
                "/request/method",
                "wrong-method",
                interpretations,
            )
        )
        return ParsedRequest("wrong-method", tuple(refusals))
    reader = _Reader()
    reader.refusals = refusals
    _transport_grounds(request, reader)
    text = read_json(request.body)
    if not text.valid:
        refusals.append(must("TS-REFUSE-SYNTAX", "the body is not JSON"))
        return ParsedRequest(endpoint, tuple(refusals))
    if text.quirks:
        reader.odd(f"the body has {', '.join(sorted(text.quirks))}", "/request/body")
    if text.value is None and text.quirks:
        return ParsedRequest(endpoint, tuple(refusals), vague=True)
    if not isinstance(text.value, dict):
        refusals.append(must("TS-REFUSE-SYNTAX", "the body is not a JSON object"))
        return ParsedRequest(endpoint, tuple(refusals))
    if endpoint != "sync":
        return _read_neighbour(endpoint, text.value, reader)
    return _read_sync(text.value, reader)


def _surely_wrong(path: str) -> bool:
    """Whether no workspace offers this path. The host has many more endpoints than the ones checked here."""
    return path.startswith("/users/track") and path != "/users/track/bulk"


def _credential_grounds(exchange: Exchange, endpoint: str | None) -> list[Refusal]:
    credential = exchange.credential
    pointer = "/request/headers/authorization"
    if credential is Credential.VALID:
        return []
    if credential is Credential.UNKNOWN:
        return [Refusal("TS-AUTH-INVALID", frozenset({401, 403}), False, "the key may be wrong", pointer)]
    if credential is Credential.UNPRIVILEGED:
        why = "the key lacks the permission"
        return [Refusal("TS-AUTH-PERMISSION", frozenset({403}), endpoint is not None, why, pointer)]
    if credential is Credential.MISSING:
        return [Refusal("TS-AUTH-MISSING", frozenset({401}), endpoint is not None, "there is no key", pointer)]
    quoted = "quoted" in exchange.tags
    clause = "TS-AUTH-QUOTED" if quoted else "TS-AUTH-INVALID"
    why = "the key is wrapped in quotes" if quoted else "the key is invalid"
    return [Refusal(clause, frozenset({401}), endpoint is not None, why, pointer)]


def _transport_grounds(request: Request, reader: _Reader) -> None:
    media = media_type(request.headers)
    if media != "application/json":
        interpretations = ((400, "bad-request"), (415, "unsupported"))
        why = f"the content type is {media or 'missing'}"
        where = "/request/headers/content-type"
        statuses = frozenset({400, 415})
        reader.refusals.append(Refusal("TS-ROUTE-MEDIA", statuses, False, why, where, "content-type", interpretations))
        reader.features.add("TS-ROUTE-MEDIA")
        if not (media.endswith("json") or media.startswith("text/") or not media):
            reader.vague = True
    if len(request.body) > BODY_BYTES:
        interpretations = ((413, "too-large"), (400, "bad-request"))
        statuses = frozenset({400, 413})
        why = "the body is over 4 MB"
        reader.refusals.append(
            Refusal("TS-ROUTE-SIZE", statuses, False, why, "/request/body", "body-size", interpretations)
        )
        reader.features.add("TS-ROUTE-SIZE")
    encoding = header(request.headers, "content-encoding")
    if encoding and encoding.lower() != "identity":
        reader.odd("the body is compressed", "/request/headers/content-encoding")


def _read_sync(body: dict[str, Any], reader: _Reader) -> ParsedRequest:
    refusals = reader.refusals
    for key in body:
        if key not in SECTIONS:  # `partner` stands on older pages only, and only on those of /users/track
            reader.refusals.append(may(f"{key!r} is no documented member", pointer=f"/request/body/{key}"))
    filled: list[tuple[str, list[Any]]] = []
    emptied: list[str] = []
    wrong = False
    for section in SECTIONS:
        if section not in body:
            continue
        value = body[section]
        where = f"/request/body/{section}"
        if isinstance(value, list):
            if value:
                filled.append((section, value))
            else:
                emptied.append(section)
        elif isinstance(value, dict):
            filled.append((section, [value]))
            why = f"{section} is a bare object"
            refusals.append(ambiguity_may("bare-object", "TS-FORM-BARE", why, where))
            reader.features.add("TS-FORM-BARE")
        elif value is None:
            reader.odd(f"{section} is null", where)
        else:
            wrong = True
            refusals.append(must("TS-REFUSE-TYPE", f"{section} is neither an array nor an object", where))
    if not filled:
        if not wrong:
            refusals.append(must("TS-REFUSE-EMPTY", "there is no attributes, event or purchase object"))
        return ParsedRequest("sync", tuple(refusals), body=body)
    if emptied:
        where = f"/request/body/{emptied[0]}"
        why = "unused sections are sent as empty arrays"
        refusals.append(ambiguity_may("empty-sections", "TS-FORM-EMPTY-SECTIONS", why, where))
        reader.features.add("TS-FORM-EMPTY-SECTIONS")
    if len(filled) > 1:
        names = " and ".join(name for name, _ in filled)
        refusals.append(must("TS-REFUSE-SECTIONS", f"{names} are in one request"))
    section, objects = filled[0]
    where = f"/request/body/{section}/0"
    if len(objects) > 1:
        refusals.append(
            must("TS-REFUSE-OBJECTS", f"{section} holds {len(objects)} objects", f"/request/body/{section}")
        )
    target = objects[0]
    if not isinstance(target, dict):
        refusals.append(must("TS-REFUSE-TYPE", f"the entry of {section} is no object", where))
        return ParsedRequest("sync", tuple(refusals), section, body=body)
    return read_object(section, target, reader, where, body)


def read_object(section: str, target: dict[str, Any], reader: _Reader, where: str, body: Any) -> ParsedRequest:
    """Read one attributes object, event or purchase."""
    identifiers = _read_identifiers(section, target, reader, where)
    flag = target.get("_update_existing_only")
    unclear = flag is not None and not isinstance(flag, bool)
    if unclear or ("_update_existing_only" in target and flag is None):
        unclear = True
        reader.refusals.append(may("_update_existing_only is no boolean", pointer=f"{where}/_update_existing_only"))
    if section == "attributes":
        custom, odd, profile, merge = _read_attributes(target, reader, where)
        return ParsedRequest(
            "sync",
            tuple(reader.refusals),
            section,
            identifiers,
            flag if isinstance(flag, bool) else None,
            unclear,
            custom,
            odd,
            profile,
            merge,
            vague=reader.vague,
            features=frozenset(reader.features),
            body=body,
        )
    counter = _read_event(target, reader, where) if section == "events" else _read_purchase(target, reader, where)
    if flag is False and [kind for kind, _ in identifiers] == ["user_alias"]:
        reader.features.add("TS-USER-ALIAS-CREATE-EVENT")
    return ParsedRequest(
        "sync",
        tuple(reader.refusals),
        section,
        identifiers,
        flag if isinstance(flag, bool) else None,
        unclear,
        counter=counter,
        vague=reader.vague,
        features=frozenset(reader.features),
        body=body,
    )


# --- identifiers -----------------------------------------------------------------------------------------------


def _read_identifiers(section: str, target: dict[str, Any], reader: _Reader, where: str) -> tuple[tuple[str, Any], ...]:
    found: list[tuple[str, Any]] = []
    broken: list[Refusal] = []
    for kind in IDENTIFIERS:
        if kind not in target:
            continue
        value = target[kind]
        pointer = f"{where}/{kind}"
        if kind == "user_alias":
            problem = _alias_problem(value)
            if problem is None:
                found.append((kind, value))
            elif problem == "odd":
                found.append((kind, value))
                reader.odd("a part of the user_alias is no plain text", pointer)
            else:
                broken.append(must("TS-REFUSE-ALIAS", problem, pointer))
        elif isinstance(value, str):
            found.append((kind, value))
            if not value.strip() or len(value) > STRING_CHARACTERS or "\0" in value:
                reader.odd(f"{kind} is an odd text", pointer)
            elif kind == "email":
                _read_email(value, reader, pointer)
            elif kind == "phone" and not re.fullmatch(r"\+[1-9]\d{6,14}", value):
                reader.odd("phone is not in E.164", pointer)
        elif value is None:
            reader.odd(f"{kind} is null", pointer)
        elif kind == "external_id" and is_integer(value):
            found.append((kind, value))
            clause = "TS-FORM-INTEGER-ID"
            reader.refusals.append(ambiguity_may("integer-identifiers", clause, "external_id is an integer", pointer))
            reader.features.add(clause)
            if isinstance(value, float) or not -(2**53) < value < 2**53:
                reader.vague = True
        elif is_number(value):
            found.append((kind, value))
            reader.odd(f"{kind} is a number", pointer)
        else:
            broken.append(must("TS-REFUSE-TYPE", f"{kind} is neither a text nor a number", pointer))
    if not found:
        nulls = any(kind in target and target[kind] is None for kind in IDENTIFIERS)
        if broken:
            reader.refusals.extend(broken)
        elif not nulls:
            reader.refusals.append(must("TS-REFUSE-IDENTIFIER", "the object names no user", where))
        else:
            reader.refusals.append(must("TS-REFUSE-IDENTIFIER", "every identifier of the object is null", where))
    elif broken:
        for refusal in broken:
            reader.odd(refusal.why, refusal.pointer)
    strong = [kind for kind, _ in found if kind in STRONG]
    if "braze_id" in strong:
        why = "the braze_id may be unknown"
        reader.refusals.append(ambiguity_may("unknown-braze-id", "TS-USER-BRAZE-ID", why, f"{where}/braze_id"))
    if len(strong) > 1:
        why = f"{' and '.join(strong)} are in one object"
        reader.refusals.append(ambiguity_may("identifier-precedence", "TS-OK-IDENTIFIER", why, where))
    elif strong and len(found) > 1 and section != "attributes":
        reader.refusals.append(may(f"{strong[0]} stands beside {found[-1][0]}", "TS-OK-IDENTIFIER", where))
    return tuple(found)


def _alias_problem(value: Any) -> str | None:
    """None where the alias is fine, "odd" where the documents are silent, otherwise what is wrong with it."""
    if not isinstance(value, dict):
        return "user_alias is no object"
    for part in ("alias_name", "alias_label"):
        if part not in value:
            return f"user_alias has no {part}"
    for part in ("alias_name", "alias_label"):
        text = value[part]
        if isinstance(text, (dict, list)):
            return f"{part} is no text"
        if not isinstance(text, str) or not text.strip() or len(text) > STRING_CHARACTERS or "\0" in text:
            return "odd"
    return None if len(value) == 2 else "odd"


def _read_email(value: str, reader: _Reader, pointer: str) -> None:
    plausible = plausible_email(value)
    if plausible is False:
        reader.refusals.append(ambiguity_may("bad-email", "TS-REFUSE-EMAIL", "email is no address", pointer))
        reader.features.add("TS-REFUSE-EMAIL")
        reader.vague = True
    elif plausible is None or len(value) > 75:
        reader.odd("email is a doubtful address", pointer)


# --- events and purchases ----------------------------------------------------------------------------------------


def _read_event(target: dict[str, Any], reader: _Reader, where: str) -> CounterWrite | None:
    name, vague_name = _read_name(target, "name", "TS-EVENT-NAME-REQUIRED", None, reader, where)
    time = _read_when(target, "TS-EVENT-TIME-REQUIRED", "TS-EVENT-TIME-VALID", reader, where)
    _read_properties(target, reader, where, "TS-EVENT-PROPERTIES")
    _read_common(target, {"name", "time", "app_id", "properties"}, reader, where)
    if name is None:
        return None
    instant, zoned, shifted = time
    return CounterWrite("events", name, instant, zoned, shifted, ((1, None),), vague_name)


def _read_purchase(target: dict[str, Any], reader: _Reader, where: str) -> CounterWrite | None:
    required = "TS-PURCHASE-PRODUCT-REQUIRED"
    name, vague_name = _read_name(target, "product_id", required, "integer-products", reader, where)
    time = _read_when(target, "TS-PURCHASE-TIME-REQUIRED", "TS-PURCHASE-TIME-REQUIRED", reader, where)
    _read_currency(target, reader, where)
    _read_price(target, reader, where)
    amounts = _read_quantity(target, reader, where)
    _read_properties(target, reader, where, "TS-PURCHASE-PROPERTIES")
    known = {"product_id", "time", "app_id", "properties", "currency", "price", "quantity"}
    _read_common(target, known, reader, where)
    if name is None:
        return None
    instant, zoned, shifted = time
    too_long = isinstance(name, str) and len(name) > PRODUCT_ID_CHARACTERS
    return CounterWrite("purchases", name, instant, zoned, shifted, amounts, vague_name, too_long)


def _read_common(target: dict[str, Any], known: set[str], reader: _Reader, where: str) -> None:
    if "app_id" in target:  # the workspace may not know the app
        reader.refusals.append(may("there is an app_id", pointer=f"{where}/app_id"))
    for key in target:
        if key not in known and key not in IDENTIFIERS and key != "_update_existing_only":
            reader.refusals.append(may(f"{key!r} is no documented member", pointer=f"{where}/{key}"))
            return


def _read_name(
    target: dict[str, Any], key: str, clause: str, ambiguity: str | None, reader: _Reader, where: str
) -> tuple[Any, bool]:
    value = target.get(key)
    pointer = f"{where}/{key}"
    if value is None:
        reader.refusals.append(must(clause, f"{key} is missing", pointer))
        return None, True
    if isinstance(value, str):
        if len(value) > PRODUCT_ID_CHARACTERS - 5 and ambiguity is not None:
            reader.features.add("TS-PURCHASE-PRODUCT-LENGTH")
        if not value.strip() or length(value, "utf16") > PRODUCT_ID_CHARACTERS or "\0" in value:
            reader.odd(f"{key} is an odd text", pointer)
            return value, True
        return value, False
    if is_number(value):
        if ambiguity is not None and is_integer(value):
            reader.refusals.append(ambiguity_may(ambiguity, "TS-FORM-INTEGER-ID", f"{key} is an integer", pointer))
            reader.features.add("TS-FORM-INTEGER-ID")
            if isinstance(value, float) or not -(2**53) < value < 2**53:
                reader.vague = True
        else:
            reader.odd(f"{key} is a number", pointer)
        return value, not (isinstance(value, int) and not reader.vague)
    if isinstance(value, bool):
        reader.odd(f"{key} is a boolean", pointer)
        return value, True
    reader.refusals.append(must("TS-REFUSE-TYPE", f"{key} is no text", pointer))
    return None, True


def _read_when(
    target: dict[str, Any], missing: str, invalid: str, reader: _Reader, where: str
) -> tuple[int | None, bool, bool]:
    value = target.get("time")
    pointer = f"{where}/time"
    if value is None:
        reader.refusals.append(must(missing, "time is missing", pointer))
        return None, True, False
    if not isinstance(value, str):
        if isinstance(value, (dict, list)):
            reader.refusals.append(must("TS-REFUSE-TYPE", "time is no text", pointer))
        else:
            reader.refusals.append(may("time is no text", pointer=pointer))
        return None, True, False
    time = read_time(value)
    if time.certainty is Certainty.NOT:
        reader.refusals.append(must(invalid, f"{value[:40]!r} is no time", pointer))
        return None, True, False
    if time.certainty is Certainty.LENIENT or time.year is None or time.year < 1000:
        reader.refusals.append(may("time is in a doubtful form", pointer=pointer))
        plain = re.fullmatch(r"\d{4}-\d\d-\d\d|\d\d/\d\d/\d{4}", value) and time.year and time.year >= 1000
        return (time.instant if plain else None), True, False
    return time.instant, time.zoned, bool(time.offset_minutes)


def _read_currency(target: dict[str, Any], reader: _Reader, where: str) -> None:
    value = target.get("currency")
    pointer = f"{where}/currency"
    if value is None:
        reader.refusals.append(must("TS-PURCHASE-CURRENCY-REQUIRED", "currency is missing", pointer))
    elif isinstance(value, str) and is_currency(value):
        return
    elif is_doubtful(value) or re.fullmatch(r"\d{3}", str(value)):  # ISO 4217 numbers its currencies as well
        reader.refusals.append(may("currency is doubtful", pointer=pointer))
    else:
        reader.refusals.append(must("TS-PURCHASE-CURRENCY-VALID", "currency is no ISO 4217 code", pointer))


def _read_price(target: dict[str, Any], reader: _Reader, where: str) -> None:
    value = target.get("price")
    pointer = f"{where}/price"
    if value is None:
        reader.refusals.append(must("TS-PURCHASE-PRICE-REQUIRED", "price is missing", pointer))
    elif is_number(value):
        if abs(value) >= 10**9 or (value != 0 and abs(value) < 0.001):
            reader.refusals.append(may("price is out of any shop's range", pointer=pointer))
        elif value < 0:
            reader.features.add("TS-PURCHASE-REFUND")
    elif _numeric(value):
        reader.refusals.append(may("price is a numeric text", "TS-PURCHASE-PRICE-REQUIRED", pointer))
    elif isinstance(value, bool):
        reader.refusals.append(may("price is a boolean", pointer=pointer))
    else:
        reader.refusals.append(must("TS-PURCHASE-PRICE-REQUIRED", "price is no number", pointer))


def _read_quantity(target: dict[str, Any], reader: _Reader, where: str) -> tuple[tuple[int | None, str | None], ...]:
    value = target.get("quantity", 1)
    pointer = f"{where}/quantity"
    unknown: tuple[tuple[int | None, str | None], ...] = ((None, None),)
    if is_number(value) and is_integer(value):
        if value > QUANTITY_MAX:
            reader.refusals.append(must("TS-PURCHASE-QUANTITY", f"quantity is over {QUANTITY_MAX}", pointer))
            return unknown
        if value < 1:
            why = "quantity is below 1"
            reader.refusals.append(ambiguity_may("quantity-low", "TS-PURCHASE-QUANTITY", why, pointer))
            return unknown
        if isinstance(value, float):
            reader.refusals.append(may("quantity is an integer in disguise", pointer=pointer))
        reader.features.add("TS-PURCHASE-QUANTITY")
        count = int(value)
        return ((1, None),) if count == 1 else ((count, "quantity"), (1, "one"))
    if value is None or _numeric(value) or isinstance(value, bool):
        reader.refusals.append(may("quantity is of a doubtful type", "TS-PURCHASE-QUANTITY", pointer))
        return unknown
    reader.refusals.append(must("TS-PURCHASE-QUANTITY", "quantity is no integer", pointer))
    return unknown


def _numeric(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value) is not None


def _read_properties(target: dict[str, Any], reader: _Reader, where: str, clause: str) -> None:
    properties = target.get("properties")
    pointer = f"{where}/properties"
    if "properties" not in target:
        return
    if not isinstance(properties, dict):
        reader.refusals.append(may("properties is no object", pointer=pointer))
        return
    if clause == "TS-EVENT-PROPERTIES":
        reserved = RESERVED_PROPERTIES & properties.keys()
        if reserved:
            why = f"a property is called {sorted(reserved)[0]}"
            reader.refusals.append(must("TS-EVENT-RESERVED", why, pointer))
    elif RESERVED_PROPERTIES & properties.keys():
        reader.refusals.append(may("a property has a reserved name", pointer=pointer))
    for name, value in properties.items():
        if not name or name[0] == "$" or not fits(name, "utf16", PROPERTY_NAME_CHARACTERS) or "\0" in name:
            reader.refusals.append(may("a property name is not allowed", pointer=pointer))
            return
        if not _property_fits(value):
            reader.refusals.append(may("a property value is not allowed", pointer=pointer))
            return
    if serialized_size(properties) > OBJECT_BYTES // 2:
        reader.refusals.append(may("the properties are over a documented size", pointer=pointer))
        return
    reader.features.add(clause)
    if len(properties) > 256 and clause == "TS-EVENT-PROPERTIES":
        reader.features.add("TS-EVENT-PROPERTIES-256")


def _property_fits(value: Any, depth: int = 0) -> bool:
    kind = type(value)
    if kind is str:
        return fits(value, "utf16") and "\0" not in value
    if kind is bool:
        return True
    if is_number(value):
        return bool(-(2**53) < value < 2**53)
    if depth > 6 or value is None:
        return False
    if kind is list:
        return all(_property_fits(item, depth + 1) for item in value)
    return all(
        key and "." not in key and "$" not in key and _property_fits(item, depth + 1) for key, item in value.items()
    )


# --- attributes --------------------------------------------------------------------------------------------------


def _read_attributes(
    target: dict[str, Any], reader: _Reader, where: str
) -> tuple[dict[str, Any], frozenset[str], dict[str, Any], bool | None]:
    custom: dict[str, Any] = {}
    odd: set[str] = set()
    profile: dict[str, Any] = {}
    merge: bool | None = False
    for key, value in target.items():
        kind = attribute_kind(key)
        if kind == "custom":
            custom[key] = value
            if not key.strip() or "$" in key or "." in key or len(key) > STRING_CHARACTERS or "\0" in key:
                odd.add(key)
                reader.refusals.append(may("an attribute's name is odd", pointer=f"{where}/{key}"))
            if isinstance(value, str) and "\0" in value:  # no store of text has to take a NUL
                reader.refusals.append(may(f"{key!r} has a NUL in it", pointer=f"{where}/{key}"))
            if isinstance(value, (dict, list)) or (isinstance(value, int) and not within_int64(value)):
                _read_container(key, value, reader, f"{where}/{key}")
        elif kind == "control":
            if key == "_merge_objects":
                merge = value if isinstance(value, bool) else None
                if merge is None:
                    reader.refusals.append(may("_merge_objects is no boolean", pointer=f"{where}/{key}"))
            elif key == "push_token_import":
                reader.odd("push_token_import has its own conditions", f"{where}/{key}")
        elif key not in STRONG:
            profile[key] = value
            if key in CONTACTS:
                if value is None:
                    reader.odd(f"{key} is null", f"{where}/{key}")
                continue
            if _profile_fits(key, value):
                reader.features.add("TS-PROFILE-ACCEPTED")
            else:
                reader.refusals.append(may(f"{key} is not in its documented format", pointer=f"{where}/{key}"))
    if not custom and profile.keys() <= set(CONTACTS):
        strong = any(kind in target for kind in STRONG)
        if not (profile and strong):
            why = "the object names no attribute"
            reader.refusals.append(ambiguity_may("empty-attributes", "TS-OK-STATUS", why, where))
    return custom, frozenset(odd), profile, merge


_EDITS = frozenset({"inc", "add", "remove"})
_OBJECT_EDITS = frozenset({"$add", "$update", "$remove"})


def _read_container(key: str, value: Any, reader: _Reader, pointer: str) -> None:
    """Grounds on which an array, an object or a huge integer may be refused with the request, not just passed over."""
    if isinstance(value, int):
        reader.refusals.append(may(f"{key!r} is beyond 64 bits", pointer=pointer))
        return
    if isinstance(value, dict) and value and value.keys() <= _EDITS:
        simple = all(isinstance(part, list) and _plain(part) for name, part in value.items() if name != "inc")
        counted = "inc" not in value or (len(value) == 1 and type(value["inc"]) is int and within_int64(value["inc"]))
        if not (simple and counted):
            reader.refusals.append(may(f"{key!r} is edited in a way of its own", pointer=pointer))
        return
    if isinstance(value, list) and not all(isinstance(item, dict) for item in value):
        if not _plain(value):
            reader.refusals.append(may(f"{key!r} has doubtful elements", pointer=pointer))
        return
    if isinstance(value, dict) and value.keys() & (_OBJECT_EDITS | {"$time"}):
        if not value.keys() <= _OBJECT_EDITS or any(_wrong_edit(name, part) for name, part in value.items()):
            reader.refusals.append(may(f"{key!r} is edited in a way of its own", pointer=pointer))
        return
    found = problems(value, "utf16") | problems(value, "code-points")
    if found - {ObjectProblem.NULL, ObjectProblem.BAD_TIME}:
        why = f"{key!r} is over a limit or has a forbidden key name"
        reader.refusals.append(ambiguity_may("invalid-object", "TS-OBJECT-LIMITS", why, pointer))
    elif doubtful(value) or (isinstance(value, list) and found):
        reader.refusals.append(may(f"{key!r} is doubtful", pointer=pointer))


def _plain(values: list[Any]) -> bool:
    return all(
        fits(item, "utf16") and "\0" not in item
        if isinstance(item, str)
        else isinstance(item, (bool, int, float)) and abs(item) < 2**63
        for item in values
    )


def _wrong_edit(name: str, part: Any) -> bool:
    """Whether an edit of an array of objects is not in its documented form, or carries what may be refused."""
    if not isinstance(part, list) or not all(isinstance(item, dict) for item in part):
        return True
    if problems(part, "utf16") - {ObjectProblem.KEY_NAME} or doubtful(part):
        return True
    if name == "$add":
        return bool(problems(part, "utf16"))
    wanted = {"$identifier_key", "$identifier_value"} | ({"$new_object"} if name == "$update" else set())
    return any(item.keys() != wanted or not isinstance(item["$identifier_key"], str) for item in part) or any(
        problems(item["$new_object"], "utf16") for item in part if "$new_object" in item
    )


_PROFILE_FORMS: dict[str, re.Pattern[str]] = {
    "country": re.compile(r"[A-Z]{2}"),
    "language": re.compile(r"[a-z]{2}"),
    "dob": re.compile(r"(1[89]|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"),
    "gender": re.compile(r"[MFONP]"),
    "email_subscribe": re.compile(r"opted_in|unsubscribed|subscribed"),
    "push_subscribe": re.compile(r"opted_in|unsubscribed|subscribed"),
    "time_zone": re.compile(r"[A-Z][A-Za-z_]+/[A-Z][A-Za-z_]+|UTC"),
    "first_name": re.compile(r".{1,255}"),
    "last_name": re.compile(r".{1,255}"),
    "home_city": re.compile(r".{1,255}"),
    "date_of_first_session": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z"),
    "date_of_last_session": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z"),
}


def _profile_fits(key: str, value: Any) -> bool:
    if key == "current_location":
        return (
            isinstance(value, dict)
            and value.keys() == {"longitude", "latitude"}
            and is_number(value["longitude"])
            and is_number(value["latitude"])
            and abs(value["longitude"]) <= 180
            and abs(value["latitude"]) <= 90
        )
    if key in ("email_open_tracking_disabled", "email_click_tracking_disabled"):
        return isinstance(value, bool)
    form = _PROFILE_FORMS.get(key)
    return form is not None and isinstance(value, str) and form.fullmatch(value) is not None


# --- neighbours --------------------------------------------------------------------------------------------------


NOT_OFFERED = frozenset({401, 403, 404, 405})  # there is no such neighbour, or not for this key
_NEIGHBOUR_CLAUSES = {"track": "TS-TRACK-ACCEPTED", "delete": "TS-DELETE-ANSWER", "export": "TS-EXPORT-ANSWER"}


def _read_neighbour(endpoint: str, body: dict[str, Any], reader: _Reader) -> ParsedRequest:
    features: set[str] = set()
    why = "the server may not offer this address to this key"
    reader.refusals.append(Refusal(_NEIGHBOUR_CLAUSES[endpoint], NOT_OFFERED, False, why, "/request/path"))
    if endpoint == "track":
        total = 0
        tidy = True
        for section in SECTIONS:
            value = body.get(section, [])
            tidy = tidy and isinstance(value, list) and all(isinstance(item, dict) for item in value)
            total += len(value) if isinstance(value, list) else 0
        if not total:
            reader.refusals.append(may("nothing is sent"))
        elif total > TRACK_OBJECTS or not tidy:
            reader.refusals.append(may("more objects than 75, or none"))
        elif _all_plain(body):
            features.add("TS-TRACK-ACCEPTED")
        else:
            reader.refusals.append(may("an object may be invalid"))
    elif endpoint == "delete":
        lists = [value for value in body.values() if isinstance(value, list)]
        if len(lists) == len(body) == 1 and len(lists[0]) <= DELETE_BATCH and _external_ids(body):
            features.add("TS-DELETE-ANSWER")
        else:
            reader.refusals.append(may("the lists of identifiers are odd"))
    else:
        fields = body.get("fields_to_export", [])
        named = isinstance(fields, list) and all(isinstance(one, str) for one in fields)
        if _external_ids(body) and named and set(body) <= {"external_ids", "fields_to_export"}:
            features.add("TS-EXPORT-ANSWER")
        else:
            reader.refusals.append(may("the export's members are odd"))
    return ParsedRequest(endpoint, tuple(reader.refusals), features=frozenset(features), body=body, vague=reader.vague)


def _external_ids(body: dict[str, Any]) -> bool:
    ids = body.get("external_ids")
    return isinstance(ids, list) and bool(ids) and all(isinstance(one, str) and one for one in ids)


def _all_plain(body: dict[str, Any]) -> bool:
    """Whether every object of a /users/track body is beyond doubt."""
    for section in SECTIONS:
        for target in body.get(section, []):
            reader = _Reader()
            read_object(section, target, reader, "", None)
            if reader.refusals or reader.vague:
                return False
    return True


def objects_of(parsed: ParsedRequest) -> list[ParsedRequest]:
    """The single objects of a /users/track request, each read as if it stood alone."""
    parsed_requests = []
    for section in SECTIONS:
        value = parsed.body.get(section) if isinstance(parsed.body, dict) else None
        for target in value if isinstance(value, list) else []:
            if isinstance(target, dict):
                parsed_requests.append(read_object(section, target, _Reader(), "", None))
    return parsed_requests
