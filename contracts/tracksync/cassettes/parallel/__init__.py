"""Checks recordings with several processes, or on a cluster, with the result that one process has.

    connections     which users any identifier may connect: they are checked together
    routing         one pass over a recording in order: to which part each exchange goes, and what has to be known of it
    part            the exchanges of some users, checked with a belief of their own
    blocks          the parts go through a recording block by block, and take over what one of them learned
    processes       parts in processes of this machine
    shares          how the users are divided among them
    whole_files     recordings side by side, each by one process, here or on a cluster (`engine.cluster`)
    first_pass, results     which users are connected; what blocks come to, in order

ARCHITECTURE.md lists what is known across users, and how each of these is merged.
"""
