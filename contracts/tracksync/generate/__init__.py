"""What is sent: names that can reach nobody, directed probes, random steps, strategies and a state machine.

Probes drive, the oracle decides: nothing here says what an answer should be. Nothing here sends, sleeps or reads a
clock; randomness comes in as a seed.
"""
