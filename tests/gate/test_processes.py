"""Nothing that the gate starts outlives the gate, also where the gate is killed."""

from __future__ import annotations

import os
import select
import subprocess
import sys

GATE = """
import io, os, signal
from tracksync.gate.command import Printed, run_command

def tick():
    if printed.lines:
        os.kill(os.getpid(), signal.SIGKILL)

# Each of the three has our standard input. The last one is in a session of its own.
words = ["sh", "-c", "sleep 600 <&0 & setsid sleep 600 <&0 & echo started; wait"]
printed = Printed()
run_command(words, {}, key="k", timeout=600, out=io.BytesIO(), err=io.BytesIO(), tick=tick, printed=printed)
"""


def test_a_command_and_what_it_started_end_when_the_gate_is_killed() -> None:
    reading, writing = os.pipe()
    with subprocess.Popen([sys.executable, "-c", GATE], stdin=writing) as gate:
        os.close(writing)
        assert gate.wait(60) < 0
    ended, _, _ = select.select([reading], [], [], 60)  # when no process has the other end any more
    os.close(reading)
    assert ended
