"""Processes that this one starts: they never see Ctrl-C, which a terminal sends to them too, and end with this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any, Final

from tracksync.errors import Incomplete

ENDED: Final = "a process of --jobs was ended from outside, perhaps for lack of memory; use fewer, or --jobs 1"


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Processes that are started meanwhile never see Ctrl-C. This one sees it late. Has no effect on Windows."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Let this process end as soon as the one that started it has ended, also by SIGKILL."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        connection.wait([parent.sentinel] if parent else [])
        os._exit(1)

    if parent is not None:
        threading.Thread(target=wait, daemon=True).start()


@contextmanager
def process_pool(workers: int | None) -> Iterator[ProcessPoolExecutor]:
    """`workers` processes, one a core by default, which end with the block, whatever they are at, and with this one.

    They are started by what is submitted: submit with `interrupts_blocked`.
    """
    earlier = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent)
    try:
        yield pool
    finally:
        for worker in set(multiprocessing.active_children()) - earlier:
            worker.terminate()
        pool.shutdown(cancel_futures=True)


class Processes:
    """The processes of an executor of the standard library."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Have a function called in one of them."""
        with interrupts_blocked():
            return self._executor.submit(function, *arguments)


@contextmanager
def local_pool(count: int) -> Iterator[Processes]:
    """`count` processes for `--jobs`, which end with the block. Raises Incomplete where one is ended from outside."""
    try:
        with process_pool(count) as pool:
            yield Processes(pool)
    except BrokenProcessPool:
        raise Incomplete(ENDED) from None
