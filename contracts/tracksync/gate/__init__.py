"""The gate: tests whether a client keeps its half of the contract, by what it sends and how it behaves under faults.

`client_behaviour` is the client check, pure and sans-IO. `observe` runs a command under each scenario and checks its
traffic; `drive` gives operations to an adapter.
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
