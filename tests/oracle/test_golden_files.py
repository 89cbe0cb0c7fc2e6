"""What the oracle says, word by word, is what somebody has read and kept."""

from __future__ import annotations

import pytest

from golden import FOLDER, pages, written


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_oracle_says_what_it_said_when_somebody_read_it(name: str) -> None:
    assert pages()[name]() == written(name), "if this is right: PYTHONPATH=contracts python tests/support/golden.py"


def test_every_page_is_one_of_these_and_most_clauses_have_one() -> None:
    kept = {path.stem for path in FOLDER.iterdir()}
    assert kept <= pages().keys()
    assert len(kept) > 100
