"""Hypothesis strategies for scripts, which shrink to what a person would have written.

Values are lawful and unusual: quotes, other scripts, empty texts, large numbers. Nothing that a server may lawfully
refuse, so that a refusal is always the server's behaviour, and never due to the operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st

from tracksync.gate.drive.protocol import Kind, Operation
from tracksync.gate.drive.script import ALIAS, CREATES, TEXTS, Script, ScriptStep, timed

USERS: Final = (
    {"external_id": "user-1"},
    {"external_id": "user-2"},
    {"external_id": "Üser \"3\" '%s'"},
    {"email": "user-4@example.com"},
    ALIAS,
)
ATTRIBUTES: Final = ("colour", "plan", "größe")
COUNTERS: Final = ("visits", "points")
EVENTS: Final = ("rated", "re-rated ✓", 'said "hi"')
PRODUCTS: Final = ("book", "Büch & Co")
STEPS: Final = 4
AT_ONCE: Final = 3


def values() -> st.SearchStrategy[Any]:
    """Values of attributes that read back as they were sent."""
    return st.one_of(
        st.sampled_from(("red", *TEXTS)),
        st.integers(0, 10**15),
        st.booleans(),
        st.sampled_from((0.5, -2.25)),
        st.lists(st.sampled_from(("a", "b", "ç")), unique=True, max_size=3),
        st.none(),
        st.dictionaries(st.sampled_from(("town", "größe")), st.sampled_from(("x", 5, True)), min_size=1),
    )


def _members(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    properties = st.dictionaries(st.sampled_from(("stars", "note")), st.sampled_from((5, "x", "é", True)), max_size=2)
    match kind:
        case Kind.SET:
            attributes = st.dictionaries(st.sampled_from(ATTRIBUTES), values(), min_size=1, max_size=2)
            return st.fixed_dictionaries({"attributes": attributes})
        case Kind.EVENT:
            return st.fixed_dictionaries(
                {"name": st.sampled_from(EVENTS), "time": st.just("")}, optional={"properties": properties}
            )
        case Kind.PURCHASE:
            required: dict[str, st.SearchStrategy[Any]] = {
                "product_id": st.sampled_from(PRODUCTS),
                "currency": st.sampled_from(("EUR", "JPY")),
                "price": st.sampled_from((9.5, 0, -3, 1200.75)),
                "time": st.just(""),
            }
            return st.fixed_dictionaries(required, optional={"quantity": st.integers(1, 3), "properties": properties})
        case Kind.INCREMENT:
            return st.fixed_dictionaries({"name": st.sampled_from(COUNTERS), "by": st.sampled_from((1, 5, -2))})


def operations(kinds: Sequence[Kind]) -> st.SearchStrategy[Operation]:
    """One operation; now and then one that may not create its user."""

    def of(kind: Kind) -> st.SearchStrategy[Operation]:
        only = st.sampled_from(({}, {}, {}, {"update_existing_only": True}))
        drawn = st.tuples(st.sampled_from(USERS), _members(kind), only)
        return drawn.map(lambda parts: Operation(kind, parts[0], {**parts[1], **_flag(parts[0]), **parts[2]}))

    return st.sampled_from(list(kinds)).flatmap(of)


def _flag(user: dict[str, Any]) -> dict[str, Any]:
    return CREATES if user is ALIAS else {}


def scripts(
    behaviours: Sequence[str], lasting: Sequence[str], kinds: Sequence[Kind], *, pipelining: bool
) -> st.SearchStrategy[Script]:
    """Scripts of a few steps; a behaviour that lasts beyond every deadline comes last if at all."""

    def steps(names: Sequence[str]) -> st.SearchStrategy[ScriptStep]:
        one = st.builds(
            lambda name, operation: ScriptStep(name, (operation,)), st.sampled_from(list(names)), operations(kinds)
        )
        if not pipelining:
            return one
        several = st.lists(operations(kinds), min_size=2, max_size=AT_ONCE, unique_by=_what)
        return one | st.builds(
            lambda name, drawn: ScriptStep(name, tuple(drawn), True), st.sampled_from(list(names)), several
        )

    body = st.lists(steps(behaviours), min_size=1, max_size=STEPS)
    if lasting:
        end = st.none() | st.none() | st.none() | steps(lasting)
        body = st.tuples(body, end).map(lambda parts: parts[0] + ([parts[1]] if parts[1] else []))
    return body.map(lambda drawn: timed(Script(tuple(drawn))))


def _what(operation: Operation) -> tuple[str, ...]:
    """What makes operations at once different: everything in a request but its time, which tries of one may change."""
    return str(operation.kind), repr(operation.user), repr(sorted(operation.members.items(), key=str))
