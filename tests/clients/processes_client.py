"""The small client of python_client.py in four processes, each of which pauses for the 429 that it met itself.

    python processes_client.py [VARIANT]

The processes begin a quarter of a second apart, so that the first has met a 429 before the others send anything.
"""

from __future__ import annotations

import multiprocessing
import sys
import time

import python_client


def work(number: int) -> int:
    time.sleep(0.25 * number)
    client, failures = python_client.Client(), 0
    for colour in ("red", "blue"):
        try:
            client.set(f"user-{number}", colour=colour)
        except python_client.Failed as error:
            print(f"failed: {error}", flush=True)
            failures += 1
    return failures


if __name__ == "__main__":
    with multiprocessing.Pool(4) as pool:
        sys.exit(any(pool.map(work, range(4), chunksize=1)))
