"""The workspace's users: profiles, and how one is found by each kind of identifier.

Knows nothing of HTTP, requests or interpretations. Spellings of identifiers are compared exactly (assumed: no document
speaks of folding or trimming).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """A user as a request names it: the kind of identifier, the key it is stored under, and the JSON to echo.

    `key` is a text, or for `user_alias` the pair (alias_label, alias_name).
    """

    kind: str
    key: Hashable
    shown: Any


@dataclass(slots=True)
class Activity:
    """How often an event or product was seen, and its earliest and latest instant (microseconds since the epoch)."""

    count: int
    first: int
    last: int


@dataclass(slots=True, eq=False)
class Profile:
    """One user. `aliases` maps label to name (one name per label); `updated` grows with every write in the store."""

    braze_id: str
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    aliases: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    events: dict[str, Activity] = field(default_factory=dict)
    purchases: dict[str, Activity] = field(default_factory=dict)
    updated: int = 0

    def snapshot(self) -> Profile:
        """A deep copy that later writes do not touch."""
        return copy.deepcopy(self)

    def restore(self, earlier: Profile) -> None:
        """Take back the attributes, events and purchases of an earlier snapshot."""
        held = earlier.snapshot()
        self.attributes, self.events, self.purchases = held.attributes, held.events, held.purchases


class Store:
    """All profiles of one workspace, with an index for each kind of identifier."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._by: dict[str, dict[Hashable, Profile]] = {"external_id": {}, "user_alias": {}, "braze_id": {}}
        self._shared: dict[str, dict[Hashable, list[Profile]]] = {"email": {}, "phone": {}}
        self._writes = 0
        self.changed: set[str] | None = None  # braze_ids of the profiles that were changed, where they are kept

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._by["braze_id"].values())

    def __len__(self) -> int:
        return len(self._by["braze_id"])

    def find(self, kind: str, key: Hashable) -> Profile | None:
        """The profile that an identifier names.

        Several profiles may share an email or phone: the most recently updated one with an external_id is meant,
        failing that the most recently updated one (TRACK).
        """
        index = self._by.get(kind)
        if index is not None:
            return index.get(key)
        holders = self._shared[kind].get(key)
        if not holders:
            return None
        if len(holders) == 1:
            return holders[0]
        return max(holders, key=lambda profile: (profile.external_id is not None, profile.updated))

    def sharing(self, kind: str, key: Hashable) -> list[Profile]:
        """Every profile with this email or phone, oldest first."""
        return list(self._shared[kind].get(key, ()))

    def create(self, kind: str, key: Hashable) -> Profile:
        """A new profile with this identifier and a fresh braze_id."""
        profile = Profile(braze_id=self.new_braze_id())
        self._by["braze_id"][profile.braze_id] = profile
        if kind == "external_id":
            profile.external_id = str(key)
            self._by[kind][key] = profile
        elif kind == "user_alias":
            assert isinstance(key, tuple)
            label, name = key
            profile.aliases[label] = name
            self._by[kind][key] = profile
        elif kind in self._shared:
            self.put_contact(profile, kind, str(key))
        self.touch(profile)
        return profile

    @property
    def writes(self) -> int:
        """How many writes there were; the `updated` of the last one."""
        return self._writes

    def put(self, profile: Profile) -> None:
        """Take in a whole profile under each of its identifiers. A profile that was found by one of them goes."""
        held = [self.find("braze_id", profile.braze_id)]
        if profile.external_id is not None:
            held.append(self.find("external_id", profile.external_id))
        held += [self.find("user_alias", alias) for alias in profile.aliases.items()]
        for earlier in held:
            if earlier is not None:
                self.delete(earlier)
        self._by["braze_id"][profile.braze_id] = profile
        if profile.external_id is not None:
            self._by["external_id"][profile.external_id] = profile
        for alias in profile.aliases.items():
            self._by["user_alias"][alias] = profile
        for kind, holders in self._shared.items():
            value = getattr(profile, kind)
            if value is not None:
                holders.setdefault(value, []).append(profile)
        self._writes = max(self._writes, profile.updated)

    def draw_from(self, seed: int | str) -> None:
        """Draw further braze_ids from another seed."""
        self._random = random.Random(seed)

    def new_braze_id(self) -> str:
        """A braze_id that no profile has."""
        while True:
            braze_id = f"{self._random.getrandbits(96):024x}"
            if braze_id not in self._by["braze_id"]:
                return braze_id

    def put_contact(self, profile: Profile, kind: str, value: str | None) -> None:
        """Set or remove (None) the `email` or `phone` by which a profile is found."""
        previous = getattr(profile, kind)
        if previous is not None:
            self._shared[kind][previous].remove(profile)
        if value is not None:
            self._shared[kind].setdefault(value, []).append(profile)
        setattr(profile, kind, value)

    def touch(self, profile: Profile) -> None:
        """Note that a profile was just updated."""
        self._writes += 1
        profile.updated = self._writes
        if self.changed is not None:
            self.changed.add(profile.braze_id)

    def delete(self, profile: Profile) -> None:
        """Delete a profile and every identifier by which it was found."""
        self._by["braze_id"].pop(profile.braze_id, None)
        if self.changed is not None:
            self.changed.add(profile.braze_id)
        for index in (self._by["external_id"], self._by["user_alias"]):
            for key in [key for key, held in index.items() if held is profile]:
                del index[key]
        self.put_contact(profile, "email", None)
        self.put_contact(profile, "phone", None)
