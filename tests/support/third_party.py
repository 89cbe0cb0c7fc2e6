"""Published clients, pointed at a mock."""

from __future__ import annotations

import asyncio
import types
from typing import Any

import pytest

KEY = "canary-key-0123456789"


def braze_client(url: str) -> Any:
    """The client from PyPI. It pins a tenacity that wants asyncio.coroutine, which Python 3.11 no longer has."""
    if not hasattr(asyncio, "coroutine"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "coroutine", types.coroutine, raising=False)
            from braze.client import BrazeClient
    from braze.client import BrazeClient

    return BrazeClient(api_key=KEY, api_url=url)
