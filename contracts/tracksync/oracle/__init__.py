"""The oracle: the one check of right and wrong behind every command.

    check(belief, exchange) -> CheckResult(belief, findings, covered, interpretations)

It is pure and sans-IO. It sends nothing, sleeps never, reads no clock and draws no random number; all it knows of time
stands in the exchange. It knows nothing of the mock, of probes, or of where an exchange came from.

Theory of operation. The *belief* is what may be true of the workspace: for each user whether they exist, and for each
attribute, event and product a set of possible states. An exchange goes through four steps, a file each:

1. `request` reads the request alone: whom it addresses and what it would write. Whether it is valid, refused or open is
   the contract's to say (`contract.classify`), from the spec and the table of refusals.
2. `status` holds the response's status against that class.
3. `users` and `cells` work out every lawful outcome of the write, from every state the belief holds, under every
   interpretation that is still open; an outcome says what the response may show and what is stored afterwards.
4. `response_body` reads what the response did show. Outcomes that do not fit it are dropped; what is left is the new
   belief, and interpretations that no surviving outcome needs are closed. If none is left, a clause is broken.

Two rules keep it honest. What is unknown stays unknown until a response shows it: nothing is an error merely because
we did not expect it. And a finding never poisons what follows: the belief takes over what the server has shown.
"""

from tracksync.oracle.belief import Belief, Settings
from tracksync.oracle.checking import CheckResult, check

__all__ = ["Belief", "CheckResult", "Settings", "check"]
