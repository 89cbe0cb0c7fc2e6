"""What the oracle finds in many exchanges is what a person has reviewed."""

from __future__ import annotations

import pytest

from golden import FOLDER, pages, written


@pytest.mark.parametrize("name", sorted(pages().keys() - {"clauses"}))  # test_faults_by_clause.py looks at that one
def test_the_oracle_finds_what_was_reviewed(name: str) -> None:
    assert pages()[name]() == written(name), (
        "if this is right: PYTHONPATH=contracts python tests/support/golden.py, and review the diff"
    )


def test_every_golden_file_is_checked() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == pages().keys()
