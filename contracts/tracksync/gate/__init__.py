"""The gate: does a client keep its half of the contract? Judges what it sends, and how it behaves under stress.

`client_judge` is the judge, pure and sans-IO; `observe` runs a command against a served mock and judges its traffic.
"""

from tracksync.gate.client_judge import ClientBelief, ClientJudgement, conclude, judge_client
from tracksync.gate.observed import KeyForm, KeyUse, Observed, observe, read_key

__all__ = [
    "ClientBelief",
    "ClientJudgement",
    "KeyForm",
    "KeyUse",
    "Observed",
    "conclude",
    "judge_client",
    "observe",
    "read_key",
]
