"""Faults: subclasses of the mock's server that override a step or two, each of which breaks named clauses.

One module a family. A fault calls `super()` for everything that it does not spoil, so that several compose.
Names are resolved, and the families imported, by `tracksync.faults.catalogue`.
"""
