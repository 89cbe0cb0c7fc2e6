"""Which findings one defect explains: they are one cause, led by the clause that names it best. Pure.

A defect of a server breaks several clauses: a count that is stuck is wrong in the response, in the export and under
another identifier. These observations put findings together:

- *Implied.* The minimal sequence of one finding shows another one, too, and not in another part of the response, such
  as a header: whoever mends the second mends the first.
- *One concern.* Clauses of one concern (`clauses.toml`: counts, values, rate …) are broken together by one defect.
- *One look-up.* That an email finds its profile and that a phone does is one promise, kept by one look-up.
- *One object refused.* What a sync request is refused for, /users/track leaves out of a batch: it counts fewer objects,
  and does not apply all of them.
- *One status.* Needless refusals with one status that no other clause explains, such as 413, have one reason.
- *One kind of identifier.* What shows only where users are named by email, say, has to do with emails.
- *Indirect.* Some clauses only say that something is wrong somewhere (a profile read back differs, a value of another
  user fits). Such a finding belongs to a direct one that is implied, or that is about the same kind of place.

What is left stands alone, so that two defects stay two causes. Two kinds of defect look like many:

- *Lost state.* A server that loses or mixes up writes breaks clauses of every concern about what a user holds. From
  three of them on they are one cause, led by the clause on state that was broken first.
- *One form.* If every other finding of a cause is seen only where a request has a form that may be refused, the clause
  on that form leads. So does a clause on a special case (`clauses.toml`: special), and otherwise it stands behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from tracksync.contract.clauses import Clause, catalogue
from tracksync.model.finding import Finding

_SECTIONS: Final = {
    "custom_events": "events",
    "purchase_events": "purchases",
    "custom_attributes": "attributes",
    "events": "events",
    "purchases": "purchases",
    "attributes": "attributes",
}
_HELD: Final = frozenset({"counts", "values", "arrays", "objects", "users"})  # concerns about what a user holds
_STATE: Final = "TS-STATE-"
_MANY: Final = 3  # concerns
_USERS: Final = "/response/body/users"
_STATUS: Final = "/response/status"
_HEADERS: Final = "/response/headers/"
_APPLIED: Final = "TS-TRACK-APPLIED"
_EXPORT: Final = "TS-EXPORT-"
_NEIGHBOURS: Final = ("TS-TRACK-", _EXPORT, "TS-DELETE-")  # second witnesses of what sync did
_CHANGED: Final = "TS-INTERPRETATION-KEPT"
_LOOK_UPS: Final = frozenset({"TS-USER-EMAIL-FINDS", "TS-USER-PHONE-FINDS"})
_SPELLING: Final = "TS-USER-SPELLING"
_PROCESSED: Final = "TS-TRACK-PROCESSED"
_UNSHRUNK: Final = 10**6  # a sequence that was not made minimal counts as longer than any that was
_NOT_SHOWN: Final = ("refused-attribute", "removed-attribute", "inc-missing", "identifier-precedence")
"""Ambiguities that a wrong value seems to settle: a changed interpretation of these mostly follows from another
defect."""


class ReplayedFinding(Struct, frozen=True):
    """A finding with what its minimal sequence shows.

    `length`: requests of that sequence, None where it could not be replayed. `beside`: the clauses of the other
    findings that a replay of it shows. `kinds`: the kinds of identifier by which the last request names users.
    """

    finding: Finding
    length: int | None = None
    beside: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()


def causes(shown: Sequence[ReplayedFinding]) -> tuple[tuple[int, ...], ...]:
    """Groups of positions in `shown`, each a cause and each with its leading finding first.

    Groups stand in the order of their first finding.
    """
    groups = _with_lost_state(shown, _together(shown))
    direct = [group for group in groups if not all(_indirect(shown[index]) for index in group)]
    alone: list[list[int]] = []
    for group in groups:
        if group in direct:
            continue
        home = max(direct, key=lambda one: _nearness(shown, group, one), default=None)
        if home is not None and _nearness(shown, group, home):
            home.extend(group)
        else:
            alone.append(group)
    made = direct + _pooled(shown, alone)
    return tuple(tuple(_led(shown, group)) for group in sorted(made, key=min))


def _together(shown: Sequence[ReplayedFinding]) -> list[list[int]]:
    """Groups of findings that break one clause, imply each other, or have one concern."""
    groups: list[list[int]] = []
    for index, one in enumerate(shown):
        joined = [group for group in groups if any(_joined(one, shown[other]) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(member for group in joined for member in group), index])
    return _with_one_form(shown, _with_one_kind(shown, groups))


def _with_one_kind(shown: Sequence[ReplayedFinding], groups: list[list[int]]) -> list[list[int]]:
    """The groups, those put together that show with one and the same kind of identifier only."""
    made: dict[object, list[int]] = {}
    for number, group in enumerate(groups):
        kinds = frozenset.union(*(shown[index].kinds for index in group))
        single = len(kinds) == 1 and kinds != {"external_id"}
        made.setdefault(kinds if single else number, []).extend(group)
    return list(made.values())


def _with_one_form(shown: Sequence[ReplayedFinding], groups: list[list[int]]) -> list[list[int]]:
    """The groups, those put together of which every finding is seen with one special case, such as a form."""
    special = {one.finding.clause for one in shown if _special(one)}
    made: dict[object, list[int]] = {}
    for number, group in enumerate(groups):
        seen = frozenset.intersection(*(shown[index].beside | {shown[index].finding.clause} for index in group))
        made.setdefault(seen & special or number, []).extend(group)
    return list(made.values())


def _with_lost_state(shown: Sequence[ReplayedFinding], groups: list[list[int]]) -> list[list[int]]:
    """The groups, those about what users hold put together where they are many and a clause on state is broken too."""
    held = [group for group in groups if any(_concern(shown[index]) in _HELD for index in group)]
    state = [group for group in groups if any(_on_state(shown[index]) for index in group)]
    if len(held) < _MANY or not state:
        return groups
    lost = held + [group for group in state if group not in held]
    return [*(group for group in groups if group not in lost), [index for group in lost for index in group]]


def _pooled(shown: Sequence[ReplayedFinding], groups: list[list[int]]) -> list[list[int]]:
    """Groups that say only that something is wrong with what users hold: one cause. The others stay apart."""
    state = [group for group in groups if any(map(_on_held, (shown[index] for index in group)))]
    others = [group for group in groups if group not in state]
    pool = [index for group in state for index in group]
    return ([pool] if pool else []) + others


def _on_held(one: ReplayedFinding) -> bool:
    return _on_state(one) or _on_users(one) or bool(_place(one))


def _on_state(one: ReplayedFinding) -> bool:
    return one.finding.clause.startswith(_STATE)


def _joined(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    first, second = one.finding.clause, other.finding.clause
    if first == second:
        return first != _CHANGED or _weak(one) is _weak(other)
    if _one_refusal(one.finding, other.finding) or {first, second} == _LOOK_UPS:
        return True
    if _one_object_refused(one, other) or _one_object_refused(other, one):
        return True
    if _indirect(one) or _indirect(other):
        return False
    return _implied(one, other) or (bool(_concern(one)) and _concern(one) == _concern(other))


def _one_refusal(one: Finding, other: Finding) -> bool:
    """Whether both are refusals with one status that says more than that a request is wrong."""
    return one.pointer == other.pointer == _STATUS and one.actual == other.actual and one.actual in (404, 413, 415)


def _one_object_refused(batch: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether /users/track counts fewer objects than were sent, and the other finding says which it left out or why."""
    if batch.finding.clause != _PROCESSED or not _is_less(batch.finding.actual, batch.finding.expected):
        return False
    if other.finding.clause == _APPLIED:
        return _PROCESSED in other.beside
    return _concern(other) == "acceptance" and other.finding.pointer == _STATUS


def _is_less(one: Any, other: Any) -> bool:
    return type(one) is type(other) is int and 0 < one < other


def _implied(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    if one.finding.pointer.startswith(_HEADERS) is not other.finding.pointer.startswith(_HEADERS):
        return False
    parts = {_part(one), _part(other)} - {""}
    return len(parts) < 2 and (one.finding.clause in other.beside or other.finding.clause in one.beside)


def _part(one: ReplayedFinding) -> str:
    """The part of the response that a finding is about: a header or a member; "" for all of it."""
    steps = one.finding.pointer.split("/")
    return steps[3] if len(steps) > 3 and steps[2] in ("headers", "body") else ""


def _nearness(shown: Sequence[ReplayedFinding], group: Sequence[int], direct: Sequence[int]) -> int:
    """How much an indirect group has to do with a direct one; 0 for nothing."""
    pairs = [(shown[one], shown[other]) for one in group for other in direct]
    implied = sum(_implied(one, other) for one, other in pairs)
    same = any(_near(one, other) for one, other in pairs if not _indirect(other))
    return 2 * implied + same


def _near(one: ReplayedFinding, direct: ReplayedFinding) -> bool:
    """Whether an indirect finding is about what a direct one is about."""
    if one.finding.clause == _CHANGED and not _weak(one):
        return False
    if _place(one) == _place(direct) != "":
        return True
    about_names = direct.finding.clause == _SPELLING and bool(_place(direct))  # of a user, not about which there are
    return _concern(direct) == "users" and _on_users(one) and not about_names


def _weak(one: ReplayedFinding) -> bool:
    """Whether a changed interpretation is one that a wrong value seems to settle."""
    return str(one.finding.expected).startswith(_NOT_SHOWN)


def _on_users(one: ReplayedFinding) -> bool:
    """Whether a finding is about which users there are."""
    return _concern(one) == "users" or one.finding.clause in ("TS-EXPORT-USERS", "TS-DELETE-DONE")


def _led(shown: Sequence[ReplayedFinding], group: Sequence[int]) -> list[int]:
    """The group, its leading finding first: a direct one, implied by most, with the shortest sequence."""
    concerns = {_concern(shown[index]) for index in group if not _indirect(shown[index])}
    if len(concerns & _HELD) >= _MANY and any(_on_state(shown[index]) for index in group):
        group = sorted(group, key=lambda index: (not _on_state(shown[index]), index))
        return [group[0], *sorted(group[1:])]

    # What shows without a look-up by email or phone does not follow from it.
    elsewhere = {clause for clause in _LOOK_UPS if not all(_seen_with(clause, shown[index]) for index in group)}

    def rank(index: int) -> tuple[bool, bool, bool, bool, int, int, int, int]:
        clause, length = shown[index].finding.clause, shown[index].length
        special = _special(shown[index])
        always = special and all(clause in shown[other].beside for other in group if other != index)
        others = [shown[other] for other in group if other != index]
        behind = (_indirect(shown[index]) or special) and not always
        if any(_of_one_element(shown[index], one) for one in others):
            behind = not _on_state(shown[index])
        elif not behind:
            behind = any(_follows(shown[index], one) for one in others if one.finding.clause not in elsewhere)
        implied_by = sum(
            clause in one.beside and one.finding.clause not in shown[index].beside
            for one in others
            if not _indirect(one)
        )
        seen_in_export = clause == _APPLIED and any(one.finding.clause.startswith(_EXPORT) for one in others)
        return (
            behind,
            seen_in_export,  # what a wrong export shows says little of the writes
            clause == _CHANGED or clause.startswith(_NEIGHBOURS),
            not always,
            -implied_by,
            _UNSHRUNK if length is None else length,
            0 if behind else _order(clause),
            index,
        )

    lead = min(group, key=rank)
    return [lead, *sorted(index for index in group if index != lead)]


def _of_one_element(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether both are about one event or product of one response, and one of them knows where its count came from."""
    element, _, member = one.finding.pointer.rpartition("/")
    same = element == other.finding.pointer.rpartition("/")[0] and member in ("count", "first", "last")
    origin = _on_state(one) is not _on_state(other)
    return same and origin and one.finding.clause in other.beside and other.finding.clause in one.beside


def _seen_with(clause: str, one: ReplayedFinding) -> bool:
    return clause == one.finding.clause or clause in one.beside


def _follows(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether what the other finding shows comes first in the sequence of this one, and not the reverse."""
    if other.finding.clause == _CHANGED or not _implied(one, other) or one.finding.clause in other.beside:
        return False
    return other.length is not None and one.length is not None and other.length < one.length


def _order(clause: str) -> int:
    return list(catalogue(None)).index(clause) if clause in catalogue(None) else 0


def _clause(one: ReplayedFinding) -> Clause | None:
    return catalogue(None).get(one.finding.clause)


def _concern(one: ReplayedFinding) -> str:
    known = _clause(one)
    return known.concern if known else ""


def _indirect(one: ReplayedFinding) -> bool:
    known = _clause(one)
    return known.indirect if known else False


def _special(one: ReplayedFinding) -> bool:
    known = _clause(one)
    return known.special if known else False


def _place(one: ReplayedFinding) -> str:
    """What kind of place a finding points to: a section and what stands there, or "users"; "" for neither."""
    steps = one.finding.pointer.split("/")
    section = next((_SECTIONS[part] for part in steps if part in _SECTIONS), "")
    if section == "attributes":
        return f"{section} {_kind(one.finding.expected, one.finding.actual)}"
    if section:
        # An export's finding about an event or product shows its counts: where these agree, a time is wrong.
        counted = isinstance(one.finding.actual, int) and one.finding.actual == one.finding.expected
        return f"{section} {'time' if counted or steps[-1] in ('first', 'last') else 'count'}"
    return "users" if one.finding.pointer == _USERS else ""


def _kind(*values: Any) -> str:
    """Whether the first of these values that is a JSON value is an array, an object or neither."""
    if any(isinstance(value, list) for value in values):
        return "array"
    return "object" if any(isinstance(value, dict) for value in values) else "plain"
