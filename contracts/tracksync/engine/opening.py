"""Opens the target that a plan names, and keeps what is sent to it harmless."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tracksync.contract.bounds import bounds
from tracksync.engine.plan import EMBEDDED_RATE, FuzzPlan
from tracksync.engine.targets import SETTLING, EmbeddedMock, HttpTarget, Target, trusted
from tracksync.errors import UsageError
from tracksync.faults.catalogue import servers
from tracksync.generate.harmless import is_harmless
from tracksync.generate.renaming import singles
from tracksync.mock import MockConfig
from tracksync.model.exchange import Request

MORE_THAN_SETTLED: Final = 0.2  # seconds


def open_target(plan: FuzzPlan, prefixes: Sequence[str]) -> Target:
    """The target that a plan names. It sends only what is harmless for one of `prefixes`, which may grow.

    Raises UsageError for an address that is none, and where the key is missing.
    """
    target = plan.target
    if target.embedded:
        return EmbeddedMock(
            MockConfig(
                rate_limit=target.rate_limit or EMBEDDED_RATE,
                faults=servers(plan.mock.faults),
                interpretations=plan.mock.interpretations,
                seed=plan.seed,
                array_limit=target.array_limit or bounds().array_elements.most,
            )
        )
    if not re.match(r"https?://[^/]", target.address):
        raise UsageError(
            f"{target.address!r} is not a target: give mock, live, or a URL that begins with http:// or https://"
        )
    if not target.key:
        raise UsageError("there is no API key for this target: set TRACKSYNC_API_KEY")
    return HttpTarget(
        target.address,
        target.key,
        target.unprivileged_key,
        timeout=target.timeout,
        verify=trusted(target.verify) if isinstance(target.verify, str) else target.verify,
        guard=lambda request: harmful(request, prefixes),
        settling=SETTLING if target.consistent_after is None else target.consistent_after + MORE_THAN_SETTLED,
    )


def harmful(request: Request, prefixes: Sequence[str]) -> str | None:
    """Why `request` is harmless for none of `prefixes`, or None. A batch may name users of several of them."""
    for part in singles(request):
        reasons = [reason for prefix in reversed(prefixes) if (reason := is_harmless(part, prefix))]
        if len(reasons) == len(prefixes):
            return reasons[-1] if reasons else "there is no prefix"
    return None
