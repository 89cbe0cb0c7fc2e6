"""Histories under the oracle: what follows a response has to see the write, and the smallest failing part is found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from race_histories import CELL, EVENT, GET, done, exchanged, ordered_history, put, unanswered

from tracksync.engine.freshness import everything
from tracksync.oracle import Settings
from tracksync.race.checking import checked_history, concurrent_with, minimal_history
from tracksync.race.history import History, Place, RaceOperation, Write, cut_is_sound

OTHER_USER: Place = ("ts-u1", "attributes", "number_0_0")
OTHER_KEY: Place = ("ts-u0", "attributes", "number_5_0")
FRESH = Settings(fresh=everything)


def clauses(operations: Sequence[RaceOperation]) -> list[str]:
    history = History.of([exchanged(one, remaining=999_000 - number) for number, one in enumerate(operations)])
    return [finding.clause for one in checked_history(history.by_answer(), FRESH) for finding in one.findings]


def add(amount: int) -> Write:
    return Write("add", amount)


def test_a_history_in_order_breaks_nothing() -> None:
    assert clauses([done(1, put(5), 0, 1, 5), done(2, add(3), 2, 3, 8), done(3, GET, 4, 5, 8)]) == []


def test_a_thousand_operations_in_parallel_on_many_cells_break_nothing() -> None:
    history = ordered_history(1000)
    assert [one.findings for one in checked_history(history.by_answer(), FRESH) if one.findings] == []


def test_a_lost_update_is_found() -> None:
    lost = [done(1, put(5), 0, 1, 5), done(2, add(3), 2, 3, 8), done(3, add(1), 4, 5, 6)]
    assert clauses(lost) == ["TS-STATE-VISIBLE"]


def test_a_stale_response_is_found() -> None:
    assert clauses([done(1, put(5), 0, 1, 5), done(2, add(3), 2, 3, 8), done(3, GET, 4, 5, 5)]) == ["TS-STATE-VISIBLE"]


def test_an_update_that_appears_later_is_found_twice() -> None:
    late = [
        done(1, Write("count", 1), 0, 1, 1, EVENT),
        done(2, Write("count", 1), 2, 3, 1, EVENT),
        done(3, Write("count", 1), 4, 5, 3, EVENT),
    ]
    assert clauses(late) == ["TS-EVENT-COUNT", "TS-EVENT-COUNT"]


def test_a_count_that_jumps_is_found() -> None:
    counted = [done(1, Write("count", 1), 0, 1, 1, EVENT), done(2, Write("count", 1), 2, 3, 3, EVENT)]
    assert clauses(counted) == ["TS-EVENT-COUNT"]


def test_a_write_that_reaches_another_user_is_found_there() -> None:
    crossed = [
        done(1, put(100), 0, 1, 100),
        done(1, put(5), 2, 3, 5, OTHER_USER),
        done(2, put(70), 4, 5, 70),
        done(3, add(1), 6, 7, 71, OTHER_USER),
    ]
    assert clauses(crossed) == ["TS-STATE-USERS-APART"]


def test_a_write_that_reaches_another_key_is_found_there() -> None:
    crossed = [
        done(1, put(100), 0, 1, 100),
        done(1, put(5), 0, 1, 5, OTHER_KEY),
        done(3, add(1), 6, 7, 101, OTHER_KEY),
    ]
    assert clauses(crossed) == ["TS-STATE-KEYS-APART"]


@pytest.mark.parametrize("shown", [8, 5])
def test_a_write_without_a_response_may_have_happened_or_not(shown: int) -> None:
    operations = [done(1, put(5), 0, 1, 5), unanswered(2, add(3), 2), done(3, GET, 10, 11, shown)]
    assert clauses(operations) == []


def test_a_write_without_a_response_may_happen_at_any_later_time() -> None:
    operations = [
        done(1, put(5), 0, 1, 5),
        unanswered(2, add(3), 2),
        done(3, GET, 10, 11, 5),
        done(1, add(1), 12, 13, 9),
    ]
    assert clauses(operations) == []


def test_a_write_without_a_response_happens_at_most_once() -> None:
    operations = [done(1, put(5), 0, 1, 5), unanswered(2, add(3), 2), done(3, GET, 10, 11, 11)]
    assert len(clauses(operations)) == 1


def test_forty_writes_without_a_response_are_checked_and_break_nothing() -> None:
    operations = [done(1, put(5), 0, 1, 5)]
    operations += [unanswered(2, add(3 + index), 2.0 + index) for index in range(40)]
    operations.append(done(3, GET, 100, 101, 5))
    assert clauses(operations) == []


def test_a_limit_that_parallel_requests_used_up_is_not_a_needless_refusal() -> None:
    """Between a response that says two remain and the next request, other requests of the run may be in flight."""
    before = exchanged(done(1, put(5), 58, 59, 5), remaining=400)
    first = exchanged(done(1, put(6), 60.5, 60.6, 6), remaining=999_999)
    limited = exchanged(done(2, add(3), 62, 63, 8), remaining=0, status=429)
    assert limited.exchange is not None
    parallel = replace(limited, in_flight=(limited.exchange.request,))
    alone = [one.findings for one in checked_history([before, first, limited], FRESH)][2]
    assert [finding.clause for finding in alone] == ["TS-RATE-429"]
    assert [one.findings for one in checked_history([before, first, parallel], FRESH)][2] == ()


# --- the smallest part that still fails -----------------------------------------------------------------------------


def failing_history() -> list[RaceOperation]:
    history = list(ordered_history(300, users=2, cells=5, kinds=("number",)))
    places = [one.place for one in history]
    last = max(index for index, place in enumerate(places) if places.count(place) > 5)
    broken = history[last]
    history[last] = exchanged(replace(broken, shown=broken.shown - 1, exchange=None), remaining=5)
    ordered = History.of(history).by_answer()
    return ordered[: ordered.index(history[last]) + 1]


def test_a_failing_history_is_shrunk_as_far_as_possible() -> None:
    operations = failing_history()
    (clause,) = {finding.clause for one in checked_history(operations, FRESH) for finding in one.findings} - {
        "TS-RATE-REMAINING"
    }
    shrunk = minimal_history(operations, clause, FRESH)
    assert shrunk is not None
    assert shrunk[-1] == operations[-1]
    assert {one.place for one in shrunk} == {operations[-1].place}
    assert len(shrunk) == 2, "the write before shows the state, and the last one fails"


def test_a_finding_that_needs_the_whole_beginning_keeps_it() -> None:
    counted = [done(1, Write("count", 1), 0, 1, 2, EVENT)]
    shrunk = minimal_history([exchanged(one) for one in counted], "TS-EVENT-COUNT", FRESH)
    assert shrunk is not None
    assert len(shrunk) == 1


def test_a_cut_that_a_correct_server_could_not_explain_is_unsound() -> None:
    first, second, third = done(1, put(5), 0, 1, 5), done(2, add(3), 2, 3, 8), done(3, add(1), 4, 5, 9)
    assert cut_is_sound([first, second, third], [second, third]), "what came before everything may go"
    assert not cut_is_sound([first, second, third], [first, third]), "what lies between may not"
    read = done(4, GET, 3.2, 3.8, 8)
    assert cut_is_sound([first, second, read, third], [first, second, third]), "what only reads may"
    elsewhere = done(5, put(1), 0, 9, 1, OTHER_KEY)
    assert cut_is_sound([first, second, elsewhere], [first, second]), "another cell may go as a whole"


def test_an_operation_without_a_response_is_never_cut_from_a_cell_that_stays() -> None:
    open_ = unanswered(2, add(3), 0.5)
    assert not cut_is_sound([done(1, put(5), 0, 1, 5), open_], [done(1, put(5), 0, 1, 5)])
    assert open_.return_ == math.inf


def test_what_was_under_way_on_the_same_user_is_shown_around_a_finding() -> None:
    first, last = done(1, put(5), 0, 1, 5), done(2, add(3), 4, 6, 3)
    same_user = done(3, put(7), 3, 5, 7, OTHER_KEY)
    other_user = done(4, put(7), 3, 5, 7, OTHER_USER)
    later = done(5, put(7), 8, 9, 7, OTHER_KEY)
    assert concurrent_with([first, last, same_user, other_user, later], [first, last]) == [same_user]
    assert first.place == CELL
