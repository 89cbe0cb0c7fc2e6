"""An exchange of a correct server that is altered in one place is found by the clause on that place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from alterations import altered, names, recorded, with_altered_response, without_response
from oracle_harness import leads_to_what_it_saw

from tracksync.model.exchange import Exchange
from tracksync.oracle import Belief, check
from tracksync.oracle.interpretations import Interpretation

SYNC = "/users/track/sync"
EACH = 6  # alterations of each kind that are tried in one recording
EVENT = r"/users/0/custom_events/0"
PRODUCT = r"/users/0/purchase_events/0"
CLAUSES = {  # by what is altered in the response of an accepted request
    r"body b''|body b'null'|body b'<html>'": "TS-ANSWER-JSON",
    r"content-type (removed|empty|text)": "TS-ANSWER-MEDIA",
    r"x-ratelimit-\w+ (removed|empty|text)": "TS-RATE-HEADERS",
    r"x-ratelimit-remaining \+1000000": "TS-RATE-REMAINING",
    r"x-ratelimit-reset [+-]1": "TS-RATE-RESET",
    r"status (200|202|204)": "TS-OK-STATUS",
    r"status 302": "TS-ANSWER-STATUS",
    r"/message (removed|null|longer|a number)": "TS-OK-MESSAGE",
    r"/users a text|/users/0 (null|a text)": "TS-OK-USERS",
    r"/users/0/custom_attributes a text": "TS-OK-FORM",
    r"/users/0/custom_attributes with more": "TS-OK-ONLY-ATTRIBUTES",
    r"/users/0/(custom|purchase)_events (removed|empty)": "TS-OK-SHOWS",
    r"/users/0/(custom|purchase)_events (an object|a text)": "TS-OK-FORM",
    rf"({EVENT}|{PRODUCT})/count (as text|0|true|half more|negative)": "TS-OK-COUNT-FORM",
    rf"({EVENT}|{PRODUCT})/(first|last) (empty|a number|spaced)": "TS-OK-TIME-FORM",
    rf"{EVENT}/name (longer|removed|a list)": "TS-EVENT-NAME",
    rf"{PRODUCT}/product_id (longer|removed|a list)": "TS-PURCHASE-PRODUCT",
}


def accepted(probe: str) -> Iterator[tuple[int, Exchange]]:
    """The requests of a recording that the server accepted, and whose effect is documented, with their places."""
    for index, exchange in enumerate(recorded(probe).exchanges):
        if exchange.request.path == SYNC and "TS-OK-MESSAGE" in recorded(probe).covered[index]:
            yield index, exchange


def informed(belief: Belief) -> Belief:
    """The belief of who knows that the workspace has purchase events, and how it shows that no user was found."""
    for interpretation in (Interpretation("purchase-events", "available"), Interpretation("no-user", "empty-list")):
        belief = belief.narrow([(interpretation,)])
    return belief


@cache
def pattern_of(alteration: str) -> str | None:
    return next((one for one in CLAUSES if re.fullmatch(one, alteration)), None)


@pytest.mark.parametrize("probe", names())
def test_an_altered_response_is_found_by_the_clause_on_what_is_altered(probe: str) -> None:
    tried: Counter[str] = Counter()
    for index, exchange in accepted(probe):
        for alteration, make in with_altered_response(exchange):
            pattern = pattern_of(alteration)
            if pattern is not None and tried[pattern] < EACH:
                tried[pattern] += 1
                found = check(informed(recorded(probe).beliefs[index]), make()).findings
                assert CLAUSES[pattern] in {finding.clause for finding in found}, (index, alteration)


def test_every_row_of_the_table_is_tried() -> None:
    tried = {
        pattern_of(alteration)
        for probe in names()[::3]
        for _, exchange in accepted(probe)
        for alteration, _ in with_altered_response(exchange)
    }
    assert tried >= CLAUSES.keys()


@pytest.mark.parametrize("probe", names())
def test_a_single_lost_response_is_not_a_finding(probe: str) -> None:
    for index, exchange in accepted(probe):
        for kind, other in without_response(exchange):
            assert check(recorded(probe).beliefs[index], other).findings == (), (index, kind)


@pytest.mark.parametrize("responses", [True, False], ids=["responses", "requests"])
@pytest.mark.parametrize("probe", names())
def test_every_finding_leads_to_what_is_wrong(probe: str, responses: bool) -> None:
    for index in range(len(recorded(probe).exchanges)):
        for one in altered(probe, index, responses, 6):
            for later, finding in one.findings:
                leads_to_what_it_saw(finding, one.exchanges[later])
