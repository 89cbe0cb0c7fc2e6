"""The exchanges of some users, checked in order with a belief of their own. Pure but for what it holds; no I/O.

A part runs ahead under what all parts share. It stops after the first exchange that changes this, and keeps what it
believed before each exchange, so that it can go back to where another part stopped.

    take    the exchanges that come next
    run     check those before some index (`check_next`: one of those that there are)
    commit  what is certain
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from msgspec import Struct, structs

from tracksync.cassettes.checking import (
    CheckedRecording,
    Place,
    RecordedWorkspace,
    beside_another_key,
    concluded,
    forgetting,
    others_of,
)
from tracksync.cassettes.interaction import Interaction
from tracksync.model.counts import Counts
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, Settings
from tracksync.oracle.identifiers import CellKey
from tracksync.oracle.parts import (
    Beside,
    Effect,
    Writer,
    check_part,
    effect_of,
    shared_of,
    with_effect,
    with_shared,
    with_writers,
    writers_of,
)
from tracksync.oracle.request import read_request


class Routed(Struct, frozen=True, gc=False):
    """One exchange of a part. `index`: its number in the recording. `home`: what it shows is counted in this part."""

    index: int
    place: Place
    interaction: Interaction
    beside: Beside
    home: bool = True


class Gap(Struct, frozen=True, gc=False):
    """Something that cannot be checked happened in these workspaces."""

    index: int
    places: tuple[Place, ...]


Item = Routed | Gap


class Change(Struct, frozen=True):
    """What an exchange changed for all parts. `strangers`: all users are forgotten.

    `learned`: the interpretations of the workspace from then on; `shown`: the same where the exchange changed them.
    """

    index: int
    place: Place
    effect: Effect
    strangers: bool
    learned: Mapping[str, str]
    shown: Mapping[str, str] | None = None


class Question(Struct, frozen=True):
    """Who wrote these cells last, before the exchange with this index?"""

    index: int
    place: Place
    keys: tuple[CellKey, ...]


Answer = dict[CellKey, Writer]


class Run(Struct, frozen=True):
    """How far a part came: to its first change, if there was one. The questions are about its findings."""

    change: Change | None
    questions: tuple[Question, ...]


class Located(Struct, frozen=True):
    """The first finding about a clause in a block; `position` among those of the exchange."""

    index: int
    position: int
    finding: Finding


@dataclass(slots=True)
class Summary:
    """What the exchanges of a block came to in one part."""

    checked: int = 0
    counts: Counts = field(default_factory=Counts)
    skipped: dict[str, int] = field(default_factory=dict)
    firsts: dict[str, Located] = field(default_factory=dict)
    unsettled_until: float = float("-inf")


class _Done(Struct, frozen=True, gc=False):
    """An item that was run, and its workspaces before it. `checked` is None of a gap."""

    item: Item
    before: tuple[tuple[Place, RecordedWorkspace | None], ...]
    checked: CheckedRecording | None = None


class Partition:
    """One part. `settings`: of the recording. `foreign`: it has no manifest."""

    def __init__(self, settings: Settings, *, foreign: bool) -> None:
        self._start = RecordedWorkspace(Belief.start(settings))
        self._foreign = foreign
        self._workspaces: dict[Place, RecordedWorkspace] = {}
        self._inbox: deque[Item] = deque()
        self._done: list[_Done] = []
        self._change: Change | None = None
        self._unsettled = False

    def take(self, items: Iterable[Item]) -> None:
        """Take in what comes next."""
        self._inbox.extend(items)

    def run(self, until: int) -> Run:
        """Check the items with an index below `until`, up to the first change."""
        while self._inbox and self._inbox[0].index < until and self.check_next():
            pass
        change = self._change if self._change and self._change.index < until else None
        return Run(change, tuple(self._questions(until)))

    def check_next(self) -> bool:
        """Check the next item; False where there is none, or a change has to be taken over or settled first."""
        if self._change is not None or self._unsettled or not self._inbox:
            return False
        item = self._inbox.popleft()
        if isinstance(item, Gap):
            self._skip(item)
        else:
            self._check(item)
        return True

    def _skip(self, gap: Gap) -> None:
        self._done.append(_Done(gap, tuple((place, self._workspaces.get(place)) for place in gap.places)))
        for place in gap.places:
            self._workspaces[place] = forgetting(self._workspaces.get(place, self._start))

    def _check(self, item: Routed) -> None:
        known = self._workspaces.get(item.place)
        before = known or self._start
        exchange = item.interaction.exchange
        result = check_part(before.belief, exchange, item.beside)
        checked, after = concluded(before, item.interaction, result, foreign=self._foreign)
        self._workspaces[item.place] = after
        others = [(one, self._workspaces[one]) for one in others_of(item.place, self._workspaces)]
        for one, workspace in others:
            self._workspaces[one] = beside_another_key(workspace, item.interaction, item.beside.objects)
        self._done.append(_Done(item, ((item.place, known), *others), checked))
        strangers = after.belief.settings is not result.belief.settings
        effect = effect_of(before.belief, result.belief, exchange)
        if strangers:  # nothing that it showed of interpretations is held
            shared = shared_of(after.belief)
            effect = structs.replace(effect, shared=shared) if effect else Effect(shared)
        if effect is not None:
            shown = checked.interpretations
            self._change = Change(item.index, item.place, effect, strangers, after.learned, shown)

    def _questions(self, until: int) -> Iterable[Question]:
        for one in takewhile(lambda one: one.item.index < until, self._done):
            if one.checked is not None and isinstance(one.item, Routed) and one.item.home and one.checked.findings:
                keys = read_request(one.item.interaction.exchange).cells()
                if keys:
                    yield Question(one.item.index, one.item.place, keys)

    def answers(self, questions: Sequence[Question]) -> list[Answer]:
        """To each question the writers that this part knows of."""
        held: dict[Place, tuple[list[int], list[RecordedWorkspace | None]]] = {}
        for done in self._done:
            for place, workspace in done.before:
                indexes, workspaces = held.setdefault(place, ([], []))
                indexes.append(done.item.index)
                workspaces.append(workspace)
        found = []
        for one in questions:
            indexes, workspaces = held.get(one.place, ([], []))
            at = bisect_left(indexes, one.index)
            before = workspaces[at] if at < len(indexes) else self._workspaces.get(one.place)
            found.append(writers_of((before or self._start).belief, one.keys))
        return found

    def commit(self, upto: int, change: Change | None, answers: Mapping[int, Answer]) -> Summary:
        """All up to the index `upto` is certain. If that exchange changed something, go back to it and take it over.

        `answers`: by the index of an exchange with findings.
        """
        if change is not None:
            self._go_back(upto)
        certain = list(takewhile(lambda one: one.item.index <= upto, self._done))
        summary = self._summary(certain, answers)
        if change is not None:
            self._take_over(change)
            self._change, self._unsettled = None, change.effect.forgot
            summary.unsettled_until = self._workspaces[change.place].belief.unsettled_until
        del self._done[: len(certain)]
        return summary

    def _go_back(self, upto: int) -> None:
        while self._done and self._done[-1].item.index > upto:
            back = self._done.pop()
            self._inbox.appendleft(back.item)
            for place, workspace in back.before:
                self._restore(place, workspace)

    def _restore(self, place: Place, workspace: RecordedWorkspace | None) -> None:
        if workspace is None:
            self._workspaces.pop(place, None)
        else:
            self._workspaces[place] = workspace

    def _take_over(self, change: Change) -> None:
        workspace = self._workspaces.get(change.place, self._start)
        belief = workspace.belief
        if self._change is not None and self._change.index == change.index:  # it happened here
            until = max(belief.unsettled_until, change.effect.shared.unsettled_until)
            self.settle(change.place, until)
            return
        belief = with_effect(belief, change.effect)
        workspace = RecordedWorkspace(belief, change.learned)
        if change.strangers:
            workspace = forgetting(workspace)
            workspace = structs.replace(workspace, belief=with_shared(workspace.belief, change.effect.shared))
        self._workspaces[change.place] = workspace

    def settle(self, place: Place, until: float) -> None:
        """From some part it is known that until then, in epoch seconds, a user that is met may be deleted."""
        self._unsettled = False
        workspace = self._workspaces[place]
        belief = workspace.belief
        if belief.unsettled_until < until:
            self._workspaces[place] = structs.replace(workspace, belief=structs.replace(belief, unsettled_until=until))

    def _summary(self, certain: Iterable[_Done], answers: Mapping[int, Answer]) -> Summary:
        summary = Summary()
        for one in certain:
            item, checked = one.item, one.checked
            if checked is None or not isinstance(item, Routed) or not item.home:
                continue
            if checked.skipped:
                summary.counts.skipped += 1
                summary.skipped[checked.skipped] = summary.skipped.get(checked.skipped, 0) + 1
                continue
            if checked.findings and item.index in answers:
                checked = self._again(one, item, answers[item.index])
            summary.checked += 1
            broken = {finding.clause for finding in checked.findings}
            summary.counts.add(checked.interaction.exchange, broken, checked.covered)
            for position, finding in enumerate(checked.findings):
                summary.firsts.setdefault(finding.clause, Located(item.index, position, finding))
        return summary

    def _again(self, done: _Done, item: Routed, writers: Answer) -> CheckedRecording:
        """Check an exchange with findings once more, knowing who of other parts wrote the cells last."""
        before = done.before[0][1] or self._start
        belief = with_writers(before.belief, writers)
        assert done.checked is not None
        if belief is before.belief:
            return done.checked
        result = check_part(belief, item.interaction.exchange, item.beside)
        return concluded(before, item.interaction, result, foreign=self._foreign)[0]
