"""`tracksync clean` for one journal: deletes its users, verifies that they are gone, and records that."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tracksync.engine.targets import Target
from tracksync.engine.user_deletion import Cleaner, Cleaning
from tracksync.generate.renaming import Identifier
from tracksync.live import journal as journals
from tracksync.live.journal import Journal


def clean(
    journal: Journal,
    target: Target,
    *,
    deletion_timeout: float,
    say: Callable[[str], None] = lambda text: None,
    keep: bool = False,
) -> Cleaning:
    """Delete the users of `journal` on `target`; returns what was deleted and what is left.

    `deletion_timeout`: seconds to wait for a slow deletion. The journal is removed when no user is left. With `keep`,
    the journal of a run that can be resumed stays.
    """
    state = journals.read(journal.path)
    users: Sequence[Identifier] = state.users if state else ()
    cleaner = Cleaner(target.send, target.sleep, say, deletion_timeout, settle=2.0)
    done = cleaner.clean(users)
    gone = [one for one in users if one not in set(done.left)]
    journal.write("cleaned", users=gone, verified=done.verified, at=time.time())
    if not done.left and (state is None or not state.resumable or not keep):
        journal.remove()
    else:
        journal.close()
    return done
