"""Drive: the client under test as an adapter process that speaks JSON Lines, and Hypothesis that drives it.

`protocol` is what goes over the pipe, `adapter` the process, `behaviours` what the server does, `script` both of them
as one file. `session` plays a script, `truth` and outcomes.toml say what may be reported of it, `checking` finds what
is wrong, `strategies` and `drawing` draw scripts at random, `driving` is the run.
"""

from tracksync.gate.drive.driving import DrivePlan, Driver
from tracksync.gate.drive.session import Rig

__all__ = ["DrivePlan", "Driver", "Rig"]
