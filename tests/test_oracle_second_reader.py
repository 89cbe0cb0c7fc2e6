"""What an honest server may do that the first reading of the documents did not think of: the judge is silent."""

from __future__ import annotations

from typing import Any

import pytest

from court import REFUSAL, TIME, Court, attributed

EVENT = {"events": [{"external_id": "u", "name": "seen", "time": TIME}]}
NEIGHBOURS: dict[str, Any] = {
    "/users/track": EVENT,
    "/users/delete": {"external_ids": ["u"]},
    "/users/export/ids": {"external_ids": ["u"], "fields_to_export": ["custom_attributes"]},
}


@pytest.mark.parametrize("status", [401, 403, 404, 405])
@pytest.mark.parametrize("content", [b"<html>", b'{"message": "Not found"}'])
@pytest.mark.parametrize("path", NEIGHBOURS)
def test_a_server_need_not_offer_the_neighbours(path: str, content: bytes, status: int) -> None:
    court = Court()
    assert court.hear(NEIGHBOURS[path], content, status, path=path) == []
    assert court.last is not None
    assert not any(clause.startswith(("TS-TRACK", "TS-DELETE", "TS-EXPORT")) for clause in court.last.exercised)


def test_a_neighbour_that_is_there_may_not_turn_a_lawful_request_down() -> None:
    assert Court().clauses(EVENT, REFUSAL, 400, path="/users/track") == {"TS-TRACK-ACCEPTED"}


def test_the_partner_of_older_pages_may_be_unknown() -> None:
    body = {"attributes": [{"external_id": "u", "a": 1}], "partner": "p"}
    assert Court().hear(body, REFUSAL, 400) == []
    assert Court().hear(body, attributed({"external_id": "u"}, {"a": 1})) == []


def test_a_415_may_come_from_before_the_endpoint() -> None:
    assert Court().hear(EVENT, b"<html>", 415, media="text/plain") == []
