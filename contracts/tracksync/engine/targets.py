"""Where requests go: the one seam between the engine and the world. A target sends one request and owns its clock.

Two targets: the embedded mock, in process with a clock of its own that jumps over pauses, and any URL over HTTP.
The key is known here and nowhere below; an exchange carries only what kind of credential was used.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx

from tracksync.config import is_loopback
from tracksync.errors import UsageError
from tracksync.generate.build import SentKey, Step
from tracksync.mock import MockApp, MockConfig
from tracksync.mock.call import ResponseLost
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Headers, Request, Response
from tracksync.oracle.belief import CONSISTENT_AFTER

USER_AGENT = "tracksync"
WRONG_KEY: Final = "tracksync-wrong-key"
SETTLING: Final = 2.0  # seconds to give to what is queued, where minutes would be needed to be certain


class Target(Protocol):
    """Something that sends responses to requests."""

    name: str  # what is checked, without credentials
    clock_skew: float  # seconds by which its clock may differ from ours
    settling: float  # seconds to give to what is queued

    def send(self, step: Step) -> Exchange:
        """Send one step's request with its credential. Failures of the transport become part of the exchange."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...

    def can(self, credential: Credential) -> bool:
        """Whether a key of this kind is at hand."""
        ...

    def hurry(self, seconds: float) -> None:
        """Wait for a response no longer than `seconds` from now on, since the run has to end."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def authorization(step: Step, key: str, unprivileged: str | None) -> str | None:
    """The Authorization header's value for a step, or None for no header."""
    match step.key:
        case SentKey.VALID:
            return f"Bearer {key}"
        case SentKey.UNPRIVILEGED:
            return f"Bearer {unprivileged or ''}"
        case SentKey.MISSING:
            return None
        case SentKey.INVALID:
            return f"Bearer {WRONG_KEY}"
        case SentKey.QUOTED:
            return f'Bearer "{key}"'
        case SentKey.OTHER_SCHEME:
            return f"Basic {key}"
        case SentKey.EMPTY:
            return "Bearer"
        case SentKey.OTHER_CASE:
            other = key.swapcase()
            return f"Bearer {other if other != key else key + 'x'}"
        case SentKey.CUT_SHORT:
            return f"Bearer {key[:-1]}"
        case SentKey.LENGTHENED:
            return f"Bearer {key}.1"


class EmbeddedMock:
    """The mock in process: no port, no network, and time that passes only in pauses."""

    EPOCH = 1_800_000_017.0  # fixed, so that the same seed gives the same run; and not a minute's beginning
    TICK = 0.001  # seconds; sent and received differ, and no two exchanges touch

    def __init__(self, config: MockConfig) -> None:
        self.name = "mock"
        self.clock_skew = 1.0
        self.settling = CONSISTENT_AFTER + 1.0
        self._config = config
        self._time = self.EPOCH
        self.app = MockApp(config, clock=lambda: self._time)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._time

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._time += max(seconds, 0.0)

    def can(self, credential: Credential) -> bool:
        """Whether a key of this kind is at hand."""
        return True

    def hurry(self, seconds: float) -> None:
        """It answers at once anyway."""

    def close(self) -> None:
        """Nothing is held open."""

    def send(self, step: Step) -> Exchange:
        """Send one step; failures of the transport become part of the exchange."""
        value = authorization(step, self._config.key, self._config.unprivileged_key)
        headers: Headers = step.request.headers
        request = step.request if value is None else replace(step.request, headers=(*headers, ("Authorization", value)))
        self._time += self.TICK
        sent = self._time
        response: Response | None = None
        failure: Failure | None = None
        try:
            response = self.app.handle(request)
        except ResponseLost as lost:
            failure = Failure(lost.kind, str(lost))
        self._time = max(self._time, sent) + self.TICK
        return Exchange(step.request, response, sent, self._time, step.credential, failure, (step.label,))


def trusted(path: Path | str | None) -> ssl.SSLContext:
    """The certificates to trust: those in the file at `path`, or the usual ones. Raises UsageError."""
    try:
        return httpx.create_ssl_context() if path is None else ssl.create_default_context(cafile=path)
    except OSError as error:
        raise UsageError(f"{path} holds no CA certificates: --ca takes a PEM file ({error})") from None


class HttpTarget:
    """A real endpoint over HTTP. `base_url` is scheme, host and perhaps a path; the documented paths are appended."""

    def __init__(
        self,
        base_url: str,
        key: str,
        unprivileged_key: str | None = None,
        *,
        timeout: float = 30.0,
        verify: bool | ssl.SSLContext = True,
        guard: Callable[[Request], str | None] | None = None,
        settling: float = SETTLING,
    ) -> None:
        parts = urlsplit(base_url)
        host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
        port = f":{parts.port}" if parts.port else ""
        self.name = f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
        self.clock_skew = 5.0 if is_loopback(parts.hostname or "") else 300.0
        self.settling = settling
        self._key, self._unprivileged = key, unprivileged_key
        self._guard = guard
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            verify=verify,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            follow_redirects=False,
            trust_env=not is_loopback(parts.hostname or ""),
        )
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.monotonic() + self._offset

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        time.sleep(max(seconds, 0.0))

    def can(self, credential: Credential) -> bool:
        """Whether a key of this kind is at hand."""
        return credential is not Credential.UNPRIVILEGED or bool(self._unprivileged)

    def hurry(self, seconds: float) -> None:
        """Wait for a response no longer than `seconds` from now on."""
        self._client.timeout = httpx.Timeout(seconds)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def send(self, step: Step) -> Exchange:
        """Send one step; failures of the transport become part of the exchange."""
        reason = self._guard(step.request) if self._guard else None
        if reason:
            raise HarmfulRequest(f"a request was held back before it was sent: {reason}")
        value = authorization(step, self._key, self._unprivileged)
        headers = list(step.request.headers)
        if value is not None:
            headers.append(("Authorization", value))
        request = self._client.build_request(
            step.request.method, self.name + step.request.path, headers=headers, content=step.request.body
        )
        sent = self.now()
        response: Response | None = None
        failure: Failure | None = None
        try:
            received = self._client.send(request)
            raw = tuple((name.decode("latin-1"), text.decode("latin-1")) for name, text in received.headers.raw)
            response = Response(received.status_code, raw, received.content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            failure = Failure(FailureKind.UNREACHABLE, _why_unreachable(error))
        except httpx.TimeoutException as error:
            failure = Failure(FailureKind.TIMEOUT, type(error).__name__)
        except httpx.DecodingError as error:
            failure = Failure(FailureKind.TRUNCATED, type(error).__name__)
        except httpx.RemoteProtocolError as error:
            incomplete = "incomplete" in str(error) or "without sending complete" in str(error)
            failure = Failure(FailureKind.TRUNCATED if incomplete else FailureKind.RESET, type(error).__name__)
        except httpx.HTTPError as error:
            failure = Failure(FailureKind.RESET, type(error).__name__)
        return Exchange(step.request, response, sent, self.now(), step.credential, failure, (step.label,))


def _why_unreachable(error: httpx.TransportError) -> str:
    """Why there is no connection, in words that help."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted; --ca names a file of certificates to trust"
    if "SSL" in text:
        return "it does not speak TLS on this port; is the address http:// instead of https://?"
    return {"ConnectError": "connection refused or no such host", "ConnectTimeout": "no connection in time"}.get(
        type(error).__name__, type(error).__name__
    )


class HarmfulRequest(RuntimeError):
    """A request that could reach a person. It is a defect of generation, and was not sent."""
