"""The contract as data: the OpenAPI document, bounds, refusals, clauses and ambiguities, loaded once and typed.

The class of a request follows from it: see `classify`.
"""
