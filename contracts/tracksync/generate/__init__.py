"""What is sent: names that can reach no person, probes, boundary cases, schema cases and stateful sequences.

Probes drive, the oracle decides: nothing here says what a response should be. Nothing here sends, sleeps or reads a
clock; randomness comes in as a seed.
"""
