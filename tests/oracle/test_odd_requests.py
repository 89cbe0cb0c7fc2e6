"""What the oracle reads in a request, word by word, is what somebody has read and kept."""

from __future__ import annotations

import pytest
from odd_requests import PAGES, page_of_requests

from golden import written


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_oracle_reads_in_odd_requests_what_it_read_when_somebody_looked(name: str) -> None:
    assert page_of_requests(name) == written(name), (
        "if this is right: PYTHONPATH=contracts python tests/support/golden.py"
    )
