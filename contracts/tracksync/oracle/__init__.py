"""The oracle: the one check of right and wrong behind every command.

    check(belief, exchange) -> Result(belief, findings, covered, interpretations)

It is pure and sans-IO. It sends nothing, sleeps never, reads no clock and draws no random number; all it knows of time
stands in the exchange. It knows nothing of the mock, of probes, or of where an exchange came from.

Theory of operation. The *belief* is what may be true of the workspace: for each user whether they exist, and for each
attribute, event and product a set of possible states. An exchange goes through four steps, a file each:

1. `intake` reads the request alone: whom it addresses, what it would write, and on which *grounds* a server must or may
   refuse it.
2. `status` holds the answer's status against the grounds.
3. `users` and `cells` work out every lawful outcome of the write, from every state the belief holds, under every
   reading of the ambiguities that is still open; an outcome says what the answer may show and what is stored afterwards.
4. `answers` reads what the answer did show. Outcomes that do not fit it are dropped; what is left is the new belief,
   and interpretations that no surviving outcome needs are closed. If none is left, a clause is broken.

Two rules keep it honest. What is unknown stays unknown until an answer shows it: nothing is an error merely because
we did not expect it. And a finding never poisons what follows: the belief takes over what the server has shown.
"""

from tracksync.oracle.belief import Belief, Settings
from tracksync.oracle.checking import CheckResult, check

__all__ = ["Belief", "CheckResult", "Settings", "check"]
