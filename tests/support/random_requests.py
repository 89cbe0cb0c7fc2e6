"""Hypothesis strategies of bodies that no client would send, for tests that the mock responds to anything."""

from __future__ import annotations

from hypothesis import strategies as st
from mock_harness import DELETE, EXPORT, SYNC, TIME, TRACK, purchase_of

from tracksync.contract import ambiguities
from tracksync.mock.limits import CONTROL_KEYS, PROFILE_FIELDS

PATHS = st.sampled_from([SYNC, SYNC, SYNC, TRACK, DELETE, EXPORT, "/"])

NAMES = st.sampled_from(
    [
        *sorted(PROFILE_FIELDS | CONTROL_KEYS),
        *("attributes", "events", "purchases", "app_id", "name", "time", "properties"),
        *("product_id", "currency", "price", "quantity", "inc", "add", "remove", "$add", "$update", "$remove", "$time"),
        *("$identifier_key", "$identifier_value", "$new_object", "external_ids", "user_aliases", "email_addresses"),
        *("phone_numbers", "braze_ids", "fields_to_export", "prioritization"),
    ]
)

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from([TIME, "USD", "a@example.com", "u1", "x" * 256, "🎉" * 200, "2022-02-30", "3001-01-01"]),
    st.just("\ud800"),
)

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.sampled_from([10**400, -(2**63) - 1, 1e308, 16.0])
)

KEYS = NAMES | st.text(max_size=4)

VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)

OBJECTS = st.dictionaries(KEYS, VALUES, max_size=6)

ALMOST = st.one_of(
    OBJECTS.map(lambda extra: {"external_id": "u1"} | extra),
    OBJECTS.map(lambda extra: {"external_id": "u1", "name": "e", "time": TIME} | extra),
    OBJECTS.map(lambda extra: purchase_of() | extra),
    OBJECTS.map(lambda extra: {"user_alias": {"alias_name": "n", "alias_label": "l"}} | extra),
    OBJECTS.map(lambda extra: {"email": "a@example.com", "_update_existing_only": False} | extra),
)

SECTIONS = st.sampled_from(["attributes", "events", "purchases"])

DOCUMENTS = st.one_of(
    VALUES,
    st.dictionaries(SECTIONS, st.lists(ALMOST | VALUES, max_size=2) | ALMOST, max_size=2),
    st.dictionaries(NAMES, VALUES | st.lists(TEXTS, max_size=3), max_size=4),
)

INTERPRETATIONS = st.fixed_dictionaries(
    {
        name: st.sampled_from(list(ambiguity.interpretations))
        for name, ambiguity in ambiguities.ambiguity_catalogue().items()
    }
)
