"""Frozen data that travels between packages: exchanges, findings, events, verdicts."""
