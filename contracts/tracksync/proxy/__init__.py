"""The proxy: between a client and a real endpoint, handing everything on unchanged, and checking both sides live.

    proxy(plan, emit, redactor)     serve until stopped; everything that a report should know is an event

`forwarding` is the wire: it streams both ways and notes what each side showed. `credentials` learns which keys the
client uses, so that none is ever written. `proxying` puts what was noted to the two checks: clients to the gate's,
servers to the oracle. It stands above the commands because it uses two of them; it checks nothing itself.
"""

from tracksync.proxy.credentials import Keys
from tracksync.proxy.proxying import ProxyPlan, proxy

__all__ = ["Keys", "ProxyPlan", "proxy"]
