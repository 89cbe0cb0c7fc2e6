"""Work on a cluster of Dask: pure functions of data, called on any worker. Needs the extra `distributed`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tracksync.errors import Incomplete, MissingExtraError

_ATTEMPTS: Final = 4  # Dask gives a task up when several workers died with it; so often it is given to others
_CONNECT: Final = 30  # seconds


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The cluster whose scheduler is at `address`. Raises Incomplete where it does not respond."""
    try:
        import distributed
    except ImportError:
        raise MissingExtraError("--scheduler", "distributed") from None
    try:
        client = distributed.Client(address, timeout=_CONNECT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, ImportError) as error:
        raise Incomplete(f"no Dask scheduler responds at {address}: {error}") from None
    try:
        yield Cluster(client)
    finally:
        client.close(timeout=5)  # type: ignore[no-untyped-call]


class Cluster:
    """Functions are called on any worker. One that dies costs the time of what it had in hand."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Task:
        """Have a function called on a worker."""
        return Task(self._client, function, arguments)


class Task:
    """One call on the cluster."""

    def __init__(self, client: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._again: Callable[[], Any] = lambda: client.submit(function, *arguments, pure=False)
        self._future = self._again()

    def result(self) -> Any:
        """Wait for the result. Raises Incomplete where the cluster is lost, or workers die with it again and again."""
        from distributed import KilledWorker

        for _ in range(_ATTEMPTS):
            try:
                return self._future.result()
            except KilledWorker:
                self._future = self._again()
            except (OSError, TimeoutError) as error:
                raise Incomplete(f"the cluster was lost: {error}") from None
        raise Incomplete(
            "workers of the cluster died with one piece of work again and again, perhaps for lack of memory"
        )
