"""The other endpoints that a run uses: /users/track, /users/delete and /users/export/ids.

Knows what the responses of the first two promise, and what such requests do to the belief about users; exports are in
`check_export`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from tracksync.contract.bounds import bounds
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import deletions
from tracksync.oracle.check_export import check_export
from tracksync.oracle.forgetting import forget_all
from tracksync.oracle.request import ParsedRequest, objects_of
from tracksync.oracle.same_user import apart
from tracksync.oracle.unread import may_change_users
from tracksync.values.numbers import is_integer

if TYPE_CHECKING:
    from tracksync.oracle.context import Context

BODY: Final = "/response/body"


def check_neighbour(context: Context, body: dict[str, Any]) -> None:
    """Check the response to an accepted request to /users/track, /users/delete or /users/export/ids."""
    parsed = context.parsed
    if parsed.endpoint == "track":
        context.covered |= {"TS-TRACK-ACCEPTED", "TS-TRACK-PROCESSED"}
        context.findings += _check_track(parsed, body)
    elif parsed.endpoint == "delete":
        context.covered.add("TS-DELETE-ANSWER")
        context.findings += _check_delete(context, body)
        context.belief = deletions.begin(context.belief, parsed, context.exchange, accepted=True)
    else:
        context.covered.add("TS-EXPORT-ANSWER")
        check_export(context, body)


def is_plain(parsed: ParsedRequest) -> bool:
    """Whether nothing is odd about the body of the request."""
    return not any(one.pointer.startswith("/request/body") for one in parsed.conditions)


def queued(parsed: ParsedRequest) -> list[ParsedRequest]:
    """The objects of a /users/track request, each as a request of its own."""
    return objects_of(parsed)


def _check_track(parsed: ParsedRequest, body: dict[str, Any]) -> Iterator[Finding]:
    """The message of a batch, and how many objects of each section it says were queued."""
    message = body.get("message", NOTHING)
    plain = is_plain(parsed)
    if message != "success" and (plain or not isinstance(message, str)):  # of objects at fault it may tell
        text = 'the message of an accepted request is not "success"'
        yield Finding("TS-TRACK-ACCEPTED", text, f"{BODY}/message", "success", message)
    for section in bounds().sections if plain else ():
        sent = len(parsed.body.get(section, ()))
        name = f"{section}_processed"
        shown = body.get(name, NOTHING)
        if not (sent == 0 and shown in (NOTHING, None)) and not (is_integer(shown) and shown == sent):
            text = f"{name} is not the number of {section} that were sent"
            yield Finding("TS-TRACK-PROCESSED", text, f"{BODY}/{name}", sent or NOTHING, shown)


_SHARED: Final = frozenset({"email_addresses", "phone_numbers"})


def _check_delete(context: Context, body: dict[str, Any]) -> Iterator[Finding]:
    clause, parsed = "TS-DELETE-ANSWER", context.parsed
    if body.get("message") != "success":
        text = 'the message of an accepted deletion is not "success"'
        yield Finding(clause, text, f"{BODY}/message", "success", body.get("message", NOTHING))
    plain = is_plain(parsed)
    least, most = 0, None
    if plain:
        named = deletions.named_users(context.belief, parsed, context.exchange.sent)
        least = len(apart(context.belief, named.certain))
        # Several users may share an email or a phone, and what prioritization makes of them is not documented.
        if not parsed.body.keys() & _SHARED:
            most = sum(map(len, parsed.body.values()))
    deleted = body.get("deleted", NOTHING)
    if not is_integer(deleted) or deleted < least or (most is not None and deleted > most):
        wanted = f"{least} … {'' if most is None else most}"
        text = f"deleted is not the number of users that were named and exist, {wanted.strip()}"
        yield Finding(clause, text, f"{BODY}/deleted", wanted.strip(), deleted)


def elsewhere(context: Context) -> None:
    """An endpoint that is not checked accepted the request."""
    if may_change_users(context.exchange.request):
        context.belief = forget_all(context.belief)
