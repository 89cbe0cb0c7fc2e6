"""Deletes test users, sees to it that they are gone, and says which are not.

Knows the documented form of /users/delete and /users/export/ids (DELETE, EXPORT) and nothing of runs. Deletion is
queued and may take minutes; the key may lack either permission. Whatever happens, nothing is raised: what is not
certainly gone is reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracksync.contract.bounds import DELETE, EXPORT, bounds
from tracksync.generate.build import Step, json_request
from tracksync.generate.renaming import Identifier
from tracksync.model.exchange import Exchange
from tracksync.values.jsontext import read_json

TRIES: Final = 6  # of one request that is not answered
FIRST_WAIT: Final = 0.5  # seconds, doubled each time
LONGEST_WAIT: Final = 30.0
FIRST_LOOK: Final = 0.2  # seconds after the deletion; DELETE: usually under a second
DELETION_TIMEOUT: Final = 300.0  # seconds; DELETE: up to five minutes
CONTACTS: Final = ("email", "phone")
MEMBERS: Final = {
    "external_id": "external_ids",
    "user_alias": "user_aliases",
    "email": "email_addresses",
    "phone": "phone_numbers",
}
PRIORITY: Final = ["unidentified", "most_recently_updated"]


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What became of the users. `left` are, or may be, still there, and `why` says why that is so.

    `verified`: an export showed that the others are gone; `deleted`: the sum of what the server counted.
    """

    users: int
    deleted: int = 0
    left: tuple[Identifier, ...] = ()
    why: str = ""
    verified: bool = False


@dataclass(slots=True)
class Cleaner:
    """Deletes by way of `send`, which takes a step and returns its exchange. `sleep` and `say` are told, not chosen."""

    send: Callable[[Step], Exchange]
    sleep: Callable[[float], None]
    say: Callable[[str], None] = lambda text: None
    deletion_timeout: float = DELETION_TIMEOUT
    settle: float = 0.0  # seconds after which a write whose response was lost may still have brought a user back
    stop: Callable[[], str] = lambda: ""  # why nothing more may be sent, "" where it may
    _stopped: str = ""

    def clean(self, identifiers: Iterable[Identifier]) -> Cleaning:
        """Delete the users that `identifiers` name."""
        wanted = sorted(set(identifiers))
        contacts = [one for one in wanted if one[0] in CONTACTS]
        deleted, refused = self._delete([one for one in wanted if one[0] not in CONTACTS])
        if contacts:
            self.sleep(FIRST_LOOK)  # first who has a name of his own: several may share an address
            more, others = self._delete(contacts)
            deleted, refused = deleted + more, refused | others
        if refused:
            left = tuple(one for one in wanted if one in refused)
            why = next(iter(refused.values()))
            return Cleaning(len(wanted), deleted, left, why)
        if not wanted:
            return Cleaning(0, verified=True)
        self.sleep(max(self.settle, FIRST_LOOK))
        there, unseen = self._present(wanted)
        if there and self.settle and not unseen:
            deleted += self._delete(there)[0]
        if there and not unseen:
            there, unseen = self._await_gone(there)
        if unseen:
            return Cleaning(len(wanted), deleted, tuple(there), unseen)
        why = f"still there {self.deletion_timeout:.0f} s after their deletion was accepted" if there else unseen
        return Cleaning(len(wanted), deleted, tuple(there), why, verified=not there and not unseen)

    def _refusal(self, exchange: Exchange | None, permission: str) -> str:
        """Why an exchange did not do what it was to do; "" where it did."""
        return self._stopped or _refusal(exchange, permission)

    def _delete(self, identifiers: Sequence[Identifier]) -> tuple[int, dict[Identifier, str]]:
        """Ask for the deletion, in batches. Returns the server's count, and for what it would not delete: why."""
        deleted = 0
        refused: dict[Identifier, str] = {}
        todo = batches(identifiers)
        while todo:
            kind, batch = todo.pop(0)
            exchange = self._ask(json_request(_deletion(kind, batch), path=DELETE), f"delete {len(batch)} users")
            why = self._refusal(exchange, "users.delete")
            status = exchange.response.status if exchange and exchange.response else 0
            if status == 400 and len(batch) > 1:  # one odd name must not keep its neighbours alive
                middle = len(batch) // 2
                todo[:0] = [(kind, batch[:middle]), (kind, batch[middle:])]
            elif why:
                refused.update(dict.fromkeys(batch, why))
                if status in (0, 401, 403, 404):
                    rest = [one for _, others in todo for one in others]
                    return deleted, {**refused, **dict.fromkeys(rest, why)}
            else:
                counted = _body(exchange).get("deleted")
                deleted += counted if isinstance(counted, int) else 0
        return deleted, refused

    def _await_gone(self, identifiers: Sequence[Identifier]) -> tuple[list[Identifier], str]:
        """Look until none is there any more. Returns those that stay, and why nothing can be seen ("": it can)."""
        waited, wait = 0.0, FIRST_WAIT
        there, unseen = list(identifiers), ""
        while there and not unseen and waited < self.deletion_timeout:
            self.say(f"{len(there)} of {len(identifiers)} users are still there; waiting {wait:.1f} s")
            self.sleep(wait)
            waited += wait
            wait = min(wait * 2, LONGEST_WAIT)
            now, unseen = self._present(there)
            there = there if unseen else now
            shared = [one for one in there if one[0] in CONTACTS]
            if shared:  # one deletion takes one profile, and several may hold the same address
                self._delete(shared)
        return there, unseen

    def _present(self, identifiers: Sequence[Identifier]) -> tuple[list[Identifier], str]:
        """Those of `identifiers` that an export still shows."""
        there: list[Identifier] = []
        for kind, batch in batches(identifiers):
            body = {_EXPORT_MEMBERS[kind]: [_plain(one) for one in batch], "fields_to_export": list(_FIELDS)}
            if kind in CONTACTS:  # EXPORT: one of them in each request
                for one in batch:
                    shown, why = self._exported({_EXPORT_MEMBERS[kind]: one[1], "fields_to_export": list(_FIELDS)})
                    if why:
                        return there, why
                    there += [one] if shown else []
                continue
            shown, why = self._exported(body)
            if why:
                return there, why
            names = {name for user in shown for name in _names(user)}
            there += [one for one in batch if one in names]
        return there, ""

    def _exported(self, body: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        exchange = self._ask(json_request(body, path=EXPORT), "are the users gone?")
        why = self._refusal(exchange, "users.export.ids")
        if why:
            return [], f"that they are gone could not be seen: {why}"
        users = _body(exchange).get("users")
        return [user for user in users if isinstance(user, dict)] if isinstance(users, list) else [], ""

    def _ask(self, request: Any, label: str) -> Exchange | None:
        """Send until there is a response that is neither a 429 nor a 5XX."""
        wait = FIRST_WAIT
        exchange: Exchange | None = None
        for attempt in range(TRIES):
            self._stopped = self._stopped or self.stop()
            if self._stopped:
                return exchange
            if attempt:
                self.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            exchange = self.send(Step(request, label=label))
            if exchange.response is not None and exchange.response.status not in (429, *range(500, 600)):
                return exchange
        return exchange


_FIELDS: Final = ("external_id", "user_aliases", "email", "phone")
_EXPORT_MEMBERS: Final = {
    "external_id": "external_ids",
    "user_alias": "user_aliases",
    "email": "email_address",
    "phone": "phone",
}


def cost(identifiers: Iterable[Identifier]) -> tuple[int, int]:
    """How many requests it takes to delete these users, and to look once whether they are gone."""
    kinds = Counter(one[0] for one in identifiers)
    full = {kind: -(-number // bounds().delete_identifiers) for kind, number in kinds.items()}
    looks = sum(number if kind in CONTACTS else full[kind] for kind, number in kinds.items())
    return sum(full.values()), looks


def batches(identifiers: Iterable[Identifier]) -> list[tuple[str, list[Identifier]]]:
    """`identifiers` by kind, at most fifty in each batch."""
    result = []
    for kind in MEMBERS:
        mine = [one for one in identifiers if one[0] == kind]
        batch = bounds().delete_identifiers
        result += [(kind, mine[start : start + batch]) for start in range(0, len(mine), batch)]
    return result


def _plain(identifier: Identifier) -> Any:
    if identifier[0] == "user_alias":
        return {"alias_label": identifier[1], "alias_name": identifier[2]}
    return identifier[1]


def _deletion(kind: str, batch: Sequence[Identifier]) -> dict[str, Any]:
    if kind in CONTACTS:
        return {MEMBERS[kind]: [{kind: one[1], "prioritization": PRIORITY} for one in batch]}
    return {MEMBERS[kind]: [_plain(one) for one in batch]}


def _names(user: dict[str, Any]) -> list[Identifier]:
    """What an exported profile is called."""
    names: list[Identifier] = [
        (kind, str(user[kind])) for kind in ("external_id", "email", "phone") if user.get(kind) is not None
    ]
    aliases = user.get("user_aliases")
    for alias in aliases if isinstance(aliases, list) else []:
        if isinstance(alias, dict):
            names.append(("user_alias", str(alias.get("alias_label")), str(alias.get("alias_name"))))
    return names


def _refusal(exchange: Exchange | None, permission: str) -> str:
    """Why an exchange did not do what it was to do; "" where it did."""
    if exchange is None or exchange.response is None:
        return "the target does not answer"
    status = exchange.response.status
    if status in (401, 403):
        return f"the key may not do it ({status}); it needs the permission {permission}"
    if status == 404:
        return f"the target does not offer {exchange.request.path} (404)"
    return "" if 200 <= status < 300 else f"{exchange.request.path} answers {status}"


def _body(exchange: Exchange | None) -> dict[str, Any]:
    if exchange is None or exchange.response is None:
        return {}
    value = read_json(exchange.response.body).value
    return value if isinstance(value, dict) else {}
