"""The client check: no document speaks of redirects, so that a client which follows one is not accused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_samples import broken, seen

from tracksync.gate import Observed

MOVED = "/v2/users/track/sync"


def redirect(status: int, location: str, at: float = 0.0) -> Observed:
    observed = seen(status=status, at=at, response_body=b"")
    assert observed.exchange.response is not None
    response = replace(observed.exchange.response, headers=(("Location", location),))
    return replace(observed, exchange=replace(observed.exchange, response=response))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "path"),
    [(MOVED, MOVED), (f"http://a.example{MOVED}?to=1", f"{MOVED}?to=1"), ("/users/track/sync/", "/users/track/sync/")],
)
def test_a_client_that_follows_a_redirect_is_not_accused_of_what_it_sends_there(
    status: int, location: str, path: str
) -> None:
    for followed in (seen(path=path, at=1), seen(b"", path=path, at=1, method="GET", authorization=None, headers=())):
        assert broken(redirect(status, location), followed, notes=True) == set()
    assert "TC-URL" in broken(redirect(status, "/elsewhere"), seen(path=path, at=1))


def test_a_redirect_to_the_documented_path_excuses_one_request() -> None:
    wrong = [seen(b"", at=at, method="GET", headers=()) for at in (1.0, 2.0)]
    path = "/users/track/sync"
    assert broken(redirect(302, path), wrong[0]) == set()
    assert "TC-METHOD" in broken(redirect(302, path), *wrong)
