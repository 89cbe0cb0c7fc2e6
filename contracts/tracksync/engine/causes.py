"""Which findings one defect explains: they are one cause, led by the clause that names it best. Pure.

A defect of a server breaks several clauses: a count that is stuck is wrong in the response, in the export and under
another identifier. Three observations put findings together:

- *Implied.* The minimal sequence of one finding shows another one, too, and not in another part of the response, such
  as a header: whoever mends the second mends the first.
- *One concern.* Clauses of one concern (`clauses.toml`: counts, values, rate …) are broken together by one defect.
- *Indirect.* Some clauses only say that something is wrong somewhere (a profile read back differs, a value of another
  user fits). Such a finding belongs to a direct one that is implied, or that is about the same section.

What is left stands alone, so that two defects stay two causes. Two kinds of defect look like many:

- *Lost state.* A server that loses or mixes up writes breaks clauses of every concern about what a user holds. From
  three of them on they are one cause, led by the clause on state that was broken first.
- *One form.* If every other finding of a cause is seen only where a request has a form that may be refused, the clause
  on that form leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tracksync.contract.clauses import catalogue
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
_FORMS: Final = ("TS-FORM-", "TS-ROUTE-MEDIA", "TS-ROUTE-SIZE")  # clauses on forms that may be refused
_MANY: Final = 3  # concerns
_USERS: Final = "/response/body/users"
_UNSHRUNK: Final = 10**6  # a sequence that was not made minimal counts as longer than any that was


class ReplayedFinding(Struct, frozen=True):
    """A finding with what its minimal sequence shows.

    `length`: requests of that sequence, None where it could not be replayed. `beside`: the clauses of the other
    findings that a replay of it shows.
    """

    finding: Finding
    length: int | None = None
    beside: frozenset[str] = frozenset()


def causes(shown: Sequence[ReplayedFinding]) -> tuple[tuple[int, ...], ...]:
    """Groups of positions in `shown`, each a cause and each with its leading finding first.

    Groups stand in the order of their first finding.
    """
    groups = _with_lost_state(shown, _together(shown))
    direct = [group for group in groups if not all(_indirect(shown[index]) for index in group)]
    alone: list[int] = []
    for group in groups:
        if group in direct:
            continue
        home = max(direct, key=lambda one: _nearness(shown, group, one), default=None)
        if home is not None and _nearness(shown, group, home):
            home.extend(group)
        else:
            alone += group
    made = [*direct, alone] if alone else direct
    return tuple(tuple(_led(shown, group)) for group in sorted(made, key=min))


def _together(shown: Sequence[ReplayedFinding]) -> list[list[int]]:
    """Groups of findings that break one clause, imply each other, or have one concern."""
    groups: list[list[int]] = []
    for index, one in enumerate(shown):
        joined = [group for group in groups if any(_joined(one, shown[other]) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(member for group in joined for member in group), index])
    return groups


def _with_lost_state(shown: Sequence[ReplayedFinding], groups: list[list[int]]) -> list[list[int]]:
    """The groups, those about what users hold put together where they are many and a clause on state is broken too."""
    held = [group for group in groups if any(_concern(shown[index].finding.clause) in _HELD for index in group)]
    state = [group for group in groups if any(_on_state(shown[index]) for index in group)]
    if len(held) < _MANY or not state:
        return groups
    lost = held + [group for group in state if group not in held]
    return [*(group for group in groups if group not in lost), [index for group in lost for index in group]]


def _on_state(one: ReplayedFinding) -> bool:
    return one.finding.clause.startswith(_STATE)


def _joined(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    first, second = one.finding.clause, other.finding.clause
    if first == second:
        return True
    if _indirect(one) or _indirect(other):
        return False
    return _implied(one, other) or (bool(_concern(first)) and _concern(first) == _concern(second))


def _implied(one: ReplayedFinding, other: ReplayedFinding) -> bool:
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
    same = any(_place(one) == _place(other) != "" and not _indirect(other) for one, other in pairs)
    return 2 * implied + same


def _led(shown: Sequence[ReplayedFinding], group: Sequence[int]) -> list[int]:
    """The group, its leading finding first: a direct one, implied by most, with the shortest sequence."""
    concerns = {_concern(shown[index].finding.clause) for index in group if not _indirect(shown[index])}
    if len(concerns & _HELD) >= _MANY and any(_on_state(shown[index]) for index in group):
        group = sorted(group, key=lambda index: (not _on_state(shown[index]), index))
        return [group[0], *sorted(group[1:])]

    def rank(index: int) -> tuple[bool, bool, int, int, int]:
        clause = shown[index].finding.clause
        implied_by = sum(clause in shown[other].beside for other in group)
        length = shown[index].length
        always = clause.startswith(_FORMS) and all(clause in shown[other].beside for other in group if other != index)
        behind = _indirect(shown[index]) and not always
        return behind, not always, -implied_by, _UNSHRUNK if length is None else length, index

    lead = min(group, key=rank)
    return [lead, *sorted(index for index in group if index != lead)]


def _concern(clause: str) -> str:
    known = catalogue(None).get(clause)
    return known.concern if known else ""


def _indirect(one: ReplayedFinding) -> bool:
    known = catalogue(None).get(one.finding.clause)
    return known.indirect if known else False


def _place(one: ReplayedFinding) -> str:
    """The section that a finding points into, or "users" where it is about whether there is a user; "" for neither."""
    section = next((_SECTIONS[part] for part in one.finding.pointer.split("/") if part in _SECTIONS), "")
    return section or ("users" if one.finding.pointer == _USERS else "")
