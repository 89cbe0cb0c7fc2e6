"""One plain request before a run: a wrong key, path or host is a mistake in the call, and not a finding."""

from __future__ import annotations

import random

from tracksync.contract.bounds import SYNC
from tracksync.engine.budget import BudgetSpent
from tracksync.engine.session import Session
from tracksync.errors import Incomplete, UsageError
from tracksync.generate.build import Step, json_request
from tracksync.generate.harmless import Namer
from tracksync.model.exchange import Exchange, FailureKind, Response, header

PHASE = "probes"
SCOPE = "hello"


def check_target(session: Session, prefix: str, seed: int, *, embedded: bool) -> None:
    """Send one request and see that a workspace answers.

    Raises UsageError where the call has to be changed, Incomplete where trying again may help.
    """
    namer = Namer(prefix, random.Random(seed)).scope(SCOPE)
    body = {"attributes": [{"external_id": namer.external_id("first"), "greeting": "hello"}]}
    session.phase = PHASE
    try:
        exchange = session.send(Step(json_request(body), label="does the target answer?"))
    except BudgetSpent as spent:
        more = "" if session.spending.requests else " before it began: some is kept for deleting users; allow more"
        raise Incomplete(f"{spent}{more}") from None
    name = session.target.name
    if exchange is None or exchange.response is None:
        raise Incomplete(silent(name, exchange))
    if not embedded:
        check_status(name, exchange.response)
        check_media(name, exchange.response)


def silent(name: str, exchange: Exchange | None) -> str:
    """What to say of a target that gives no response."""
    failure = exchange.failure if exchange else None
    if failure is not None and failure.kind is FailureKind.UNREACHABLE:
        return f"{name} cannot be reached ({failure.detail})"
    why = failure.kind.value if failure else "nothing was sent"
    return f"{name} does not answer ({why}); is the address right, and is the server up?"


def check_status(name: str, response: Response) -> None:
    """Raise UsageError as `check_call` does, and Incomplete for a failure."""
    check_call(name, response)
    if response.status == 429 or response.status >= 500:
        raise Incomplete(f"{name} answers {response.status} even after several tries; try again later")


def check_call(name: str, response: Response) -> None:
    """Raise UsageError for a status with which no workspace answers a plain request: the call has to be changed."""
    status = response.status
    if status in (401, 403):
        what = "refuses the key" if status == 401 else "says that the key lacks the permission users.track.sync"
        raise UsageError(f"{name} {what} ({status}); check TRACKSYNC_API_KEY and the instance's URL")
    if 300 <= status < 400 and header(response.headers, "location"):
        # Where to is not shown: an address may hold the key.
        raise UsageError(
            f"{name}{SYNC} is a redirect ({status}), which is not followed, since the key would go along; "
            "give the base URL to which it leads, if that is the target"
        )
    if status in (404, 405, 501) or 300 <= status < 400:
        raise UsageError(
            f"{name}{SYNC} is not there ({status}); the target is the base URL, such as https://rest.iad-01.braze.com"
        )


def check_media(name: str, response: Response) -> None:
    """Raise UsageError for a web page. JSON that is labelled as one is a finding of the run."""
    media = header(response.headers, "content-type") or ""
    start = response.body[:200].lstrip().lower()
    page = "html" in media.lower() or start.startswith((b"<!doctype html", b"<html"))
    if page and not start.startswith((b"{", b"[")):
        raise UsageError(f"{name}{SYNC} answers with a web page ({response.status}); is it the REST host?")
