"""Reading whom an object names: identifiers, and whether an unknown user may be created.

Only the request is read here, never what the workspace holds.
"""

from __future__ import annotations

from typing import Any, Final

from tracksync.mock import limits
from tracksync.mock.call import Detail, Refused, ServerPart
from tracksync.mock.profiles import UserIdentity
from tracksync.values import identifiers, numbers

NO_IDENTIFIER: Final = "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
BAD_EMAIL: Final = "The value provided for the 'email' field is not a valid email."

# Ambiguity identifier-precedence: which identifier leads; `refused` only matters for two of the strong ones.
PRECEDENCE: Final = {
    "external-id": ("external_id", "user_alias", "braze_id", "email", "phone"),
    "braze-id": ("braze_id", "external_id", "user_alias", "email", "phone"),
    "alias": ("user_alias", "external_id", "braze_id", "email", "phone"),
    "refused": ("external_id", "user_alias", "braze_id", "email", "phone"),
}


class IdentityReader(ServerPart):
    """Reads the identifiers of an object."""

    def refuse_type(self, section: str, index: int, name: str, value: Any) -> Any:
        """A value of a wholly wrong JSON type in a typed field is refused with 400; a fault may return another."""
        raise Refused(400, Detail(f"'{name}' is not valid", section, index))

    def identify(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        """The user that an object names. Ambiguity identifier-precedence decides which of several identifiers leads."""
        interpretation = self.interpretation("identifier-precedence")
        found = [kind for kind in self.precedence() if item.get(kind) is not None]
        if not found:
            return self.refuse_no_user(section, index, item)
        if interpretation == "refused" and sum(kind in limits.STRONG for kind in found) > 1:
            raise Refused(400, Detail("Only one identifier is allowed", section, index))
        leading, *_ = [self.read_identifier(section, index, kind, item[kind]) for kind in found]
        return leading

    def precedence(self) -> tuple[str, ...]:
        """The identifiers in the order of leading; email always before phone (TRACK)."""
        return PRECEDENCE[self.interpretation("identifier-precedence")]

    def refuse_no_user(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        """An object without an identifier is refused with 400 (WIRE)."""
        raise Refused(400, Detail(NO_IDENTIFIER, section, index))

    def read_identifier(self, section: str, index: int, kind: str, value: Any) -> UserIdentity:
        """One identifier, checked."""
        if kind == "user_alias":
            return self.read_alias(section, index, value)
        if kind == "external_id" and numbers.is_integer(value) and not isinstance(value, float):
            return self.integer_identifier(section, index, value)
        if not isinstance(value, str):
            value = self.refuse_type(section, index, kind, value)
        if not value:
            return self.refuse_no_user(section, index, {})
        if kind == "email":
            self.check_email(section, index, value)
        return UserIdentity(kind, self.spell(kind, value), value)

    def integer_identifier(self, section: str, index: int, value: int) -> UserIdentity:
        """Ambiguity integer-identifiers: an external_id that was sent as a JSON integer."""
        shown = self.integer_text(section, index, "external_id", value)
        return UserIdentity("external_id", self.spell("external_id", str(value)), shown)

    def integer_text(self, section: str, index: int, name: str, value: int) -> Any:
        """Ambiguities integer-identifiers and integer-products: what is echoed for an integer, or the refusal."""
        interpretation = self.interpretation("integer-products" if name == "product_id" else "integer-identifiers")
        if interpretation == "refused":
            raise Refused(400, Detail(f"'{name}' is not valid", section, index))
        return value if interpretation == "integer" else str(value)

    def read_alias(self, section: str, index: int, value: Any) -> UserIdentity:
        """A user_alias needs both of its texts (ALIAS)."""
        if not isinstance(value, dict):
            value = self.refuse_type(section, index, "user_alias", value)
        parts = []
        for name in ("alias_label", "alias_name"):
            text = value.get(name)
            if not isinstance(text, str) or not text:
                text = self.refuse_alias(section, index, name, text)
            parts.append(self.spell(name, text))
        shown = {name: value.get(name) for name in ("alias_name", "alias_label")}
        return UserIdentity("user_alias", self.alias_key(parts[0], parts[1]), shown)

    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        """The key of an alias: one name under two labels is two aliases (ALIAS)."""
        return (label, name)

    def refuse_alias(self, section: str, index: int, name: str, value: Any) -> str:
        """A user_alias without one of its texts is refused with 400; a fault may return a text to go on with."""
        raise Refused(400, Detail(f"'user_alias' must have a valid '{name}'", section, index))

    def check_email(self, section: str, index: int, value: str) -> None:
        """Ambiguity bad-email, for a text that is certainly not an address."""
        if self.interpretation("bad-email") == "refused" and not self.is_email(value):
            self.refuse_email(section, index, value)

    def is_email(self, value: str) -> bool:
        """Whether a text may be an email address."""
        return identifiers.plausible_email(value) is not False

    def refuse_email(self, section: str, index: int, value: str) -> None:
        """WIRE: the text seen for an email that is not valid."""
        raise Refused(400, Detail(BAD_EMAIL, section, index))

    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        """Whether a user that is not found may be created (ATTR EVENT TRACK); ambiguity alias-create."""
        only = item.get("_update_existing_only")
        if who.kind == "braze_id":
            return False
        if who.kind == "user_alias":
            return only is False and (section == "attributes" or self.interpretation("alias-create") == "created")
        return only is not True
