"""The directed probes: which requests, together, cover every clause. They assert nothing; the oracle decides.

They are listed in the order in which they are sent: what reveals most comes first. No probe depends on another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracksync.generate.build import Step, event_request
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import (
    attributes,
    containers,
    events,
    malformed,
    near_names,
    neighbours,
    purchases,
    rare_cases,
    refusals,
    users,
)
from tracksync.generate.probes.probe import Probe

PROBES: Final[tuple[Probe, ...]] = (
    attributes.values,
    events.times,
    purchases.counts,
    containers.arrays,
    containers.objects,
    users.apart,
    users.external_id,
    users.alias,
    refusals.forms,
    refusals.keys,
    events.refused,
    purchases.refused,
    users.email_phone,
    users.found,
    containers.arrays_of_objects,
    events.future,
    events.names,
    attributes.names,
    attributes.dates,
    attributes.profile,
    refusals.identifiers,
    refusals.routes,
    refusals.other_forms,
    users.email_leads,
    users.spelling,
    containers.limits,
    users.integer_id,
    users.braze_id,
    users.precedence,
    users.empty_attributes,
    refusals.huge_body,
    neighbours.track,
    neighbours.export,
    neighbours.delete,
    malformed.json_syntax,
    malformed.impossible_times,
    rare_cases.every_section,
    rare_cases.flags_and_lists,
    rare_cases.long_names,
    near_names.identifiers_alike,
    near_names.names_alike,
    rare_cases.creates_no_user,
    rare_cases.email_of_several,
    users.contacts_replaced,
    neighbours.track_by_identifier,
    neighbours.export_fields,
    neighbours.deletions,
    neighbours.keys,
)

# Clauses that no fixed sequence can cover, and who does it instead.
ELSEWHERE: Final = {
    "TS-RATE-EXCEEDED": "the engine sends `rate_burst` where going over the limit is allowed",
    "TS-RATE-429": "as TS-RATE-EXCEEDED; it also shows when another run uses up the window",
    "TS-ANSWER-SERVER-ERROR": "shown by the engine's retries when a server answers 5XX; no lawful request asks for one",
}


def rate_burst(namer: Namer, n: int) -> Iterator[Step]:
    """`n` equal events of one user, made as they are asked for: the count shows what was applied although refused."""
    user = {"external_id": namer.scope("rate-burst").external_id("u")}
    request = event_request(user, "burst", "2023-10-01T12:00:00Z")
    for number in range(1, n + 1):
        yield Step(request, label=f"burst {number} of {n}")


__all__ = ["ELSEWHERE", "PROBES", "Probe", "rate_burst"]
