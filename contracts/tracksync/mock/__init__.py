"""A stateful mock of a workspace's user endpoints, written from the documented facts alone.

It follows one interpretation of every ambiguity, can be given faults that each break a named clause, and can play
scenarios against clients. It knows nothing of the spec and of the oracle, so that a shared mistake cannot hide in both.
"""

from tracksync.mock.app import JournalEntry, MockApp
from tracksync.mock.call import ResponseLost
from tracksync.mock.config import MockConfig

__all__ = ["JournalEntry", "MockApp", "MockConfig", "ResponseLost"]
