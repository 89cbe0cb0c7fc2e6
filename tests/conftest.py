"""What holds for every test: Hypothesis gives an example the time that a busy machine takes."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")
