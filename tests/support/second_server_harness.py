"""The second server as a target of the engine: in process with a clock that jumps, so that many runs stay quick."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

from fuzz_plans import fuzz_plan
from second_server.server import create

from tracksync.engine import fuzz
from tracksync.engine.targets import authorization
from tracksync.generate.build import Step
from tracksync.model.events import PHASES, Event, ExchangeChecked
from tracksync.model.exchange import Credential, Exchange, Response
from tracksync.model.finding import Finding

KEY, UNPRIVILEGED = "key-of-the-workspace", "key-without-permission"


class SecondServer:
    """A target (tracksync.engine.targets.Target) around the WSGI application."""

    name = "second server"
    clock_skew = 1.0
    settling = 301.0

    def __init__(self, **config: Any) -> None:
        self.time = 1_800_000_017.0
        self.app = create(KEY, UNPRIVILEGED, rate_limit=120, clock=self.now, **config)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += max(seconds, 0.0)

    def can(self, credential: Credential) -> bool:
        return True

    def hurry(self, seconds: float) -> None:
        return None

    def close(self) -> None:
        assert self.app.crashes == [], "the second server crashed, and answered 400 for it"

    def send(self, step: Step) -> Exchange:
        request = step.request
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path,
            "CONTENT_LENGTH": str(len(request.body)),
            "wsgi.input": io.BytesIO(request.body),
        }
        for name, value in request.headers:
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        key_sent = authorization(step, KEY, UNPRIVILEGED)
        if key_sent is not None:
            environ["HTTP_AUTHORIZATION"] = key_sent
        self.time += 0.001
        sent = self.time
        answered: list[Any] = []
        body = b"".join(self.app(environ, lambda status, headers, *_: answered.extend((status, headers))))
        self.time = max(self.time, sent) + 0.001
        response = Response(int(answered[0].split()[0]), tuple(answered[1]), body)
        return Exchange(request, response, sent, self.time, step.credential, None, (step.label,))


class _Enough(Exception):
    """Ends a run that has shown what was asked."""


def findings(
    *,
    max_requests: int = 500,
    seed: int = 0,
    phases: tuple[str, ...] = PHASES,
    enough: Callable[[Finding], bool] = lambda _: False,
    **config: Any,
) -> list[Finding]:
    """What a fuzz run finds on a second server of this configuration, up to the first finding that is `enough`."""
    found: list[Finding] = []

    def note(event: Event) -> None:
        if isinstance(event, ExchangeChecked):
            found.extend(event.findings)
            if any(enough(finding) for finding in event.findings):
                raise _Enough

    plan = fuzz_plan(seed=seed, requests=max_requests, phases=phases, shrink=False)
    with contextlib.suppress(_Enough):
        fuzz(plan, note, wrap=lambda *_: SecondServer(**config))
    return found
