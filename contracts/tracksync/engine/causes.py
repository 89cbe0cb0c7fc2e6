"""Which findings one defect explains: they are one cause, led by the clause that names it best. Pure.

A defect of a server breaks several clauses: a count that is stuck is wrong in the response, in the export and under
another identifier. These observations put findings together:

- *One explains the other.* The minimal sequence of one finding shows the other first: whoever mends that mends both.
- *One concern, one difference.* Clauses of one concern (`clauses.toml`: counts, values, rate …) are broken together by
  one defect, where what is shown differs in one way from what was expected: less of it, another form, other texts …
- *No check.* Where requests of many kinds are not refused, or of two kinds for one reason, one check is missing.
- *One trait.* What shows only with emails, only after a refused request, only with a large body, only after many
  requests or only in one special form has to do with that.
- *One look-up.* Where an email or phone leads to the wrong user, that explains what shows only after such a look-up.
- *One object refused.* What a sync request is refused for, /users/track leaves out of a batch: it counts fewer objects.
- *One status.* Refusals with one status that says more than that the request is wrong, such as 413, have one reason.
- *Indirect.* Some clauses only say that something is wrong somewhere (a profile read back differs, a value of another
  user fits). Such a finding belongs to a direct one that explains it, or that is about the same kind of place.
- *No effect.* Where updates of many kinds change nothing, the server does not make them.
- *Lost state.* A server that loses or mixes up writes breaks clauses of every concern about what a user holds. From
  three of them on they are one cause, but for what has a trait of its own.

What is left stands alone, so that two defects stay two causes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from tracksync.engine.lead import leading_first
from tracksync.engine.replayed_finding import (
    HELD,
    LOST,
    STATUS,
    ReplayedFinding,
    connected,
    one_difference,
    one_place,
    shows_less,
)

Group = list[ReplayedFinding]
UNCHECKED: Final = 4  # kinds of requests that are not refused where nothing is checked
UNCHANGED: Final = 5  # clauses that are broken where updates have no effect


def causes(shown: Sequence[ReplayedFinding]) -> tuple[tuple[int, ...], ...]:
    """Groups of positions in `shown`, each a cause and each with its leading finding first.

    Groups stand in the order of their first finding.
    """
    position = {id(one): number for number, one in enumerate(shown)}
    groups = _with_traits(_with_refusals(_merged([[one] for one in shown], _joined)))
    groups = _with_indirect(_with_lost_state(_without_effect(_with_look_ups(shown, groups))))
    in_order = [sorted(group, key=lambda one: position[id(one)]) for group in groups]
    led = [tuple(position[id(one)] for one in leading_first(group)) for group in in_order]
    return tuple(sorted(led, key=min))


def _merged(groups: Sequence[Group], joined: Callable[[ReplayedFinding, ReplayedFinding], bool]) -> list[Group]:
    """The groups, those put together of which two findings are joined."""
    made: list[Group] = []
    for group in groups:
        near = [one for one in made if any(joined(a, b) for a in group for b in one)]
        made = [one for one in made if not any(one is other for other in near)]
        made.append([*(one for other in near for one in other), *group])
    return made


def _joined(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether two findings are of one cause, whatever others there are."""
    if one.clause == other.clause:
        return one.by_state is other.by_state
    if one.clause == other.nearer or other.clause == one.nearer or (one.look_up and other.look_up):
        return True
    if _one_refusal(one, other) or _one_object_refused(one, other) or _one_object_refused(other, one):
        return True
    if one.indirect or other.indirect:
        return False
    if connected(one, other):
        return True
    if one.concern != other.concern or not one.concern:
        return False
    if one.concern == "refusals":
        return one_difference(one, other) and _reason(one) == _reason(other)
    return one_difference(one, other)


def _reason(one: ReplayedFinding) -> str:
    """What the message says of a status, whatever value it quotes."""
    return re.sub(r"'.*'", "", one.finding.message)


def _one_refusal(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether both are refusals with one status that says more than that a request is wrong."""
    first, second = one.finding, other.finding
    return first.pointer == second.pointer == STATUS and first.actual == second.actual not in (201, 400)


def _one_object_refused(batch: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether /users/track counts fewer objects than were sent, and the other finding says which it left out or why."""
    if batch.concern != "batches" or batch.indirect or not shows_less(batch.finding) or batch.finding.actual <= 0:
        return False
    return connected(batch, other) or (other.concern == "acceptance" and other.finding.pointer == STATUS)


def _with_refusals(groups: list[Group]) -> list[Group]:
    """The groups, those put together that say of requests that they had to be refused, where they are many."""
    needed = [group for group in groups if any(one.concern == "refusals" and not one.indirect for one in group)]
    return _put_together(groups, needed) if len(needed) >= UNCHECKED else groups


def _with_traits(groups: Sequence[Group]) -> list[Group]:
    """The groups, those put together whose findings all have one trait."""
    made: list[Group] = []
    for group in groups:
        near = [one for one in made if _traits(one) & _traits(group)]
        made = [one for one in made if not _traits(one) & _traits(group)]
        made.append([*(one for other in near for one in other), *group])
    return made


def _traits(group: Group) -> frozenset[str]:
    return frozenset.intersection(*(one.traits for one in group))


def _with_look_ups(shown: Sequence[ReplayedFinding], groups: list[Group]) -> list[Group]:
    """The groups, those put together with a wrong look-up that hold what shows only after it."""
    kinds = {one.look_up for one in shown if one.look_up and not _shows_without(shown, one)}
    later = [group for group in groups if any(one.look_up in kinds or one.needs_look_up(kinds) for one in group)]
    return _put_together(groups, later)


def _shows_without(shown: Sequence[ReplayedFinding], look_up: ReplayedFinding) -> bool:
    """Whether what is wrong after a look-up is wrong in the same kind of place without it, too."""
    firm = (one for one in shown if one.length is not None and (one.on_state or not one.indirect))
    return any(look_up.look_up not in one.named and one.place == look_up.place for one in firm)


def _without_effect(groups: list[Group]) -> list[Group]:
    """The groups, those put together that say of many kinds of updates that they changed nothing."""
    direct = [(group, [one for one in group if not one.indirect]) for group in groups]
    unchanged = [(group, found) for group, found in direct if found and all(one.unchanged for one in found)]
    many = sum(len(found) for _, found in unchanged) >= UNCHANGED
    return _put_together(groups, [group for group, _ in unchanged]) if many else groups


def _with_lost_state(groups: list[Group]) -> list[Group]:
    """The groups, those about what users hold put together where they are many and a clause on state is broken too.

    A single group with a direct finding that shows with fewer requests than one on state does not follow from it.
    """
    on_state = [one.requests for group in groups for one in group if one.on_state]
    broken = {one.concern for group in groups if not _traits(group) for one in group}
    if len(broken & HELD) < LOST or not on_state:
        return groups
    before = [group for group in groups if _on_held(group) and _shows_before(group, min(on_state))]
    own = before[0] if len(before) == 1 else None
    return _put_together(groups, [one for one in groups if _on_state(one) or (_on_held(one) and one is not own)])


def _on_held(group: Group) -> bool:
    return any(one.concern in HELD for one in group)


def _on_state(group: Group) -> bool:
    return any(one.on_state for one in group)


def _shows_before(group: Group, requests: int) -> bool:
    """Whether a direct finding of the group shows with fewer requests."""
    return any(one.requests < requests for one in group if not one.indirect)


def _with_indirect(groups: list[Group]) -> list[Group]:
    """The groups, those that say only that something is wrong put to a direct one that is near, or to one another."""
    direct = [group for group in groups if not all(one.indirect for one in group)]
    alone: list[Group] = []
    for group in groups:
        if not all(one.indirect for one in group):
            continue
        home = max(direct, key=lambda one: _nearness(group, one), default=None)
        if home is not None and _nearness(group, home):
            home.extend(group)
        else:
            alone.append(group)
    return direct + _merged(alone, _alike)


def _put_together(groups: list[Group], chosen: list[Group]) -> list[Group]:
    if len(chosen) < 2:
        return groups
    others = [group for group in groups if not any(group is one for one in chosen)]
    return [*others, [one for group in chosen for one in group]]


def _nearness(group: Group, direct: Group) -> int:
    """How much an indirect group has to do with a direct one; 0 for nothing."""
    pairs = [(one, other) for one in group for other in direct]
    explained = sum(connected(one, other) for one, other in pairs)
    return 2 * explained + any(_near(one, other) for one, other in pairs if not other.indirect)


def _near(one: ReplayedFinding, direct: ReplayedFinding) -> bool:
    """Whether an indirect finding is about what a direct one is about."""
    if one.concern == "interpretations" and not one.by_state:
        return False
    if one_place(one, direct):
        return True
    about_users = one.on_users or (one.concern == "batches" and one.shows_nothing)
    return direct.concern == "users" and about_users and not one.kinds.isdisjoint(direct.kinds)


def _alike(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether two indirect findings are of one cause.

    What is lost of a user who was named by another kind of identifier shows in any place after that.
    """
    needed = (one.named & other.named) - {"external_id"}
    return connected(one, other) or one_place(one, other) or (bool(needed) and (one.on_state or other.on_state))
