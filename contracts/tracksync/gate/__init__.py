"""The gate: does a client keep its half of the contract? Checks what it sends, and how it behaves under stress.

`client_judge` is the oracle, pure and sans-IO; `observe` runs a command against a served mock and checks its traffic.
"""

from tracksync.gate.client_behaviour import ClientBelief, ClientCheckResult, check_client, conclude
from tracksync.wire.observed import KeyForm, KeyUse, Observed, observe, read_key

__all__ = [
    "ClientBelief",
    "ClientCheckResult",
    "KeyForm",
    "KeyUse",
    "Observed",
    "check_client",
    "conclude",
    "observe",
    "read_key",
]
