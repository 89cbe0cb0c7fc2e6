"""What `tracksync clean` does with one journal: delete its users, see that they are gone, write that down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tracksync.engine.cleaning import Cleaner, Cleaning
from tracksync.engine.targets import Target
from tracksync.generate.renaming import Identifier
from tracksync.live import journal as journals
from tracksync.live.journal import Journal


def clean(
    journal: Journal,
    target: Target,
    *,
    patience: float,
    say: Callable[[str], None] = lambda text: None,
    keep: bool = False,
) -> Cleaning:
    """Delete the users that `journal` tells of, by way of `target`.

    The journal goes when nothing is left of its run to be done. One whose run was killed stays, so that it can be
    resumed; `keep` False drops that too.
    """
    story = journals.read(journal.path)
    users: Sequence[Identifier] = story.users if story else ()
    cleaner = Cleaner(target.send, target.sleep, say, patience, settle=2.0)
    done = cleaner.clean(users)
    gone = [one for one in users if one not in set(done.left)]
    journal.write("cleaned", users=gone, verified=done.verified, at=time.time())
    if not done.left and (story is None or not story.resumable or not keep):
        journal.remove()
    else:
        journal.close()
    return done
