"""The operations of the admin API, each under its address. `spec/admin.yaml` documents them; a test compares the two.

A handler takes a request and gives a response. A UsageError is the client's mistake and becomes a 400.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib import resources
from typing import Any, Final

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from tracksync import __version__
from tracksync.admin import entries, event_stream
from tracksync.admin.addresses import PREFIX
from tracksync.admin.exchange_log import LogEntry
from tracksync.admin.workspace import MockWorkspace, Switches
from tracksync.contract import spec
from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.errors import UsageError
from tracksync.values.near_names import suggestion

PAGE: Final = {
    "": ("inspector.html", "text/html; charset=utf-8"),
    "inspector.css": ("inspector.css", "text/css; charset=utf-8"),
    "inspector.js": ("inspector.js", "text/javascript; charset=utf-8"),
    "drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
}
MOST_LISTED: Final = 1_000
LISTED: Final = 100
SETTLED_WITHIN: Final = 10.0  # seconds
LONGEST_WAIT: Final = 60.0  # seconds
DEEPEST: Final = 200  # levels of a body
MOST_RECORDED: Final = 200  # exchanges of a cassette

Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]
Operation = Callable[[MockWorkspace, HttpRequest], Awaitable[HttpResponse]]


class NotThereError(UsageError):
    """Something with this number or name is not there (any more)."""


def routes(workspaces: Mapping[str, MockWorkspace]) -> list[Route]:
    """Every route of the API for these workspaces; the first one is meant where a request names none."""

    def on_workspace(operation: Operation) -> Handler:
        async def handle(request: HttpRequest) -> HttpResponse:
            return await operation(_workspace(workspaces, request), request)

        return handle

    async def health(request: HttpRequest) -> HttpResponse:
        return _json({"status": "ok", "version": __version__})

    async def list_workspaces(request: HttpRequest) -> HttpResponse:
        return _json({"workspaces": [workspace.status() for workspace in workspaces.values()]})

    async def slash(request: HttpRequest) -> HttpResponse:
        return RedirectResponse(f"{PREFIX}/", status_code=307)

    plain: list[tuple[str, str, Handler]] = [
        ("GET", "/health", health),
        ("GET", "/workspaces", list_workspaces),
        ("GET", "/catalogue", _catalogue),
        ("GET", "/openapi.yaml", _document),
    ]
    operations: list[tuple[str, str, Operation]] = [
        ("GET", "/status", _status),
        ("GET", "/users", _users),
        ("POST", "/users", _add_users),
        ("GET", "/user", _user),
        ("GET", "/log", _log),
        ("DELETE", "/log", _clear_log),
        ("GET", "/log/{number:int}", _entry),
        ("GET", "/findings", _findings),
        ("GET", "/cassette", _cassette),
        ("POST", "/reset", _reset),
        ("GET", "/snapshot", _snapshot),
        ("PUT", "/snapshot", _restore),
        ("GET", "/settings", _settings),
        ("PATCH", "/settings", _switch),
        ("POST", "/clock", _clock),
        ("POST", "/settle", _settle),
        ("GET", "/events", event_stream.stream),
    ]
    return [
        Route(PREFIX, slash, methods=["GET"]),
        *(Route(f"{PREFIX}/{name}", _file(*file), methods=["GET"]) for name, file in PAGE.items()),
        *(Route(PREFIX + path, handler, methods=[method]) for method, path, handler in plain),
        *(Route(PREFIX + path, on_workspace(operation), methods=[method]) for method, path, operation in operations),
    ]


def _workspace(workspaces: Mapping[str, MockWorkspace], request: HttpRequest) -> MockWorkspace:
    name = request.query_params.get("workspace")
    if name is None:
        return next(iter(workspaces.values()))
    if name not in workspaces:
        raise NotThereError(f"there is no workspace {name!r}; {suggestion(name, workspaces)}")
    return workspaces[name]


# --- the page -------------------------------------------------------------------------------------------------------


def _file(name: str, media: str) -> Handler:
    async def handle(request: HttpRequest) -> HttpResponse:
        content = resources.files("tracksync.admin").joinpath("page", name).read_bytes()
        return HttpResponse(content, media_type=media)

    return handle


async def _document(request: HttpRequest) -> HttpResponse:
    text = (spec.directory() / "admin.yaml").read_text(encoding="utf-8")
    return HttpResponse(text, media_type="application/yaml")


async def _catalogue(request: HttpRequest) -> HttpResponse:
    from tracksync.faults.catalogue import catalogue as faults
    from tracksync.mock.scenarios import catalogue as scenarios

    return _json(
        {
            "scenarios": [{"name": one.name, "sentence": one.sentence} for one in scenarios().values()],
            "faults": [
                {"name": one.name, "sentence": one.sentence, "clauses": list(one.clauses)} for one in faults().values()
            ],
            "interpretations": [
                {
                    "ambiguity": one.name,
                    "question": one.question,
                    "default": one.default,
                    "interpretations": [
                        {"name": name, "sentence": sentence} for name, sentence in one.interpretations.items()
                    ],
                }
                for one in ambiguity_catalogue().values()
            ],
        }
    )


# --- users ----------------------------------------------------------------------------------------------------------


async def _users(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    offset, most = _number(request, "offset", 0), min(_number(request, "limit", LISTED), MOST_LISTED)
    total, users = workspace.users(request.query_params.get("matching", ""), offset, most)
    return _json({"total": total, "users": users})


async def _user(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    sent = request.query_params
    kinds = [kind for kind in ("external_id", "braze_id", "email", "phone") if kind in sent]
    alias = [sent[name] for name in ("alias_label", "alias_name") if name in sent]
    if len(kinds) + bool(alias) != 1 or len(alias) == 1:
        raise UsageError("name one of external_id, braze_id, email, phone, or both of alias_label and alias_name")
    user = workspace.user("user_alias", (alias[0], alias[1])) if alias else workspace.user(kinds[0], sent[kinds[0]])
    if user is None:
        raise NotThereError("there is no such user")
    return _json(user)


async def _add_users(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    return _json({"users": workspace.add_users(await _body(request))})


# --- the log --------------------------------------------------------------------------------------------------------


async def _log(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    if _flag(request, "findings", default=True):
        await workspace.checker.catch_up()
    after, most = _number(request, "after", 0), _number(request, "limit", LISTED)
    found = workspace.log.since(after, min(most, MOST_LISTED))
    return _json(
        {
            "exchanges": [entries.summary(workspace, entry) for entry in found],
            "first": workspace.log.first_number,
            "last": workspace.log.handled_count,
            "verdicts": entries.counts(workspace.log),
        }
    )


async def _clear_log(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    workspace.log.clear()
    return HttpResponse(status_code=204)


async def _entry(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    await workspace.checker.catch_up()
    entry = _entry_of(workspace, request.path_params["number"])
    return _json(entries.full(workspace, entry, f"{request.url.scheme}://{request.url.netloc}"))


def _entry_of(workspace: MockWorkspace, number: int) -> LogEntry:
    entry = workspace.log.entry(number)
    if entry is None:
        log = workspace.log
        raise NotThereError(f"the log has no exchange {number}; it has {log.first_number} to {log.handled_count}")
    return entry


async def _findings(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    await workspace.checker.catch_up()
    found = [
        entries.finding_json(workspace, finding) | {"number": entry.number}
        for entry in workspace.log
        for finding in entries.findings(entry)
    ]
    if _flag(request, "conclude", default=False):
        last = workspace.checker.conclusion()
        found += [entries.finding_json(workspace, finding) | {"number": None} for finding in last]
    return _json({"findings": found})


async def _cassette(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    named = request.query_params.getlist("number")
    if any(not number.isdigit() or len(number) > 12 for number in named):
        raise UsageError("number is the number of an exchange; it may be named more than once")
    found = [_entry_of(workspace, int(number)) for number in named] or list(workspace.log)
    if not found:
        raise NotThereError("the log is empty")
    if len(found) > MOST_RECORDED:
        raise UsageError(f"a cassette holds at most {MOST_RECORDED} exchanges, not {len(found)}; name some by number")
    name = f"tracksync-{found[0].number}.yaml" if len(found) == 1 else "tracksync.yaml"
    return HttpResponse(
        entries.cassette(workspace, found),
        media_type="application/yaml",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


# --- steering -------------------------------------------------------------------------------------------------------


class _ResetBody(msgspec.Struct, forbid_unknown_fields=True):
    settings: bool = False


class _ClockBody(msgspec.Struct, forbid_unknown_fields=True):
    advance: float


class _SettleBody(msgspec.Struct, forbid_unknown_fields=True):
    timeout: float = SETTLED_WITHIN


class _SettingsBody(msgspec.Struct, forbid_unknown_fields=True):
    scenario: str | None = None
    faults: list[str] | None = None
    interpretations: dict[str, str | None] | None = None
    rate_limit: int | None = None
    array_limit: int | None = None
    async_delay: float | None = None
    seed: int | None = None


async def _reset(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    workspace.reset(settings=(await _typed(request, _ResetBody, empty={})).settings)
    return _json(workspace.status())


async def _snapshot(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    return _json(workspace.snapshot())


async def _restore(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    workspace.restore(await _body(request))
    return _json(workspace.status())


async def _status(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    return _json(workspace.status())


async def _settings(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    return _json(workspace.setup.as_json())


async def _switch(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    sent = await _typed(request, _SettingsBody)
    interpretations = None
    if sent.interpretations is not None:
        merged = {**workspace.setup.config.interpretations, **sent.interpretations}
        interpretations = {name: value for name, value in merged.items() if value is not None}
    workspace.switch(
        Switches(
            scenario=sent.scenario,
            faults=None if sent.faults is None else tuple(sent.faults),
            interpretations=interpretations,
            rate_limit=sent.rate_limit,
            array_limit=sent.array_limit,
            async_delay=sent.async_delay,
            seed=sent.seed,
        )
    )
    return _json(workspace.setup.as_json())


async def _clock(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    workspace.advance((await _typed(request, _ClockBody)).advance)
    return _json(workspace.status())


async def _settle(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    timeout = (await _typed(request, _SettleBody, empty={})).timeout
    if not 0 <= timeout <= LONGEST_WAIT:
        raise UsageError(f"timeout is from 0 to {LONGEST_WAIT:g} seconds, not {timeout:g}")
    left = await workspace.settle(timeout)
    if left:
        return _json({"error": f"{left} writes are still queued after {timeout:g} s", "queued": left}, status=503)
    return _json({"queued": 0})


# --- forms ----------------------------------------------------------------------------------------------------------


def _json(value: Any, status: int = 200) -> HttpResponse:
    # Escapes of everything beyond ASCII: a value of a user may hold half of a surrogate pair.
    return HttpResponse(json.dumps(value, separators=(",", ":")), status_code=status, media_type="application/json")


def failed(status: int, error: str) -> HttpResponse:
    """The response to a request that cannot be carried out; `error` is a sentence."""
    return _json({"error": error}, status)


async def _body(request: HttpRequest) -> Any:
    """The JSON document that a request carries. Raises UsageError."""
    try:
        document = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the body is not JSON: {error}") from None
    _require_writable(document, DEEPEST)
    return document


def _require_writable(value: Any, levels: int) -> None:
    """Raise UsageError for what could not be written as JSON again."""
    if levels == 0:
        raise UsageError(f"the body is nested deeper than {DEEPEST} levels")
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError("the body holds a number that JSON does not have, or one beyond the range of a double")
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _require_writable(member, levels - 1)


async def _typed(request: HttpRequest, form: type[Any], empty: Any = None) -> Any:
    document = empty if empty is not None and not await request.body() else await _body(request)
    try:
        return msgspec.convert(document, form)
    except msgspec.ValidationError as error:
        raise UsageError(f"{error}; the members are {', '.join(_members(form))}") from None


def _members(form: type[Any]) -> Iterable[str]:
    return form.__struct_fields__  # type: ignore[no-any-return]


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    value = request.query_params.get(name)
    if value is None:
        return otherwise
    if not (value.isascii() and value.isdigit() and len(value) <= 12):
        raise UsageError(f"{name} is a whole number from 0 on, not {value[:40]!r}")
    return int(value)


def _flag(request: HttpRequest, name: str, *, default: bool) -> bool:
    value = request.query_params.get(name)
    if value is None:
        return default
    if value not in ("true", "false"):
        raise UsageError(f"{name} is true or false, not {value[:40]!r}")
    return value == "true"
