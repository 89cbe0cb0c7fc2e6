"""Traffic on correct servers in which users are deleted again and again, by every kind of identifier.

The client learns the braze_ids of its users from exports, and names them by these as well.
A server may look for the users of a deletion when it carries it out, and take members that no document names for lists
of users. The same arguments give the same exchanges.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.engine.freshness import everything, nothing
from tracksync.engine.targets import EmbeddedMock
from tracksync.generate.build import Step, json_request
from tracksync.mock import MockConfig
from tracksync.mock.call import Call
from tracksync.mock.core import Core
from tracksync.mock.profiles import UserIdentity
from tracksync.model.exchange import Exchange, Failure, FailureKind, Request
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, Settings, check

SETTLED: Final = 10.0  # seconds after which everything queued is done
TIME: Final = "2026-01-01T10:00:00Z"
USERS: Final = 3
FRESH: Final[dict[str, Callable[[str, str], bool]]] = {  # which identifiers are certainly new when they are met
    "everything": everything,
    "what has a prefix": lambda kind, text: kind != "phone" and everything(kind, text),
    "nothing": nothing,
}


class LateSearch(Core):
    """Looks for the users of a deletion once more when it is carried out."""

    def delete(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
        for who, _ in self.read_batch(call, document):
            self.later(call.now, lambda who=who: self._delete(who))  # type: ignore[misc]
        return super().delete(call, document)

    def _delete(self, who: UserIdentity) -> None:
        profile = self.store.find(who.kind, who.key)
        if profile is not None:
            self.store.delete(profile)


class LenientBatch(Core):
    """Takes `also` for a list of external_ids."""

    def read_batch(self, call: Call, document: dict[str, Any]) -> list[tuple[UserIdentity, Any]]:
        also = document.get("also")
        if isinstance(also, list):
            document = document | {"external_ids": [*document.get("external_ids", []), *also]}
        return super().read_batch(call, document)


def findings(seed: int, count: int, fresh: str) -> list[Finding]:
    """All that the oracle finds in a run; each is false."""
    draw = random.Random(seed)
    drawn = {name: draw.choice(list(one.interpretations)) for name, one in ambiguity_catalogue().items()}
    variants = tuple(one for one in (LateSearch, LenientBatch) if draw.random() < 0.5)
    config = MockConfig(rate_limit=10**6, faults=variants, interpretations=drawn, seed=seed, async_delay=SETTLED / 1.6)
    target = EmbeddedMock(config)
    belief = Belief.start(Settings(fresh=FRESH[fresh], clock_skew=1.0, consistent_after=SETTLED))
    found: list[Finding] = []
    learned: list[str] = []
    for _ in range(count):
        exchange = target.send(Step(_request(draw, learned)))
        learned += _braze_ids(exchange)
        checked = check(belief, _lost(exchange) if draw.random() < 0.04 else exchange)
        belief = checked.belief
        found += checked.findings
        target.sleep(draw.choice((0.1, 0.1, 1.0, 3.0, 8.0, SETTLED + 2)))
    return found


def _braze_ids(exchange: Exchange) -> list[str]:
    """Those that the response to an export shows."""
    if exchange.request.path != "/users/export/ids" or exchange.response is None or exchange.response.status != 200:
        return []
    return [one["braze_id"] for one in json.loads(exchange.response.body)["users"]]


def _lost(exchange: Exchange) -> Exchange:
    return replace(exchange, response=None, failure=Failure(FailureKind.TIMEOUT))


def _identifiers(draw: random.Random, number: int, learned: list[str]) -> dict[str, Any]:
    return {
        "external_id": f"u{number}",
        "user_alias": {"alias_name": f"a{number}", "alias_label": "l"},
        "email": f"e{number}@example.com",
        "phone": f"+1202555010{number}",
        "braze_id": draw.choice(learned) if learned and draw.random() < 0.8 else f"b{number}-unassigned",
    }


def _who(draw: random.Random, learned: list[str], *, attributes: bool) -> dict[str, Any]:
    own = _identifiers(draw, draw.randrange(USERS), learned)
    kind = draw.choices(list(own), (40, 15, 15, 15, 15))[0]
    who = {kind: own[kind]}
    if attributes and draw.random() < 0.4:
        contact = draw.choice(("email", "phone"))
        who.setdefault(contact, _identifiers(draw, draw.randrange(USERS), learned)[contact])
    if draw.random() < 0.2:
        who["_update_existing_only"] = draw.random() < 0.5
    return who


def _request(draw: random.Random, learned: list[str]) -> Request:
    kind = draw.random()
    if kind < 0.15:
        return json_request(_deletion(draw, learned), path="/users/delete")
    if kind < 0.25:
        fields = ["external_id", "custom_attributes", "custom_events", "email", "braze_id"]
        body = {"external_ids": [f"u{draw.randrange(USERS)}"], "fields_to_export": fields}
        return json_request(body, path="/users/export/ids")
    events = [
        {**_who(draw, learned, attributes=False), "name": draw.choice("xy"), "time": TIME}
        for _ in range(draw.randint(1, 3))
    ]
    if kind < 0.65:
        return (
            json_request({"events": events}, path="/users/track")
            if kind < 0.32
            else json_request({"events": events[:1]})
        )
    values = draw.choice(({"n": {"inc": 1}}, {"n": draw.randint(1, 5)}, {"t": draw.choice(("p", None))}))
    return json_request({"attributes": [{**_who(draw, learned, attributes=True), **values}]})


def _deletion(draw: random.Random, learned: list[str]) -> dict[str, Any]:
    own, priority = (
        _identifiers(draw, draw.randrange(USERS + 1), learned),
        {"prioritization": ["most_recently_updated"]},
    )
    lists = {
        "external_ids": [own["external_id"]],
        "user_aliases": [own["user_alias"]],
        "braze_ids": [own["braze_id"]],
        "email_addresses": [{"email": own["email"], **priority}],
        "phone_numbers": [{"phone": own["phone"], **priority}],
    }
    chosen = draw.sample(sorted(lists), draw.choice((1, 1, 1, 2)))
    more = draw.choice(({}, {}, {}, {"also": [f"u{draw.randrange(USERS)}"]}, {"odd": 5}))
    return {name: lists[name] for name in chosen} | more
