"""A Hypothesis state machine over few users, names and values, so that operations collide.

Names and values come from strategies; the tables add what is known to be interesting. It asserts nothing: whatever
`send` raises ends an example, and Hypothesis makes the sequence short. It remembers what it wrote only in order to
come back to it.

    Machine = machine_class(lambda: send, lambda: Namer("run-prefix", random.Random(0)))
    run_state_machine_as_test(Machine)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.strategies import SearchStrategy

from tracksync.contract.bounds import bounds
from tracksync.generate import right_objects, tables, values
from tracksync.generate.build import (
    SentKey,
    Step,
    User,
    attributes_request,
    event_request,
    json_request,
    purchase_request,
    raw_request,
)
from tracksync.generate.harmless import Namer, is_harmless

Send = Callable[[Step], None]

_DRAWN = 3  # names that one sequence draws, beside those of the tables
_USERS = st.sampled_from((0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9))  # indices of right_objects.users
_TIMES = st.sampled_from(tables.TIMES) | values.times
_EVENTS = tuple(dict.fromkeys(tables.EVENT_NAMES))
_PRODUCTS = tuple(dict.fromkeys(tables.PRODUCTS))
_NAMES = st.integers(0, len(_EVENTS) + _DRAWN - 1)  # indices of the names of events and of products
_KNOWN_ATTRIBUTES = st.sampled_from([(name, value) for name, known in tables.ATTRIBUTES.items() for value in known])
_DRAWN_ATTRIBUTES = st.tuples(st.integers(0, _DRAWN - 1), values.attribute_values)
_ATTRIBUTES = _KNOWN_ATTRIBUTES | _DRAWN_ATTRIBUTES  # a name, or an index of the drawn ones, with a value
_NOT_APPLIED = st.sampled_from([(name, value) for name, known in tables.NOT_APPLIED.items() for value in known])
_MORE: SearchStrategy[dict[str, Any]] = st.just({}) | st.builds(lambda drawn: {"properties": drawn}, values.properties)
_FLAGS = st.sampled_from(({}, {"_update_existing_only": False}, {"_update_existing_only": True}))
_SPOILERS = st.sampled_from(
    [(section, *spoiler) for section in bounds().sections for spoiler in tables.OBJECT_SPOILERS[section]]
)
_BODIES = st.sampled_from(tables.BODY_SPOILERS)
_KEYS = st.sampled_from((SentKey.INVALID, SentKey.MISSING, SentKey.UNPRIVILEGED))
TOO_LONG = "x" * (bounds().text_characters + 1)
_LOOKS: dict[str, Any] = {  # updates that change nothing and have the response show what is stored
    "colour": TOO_LONG,
    "Colour": TOO_LONG,
    "points": {"inc": 0},
    "tags": {"remove": ["not there"]},
    "sizes": {"remove": [-1]},
    "pets": {"$remove": [{"$identifier_key": "id", "$identifier_value": -1}]},
}


class TrackSyncMachine(RuleBasedStateMachine):
    """Writes, refused writes, and second looks at both. Use `machine_class` to give it somewhere to send to."""

    send_factory: ClassVar[Callable[[], Send]]
    namer_factory: ClassVar[Callable[[], Namer]]

    def __init__(self) -> None:
        super().__init__()
        self.send = type(self).send_factory()
        self.names = type(self).namer_factory()
        self.users = right_objects.users(self.names)
        self.last: Step | None = None
        self.written: list[tuple[User, str]] = []  # attributes that a look can show, latest last
        self.counted: list[Step] = []  # events and purchases, which may be sent again
        self.drawn: list[str] = ["drawn"] * _DRAWN

    @initialize(drawn=st.lists(values.names, min_size=_DRAWN, max_size=_DRAWN))
    def draw_names(self, drawn: list[str]) -> None:
        """Names for this sequence: events, products and attributes share them, which a server must keep apart."""
        self.drawn = drawn

    def _go(self, step: Step) -> None:
        if is_harmless(step.request, self.names.prefix) is None:
            self.last = step
            self.send(step)

    @rule(user=_USERS, name=_NAMES, time=_TIMES, flags=_FLAGS, more=_MORE)
    def record_event(self, user: int, name: int, time: str, flags: dict[str, Any], more: dict[str, Any]) -> None:
        """One event."""
        request = event_request(self.users[user], (*_EVENTS, *self.drawn)[name], time, **flags, **more)
        self._count(Step(request, label="event"))

    @rule(
        user=_USERS,
        product=_NAMES,
        time=_TIMES,
        price=st.just(9.99) | values.prices,
        quantity=st.sampled_from((1, 2, 100)),
        flags=_FLAGS,
    )
    def record_purchase(
        self, user: int, product: int, time: str, price: float, quantity: int, flags: dict[str, Any]
    ) -> None:
        """One purchase."""
        more = flags if quantity == 1 else {**flags, "quantity": quantity}
        name = (*_PRODUCTS, *self.drawn)[product]
        self._count(Step(purchase_request(self.users[user], name, time, price=price, **more), label="purchase"))

    def _count(self, step: Step) -> None:
        self.counted = [*self.counted[-4:], step]
        self._go(step)

    @rule(user=_USERS, first=_ATTRIBUTES, second=_ATTRIBUTES, merge=st.booleans(), flags=_FLAGS)
    def write_attributes(
        self, user: int, first: tuple[str | int, Any], second: tuple[str | int, Any], merge: bool, flags: dict[str, Any]
    ) -> None:
        """One or two attributes."""
        controls = {**flags, "_merge_objects": True} if merge else flags
        written = {name if isinstance(name, str) else self.drawn[name]: value for name, value in (second, first)}
        self._go(Step(attributes_request(self.users[user], written, **controls), label="attributes"))
        self.written = [*self.written[-4:], *((self.users[user], name) for name in sorted(written))]

    @rule(user=_USERS, attribute=_DRAWN_ATTRIBUTES)
    def write_drawn_attribute(self, user: int, attribute: tuple[int, Any]) -> None:
        """One attribute of a name and a value that no table holds."""
        name = self.drawn[attribute[0]]
        self._go(Step(attributes_request(self.users[user], {name: attribute[1]}), label="attributes"))
        self.written = [*self.written[-4:], (self.users[user], name)]

    @rule(user=_USERS, update=_NOT_APPLIED, vip=st.booleans())
    def write_in_vain(self, user: int, update: tuple[str, Any], vip: bool) -> None:
        """An update that is not applied, beside one that is."""
        name, value = update
        self._go(Step(attributes_request(self.users[user], {name: value, "vip": vip}), label="not to be applied"))
        self.written = [*self.written[-4:], (self.users[user], name)]

    @rule(user=_USERS, email=st.booleans(), other=st.booleans())
    def give_address(self, user: int, email: bool, other: bool) -> None:
        """A profile gets the email or the phone by which others may find it."""
        tag = "other" if other else "e" if email else "p"
        field = {"email": self.names.email(tag)} if email else {"phone": self.names.phone(tag)}
        self._go(Step(attributes_request({**self.users[user], **field}, {"vip": True}), label="an address"))

    @precondition(lambda self: self.written)
    @rule(back=st.integers(1, 5))
    def look(self, back: int) -> None:
        """An update that changes nothing and shows what is stored."""
        user, name = self.written[-min(back, len(self.written))]
        look = _LOOKS.get(name, TOO_LONG)
        self._go(Step(attributes_request(user, {name: look}), label=f"a look at {name}"))

    @precondition(lambda self: self.counted)
    @rule(back=st.integers(1, 5))
    def repeat(self, back: int) -> None:
        """An earlier event or purchase once more: it counts again."""
        self._go(self.counted[-min(back, len(self.counted))])

    @precondition(lambda self: self.counted)
    @rule(key=_KEYS)
    def repeat_without_right(self, key: SentKey) -> None:
        """An earlier event or purchase under a key that does not open: it does not count."""
        self._go(Step(self.counted[-1].request, key, key.value))

    @rule(user=_USERS, spoiler=_SPOILERS, name=st.sampled_from(_EVENTS), time=_TIMES)
    def be_refused(self, user: int, spoiler: tuple[str, str, tables.Spoiler], name: str, time: str) -> None:
        """An object made wrong in one way."""
        section, label, spoil = spoiler
        self._go(Step(json_request({section: [spoil(self._right(section, user, name, time))]}), label=label))

    @rule(
        user=_USERS,
        section=st.sampled_from(bounds().sections),
        body=_BODIES,
        name=st.sampled_from(_EVENTS),
        time=_TIMES,
    )
    def be_refused_whole(
        self, user: int, section: str, body: tuple[str, Callable[[str, dict[str, Any]], bytes]], name: str, time: str
    ) -> None:
        """A right object in a body of the wrong form."""
        label, wrap = body
        request = raw_request(wrap(section, self._right(section, user, name, time)))
        self._go(Step(request, label=label))

    def _right(self, section: str, user: int, name: str, time: str) -> dict[str, Any]:
        if section == "attributes":
            return {**self.users[user], "points": {"inc": 1}}
        if section == "events":
            return {**self.users[user], "name": name, "time": time}
        return {**self.users[user], "product_id": "sku-1", "currency": "EUR", "price": 9.99, "time": time}


def machine_class(send_factory: Callable[[], Send], namer_factory: Callable[[], Namer]) -> type[TrackSyncMachine]:
    """A machine for one target.

    `send_factory` is called once for each example and gives the function that takes its steps; what that raises is
    a failure of the example. `namer_factory` is called once for each example too: where the target keeps its users
    from one example to the next, let it give another scope each time.
    """
    members = {"send_factory": staticmethod(send_factory), "namer_factory": staticmethod(namer_factory)}
    return type("TrackSyncMachine", (TrackSyncMachine,), members)
