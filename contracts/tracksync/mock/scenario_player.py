"""Playing a scenario: a layer around the server, faulty or not, that decides what happens to each request.

What happens is drawn from the seed and from the request itself, so that a run can be repeated even where clients send
in parallel. Knows nothing of how a response is delivered beyond `Delivery`.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any, Final

from tracksync.mock.call import UNCHANGED, Call, Cut, Delivery, Detail, Refused, ServerPart, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile
from tracksync.mock.rate import SYNC_PATH, RateWindow
from tracksync.mock.response import HTML
from tracksync.mock.scenarios import Act, Scenario
from tracksync.model.exchange import Request

DISTURBED: Final = (SYNC_PATH, "/users/track")
# Acts that change what is responded or done. The others change the delivery only.
DISTURBING: Final = frozenset({"status", "reset", "cut", "truncate", "empty", "no-user", "unchanged", "limit"})
_TRIED: Final = 3  # times that a request is sent until an act has lasted for it
MESSAGES: Final = {
    400: None,  # the message that every 400 has
    403: "Forbidden",
    404: "Not Found",
    429: "Rate limit exceeded",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class ScenarioPlayer(Core):
    """Plays `scenario`, which is set by the subclass that `with_scenario` makes."""

    scenario: Scenario

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._acts: dict[str, Act] = {}
        self._sent: Counter[bytes] = Counter()
        self._number = 0
        self._met: Counter[int] = Counter()
        self._held: defaultdict[int, set[bytes]] = defaultdict(set)  # by act, the requests that it lasts for
        self._limited_until = 0
        self._limited = False

    def continue_from(self, earlier: ServerPart) -> None:
        """Take over a limit that is in force as well: it ends when it was said to end."""
        super().continue_from(earlier)
        if isinstance(earlier, ScenarioPlayer):
            self._limited_until = earlier._limited_until

    def open_call(self, request: Request, now: float) -> Call:
        """Decide what happens to this request."""
        call = super().open_call(request, now)
        ours = call.path in DISTURBED and call.request.method == "POST"
        # A request that the limit refuses counts for no other act: the same acts come, only later.
        self._acts = self._chosen(call) if ours and now >= self._limited_until else {}
        if "limit" in self._acts:
            self._limited_until = int(now + self._acts["limit"].seconds) + 1
        self._limited = ours and now < self._limited_until
        call.disturbed = self._limited or not DISTURBING.isdisjoint(self._acts)
        return call

    def is_full(self, window: RateWindow) -> bool:
        """Whether the limit is used up, by the act or by requests."""
        return self._limited or super().is_full(window)

    def remaining_shown(self, window: RateWindow) -> int | str:
        """Nothing while the limit is used up."""
        return 0 if self._limited else super().remaining_shown(window)

    def reset_shown(self, window: RateWindow) -> int | str:
        """The end of the act while it lasts."""
        return self._limited_until if self._limited else super().reset_shown(window)

    def _chosen(self, call: Call) -> dict[str, Act]:
        """The acts that this request meets, by what they do; the first of a kind wins."""
        self._number += 1
        body = hashlib.blake2b(call.path.encode() + call.request.body, digest_size=8).digest()
        self._sent[body] += 1
        chosen: dict[str, Act] = {}
        for place, act in enumerate(self.scenario.acts):
            since = self._number - (act.start or act.every)
            if since < 0 or since % act.every or self._sent[body] > (act.times or self._sent[body]):
                continue
            if act.share < 1 and self._chance_of(body, place) >= act.share:
                continue
            if act.lasts is not None:
                if not self._holds(place, act, body):
                    continue
            elif act.total is not None and self._met[place] >= act.total:
                continue
            self._met[place] += 1
            chosen.setdefault(act.do, act)
        return chosen

    def _holds(self, place: int, act: Act, body: bytes) -> bool:
        """Whether an act that lasts happens to this request: it has begun with it, or begins now."""
        held = self._held[place]
        tried = sum(self._sent[other] >= _TRIED for other in held)
        if body not in held and tried < (act.lasts or 1) and len(held) < (act.total or len(held) + 1):
            held.add(body)
        return body in held

    def _chance_of(self, body: bytes, place: int) -> float:
        """A number from 0 to 1 that depends on the seed, the request, how often it was sent, and the act."""
        text = f"{self.config.seed} {self._sent[body]} {place} ".encode() + body
        return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest()) / 2**48

    def serve(self, call: Call) -> Any:
        """Apply the request or not, and respond as the acts demand."""
        status, reset = self._acts.get("status"), self._acts.get("reset")
        if reset is not None and not reset.apply:
            raise Refused(503, message=MESSAGES[503], bare=True)  # no client will read it
        if "no-user" in self._acts and call.path == SYNC_PATH:
            task = self.read_sync(call)
            call.status = 201
            return self.no_user(call, task)
        if status is None:
            return super().serve(call)
        if status.apply:
            super().serve(call)
        if status.status == 401:
            self.refuse_key(call, self.key_sent(call))  # WIRE: the response echoes the key
        message = MESSAGES.get(status.status, "Error")
        raise Refused(status.status, Detail(message or "Refused by the scenario"), message=message)

    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        """Leave every attribute as it is where an act demands it."""
        return UNCHANGED if "unchanged" in self._acts else super().write_custom(task, profile, name, value)

    def encode(self, call: Call, body: Any) -> bytes:
        """The body, or what stands in its place."""
        status = self._acts.get("status")
        if status is not None and call.status == status.status and status.body != "json":
            return HTML if status.body == "html" else b""
        content = super().encode(call, body)
        if "empty" in self._acts and call.status == 201:
            return b""
        return content[: len(content) // 2] if "truncate" in self._acts and call.status == 201 else content

    def media(self, call: Call) -> str:
        """The content type, which follows the body."""
        status = self._acts.get("status")
        html = status is not None and call.status == status.status and status.body == "html"
        return "text/html; charset=utf-8" if html else super().media(call)

    def deliver(self, call: Call, delivery: Delivery) -> Delivery:
        """How the response is delivered."""
        delivery = super().deliver(call, delivery)
        acts = self._acts
        if not acts:
            return delivery
        if "capitals" in acts:
            headers = tuple((name.upper(), value) for name, value in delivery.response.headers)
            delivery = replace(delivery, response=replace(delivery.response, headers=headers))
        cut = Cut.BEFORE if "reset" in acts else Cut.BODY if "cut" in acts else delivery.cut
        drip, chunked = acts.get("drip"), acts.get("chunked")
        return replace(
            delivery,
            pause=delivery.pause + (acts["pause"].seconds if "pause" in acts else 0.0),
            drip=drip.seconds if drip else delivery.drip,
            pieces=drip.pieces if drip else chunked.pieces if chunked else delivery.pieces,
            cut=cut,
            chunked=chunked is not None or delivery.chunked,
            close="close" in acts or delivery.close,
            hang_up="hang-up" in acts or delivery.hang_up,
            gzip="gzip" in acts or delivery.gzip,
        )


def with_scenario(core: type[Core], scenario: Scenario, *, always: bool = False) -> type[Core]:
    """`core` with a scenario around it; `core` itself where the scenario has no acts, unless `always`."""
    if not scenario.acts and not always:
        return core
    return type(
        "ScenarioCore", (ScenarioPlayer, core) if core is not Core else (ScenarioPlayer,), {"scenario": scenario}
    )
