"""Programs other than Python that some tests need. `.ci/run` installs them, and says which it cannot install."""

from __future__ import annotations

import shutil

import pytest


def program(*names: str) -> str | None:
    """The path of the first of these that is installed, or None."""
    return next(filter(None, map(shutil.which, names)), None)


def needs(*names: str) -> pytest.MarkDecorator:
    """Skips a test where one of these programs is missing."""
    missing = [name for name in names if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
