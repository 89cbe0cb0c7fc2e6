"""The interpretations that the oracle's rules tell apart, by name.

An interpretation is one lawful answer to an ambiguity of the documents; `contract/ambiguities.toml` says what each
means. A rule that holds under some interpretations only returns them as its `requires`.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Interpretation(NamedTuple):
    """One answer to one ambiguity, both by the names of the catalogue."""

    ambiguity: str
    answer: str


Requires = tuple[Interpretation, ...]
"""The interpretations under which an outcome is lawful; an empty tuple: under all."""

ADD_BEFORE_REMOVE: Final = Interpretation("remove-add-order", "add-first")
ALIAS_CREATES: Final = Interpretation("alias-create", "created")
ALIAS_NEVER_CREATES: Final = Interpretation("alias-create", "never")
COUNT_IS_QUANTITY: Final = Interpretation("purchase-count", "quantity")
COUNT_IS_ONE: Final = Interpretation("purchase-count", "one")
DATE_AS_SENT: Final = Interpretation("date-attribute", "as-sent")
DATE_NORMALISED: Final = Interpretation("date-attribute", "normalised")
EMPTIED_IS_ABSENT: Final = Interpretation("emptied-array", "absent")
EMPTIED_IS_EMPTY: Final = Interpretation("emptied-array", "empty")
EMPTIED_OF_OBJECTS_IS_ABSENT: Final = Interpretation("emptied-objects", "absent")
EMPTIED_OF_OBJECTS_IS_EMPTY: Final = Interpretation("emptied-objects", "empty")
INC_FROM_ZERO: Final = Interpretation("inc-missing", "from-zero")
INC_NOT_APPLIED: Final = Interpretation("inc-missing", "not-applied")
INVALID_OBJECT_NOT_APPLIED: Final = Interpretation("invalid-object", "not-applied")
LENGTH_IN_CODE_POINTS: Final = Interpretation("string-length", "code-points")
LENGTH_IN_UTF16: Final = Interpretation("string-length", "utf16")
OVERFLOW_KEEPS_FIRST: Final = Interpretation("array-overflow", "first")
OVERFLOW_KEEPS_NEWEST: Final = Interpretation("array-overflow", "newest")
OVERFLOW_UNCHANGED: Final = Interpretation("array-overflow", "unchanged")
REFUSED_IS_OMITTED: Final = Interpretation("refused-attribute", "omitted")
REFUSED_IS_PREVIOUS: Final = Interpretation("refused-attribute", "previous")
REMOVED_IS_NULL: Final = Interpretation("removed-attribute", "null")
REMOVED_IS_OMITTED: Final = Interpretation("removed-attribute", "omitted")
REMOVE_BEFORE_ADD: Final = Interpretation("remove-add-order", "remove-first")
REPEATS_STAY: Final = Interpretation("array-repeats", "kept")
REPEATS_UNIQUE: Final = Interpretation("array-repeats", "unique")
UNKNOWN_BRAZE_ID_IS_NO_USER: Final = Interpretation("unknown-braze-id", "no-user")
UPDATE_MATCHES_ALL: Final = Interpretation("update-matches", "all")
UPDATE_MATCHES_FIRST: Final = Interpretation("update-matches", "first")
UPDATE_MERGES: Final = Interpretation("update-without-merge", "merge")
UPDATE_REPLACES: Final = Interpretation("update-without-merge", "replace")
