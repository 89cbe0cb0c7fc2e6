"""The oracle: decides what is right. Every command checks its exchanges here.

    check(belief, exchange) -> CheckResult(belief, findings, covered)

The oracle does no I/O: it sends nothing, reads no clock and draws no random number. Times are those of the exchange.
It does not know the mock, the generators, or where an exchange came from.

Theory of operation

The oracle never sees the workspace. It sees requests and responses, and keeps a *belief*: for every user whether it
exists, and for every attribute, event and product (a *cell*) the set of values that are possible. A belief begins with
no knowledge of users that it has not seen created, and each response narrows it. Beliefs are immutable: `check` takes
one and returns the next.

An exchange is checked in four steps:

1. Read the request (`request`): which user it names and which cells it writes. Its class (valid, refused or open) comes
   from the spec and the table of refusals (`contract.classify`).
2. Compare the status with that (`status`), and the rate headers with the window they belong to (`rates`).
3. Derive the lawful outcomes: to which user the request may lead (`users`), and what each write may make of its cell,
   from every value the belief holds and under every interpretation that is still possible (`attribute_outcomes`,
   `array_outcomes`, `object_outcomes`, `counters`). An outcome (`outcomes`) says what is stored afterwards, what the
   response may show, and which interpretations it requires.
4. Compare the outcomes with what the response shows (`response_body`, `check_write`, `check_attributes`,
   `check_counters`). Those that do not fit are dropped. The rest is the new belief, and interpretations that none of
   them requires are closed. If none is left, a clause is broken: `wrong_attribute` and `check_counters` choose which.
   A response that shows just what was due takes a shorter way to the same result (`usual`).

`checking` puts the steps in order. Requests without a plain success are in `ambiguous_writes`: refused, lost, queued,
or with an effect that is not documented. What may still take effect is kept as *pending* writes beside each value
(`pending`). The endpoints beside /users/track/sync are in `neighbours`.

Two invariants hold everywhere:

- What is unknown stays unknown until a response shows it. A finding never rests on something that was not read.
- After a finding the belief is what the response has shown, so that one defect does not cause further findings.
"""

from tracksync.oracle.belief import Belief, Settings
from tracksync.oracle.checking import CheckResult, check

__all__ = ["Belief", "CheckResult", "Settings", "check"]
