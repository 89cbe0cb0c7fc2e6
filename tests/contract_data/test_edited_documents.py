"""Edit the document, and something is found in servers that stayed as they were: every constraint binds."""

from __future__ import annotations

import copy
from typing import Any

import edited_documents as edited
import pytest
from edited_documents import ORIGINAL, REQUEST, RESPONSE, installed
from fuzz_plans import fuzz_plan

from tracksync.contract import spec
from tracksync.contract.bounds import SYNC
from tracksync.contract.responses import SCHEMA_CLAUSE, Responses
from tracksync.engine import fuzz
from tracksync.model.events import Event, FindingConfirmed

SCHEMAS = "/components/schemas"
# One of each kind of keyword, with the clause that names what is found. `tools/edited-document` does all of them.
SEEN = {
    "Purchase/properties/quantity/maximum": "TS-PURCHASE-QUANTITY",
    "Purchase/properties/quantity/minimum": "TS-OK-STATUS",
    "Purchase/properties/product_id/maxLength": "TS-PURCHASE-PRODUCT-LENGTH",
    "Purchase/properties/price/exclusiveMinimum": "TS-PURCHASE-REFUND",
    "Event/properties/name/pattern": "TS-OK-STATUS",
    "Event/additionalProperties": "TS-OK-STATUS",
    "Currency/enum": "TS-PURCHASE-CURRENCY-VALID",
    "Email/maxLength": "TS-OK-STATUS",
    "UserAttributes/properties/time_zone/format": "TS-PROFILE-ACCEPTED",
    "UserAttributes/properties/twitter/x-open": "TS-PROFILE-ACCEPTED",
    "CustomText/x-max-length": "TS-ATTR-LENGTH-OVER",
    "CustomText/x-years": "TS-ATTR-DATE-RANGE",
    "CustomArray/x-max-elements": "TS-ARRAY-LIMIT",
    "Number/x-integer-range": "TS-OK-STATUS",
    "EventRequest/properties/events/maxItems": "TS-OK-STATUS",
    "SyncRequest/x-max-bytes": "TS-OK-STATUS",
    "SyncRequest/x-max-depth": "TS-OK-STATUS",
}


@pytest.mark.parametrize("name", SEEN)
def test_a_constraint_of_requests_that_is_another_shows(name: str) -> None:
    found = [outcome.clauses for outcome in edited.outcomes(REQUEST[f"{SCHEMAS}/{name}"])]
    assert SEEN[name] in frozenset().union(*found)


def test_the_servers_keep_the_document_as_it_is() -> None:
    assert edited.findings_of([one for some in edited.recorded().values() for one in some]) == frozenset()
    exchanges = [one for some in edited.responses().values() for one in some]
    assert edited.findings_of(exchanges, new=False) == frozenset()


def run() -> dict[str, str]:
    """The findings of a run against the embedded mock, by clause."""
    events: list[Event] = []
    fuzz(fuzz_plan(seed=1, requests=800, shrink=False, phases=("probes", "boundaries")), events.append)
    return {one.finding.clause: one.finding.message for one in events if isinstance(one, FindingConfirmed)}


def test_a_run_reports_each_of_several_edits_under_its_clause() -> None:
    document = copy.deepcopy(ORIGINAL)
    schemas = document["components"]["schemas"]
    schemas["Purchase"]["properties"]["quantity"]["maximum"] = 50
    schemas["Purchase"]["properties"]["product_id"]["maxLength"] = 300
    schemas["PropertyName"]["not"]["enum"].append("colour")
    schemas["Currency"]["enum"].remove("EUR")
    with installed(document):
        found = run()
    forms = {clause for clause in found if "neither refused nor handled right" in found[clause]}
    assert sorted(found.keys() - forms) == [
        "TS-EVENT-RESERVED",
        "TS-PURCHASE-CURRENCY-VALID",
        "TS-PURCHASE-PRODUCT-LENGTH",
        "TS-PURCHASE-QUANTITY",
    ]
    assert "over 50" in found["TS-PURCHASE-QUANTITY"]
    assert "colour" in found["TS-EVENT-RESERVED"]


def test_a_further_required_member_is_missed_in_every_event() -> None:
    document = copy.deepcopy(ORIGINAL)
    document["components"]["schemas"]["Event"]["required"].append("properties")
    with installed(document):
        assert "properties is missing" in run()["TS-OK-STATUS"]


# --- responses --------------------------------------------------------------------------------------------------------

# A response that breaks what no edit can make a lawful response break: that it is less strict shows nothing.
BROKEN: dict[str, tuple[int, str, Any]] = {
    "/components/headers/RateLimitReset/required": (201, "x-ratelimit-reset", None),
    "/components/headers/RateLimitRemaining/required": (201, "x-ratelimit-remaining", None),
    "/components/headers/RateLimitLimit/required": (201, "x-ratelimit-limit", None),
    "/components/headers/RateLimitOrEmpty/required": (401, "x-ratelimit-limit", None),
    f"{SCHEMAS}/SyncSuccess/properties/errors/maxItems": (201, "errors", ["one"]),
    f"{SCHEMAS}/SyncSuccess/properties/errors/type": (201, "errors", "one"),
}


@pytest.mark.parametrize("pointer", [pointer for pointer in RESPONSE if pointer not in BROKEN])
def test_a_constraint_of_responses_that_is_another_shows(pointer: str) -> None:
    one = RESPONSE[pointer]
    clauses = frozenset().union(*edited.mismatches(one))
    assert clauses
    if one.kind != "required" and "/anyOf/" not in pointer:  # another name, another alternative has another clause
        assert (one.clause or SCHEMA_CLAUSE) in clauses


@pytest.mark.parametrize("pointer", BROKEN)
def test_a_constraint_of_responses_that_is_gone_is_missed(pointer: str) -> None:
    status, name, value = BROKEN[pointer]
    _, headers, body = edited.shown(SYNC, str(status))[0]
    broken = (status, {**headers, "x-ratelimit-limit": headers["x-ratelimit-limit"]}, {**body})
    if value is None:
        del broken[1][name]
    else:
        broken[2][name] = value
    found = Responses(ORIGINAL).validate(SYNC, *broken)
    assert [one.clause for one in found] == [RESPONSE[pointer].clause]
    document = copy.deepcopy(ORIGINAL)
    holder, _, key = pointer.rpartition("/")
    del spec.at(document, holder)[key]
    assert Responses(document).validate(SYNC, *broken) == ()
