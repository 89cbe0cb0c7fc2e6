"""Which texts are currency codes, and on which of them servers lawfully differ."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from tracksync.values.currencies import is_currency, is_doubtful


@pytest.mark.parametrize("code", ["USD", "EUR", "GBP", "JPY", "KRW", "CHF", "XOF", "XAF", "XPF", "XCD"])
def test_money_in_circulation_is_a_currency_beyond_doubt(code: str) -> None:
    assert is_currency(code)
    assert not is_doubtful(code)


@pytest.mark.parametrize("code", ["ZZZ", "QQQ", "XYZ", "US", "USDD", "", "$", "dollar", "USD,EUR", "U S D", "US\0"])
def test_other_text_is_not_a_currency_beyond_doubt(code: str) -> None:
    assert not is_currency(code)
    assert not is_doubtful(code)


@pytest.mark.parametrize("value", [None, True, 840, 1.5, [], ["USD"], {}, {"code": "USD"}])
def test_what_is_not_a_text_is_not_a_currency_beyond_doubt(value: Any) -> None:
    assert not is_currency(value)
    assert not is_doubtful(value)


@pytest.mark.parametrize("code", ["usd", "Usd", " USD", "USD ", "DEM", "HRK", "BTC", "dem"])
def test_an_old_unofficial_or_loosely_written_code_is_doubtful_and_none(code: str) -> None:
    assert is_doubtful(code)
    assert not is_currency(code)


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XDR", "CHE", "CLF", "XCG"])
def test_a_code_for_no_money_for_funds_or_of_late_is_doubtful_and_a_currency(code: str) -> None:
    assert is_doubtful(code)
    assert is_currency(code)


@given(st.sampled_from(list(Currency)))
def test_every_active_code_is_a_currency_and_doubtful_in_small_letters(currency: Currency) -> None:
    assert is_currency(currency.value)
    assert not is_currency(currency.value.lower())
    assert is_doubtful(currency.value.lower())


def test_a_very_long_text_is_no_doubt() -> None:
    assert not is_doubtful(" " * 10_000 + "USD")


def test_a_text_too_long_for_any_code_is_not_doubtful() -> None:
    assert is_doubtful("usd" + " " * 13)
    assert not is_doubtful("usd" + " " * 14)
