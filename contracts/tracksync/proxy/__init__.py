"""The proxy: between a client and a real endpoint; it forwards everything unchanged, and checks both sides live.

    proxy(plan, emit, redactor)     serve until stopped; everything that a report should know is an event

`wire.forwarding` streams both ways and notes what each side showed. `credentials` learns which keys the client uses, so
that none is ever written. `proxying` has it checked: clients by the gate's client check, servers by the oracle. This
package is a layer above the commands because it uses two of them.
"""

from tracksync.proxy.credentials import Keys
from tracksync.proxy.proxying import ProxyPlan, proxy

__all__ = ["Keys", "ProxyPlan", "proxy"]
