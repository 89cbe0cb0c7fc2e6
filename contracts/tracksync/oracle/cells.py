"""Step three: every lawful outcome of one write to one cell.

Pure rules over states; knows the ambiguities by name and nothing of answers, users or HTTP. An `Outcome` says what
is stored afterwards, what the answer may show, and on which interpretations it stands. An oracle that finds what was shown in
no outcome has found a broken clause; `clause` names the promise that the outcome keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from typing import Any, Final

from msgspec import Struct

from tracksync.contract.bounds import bounds
from tracksync.oracle.belief import ABSENT, OMITTED, UNKNOWN, Requires
from tracksync.values import arrays, objects
from tracksync.values.numbers import canonical, is_integer, is_number, same, within_int64
from tracksync.values.text import fits
from tracksync.values.times import Certainty, is_date_like, read_time, same_instant

ANYTHING: Final = object()  # an outcome that says nothing of what is shown

UNITS: Final = ("code-points", "utf16")


class AttributeWrite(Struct, frozen=True):
    """One custom attribute of a request. `merge` None: unclear. `odd`: its name is in nobody's rules.

    `due`: where it was queued, the time in epoch seconds by which it must have been applied.
    """

    value: Any
    merge: bool | None = False
    odd: bool = False
    due: float | None = None


class CellOutcome(Struct, frozen=True):
    """One lawful outcome. `after`: what is stored; UNKNOWN with `shows` ANYTHING: whatever is shown, or unknown."""

    after: Any
    shows: Any  # a JSON value, OMITTED, or ANYTHING
    requires: Requires = ()
    limit: tuple[int, int] | None = None  # bounds on the workspace's array limit that it stands on


def clause_of(write: AttributeWrite) -> str:
    """The clause that a write of this kind is checked by first."""
    value = write.value
    if value is None:
        return "TS-ATTR-NULL"
    if isinstance(value, bool):
        return "TS-ATTR-BOOLEAN"
    if isinstance(value, str):
        if not value:
            return "TS-ATTR-EMPTY-STRING"
        if len(value) > bounds().text_characters:
            return "TS-ATTR-LENGTH-OVER"
        if len(value) > bounds().text_characters - 8:
            return "TS-ATTR-LENGTH-KEPT"
        if value[-1:].isdigit() or value[-1:] == "Z":
            if is_date_like(value, bounds().date_years):
                return "TS-ATTR-DATE"
            if not _in_date_range(value):
                return "TS-ATTR-DATE-RANGE"
        return "TS-ATTR-STRING"
    if is_number(value):
        return "TS-ATTR-INTEGER" if is_integer(value) else "TS-ATTR-FLOAT"
    if isinstance(value, list):
        if value and all(isinstance(item, dict) for item in value):
            return "TS-OBJECTS-SET"
        if len(value) > bounds().array_elements.most:
            return "TS-ARRAY-LIMIT"
        return "TS-ARRAY-UNIQUE" if _repeats(value) else "TS-ARRAY-SET"
    return _clause_of_object(value, write)


def _clause_of_object(value: dict[str, Any], write: AttributeWrite) -> str:
    keys = value.keys()
    if keys == {"inc"}:
        return "TS-ATTR-INC"
    if keys and keys <= {"add", "remove"}:
        if len(keys) == 2:
            return "TS-ARRAY-ADD-REMOVE"
        return "TS-ARRAY-ADD" if "add" in keys else "TS-ARRAY-REMOVE"
    for key, clause in (("$add", "ADD"), ("$update", "UPDATE"), ("$remove", "REMOVE")):
        if key in keys:
            return f"TS-OBJECTS-{clause}"
    found = objects.problems(value, "code-points", bounds().object_limits)
    if _far_time(value):
        return "TS-OBJECT-TIME"
    if found & {objects.ObjectProblem.NULL, objects.ObjectProblem.BAD_TIME}:
        return "TS-OBJECT-INVALID"
    if found:
        return "TS-OBJECT-LIMITS"
    if write.merge:
        return "TS-OBJECT-MERGE"
    return "TS-OBJECT-TIME" if _has_time(value) else "TS-OBJECT-SET"


def attribute_outcomes(write: AttributeWrite, prior: Any, limits: tuple[int, int]) -> list[CellOutcome]:
    """All lawful outcomes of `write` on an attribute whose state is `prior` (a JSON value, ABSENT or UNKNOWN).

    `limits`: the bounds between which the workspace's array limit lies.
    """
    value = write.value
    if write.odd or write.merge is None:
        return _open()
    if value is None:
        return _removed(prior)
    if isinstance(value, str):
        return _string(value, prior)
    if isinstance(value, (int, float)):
        if (isinstance(value, int) and not within_int64(value)) or abs(value) > 1e300 or 0 < abs(value) < 1e-300:
            return _open()
        return [CellOutcome(value, value)]
    if isinstance(value, list):
        return _array(value, prior, limits)
    return _object(value, prior, write, limits)


def _open() -> list[CellOutcome]:
    """Whatever is shown is lawful, and left out is too."""
    return [CellOutcome(UNKNOWN, ANYTHING), CellOutcome(UNKNOWN, OMITTED)]


def _refused(prior: Any, requires: Requires = (), limit: tuple[int, int] | None = None) -> list[CellOutcome]:
    """The update is not made: previous value shown, or left out (row refused-attribute)."""
    if prior is UNKNOWN:
        return [CellOutcome(UNKNOWN, ANYTHING, requires, limit), CellOutcome(UNKNOWN, OMITTED, requires, limit)]
    if prior is ABSENT:
        return [CellOutcome(ABSENT, OMITTED, requires, limit), CellOutcome(ABSENT, None, requires, limit)]
    return [
        CellOutcome(prior, prior, (*requires, ("refused-attribute", "previous")), limit),
        CellOutcome(prior, OMITTED, (*requires, ("refused-attribute", "omitted")), limit),
    ]


def _removed(prior: Any) -> list[CellOutcome]:
    if prior is ABSENT or prior is UNKNOWN:
        return [CellOutcome(ABSENT, None), CellOutcome(ABSENT, OMITTED)]
    return _gone()


def _gone(requires: Requires = ()) -> list[CellOutcome]:
    """The attribute that was there is not there any more (row removed-attribute)."""
    return [
        CellOutcome(ABSENT, None, (*requires, ("removed-attribute", "null"))),
        CellOutcome(ABSENT, OMITTED, (*requires, ("removed-attribute", "omitted"))),
    ]


def _string(value: str, prior: Any) -> list[CellOutcome]:
    if len(value) > bounds().text_characters:
        return _refused(prior)
    if "\0" in value:
        return [CellOutcome(value, value), *_open()]
    if (value[:1].isdigit() and value[-1:] == "Z") or (len(value) > 19 and value[-3:-2] == ":"):
        return _date(value)
    if not fits(value, "utf16", bounds().text_characters):
        kept = [CellOutcome(value, value, (("string-length", "code-points"),))]
        return kept + _refused(prior, (("string-length", "utf16"),))
    return [CellOutcome(value, value)]


def _date(value: str) -> list[CellOutcome]:
    """A text that is certainly a time: shown as it was sent, or normalised (row date-attribute)."""
    time = read_time(value)
    if not is_date_like(value, bounds().date_years) or time.certainty is not Certainty.CERTAIN:
        return [CellOutcome(value, value)]
    if time.year is not None and time.year < 1000:  # strftime writes such years without their zeros on some systems
        return [CellOutcome(value, value), CellOutcome(UNKNOWN, ANYTHING)]
    return [
        CellOutcome(value, AsSent(value), (("date-attribute", "as-sent"),)),
        CellOutcome(value, value, (("date-attribute", "normalised"),)),
    ]


class AsSent(Struct, frozen=True):
    """Shows a text to the letter, where `appears` would let another form of the same instant pass."""

    text: str


def _keeps_far_time(sent: Any, shown: Any) -> bool:
    """Whether a time that is not stored is there all the same, in whatever form."""
    if isinstance(sent, dict):
        if _far_time(sent) and "$time" in sent:
            return shown is not None
        if isinstance(shown, dict):
            return any(
                key in shown and _far_time(item) and _keeps_far_time(item, shown[key]) for key, item in sent.items()
            )
    if isinstance(sent, list) and isinstance(shown, list):
        return any(_keeps_far_time(one, other) for one, other in zip(sent, shown, strict=False))
    return False


class NotShown(Struct, frozen=True):
    """Shows no far time of this value: it is not stored."""

    value: Any


def _far_time(value: Any) -> bool:
    """Whether a nested $time lies outside the years that are stored (TYPES: nested, it is not stored)."""
    if isinstance(value, dict):
        text = value.get("$time")
        if isinstance(text, str):
            time = read_time(text)
            if time.certainty is Certainty.CERTAIN and not _in_date_range(text):
                return True
        return any(_far_time(item) for item in value.values())
    return isinstance(value, list) and any(_far_time(item) for item in value)


def _in_date_range(text: str) -> bool:
    year = read_time(text).year
    first, last = bounds().date_years
    return year is None or first <= year <= last


# --- arrays ------------------------------------------------------------------------------------------------------


def _repeats(values: Sequence[Any]) -> bool:
    return len({canonical(item) for item in values}) < len(values)


def _simple(values: Iterable[Any]) -> bool:
    kinds: dict[Any, type] = {}
    for item in values:
        if isinstance(item, str):
            if not fits(item, "utf16", bounds().nested_characters) or "\0" in item:
                return False
        elif not isinstance(item, (bool, int, float)) or abs(item) >= 2**63:
            return False
        elif kinds.setdefault(item, type(item)) is not type(item):
            return False  # whether 1 repeats true, or 1.0, depends on the server's language
    return True


def _has_problem(value: Any) -> bool:
    """Whether something is wrong in the nested `value` in one way of counting characters."""
    return any(objects.problems(value, unit, bounds().object_limits) for unit in UNITS)


def _array(value: list[Any], prior: Any, limits: tuple[int, int]) -> list[CellOutcome]:
    if value and all(isinstance(item, dict) for item in value):
        return _stored_objects(value, prior)
    if not _simple(value):
        return _open()
    if not value:
        return [CellOutcome([], []), CellOutcome(ABSENT, None), CellOutcome(ABSENT, OMITTED)]
    if not _repeats(value):
        return _capped(value, prior, limits)
    unique: Requires = (("array-repeats", "unique"),)
    outcomes = _capped(arrays.unique(value), prior, limits, unique)
    outcomes += _capped(arrays.unique(value, "first"), prior, limits, unique)
    return outcomes + _capped(value, prior, limits, (("array-repeats", "kept"),))


def _capped(values: list[Any], prior: Any, limits: tuple[int, int], requires: Requires = ()) -> list[CellOutcome]:
    """The array as it is, or cut to the workspace's limit by one of the interpretations of array-overflow."""
    low, high = limits
    size = len(values)
    outcomes = []
    if size <= high:
        outcomes.append(CellOutcome(values, values, requires, (size, high)))
    if size > low:
        for limit in range(low, min(high, size - 1) + 1):
            exact = (limit, limit)
            newest = arrays.cap(values, limit, "newest", None)
            outcomes.append(CellOutcome(newest, newest, (*requires, ("array-overflow", "newest")), exact))
            first = arrays.cap(values, limit, "first", None)
            stands: Requires = (*requires, ("array-overflow", "first"))
            outcomes.append(CellOutcome(first, first, stands, exact))
            if isinstance(prior, list) and len(prior) == limit and same(first, prior):
                outcomes.append(CellOutcome(prior, OMITTED, (*stands, ("refused-attribute", "omitted")), exact))
        over = (low, min(high, size - 1))
        outcomes += _refused(prior, (*requires, ("array-overflow", "unchanged")), over)
    if objects.serialized_size(values) > bounds().object_bytes.most:
        outcomes += _refused(prior)
    return outcomes


def _edited_array(value: dict[str, Any], prior: Any, limits: tuple[int, int]) -> list[CellOutcome]:
    add, remove = value.get("add", []), value.get("remove", [])
    if not (isinstance(add, list) and isinstance(remove, list) and _simple(add) and _simple(remove)):
        return _open()
    current: Any = [] if prior is ABSENT else prior
    if not (isinstance(current, list) and _simple(current)):
        return _open()
    results: list[tuple[list[Any], Requires]] = []
    by_order = {order: arrays.edit(current, add, remove, order) for order in ("remove-first", "add-first")}
    differ = not same(by_order["remove-first"], by_order["add-first"])
    for order, result in by_order.items():
        results.append((result, (("remove-add-order", order),) if differ else ()))
        if not differ:
            break
    if _repeats(current):  # a server that keeps repeats may keep them through an edit
        return _open()
    outcomes = _without_effect([result for result, _ in results], prior)
    for result, requires in results:
        if not result:
            outcomes += _emptied(prior, requires)
        else:
            outcomes += _capped(result, prior, limits, requires)
    return outcomes


def _without_effect(results: list[list[Any]], prior: Any) -> list[CellOutcome]:
    """An edit that finds nothing to edit, or leaves all as it is, may be an update that is not made.

    As it is, too, where equal objects are kept once.
    """
    if prior is ABSENT:  # as with inc
        return _refused(prior)
    if any(same(result, prior) or same(arrays.unique(result, "first"), prior) for result in results):
        return [CellOutcome(prior, OMITTED, (("refused-attribute", "omitted"),))]
    return []


def _emptied(prior: Any, requires: Requires = ()) -> list[CellOutcome]:
    """The last element is gone: an empty array, or no attribute (row emptied-array)."""
    if prior is ABSENT:
        return [
            CellOutcome(UNKNOWN, [], requires),
            CellOutcome(ABSENT, None, requires),
            CellOutcome(ABSENT, OMITTED, requires),
        ]
    stays: Requires = () if prior == [] else (("emptied-array", "empty"),)  # what was set empty may stay so either way
    return [CellOutcome([], [], (*requires, *stays)), *_gone((*requires, ("emptied-array", "absent")))]


# --- objects -----------------------------------------------------------------------------------------------------


def _object(value: dict[str, Any], prior: Any, write: AttributeWrite, limits: tuple[int, int]) -> list[CellOutcome]:
    keys = value.keys()
    if keys == {"inc"}:
        return _incremented(value["inc"], prior)
    if keys and keys <= {"add", "remove"}:
        return _edited_array(value, prior, limits)
    if keys & {"$add", "$update", "$remove"}:
        return _edited_objects(value, prior, bool(write.merge))
    if "$time" in keys:
        return _open()
    if not value:
        return [CellOutcome(prior if write.merge and isinstance(prior, dict) else {}, ANYTHING), *_open()]
    by_unit = {unit: objects.problems(value, unit, bounds().object_limits) for unit in UNITS}
    if by_unit["code-points"] == by_unit["utf16"]:
        return _object_with(by_unit["utf16"], value, prior, write)
    outcomes: list[CellOutcome] = []
    for unit, found in by_unit.items():
        for one in _object_with(found, value, prior, write):
            outcomes.append(CellOutcome(one.after, one.shows, (*one.requires, ("string-length", unit))))
    return outcomes


def _object_with(
    found: frozenset[objects.ObjectProblem], value: Any, prior: Any, write: AttributeWrite
) -> list[CellOutcome]:
    if found & {objects.ObjectProblem.NULL, objects.ObjectProblem.BAD_TIME}:
        return _refused(prior)
    if found:
        return _refused(prior, (("invalid-object", "not-applied"),))
    if _far_time(value):
        return [CellOutcome(UNKNOWN, NotShown(value)), CellOutcome(UNKNOWN, OMITTED)]
    if objects.doubtful(value, bounds().object_limits):
        return _open()
    if not write.merge or prior is ABSENT:
        return [CellOutcome(value, value)]
    if prior is UNKNOWN:
        return _open()
    if not isinstance(prior, dict):
        return [CellOutcome(value, value), *_refused(prior)]
    merged = objects.merge(prior, value)
    if objects.serialized_size(merged) > bounds().object_bytes.most:
        return _refused(prior, (("invalid-object", "not-applied"),))
    return [CellOutcome(merged, merged)]


def _incremented(step: Any, prior: Any) -> list[CellOutcome]:
    if not (isinstance(step, int) and not isinstance(step, bool)):
        return _open()
    if prior is ABSENT:
        return [
            CellOutcome(step, step, (("inc-missing", "from-zero"),)),
            CellOutcome(ABSENT, OMITTED, (("inc-missing", "not-applied"),)),
            CellOutcome(ABSENT, None, (("inc-missing", "not-applied"),)),
        ]
    if prior is UNKNOWN or not (isinstance(prior, int) and not isinstance(prior, bool)):
        return _open()
    total = prior + step
    if not within_int64(total):
        return _open()
    return [CellOutcome(total, total)]


def _stored_objects(value: list[Any], prior: Any) -> list[CellOutcome]:
    if objects.serialized_size(value) > bounds().object_bytes.most:
        return _refused(prior, (("invalid-object", "not-applied"),))
    if objects.doubtful(value, bounds().object_limits) or any(map(_has_problem, value)):
        return _open()
    outcomes = [CellOutcome(value, value)]
    if _repeats(value):
        outcomes += [CellOutcome(kept, kept) for kept in (arrays.unique(value, "first"), arrays.unique(value))]
    return outcomes


def _edited_objects(value: dict[str, Any], prior: Any, merge: bool) -> list[CellOutcome]:
    current: Any = [] if prior is ABSENT else prior
    if not _well_formed_edit(value) or not isinstance(current, list):
        return _open()
    if not all(isinstance(one, dict) for one in current):
        return _open()
    steps = [key for key in ("$add", "$update", "$remove") if key in value]
    variants: list[tuple[Any, Requires]] = []
    for merged, matches, requires in _ways_to_update(merge) if "$update" in steps else [(True, "all", ())]:
        for order in permutations(steps):
            result: list[Any] = current
            for step in order:
                result = _edit_step(step, result, value[step], merged, matches)
            variants.append((result, requires))
    one = variants[0][0]
    if all(same(result, one) for result, _ in variants):
        variants = [(one, ())]
    outcomes = _without_effect([result for result, _ in variants], prior)
    for result, requires in variants:
        if not result:
            outcomes += _emptied(prior, requires)
        elif objects.serialized_size(result) > bounds().object_bytes.most:
            outcomes += _refused(prior, requires)
        else:
            outcomes.append(CellOutcome(result, result, requires))
            if _repeats(result):
                fewer = arrays.unique(result, "first")
                outcomes += [CellOutcome(fewer, fewer, requires)]
    return outcomes


def _ways_to_update(merge: bool) -> Iterator[tuple[bool, str, Requires]]:
    """Whether an update of an array of objects merges, which of them it changes, and the interpretations that this is."""
    for matches in ("all", "first"):
        which = ("update-matches", matches)
        if merge:
            yield True, matches, (which,)
        else:
            yield True, matches, (which, ("update-without-merge", "merge"))
            yield False, matches, (which, ("update-without-merge", "replace"))


def _edit_step(step: str, current: list[Any], argument: list[Any], merge: bool, matches: str) -> list[Any]:
    if step == "$add":
        return objects.add_objects(current, argument)
    if step == "$remove":
        return objects.remove_objects(current, argument)
    return objects.update_objects(current, argument, merge, matches)


def _well_formed_edit(value: dict[str, Any]) -> bool:
    if not value.keys() <= {"$add", "$update", "$remove"}:
        return False
    for key, argument in value.items():
        if not isinstance(argument, list) or not all(isinstance(item, dict) for item in argument):
            return False
        for item in argument:
            if key != "$add":
                wanted = {"$identifier_key", "$identifier_value"} | ({"$new_object"} if key == "$update" else set())
                if item.keys() != wanted or not isinstance(item["$identifier_key"], str):
                    return False
            new = item if key == "$add" else item.get("$new_object", {})
            if not isinstance(new, dict) or objects.doubtful(new, bounds().object_limits) or _has_problem(new):
                return False
    return True


# --- what is shown -----------------------------------------------------------------------------------------------


def appears(stored: Any, shown: Any) -> bool:
    """Whether `shown` is a lawful way to show `stored`: the same JSON value, or the same instant where it is a time."""
    if same(stored, shown):
        return True
    if isinstance(stored, str):
        return isinstance(shown, str) and _same_time_text(stored, shown)
    if isinstance(stored, dict):
        if stored.keys() == {"$time"}:
            text = shown.get("$time") if isinstance(shown, dict) and shown.keys() == {"$time"} else shown
            return isinstance(text, str) and isinstance(stored["$time"], str) and _same_time_text(stored["$time"], text)
        if not isinstance(shown, dict) or stored.keys() != shown.keys():
            return False
        return all(appears(item, shown[key]) for key, item in stored.items())
    if isinstance(stored, list):
        if not isinstance(shown, list) or len(stored) != len(shown):
            return False
        return all(appears(one, other) for one, other in zip(stored, shown, strict=True))
    return False


def _same_time_text(sent: str, shown: str) -> bool:
    """Whether a date-like text came back as the same instant in another form."""
    one = read_time(sent)
    if one.certainty is Certainty.NOT or not is_date_like(sent, bounds().date_years) or not _in_date_range(sent):
        return False
    other = read_time(shown)
    if other.instant is None or other.certainty is Certainty.NOT or shown != shown.strip():
        return False
    return one.instant is None or same_instant(one.instant, other.instant)


def _has_time(value: Any) -> bool:
    if isinstance(value, dict):
        return "$time" in value or any(_has_time(item) for item in value.values())
    return isinstance(value, list) and any(_has_time(item) for item in value)


def fitting(outcomes: Iterable[CellOutcome], shown: Any) -> Iterator[CellOutcome]:
    """The outcomes that what the answer shows (a JSON value or OMITTED) fits; ANYTHING learns what is shown."""
    for outcome in outcomes:
        if outcome.shows is ANYTHING:
            if shown is OMITTED:
                continue
            after = (ABSENT if shown is None else shown) if outcome.after is UNKNOWN else outcome.after
            yield CellOutcome(after, shown, outcome.requires, outcome.limit)
        elif isinstance(outcome.shows, NotShown):
            if shown is not OMITTED and not _keeps_far_time(outcome.shows.value, shown):
                yield CellOutcome(ABSENT if shown is None else shown, shown, outcome.requires, outcome.limit)
        elif isinstance(outcome.shows, AsSent):
            if shown == outcome.shows.text:
                yield outcome
        elif outcome.shows is OMITTED:
            if shown is OMITTED:
                yield outcome
        elif appears(outcome.shows, shown):
            known = outcome.after is not UNKNOWN
            yield outcome if known else CellOutcome(shown, shown, outcome.requires, outcome.limit)
