"""What can be an email address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracksync.values.identifiers import plausible_email


@pytest.mark.parametrize(
    "text",
    ["a@example.com", "first.last+tag@mail.example.org", "x_1-y%z@a-b.example.co.uk", "1@2.example", "A@EXAMPLE.COM"],
)
def test_an_ordinary_address_is_certainly_fine(text: str) -> None:
    assert plausible_email(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "plain",
        "a b@example.com",
        "a@exam ple.com",
        "a@b@example.com",
        "@example.com",
        "a@",
        "@",
        "a@b\tc.com",
        '"a"',
    ],
)
def test_what_lacks_an_address_s_form_is_certainly_none(text: str) -> None:
    assert plausible_email(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "a@localhost",
        "a@[127.0.0.1]",
        '"a@b"@example.com',
        '"a b"@example.com',
        "é@example.com",
        "a@exämple.com",
        "a..b@example.com",
        ".a@example.com",
        "a@example..com",
        "a@-example.com",
        "a'b@example.com",
        " a@example.com",
        "a@example.com\n",
        "a@example.com.",
        "a" * 65 + "@example.com",
        "a@" + "b." * 130 + "example",
    ],
)
def test_an_address_that_validators_differ_on_is_doubtful(text: str) -> None:
    assert plausible_email(text) is None


@given(st.emails(domains=st.sampled_from(["example.com", "mail.example.org"])))
def test_no_lawful_address_is_certainly_none(address: str) -> None:
    assert plausible_email(address) is not False


@given(st.text())
def test_nothing_without_an_at_sign_is_an_address(text: str) -> None:
    assert plausible_email(text.replace("@", "")) is False


def test_an_address_of_254_characters_is_ordinary_and_a_longer_one_is_left_to_servers() -> None:
    local, domain = "l" * 64, ("a" * 59 + ".") * 3
    assert plausible_email(f"{local}@{domain}{'b' * 5}.com") is True
    assert plausible_email(f"{local}@{domain}{'b' * 6}.com") is None
