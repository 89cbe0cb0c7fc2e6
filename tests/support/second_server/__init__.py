"""A second server for the synchronous endpoint, written independently of the project's own mock."""

from .server import create
from .sockets import serving
from .variants import BASE, FAULTS, INTERPRETATIONS

__all__ = ["BASE", "FAULTS", "INTERPRETATIONS", "create", "serving"]
