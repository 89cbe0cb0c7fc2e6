"""Ordering: shows that synchronous means synchronous, and what asynchronous means.

    race(RacePlan(...), emit)

Several clients work on few users over real connections. What one of them was answered, the next request of any of them
has to see (SYNC); what another does at the same time to another user, or to another attribute, event or product, must
not disturb it. The oracle is the oracle that every command has. Beyond it this room can say which consistency a server
kept where the documents promise none.

    history      operations with call and return, and their partition into cells
    workload     what the clients ask, so that a lost update cannot hide
    clients      threads with a connection each; one clock
    checking      the oracle's word on a history, and the smallest part that still fails
    cells        how one cell behaves when it is used alone
    linear       is there an order that explains every answer?
    consistency  the strongest consistency that held on each cell
    drawing      histories as figures
    running      all of it in one run
"""

from tracksync.race.run import RacePlan, race

__all__ = ["RacePlan", "race"]
