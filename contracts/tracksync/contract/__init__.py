"""The contract as data: the OpenAPI document, the clauses and the ambiguities, loaded once and typed."""
