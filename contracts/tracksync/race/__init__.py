"""Ordering: shows that synchronous means synchronous, and what asynchronous means.

    race(RacePlan(...), emit)

Several clients work on few users over real connections. After a response, every later request of any client has to
see the write (SYNC). What happens at the same time to another user, or to another attribute, event or product, must
not disturb it. Responses are checked by the oracle of every command. Where the documents promise no order, this
package says which consistency the server had.

    history      operations with call and return, and their partition into cells
    workload     the writes of the clients, chosen so that a lost update shows
    clients      threads with a connection each; one clock
    checking     the oracle over a history, and the smallest part that still fails
    cells        how one cell behaves when one client alone uses it
    linear       is there an order that explains every response?
    consistency  the strongest consistency that held on each cell
    figure       histories as figures
    plan         what a race shall do
    summary      what a race showed
    stored       a history in files, of any size: the consistency of its cells
    run          all of it in one run
"""

from tracksync.race.plan import RacePlan
from tracksync.race.run import race

__all__ = ["RacePlan", "race"]
