"""A map that is never changed is the same map of members, small or large."""

from __future__ import annotations

from collections.abc import Mapping

from tracksync.values.maps import MOST_COPIED, with_members


def test_members_are_added_or_replaced_and_the_map_of_before_stays() -> None:
    versions: list[Mapping[int, str]] = [{}]
    for number in range(MOST_COPIED + 3):
        versions.append(with_members(versions[-1], {number: "new", number - 1: "old"} if number else {0: "new"}))
    for count, version in enumerate(versions):
        assert dict(version.items()) == {n: "new" if n == count - 1 else "old" for n in range(count)}
    assert [type(versions[size]) is dict for size in (MOST_COPIED, MOST_COPIED + 1)] == [True, False]
