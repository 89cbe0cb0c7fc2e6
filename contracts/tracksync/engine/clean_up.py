"""The end of a run: the users that it made are deleted, as far as key, budget and time allow."""

from __future__ import annotations

from typing import Final

from tracksync.engine.budget import SHRINK_SHARE, Reserve
from tracksync.engine.plan import FuzzPlan
from tracksync.engine.session import Session
from tracksync.engine.user_deletion import Cleaner, cost
from tracksync.model.events import Cleaned

SETTLE: Final = 3.0  # seconds after which a write whose response was lost is not expected to come through any more
LOOK_SHARE: Final = 10  # at most one in so many requests of the budget is kept for looking whether users are gone
CLEAN_SECONDS: Final = 30.0  # kept for deleting users, at most, and at most one in SHRINK_SHARE of the budget
CLEAN_ANYWAY: Final = 5.0  # seconds that deleting may go on although the budget of seconds is over
DELETION_TIMEOUT: Final = 60.0  # seconds to wait for slow deletion
HURRY: Final = 8.0  # seconds for deleting users when the run was stopped, or the target has gone
HURRIED_RESPONSE: Final = 3.0  # seconds to wait for one response then
PHASE: Final = "cleaning"


class CleaningReserve:
    """What deleting the run's users takes, and, as far as a share of the budget goes, looking whether they are gone."""

    def __init__(self, plan: FuzzPlan) -> None:
        self._plan = plan
        self._users = -1
        self._cost = (0, 0)

    def __call__(self, session: Session) -> Reserve:
        """What to keep of the budget of `session` at this moment."""
        users = session.workspace.users
        if self._users != len(users):
            self._users, self._cost = len(users), cost(users)
        deletions, looks = self._cost
        spare = max(self._plan.max_requests // LOOK_SHARE, 1)
        requests = max(deletions, 1) + min(looks + 5, spare)
        pace = session.spending.waited / max(session.spending.requests, 1)
        wanted = SETTLE + 2 * requests * pace
        return Reserve(requests, min(wanted, CLEAN_SECONDS, (self._plan.budget.seconds or 0.0) / SHRINK_SHARE))


def clean_up(session: Session, plan: FuzzPlan, hurried: str) -> None:
    """Delete the users that the run made, and say what became of them. `hurried`: why it must not take long, or "".

    The embedded mock is simply dropped, and where no request has reached the target there is no user to delete.
    """
    if plan.target.embedded or not session.workspace.reached:
        return
    session.begin(PHASE)
    target = session.target
    deletion_timeout = min(plan.target.outage_timeout, DELETION_TIMEOUT)
    settle = SETTLE if session.workspace.lost else 0.0
    if hurried:
        target.hurry(HURRIED_RESPONSE)
        deletion_timeout, settle = HURRIED_RESPONSE, 0.0
    before, began = session.spending.requests, target.now()

    def stop() -> str:
        took = target.now() - began
        if hurried and took > HURRY:
            return f"{hurried}, and deleting its users was given {HURRY:.0f} s"
        over = session.spending.over()
        return over if took > CLEAN_ANYWAY or "requests" in over else ""

    cleaner = Cleaner(session.deliver, target.sleep, deletion_timeout=deletion_timeout, settle=settle, stop=stop)
    done = cleaner.clean(session.workspace.users)
    session.emit(Cleaned(done.users, done.left, done.why, session.spending.requests - before, done.verified))
