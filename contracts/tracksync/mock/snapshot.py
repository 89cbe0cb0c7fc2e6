"""A workspace's state as JSON and back: its users, what is queued, and its rate windows.

A user has the form of an export (EXPORT), so that a file of users to begin with can be written by hand. Only in a
snapshot an instant is an integer of microseconds, since a time with milliseconds would lose some, and a user has
`updated`, the order of the last writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from tracksync.errors import UsageError
from tracksync.mock import limits
from tracksync.mock.call import Call, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.neighbours import describe
from tracksync.mock.profiles import Activity, Profile, Store, UserIdentity
from tracksync.model.exchange import Request
from tracksync.values import times
from tracksync.values.near_names import suggestion

FORM: Final = 1  # of a snapshot
FIELDS: Final = limits.PROFILE_FIELDS - set(limits.IDENTIFIERS)
MEMBERS: Final = (
    *("braze_id", "external_id", "email", "phone", "user_aliases"),
    *("custom_attributes", "custom_events", "purchases", "updated"),
)


class StateError(UsageError):
    """A document that is not a state or a list of users; the message says where it is wrong."""


def snapshot(core: Core) -> dict[str, Any]:
    """The whole state of a workspace. What a fault has queued in a form of its own is left out."""
    return {
        "form": FORM,
        "users": [user_json(profile) for profile in core.store],
        "queued": list(queue_json(core).values()),
        **counters_json(core),
    }


def counters_json(core: Core) -> dict[str, Any]:
    """What of a snapshot is neither a user nor queued."""
    windows = {path: {"start": window.start, "used": window.used} for path, window in core.windows.items()}
    return {"windows": windows, "requests": core.requests}


def restore(core: Core, document: Any) -> None:
    """Put the state of `document` in the place of the workspace's. Raises StateError; then nothing was changed."""
    state = _object(document, "a snapshot")
    if state.get("form") != FORM:
        raise StateError(f"a snapshot has the member form with the value {FORM}")
    profiles = [_profile(user, f"users/{at}") for at, user in enumerate(_list(state.get("users", []), "users"))]
    windows = _object(state.get("windows", {}), "windows")
    requests = _whole(state.get("requests", 0), "requests")
    queued = _list(state.get("queued", []), "queued")
    store = Store()
    for profile in sorted(profiles, key=lambda profile: profile.updated):
        if not profile.braze_id:
            raise StateError("users: each user of a snapshot has a braze_id")
        store.put(profile)
    used = {path: _window(windows[path], f"windows/{path}") for path in core.windows if path in windows}
    works = [_work(core, store, one, f"queued/{at}") for at, one in enumerate(queued)]
    store.draw_from(f"{core.config.seed} {store.writes}")  # no braze_id again that was given before
    core.store, core.requests = store, requests
    for path, (start, count) in used.items():
        core.windows[path].start, core.windows[path].used = start, count
    core.requeue(works)


def add_users(core: Core, document: Any) -> int:
    """Add the users of `document`, a list or an object with the member `users`; how many they are.

    A user that is there already under its external_id, alias or braze_id is replaced. Raises StateError; then nothing
    was changed.
    """
    if isinstance(document, dict):
        unknown = sorted(document.keys() - {"users"})
        if unknown:
            raise StateError(f"{unknown[0]!r} is not known beside users")
        document = document.get("users")
    profiles = [_profile(user, f"users/{at}") for at, user in enumerate(_list(document, "users"))]
    for at, profile in enumerate(profiles):
        if not (profile.external_id or profile.email or profile.phone or profile.aliases or profile.braze_id):
            raise StateError(f"users/{at} has no identifier: {', '.join(MEMBERS[:5])}")
    for profile in profiles:
        profile.braze_id = profile.braze_id or core.store.new_braze_id()
        core.store.put(profile)
        core.store.touch(profile)
    return len(profiles)


# --- users ----------------------------------------------------------------------------------------------------------


def user_json(profile: Profile) -> dict[str, Any]:
    """One user of a snapshot."""
    return describe(profile, int) | {"updated": profile.updated}


def _profile(document: Any, where: str) -> Profile:
    user = _object(document, where)
    for name in user:
        if name not in MEMBERS and name not in FIELDS:
            raise StateError(f"{where}/{name} is not known; {suggestion(name, (*MEMBERS, *sorted(FIELDS)))}")
    aliases = {}
    for at, alias in enumerate(_list(user.get("user_aliases", []), f"{where}/user_aliases")):
        place = f"{where}/user_aliases/{at}"
        names = _object(alias, place)
        label = _text(names.get("alias_label"), f"{place}/alias_label")
        aliases[label] = _text(names.get("alias_name"), f"{place}/alias_name")
    return Profile(
        braze_id=_text(user.get("braze_id", ""), f"{where}/braze_id"),
        external_id=_text_or_none(user, "external_id", where),
        email=_text_or_none(user, "email", where),
        phone=_text_or_none(user, "phone", where),
        aliases=aliases,
        fields={name: value for name, value in user.items() if name in FIELDS},
        attributes=dict(_object(user.get("custom_attributes", {}), f"{where}/custom_attributes")),
        events=_activities(user.get("custom_events", []), f"{where}/custom_events"),
        purchases=_activities(user.get("purchases", []), f"{where}/purchases"),
        updated=_whole(user.get("updated", 0), f"{where}/updated"),
    )


def _activities(document: Any, where: str) -> dict[str, Activity]:
    found = {}
    for at, one in enumerate(_list(document, where)):
        place = f"{where}/{at}"
        entry = _object(one, place)
        found[_text(entry.get("name"), f"{place}/name")] = Activity(
            _integer(entry.get("count"), f"{place}/count"),
            _instant(entry.get("first"), f"{place}/first"),
            _instant(entry.get("last"), f"{place}/last"),
        )
    return found


def _instant(value: Any, where: str) -> int:
    """Microseconds since the epoch, of a time as text or of an integer, which says it already."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    instant = times.read_time(value).instant if isinstance(value, str) else None
    if instant is None:
        raise StateError(f"{where} is not a time such as 2026-01-31T12:00:00Z")
    return instant


# --- the queue ------------------------------------------------------------------------------------------------------


def queue_json(core: Core) -> dict[int, dict[str, Any]]:
    """The queued work by its number: objects of /users/track to apply, and users to delete. `due` in epoch seconds."""
    return {number: {"due": due, **known} for due, number, work in core.queued if (known := _work_json(work))}


def _work_json(work: Callable[[], None]) -> dict[str, Any] | None:
    if not isinstance(work, partial):
        return None
    match work.args:
        case (Profile() as profile,):
            return {"delete": profile.braze_id}
        case (Call() as call, WriteTask() as task):
            return {
                "write": {name: getattr(task, name) for name in _TASK} | {"who": _who_json(task.who)},
                "path": call.path,
                "at": call.now,
            }
    return None


_TASK: Final = ("section", "index", "item", "create", "name", "shown", "instant", "offset", "quantity")


def _who_json(who: UserIdentity) -> dict[str, Any]:
    return {"kind": who.kind, "key": who.key, "shown": who.shown}


def _work(core: Core, store: Store, document: Any, where: str) -> tuple[float, Callable[[], None]]:
    one = _object(document, where)
    due = one.get("due")
    if not isinstance(due, int | float) or isinstance(due, bool):
        raise StateError(f"{where}/due is not a number of seconds")
    if "delete" in one:
        profile = store.find("braze_id", _text(one["delete"], f"{where}/delete"))
        return due, partial(store.delete, profile) if profile is not None else _nothing
    try:
        written = _object(one.get("write"), f"{where}/write")
        who = written["who"]
        key = tuple(who["key"]) if isinstance(who["key"], list) else who["key"]
        identity = UserIdentity(who["kind"], key, who["shown"])
        task = WriteTask(**{name: written[name] for name in _TASK}, who=identity)
        call = Call(Request("POST", one["path"]), float(one["at"]), one["path"], core.windows[one["path"]])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateError(f"{where} is not queued work ({type(error).__name__}: {error})") from None
    return due, partial(core.carry_out, call, task)


def _nothing() -> None:
    """The deletion of a user that is gone."""


# --- forms ----------------------------------------------------------------------------------------------------------


def _window(document: Any, where: str) -> tuple[int, int]:
    window = _object(document, where)
    return _whole(window.get("start"), f"{where}/start"), _whole(window.get("used"), f"{where}/used")


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise StateError(f"{where} is not an object")
    return value


def _list(value: Any, where: str) -> Iterable[Any]:
    if not isinstance(value, list):
        raise StateError(f"{where} is not an array")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise StateError(f"{where} is not a text")
    return value


def _text_or_none(user: Mapping[str, Any], name: str, where: str) -> str | None:
    return _text(user[name], f"{where}/{name}") if name in user else None


def _integer(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise StateError(f"{where} is not an integer")
    return value


def _whole(value: Any, where: str) -> int:
    if _integer(value, where) < 0:
        raise StateError(f"{where} is below 0")
    return int(value)
