"""The mock's own statement of the documented limits and names. Sources in brackets; see docs/sources.md.

They stand here apart from the spec on purpose: a slip on one side is seen by the other.
"""

from typing import Final

from tracksync.values.objects import ObjectLimits

RATE_PER_MINUTE: Final = 500  # SYNC LIMITS: the base limit; workspaces can have others
BODY_BYTES: Final = 4 * 1024 * 1024  # LIMITS: "up to 4 MB on most endpoints"
STRING_CHARACTERS: Final = 255  # TYPES
ARRAY_MAX: Final = 500
OBJECT_BYTES: Final = 100 * 1024  # NESTED ARROBJ EVENT
PROPERTY_COUNT: Final = 256  # EVENT
PROPERTY_NAME_CHARACTERS: Final = 255  # EVENT
PRODUCT_ID_CHARACTERS: Final = 255  # PURCH
QUANTITY_MAX: Final = 100  # PURCH
TRACK_OBJECTS: Final = 75  # TRACK LIMITS
DELETE_BATCH: Final = 50  # DELETE
DATE_YEAR_MIN: Final = 0  # TYPES: a year below is stored as a string
DATE_YEAR_MAX: Final = 3000  # TYPES: a year above is stored as a string

IDENTIFIERS: Final = ("external_id", "user_alias", "braze_id", "email", "phone")  # SYNC
STRONG: Final = ("external_id", "user_alias", "braze_id")  # SYNC: each names one profile, or none
CONTACTS: Final = ("email", "phone")  # SYNC: beside a stronger identifier they are attributes
CONTROL_KEYS: Final = frozenset({"_update_existing_only", "_merge_objects", "push_token_import"})  # ATTR NESTED
PROFILE_FIELDS: Final = frozenset(  # ATTR; image_url from older pages
    """alias_name alias_label braze_id country current_location date_of_first_session date_of_last_session dob email
    email_subscribe email_open_tracking_disabled email_click_tracking_disabled external_id facebook first_name gender
    home_city language last_name marked_email_as_spam_at phone push_subscribe push_tokens subscription_groups
    time_zone twitter user_alias image_url""".split()
)
SECTIONS: Final = ("attributes", "events", "purchases")  # SYNC
RESERVED_PROPERTIES: Final = frozenset({"time", "event_name"})  # EVENT
OBJECT_LIMITS: Final = ObjectLimits(STRING_CHARACTERS, 100 * 1000, OBJECT_BYTES, (DATE_YEAR_MIN, DATE_YEAR_MAX))
_KINDS: Final = (
    dict.fromkeys(PROFILE_FIELDS, "profile")
    | dict.fromkeys(CONTROL_KEYS, "control")
    | dict.fromkeys(IDENTIFIERS, "identifier")
)


def attribute_kind(key: str) -> str:
    """What `key` names in an attributes object: "identifier", "control", "profile", or else "custom" (ATTR NESTED)."""
    return _KINDS.get(key, "custom")
