"""A finding with what its minimal sequence shows, and what that tells of its cause. Pure.

Every request of a minimal sequence is needed to show the finding. So what they have in common with those of another
finding says more than the response in which it showed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final

from msgspec import Struct

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.bounds import bounds
from tracksync.contract.clauses import Clause, catalogue
from tracksync.model.finding import NOTHING, Finding

MANY: Final = 20  # requests: so long a sequence shows by chance what else is wrong
LOST: Final = 3  # concerns about what a user holds that are broken where state is lost
HELD: Final = frozenset({"counts", "values", "arrays", "objects", "users"})  # concerns about what a user holds
WITNESSES: Final = frozenset({"batches", "export", "deletion", "interpretations"})  # what was done shows in them later
STATUS: Final = "/response/status"
HEADERS: Final = "/response/headers/"
_SECTIONS: Final = {
    "custom_events": "events",
    "purchase_events": "purchases",
    "custom_attributes": "attributes",
    "events": "events",
    "purchases": "purchases",
    "attributes": "attributes",
}
_USERS: Final = frozenset({"deleted", "invalid_user_ids"})  # they say which users there are, as `users` does
_PARTS_OF_A_USER: Final = frozenset({"custom_attributes", "custom_events", "purchase_events", "purchases"})
_UNSHRUNK: Final = 10**6  # a sequence that was not made minimal counts as longer than any that was


class ReplayedFinding(Struct, frozen=True):
    """A finding with what its minimal sequence shows.

    `length`: requests of that sequence, None where it could not be replayed; the rest is then of what it was seen with.
    `beside`: the clauses of all findings that a replay of it shows; `earlier`: those of them that say of an earlier
    request what it did. `kinds`: the kinds of identifier by which the last request names users; `named`: those of all
    its requests. `after_refusal`: an earlier request was refused. `largest`: bytes of the largest body that was sent.
    `nearer`: the clause that is broken at the same place where the requests hold nothing else, "" for the same one.
    `unchanged`: what is shown of an attribute is what was shown before, or nothing.
    """

    finding: Finding
    length: int | None = None
    beside: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    after_refusal: bool = False
    largest: int = 0
    nearer: str = ""
    unchanged: bool = False

    @property
    def clause(self) -> str:
        """The id of the clause that is broken."""
        return self.finding.clause

    @property
    def requests(self) -> int:
        """The length of the sequence, for comparison."""
        return _UNSHRUNK if self.length is None else self.length

    @property
    def concern(self) -> str:
        """What the clause is about; a status says that a request was refused or accepted, whatever it was about."""
        clause = self._entry
        concern = clause.concern if clause else ""
        if self.finding.pointer == STATUS and self.finding.expected == 400 and concern in HELD | WITNESSES:
            return "refusals"
        return "acceptance" if concern in HELD and self.finding.pointer == STATUS else concern

    @property
    def indirect(self) -> bool:
        """Whether it says that something is wrong and not what."""
        return bool(self.nearer) or (self._entry is not None and self._entry.indirect)

    @property
    def special(self) -> bool:
        """Whether it is about a special case, such as a form of the request; a header says nothing of that."""
        special = self._entry is not None and self._entry.special
        return special and not self.finding.pointer.startswith(HEADERS)

    @property
    def look_up(self) -> str:
        """The kind of identifier by which a user was to be found, where the clause is about that."""
        after = self._entry.after if self._entry else ""
        return after if after in bounds().identifiers else ""

    @property
    def on_refusal(self) -> bool:
        """Whether the clause is about what a refused request has changed."""
        return self._entry is not None and self._entry.after == "refusal"

    @property
    def by_state(self) -> bool:
        """Whether it is a changed interpretation that a wrong state of a user seems to settle."""
        ambiguity = ambiguity_catalogue().get(str(self.finding.expected).partition("=")[0])
        return self.concern == "interpretations" and ambiguity is not None and ambiguity.shown_by_state

    @property
    def _entry(self) -> Clause | None:
        return catalogue(None).get(self.clause)

    @property
    def place(self) -> str:
        """What kind of place it points to: a section and what stands there, or "users"; "" for neither.

        Of an attribute that was removed, or whose interpretation changed, the section alone.
        """
        steps = self.finding.pointer.split("/")
        section = next((_SECTIONS[part] for part in steps if part in _SECTIONS), "")
        if section == "attributes":
            unknown = self.concern == "interpretations" or (self.concern == "values" and self.finding.expected is None)
            return section if unknown else f"{section} {_kind_of_value(self.finding.expected, self.finding.actual)}"
        if section:
            # An export's finding about an event or product shows its counts: where these agree, a time is wrong.
            counted = isinstance(self.finding.actual, int) and self.finding.actual == self.finding.expected
            return f"{section} {'time' if counted or _is_time(self.finding.pointer) else 'count'}"
        on_users = len(steps) > 3 and steps[3] in ("users", "invalid_user_ids") and steps[-1] not in _PARTS_OF_A_USER
        return "users" if on_users else ""

    @property
    def section(self) -> str:
        """The section of a user's profile to which it points, "" for none."""
        section = self.place.partition(" ")[0]
        return "" if section == "users" else section

    @property
    def difference(self) -> str:
        """How what is shown differs from what was expected: `less` or `more` of it, a `time`, a `form`; "" if unknown.

        Of two texts, numbers or booleans, that type.
        """
        expected, actual = self.finding.expected, self.finding.actual
        if self.finding.pointer == STATUS:
            return f"status {actual}"
        if expected is NOTHING or self.finding.pointer.startswith(HEADERS):
            return ""
        if actual in (NOTHING, None, [], {}):
            return "less"
        if expected in (None, [], {}, "no entry"):
            return "more"
        if _is_time(self.finding.pointer):
            return "time"
        if type(actual) is int and "custom_attributes" not in self.finding.pointer:
            return _more_or_less(expected, actual)
        one, other = _json_type(expected), _json_type(actual)
        if one != other:
            return "form"
        return "" if one in ("array", "object") else one

    @property
    def shows_nothing(self) -> bool:
        """Whether nothing is shown where something was written."""
        return self.finding.actual is NOTHING or (type(self.finding.actual) is int and self.finding.actual == 0)

    @property
    def on_users(self) -> bool:
        """Whether it is about which users there are."""
        return "users" in (self.concern, self.place) or (self.concern == "deletion" and self.indirect)

    @property
    def on_state(self) -> bool:
        """Whether it is about what users hold, and says where it came from."""
        return self.concern == "state"

    def needs_look_up(self, kinds: Collection[str]) -> bool:
        """Whether it shows only after a user was named by one of these kinds of identifier and by another kind."""
        return len(self.named) > 1 and not self.named.isdisjoint(kinds) and says_what_was_done(self.finding)

    @property
    def traits(self) -> frozenset[str]:
        """What it shows only with: a special case, one kind of identifier, a refused request, a large body, many."""
        found = {clause for clause in (*self.beside, self.clause) if clause in _special_clauses()}
        if len(self.kinds) == 1 and "external_id" not in self.kinds:
            found |= self.kinds
        if self.needs_refusal:
            found.add("refused")
        if self.largest > bounds().object_bytes.least and part_of(self.finding) == "users":
            found.add("large")
        if (self.length or 0) > MANY:
            found.add("many")
        return frozenset(found)

    @property
    def needs_refusal(self) -> bool:
        """Whether it shows only after a request that was refused."""
        return self.after_refusal and part_of(self.finding) == "users" and self.concern != "interpretations"


def one_difference(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether what both show differs in one way from what was expected, as far as that is known."""
    return one.difference == other.difference or "" in (one.difference, other.difference)


def one_place(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether both are about one kind of place, as far as that is known."""
    if one.place == other.place:
        return one.place != ""
    return "attributes" in (one.place, other.place) and one.section == other.section


def says_what_was_done(finding: Finding) -> bool:
    """Whether a finding is about what a request did, and not about the form of its response."""
    return part_of(finding) in ("status", "users") or finding.pointer.endswith("_processed")


def part_of(finding: Finding) -> str:
    """The part of the response that a finding is about: the status, a header or a member; "" for all of it.

    A member that is missing says that the response has another form.
    """
    steps = finding.pointer.split("/")
    if finding.pointer == STATUS:
        return "status"
    return "" if len(steps) == 4 and finding.actual is NOTHING else _member(steps)


def _member(steps: Sequence[str]) -> str:
    """The header or member of the body to which the steps of a pointer lead, "" for none."""
    if len(steps) < 4 or steps[2] not in ("headers", "body"):
        return ""
    return "users" if steps[3] in _USERS else steps[3]


def explains(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether what `other` shows follows from `one`, which its sequence shows, too.

    What an earlier request did wrong explains what shows later. In one response the status explains the body; one part
    of it explains nothing in another, and what a user holds not that there is one. Nor does one section of a profile
    explain another.
    """
    if one.clause not in other.beside or (other.requests > MANY and other.length and one.concern != "rate"):
        return False
    if one.section != other.section and "" not in (one.section, other.section):
        return False
    if one.clause in other.earlier:
        return not (shows_less(one.finding) and shows_less(other.finding, more=True))
    if one.finding.pointer.startswith(HEADERS) is not other.finding.pointer.startswith(HEADERS):
        return False
    if one.section and other.place == "users" and not other.indirect:
        return False
    part, explained = part_of(one.finding), part_of(other.finding)
    return part in ("status", explained) or (explained != "status" and "" in (part, explained))


def shows_less(finding: Finding, *, more: bool = False) -> bool:
    """Whether a finding shows a smaller number than was expected, or a larger one."""
    actual, expected = finding.actual, finding.expected
    both = type(actual) is type(expected) is int
    return both and (actual > expected if more else actual < expected)


def connected(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether one of the two explains the other."""
    return explains(one, other) or explains(other, one)


@cache
def _special_clauses() -> frozenset[str]:
    return frozenset(id_ for id_, one in catalogue(None).items() if one.special)


def _is_time(pointer: str) -> bool:
    return pointer.endswith(("/first", "/last"))


def _more_or_less(expected: Any, actual: int) -> str:
    """How a number differs from the expected one, or from each of several."""
    several = expected if isinstance(expected, list) else [expected]
    if not all(type(one) is int for one in several):
        return ""
    return "less" if actual < min(several) else "more" if actual > max(several) else ""


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else _kind_of_value(value)


def _kind_of_value(*values: Any) -> str:
    """Whether the first of these values that is a JSON value is an array, an object or neither."""
    if any(isinstance(value, list) for value in values):
        return "array"
    return "object" if any(isinstance(value, dict) for value in values) else "plain"
