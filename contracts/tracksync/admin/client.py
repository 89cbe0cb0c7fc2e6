"""The admin API for Python tests: one method for each operation. `spec/admin.yaml` says what each gives.

admin = AdminClient("http://127.0.0.1:8080")
admin.add_users([{"external_id": "ada", "custom_attributes": {"plan": "free"}}])
...
admin.settle()
assert admin.user(external_id="ada")["custom_attributes"] == {"plan": "paid"}
assert admin.findings() == []
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import httpx

from tracksync.admin.addresses import PREFIX
from tracksync.errors import TracksyncError

Json = dict[str, Any]


class AdminError(TracksyncError):
    """The admin API has refused something; the message says why. `status` is that of the response."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class AdminClient:
    """The admin API of the mock at `url`, for one of its workspaces. A context manager, or to be closed.

    `ca`: a file with the CA of its certificate, where it has one. `timeout` in seconds.
    """

    def __init__(self, url: str, workspace: str | None = None, *, ca: str | None = None, timeout: float = 70.0) -> None:
        self.url = url.rstrip("/") + PREFIX
        self._params = {} if workspace is None else {"workspace": workspace}
        # Proxies of the environment are for other machines.
        verify = True if ca is None else ssl.create_default_context(cafile=ca)
        self._http = httpx.Client(base_url=self.url, timeout=timeout, trust_env=False, verify=verify)

    def __enter__(self) -> AdminClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    # --- looking --------------------------------------------------------------------------------------------------
    def status(self) -> Json:
        """The clock, the rate windows, the counts and the settings."""
        return self._json("GET", "/status")

    def users(self, matching: str = "") -> list[Json]:
        """Up to a thousand users by their identifiers, the one written last first."""
        found: list[Json] = self._json("GET", "/users", params={"matching": matching, "limit": 1000})["users"]
        return found

    def user(self, **identifier: str) -> Json | None:
        """One user with its cells, or None: `user(external_id="ada")`, `user(alias_label="crm", alias_name="7")`."""
        try:
            return self._json("GET", "/user", params=identifier)
        except AdminError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    def log(self, after: int = 0) -> list[Json]:
        """Up to a thousand exchanges with a number over `after`, each with its verdict."""
        found: list[Json] = self._json("GET", "/log", params={"after": after, "limit": 1000})["exchanges"]
        return found

    def exchange(self, number: int) -> Json:
        """One exchange in full."""
        return self._json("GET", f"/log/{number}")

    def findings(self, *, conclude: bool = False) -> list[Json]:
        """What either side broke; with `conclude`, also what shows if no more requests come."""
        params = {"conclude": "true" if conclude else "false"}
        found: list[Json] = self._json("GET", "/findings", params=params)["findings"]
        return found

    def cassette(self, *numbers: int) -> str:
        """These exchanges, or the whole log, as a cassette of vcrpy."""
        return self._send("GET", "/cassette", params={"number": list(numbers)}).text

    # --- steering -------------------------------------------------------------------------------------------------
    def add_users(self, users: Iterable[Mapping[str, Any]]) -> int:
        """Add users in the form of an export; how many."""
        added: int = self._json("POST", "/users", json={"users": list(users)})["users"]
        return added

    def reset(self, *, settings: bool = False) -> None:
        """Forget users, windows, queued work and the log; with `settings`, go back to the first settings too."""
        self._send("POST", "/reset", json={"settings": settings})

    def snapshot(self) -> Json:
        """The state of the workspace."""
        return self._json("GET", "/snapshot")

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Put the state of a snapshot back."""
        self._send("PUT", "/snapshot", json=snapshot)

    def switch(self, **settings: Any) -> Json:
        """Change scenario, faults, interpretations, rate_limit, array_limit, async_delay or seed; all of them."""
        return self._json("PATCH", "/settings", json=settings)

    def advance(self, seconds: float) -> None:
        """Advance the clock."""
        self._send("POST", "/clock", json={"advance": seconds})

    def settle(self, timeout: float = 10.0) -> None:
        """Wait until everything that was accepted is applied. Raises AdminError where it takes longer."""
        self._send("POST", "/settle", json={"timeout": timeout})

    # --- the way there --------------------------------------------------------------------------------------------
    def _json(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None) -> Json:
        found: Json = self._send(method, path, params=params, json=json).json()
        return found

    def _send(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> httpx.Response:
        response = self._http.request(method, path, params={**self._params, **(params or {})}, json=json)
        if response.is_error:
            try:
                message = str(response.json()["error"])
            except (ValueError, KeyError, TypeError):
                message = f"{method} {path} is answered {response.status_code}"
            raise AdminError(message, response.status_code)
        return response
