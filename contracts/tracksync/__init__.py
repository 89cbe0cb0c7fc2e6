"""tracksync: a contract-testing and fuzzing suite for Braze's `POST /users/track/sync`."""

__version__ = "0.1.0"
