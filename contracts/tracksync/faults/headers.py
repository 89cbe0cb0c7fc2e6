"""Faults of the headers of refusals: those of the rate window and the media type, on every kind of refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tracksync.faults.registry import faults, row
from tracksync.mock.call import Call, Delivery
from tracksync.mock.core import Core

Kind = Callable[[Call], bool]
LIMIT: Final = ("x-ratelimit-limit",)
REMAINING: Final = ("x-ratelimit-remaining",)
RESET: Final = ("x-ratelimit-reset",)
WINDOW: Final = LIMIT + REMAINING + RESET
MEDIA: Final = ("content-type",)


def _status(status: int) -> Kind:
    return lambda call: call.status == status


def _wrong_url(call: Call) -> bool:
    return not call.known_path


def _wrong_method(call: Call) -> bool:
    return call.known_path and call.request.method != "POST"


def _too_large(call: Call) -> bool:
    return len(call.request.body) > 4 * 1024 * 1024 and call.status >= 400


def _wrong_media(call: Call) -> bool:
    named = dict(call.request.headers).get("content-type", "")
    return call.known_path and call.request.method == "POST" and "json" not in named


@faults("TS-RATE-HEADERS")(
    row(
        "rate-headers-missing-on-wrong-method",
        "The refusal of a wrong method has no rate headers.",
        beyond="no document says what such a response carries",
        kind=_wrong_method,
        names=WINDOW,
    ),
    row(
        "rate-headers-missing-on-large-bodies",
        "The refusal of a body over 4 MB has no rate headers.",
        beyond="no document says what such a response carries",
        kind=_too_large,
        names=WINDOW,
    ),
    row(
        "rate-headers-missing-on-wrong-media",
        "The response to another media type has no rate headers.",
        kind=_wrong_media,
        names=WINDOW,
    ),
    row("rate-limit-header-missing-on-400", "A 400 lacks x-ratelimit-limit.", kind=_status(400), names=LIMIT),
    row(
        "rate-remaining-header-missing-on-400", "A 400 lacks x-ratelimit-remaining.", kind=_status(400), names=REMAINING
    ),
    row("rate-reset-header-missing-on-400", "A 400 lacks x-ratelimit-reset.", kind=_status(400), names=RESET),
    row("rate-limit-header-missing-on-403", "A 403 lacks x-ratelimit-limit.", kind=_status(403), names=LIMIT),
    row("rate-reset-header-missing-on-403", "A 403 lacks x-ratelimit-reset.", kind=_status(403), names=RESET),
    row("rate-reset-header-missing-on-429", "A 429 does not say when to come back.", kind=_status(429), names=RESET),
    row(
        "rate-remaining-header-missing-on-401", "A 401 lacks x-ratelimit-remaining.", kind=_status(401), names=REMAINING
    ),
    row("media-missing-on-400", "A 400 has no content type.", "TS-ANSWER-MEDIA", kind=_status(400), names=MEDIA),
    row("media-missing-on-401", "A 401 has no content type.", "TS-ANSWER-MEDIA", kind=_status(401), names=MEDIA),
    row("media-missing-on-403", "A 403 has no content type.", "TS-ANSWER-MEDIA", kind=_status(403), names=MEDIA),
    row("media-missing-on-429", "A 429 has no content type.", "TS-ANSWER-MEDIA", kind=_status(429), names=MEDIA),
    row(
        "media-missing-on-wrong-url",
        "The refusal of a wrong URL has no content type.",
        "TS-ANSWER-MEDIA",
        beyond="no document says what such a response carries",
        kind=_wrong_url,
        names=MEDIA,
    ),
    row(
        "media-missing-on-wrong-method",
        "The refusal of a wrong method has no content type.",
        "TS-ANSWER-MEDIA",
        beyond="no document says what such a response carries",
        kind=_wrong_method,
        names=MEDIA,
    ),
    row(
        "media-missing-on-wrong-media",
        "The response to another media type has no content type.",
        "TS-ANSWER-MEDIA",
        kind=_wrong_media,
        names=MEDIA,
    ),
)
def _without(kind: Kind, names: tuple[str, ...]) -> type[Core]:
    """Leaves headers out of refusals of one kind."""

    class Without(Core):
        def deliver(self, call: Call, delivery: Delivery) -> Delivery:
            delivery = super().deliver(call, delivery)
            if not kind(call):
                return delivery
            response = delivery.response
            headers = tuple(one for one in response.headers if one[0] not in names)
            return replace(delivery, response=replace(response, headers=headers))

    return Without


@faults("TS-RATE-HEADERS")(
    row("rate-headers-empty-on-400", "The rate headers of a 400 are empty.", kind=_status(400), value=""),
    row("rate-headers-empty-on-429", "The rate headers of a 429 are empty.", kind=_status(429), value=""),
    row("rate-headers-empty-on-wrong-url", "The rate headers are empty on a wrong URL.", kind=_wrong_url, value=""),
    row(
        "rate-headers-zero-on-403",
        "The rate headers of a 403 are all 0.",
        "TS-RATE-LIMIT",
        "TS-RATE-RESET",
        kind=_status(403),
        value="0",
    ),
)
def _valued(kind: Kind, value: str) -> type[Core]:
    """Gives the rate headers of refusals of one kind another value."""

    class Valued(Core):
        def rate_headers(self, call: Call) -> tuple[tuple[str, str], ...]:
            headers = super().rate_headers(call)
            return tuple((name, value) for name, _ in headers) if kind(call) else headers

    return Valued
