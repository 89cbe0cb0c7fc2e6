"""Processes that a command starts end with it, also where it is killed in the midst of their work."""

from __future__ import annotations

import subprocess
import sys

PARENT = """
import os, signal
from tracksync.engine.child_processes import process_pool
with process_pool(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(exec, "while True: pass")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_ends_soon_after_its_parent_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        shown, _ = parent.communicate(timeout=60)  # until no process has the pipe any more, so until the worker ended
    assert shown.strip().isdigit()
    assert parent.returncode < 0
