"""The marker `tracksync_cassette` and its fixture: a client's own tests record and replay, and fail on a broken clause.

    @pytest.mark.tracksync_cassette
    def test_signup(client): ...

Works beside pytest-recording: its `--record-mode` and `--disable-recording` count here too, and a test that also has
its `vcr` marker is checked by what its cassette records or plays. Imports heavy modules only for tests with the marker.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tracksync.errors import MissingExtraError

if TYPE_CHECKING:
    from tracksync.cassettes.vcrpy_adapter import VcrpyRecording

MARKER: Final = "tracksync_cassette"
_MODES: Final = ("none", "once", "new_episodes", "all")
_ARGUMENTS: Final = frozenset({"record_mode", "strict", "allow", "interpretations", "match_on"})
_RECORDING: Final = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--tracksync-record."""
    group = parser.getgroup("tracksync", "tracksync: the contract of /users/track/sync")
    group.addoption(
        "--tracksync-record",
        choices=_MODES,
        default=None,
        help="Whether tests with the marker tracksync_cassette may go over the network and record: none (default), "
        "once (where there is no cassette yet), new_episodes, all.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(name=None, record_mode=None, strict=False, allow=(), interpretations={{}}, match_on=None): record "
        "the test's HTTP traffic to a cassette or play it from there, and fail where it breaks a clause of the "
        "contract. `allow` lists clauses that may be broken.",
    )


@pytest.fixture(scope="module")
def tracksync_cassette_dir(request: pytest.FixtureRequest) -> Path:
    """Where the cassettes of a module's tests are. Override it to have them elsewhere."""
    return request.path.parent / "cassettes" / request.path.stem


@pytest.fixture
def tracksync_cassette(request: pytest.FixtureRequest) -> Iterator[VcrpyRecording | None]:
    """The recording of the running test, see VcrpyRecording. None while recording is disabled."""
    from tracksync.cassettes.vcrpy_adapter import VcrpyRecording

    marker = request.node.get_closest_marker(MARKER)
    kwargs: dict[str, Any] = dict(marker.kwargs) if marker else {}
    unknown = sorted(set(kwargs) - _ARGUMENTS - {"name"})
    if unknown:
        raise pytest.UsageError(
            f"{MARKER} has no argument {unknown[0]!r}; it has name, {', '.join(sorted(_ARGUMENTS))}"
        )
    config = request.config
    if config.getoption("--disable-recording", default=False):
        yield None
        return
    named = marker.args[0] if marker and marker.args else kwargs.get("name") or request.node.name
    path = request.getfixturevalue("tracksync_cassette_dir") / f"{_file_name(named)}.yaml"
    recording = VcrpyRecording(path, interpretations=kwargs.get("interpretations") or {})
    request.node.stash[_RECORDING] = (recording, kwargs)
    if config.pluginmanager.hasplugin("recording") and request.node.get_closest_marker("vcr"):
        cassette = request.getfixturevalue("vcr")
        recording.path = Path(cassette.path)
        recording.attach(cassette)
        cassette._persister = _RedactingPersister(recording, cassette._persister)
        yield recording
        return
    yield from _own(recording, _mode(config, kwargs), kwargs)


def _own(recording: VcrpyRecording, mode: str, kwargs: dict[str, Any]) -> Iterator[VcrpyRecording]:
    try:
        from vcr import VCR  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        pytest.fail(str(MissingExtraError("recording a test", "vcr")), pytrace=False)

    if mode == "none" and not recording.path.is_file():
        pytest.fail(f"there is no cassette {recording.path}; record it with --tracksync-record=once", pytrace=False)
    recorder = VCR(record_mode=mode, path_transformer=str)
    recorder.register_persister(recording)
    more = {"match_on": kwargs["match_on"]} if kwargs.get("match_on") else {}
    with recorder.use_cassette(str(recording.path), **more) as cassette:
        recording.attach(cassette)
        yield recording


@pytest.fixture(autouse=True)
def _tracksync_cassette_of_marker(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker(MARKER) is not None:
        request.getfixturevalue("tracksync_cassette")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Check the traffic after the test, so that the test itself fails and not its teardown."""
    result = yield
    recorded = item.stash.get(_RECORDING, None)
    if recorded is not None:
        _check(*recorded)
    return result


def _check(recording: VcrpyRecording, kwargs: dict[str, Any]) -> None:
    from tracksync.model.verdict import evidence_of, fails

    allowed = set(kwargs.get("allow") or ())
    strict = bool(kwargs.get("strict"))
    broken = [
        (finding, exchange)
        for finding, exchange in recording.findings()
        if finding.clause not in allowed and fails(evidence_of(finding.clause), strict=strict)
    ]
    if broken:
        pytest.fail(_report(recording, broken), pytrace=False)


def _report(recording: VcrpyRecording, broken: list[tuple[Any, Any]]) -> str:
    from tracksync.cassettes.vcrpy_adapter import environment_keys
    from tracksync.contract.clauses import catalogue
    from tracksync.model.finding import NOTHING
    from tracksync.report.exchange_text import printable
    from tracksync.report.redact import Redactor

    clean = Redactor(environment_keys())
    lines = [f"the traffic breaks the contract of /users/track/sync ({recording.path}):"]
    for finding, exchange in broken[:5]:
        safe = clean.exchange(exchange)
        clause = catalogue().get(finding.clause)
        lines += ["", f"{finding.clause}: {clean.text(finding.message)}"]
        if clause:
            lines.append(f"  promised: {clause.sentence}")
        for word, value in (("expected", finding.expected), ("actual  ", finding.actual)):
            if value is not NOTHING:
                lines.append(f"  {word}: {clean.json(value)!r}")
        lines.append(f"  request:  {_short(safe.request.body)}")
        if safe.response is not None:
            lines.append(f"  response:   {safe.response.status} {_short(safe.response.body)}")
    if len(broken) > 5:
        lines.append(f"\nand {len(broken) - 5} more")
    return printable("\n".join(lines))


def _short(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return text if len(text) <= 500 else f"{text[:500]}…"


def _mode(config: pytest.Config, kwargs: dict[str, Any]) -> str:
    option = config.getoption("--tracksync-record") or config.getoption("--record-mode", default=None)
    mode = option or kwargs.get("record_mode") or "none"
    mode = {"rewrite": "all"}.get(mode, mode)
    if mode not in _MODES:
        raise pytest.UsageError(f"{MARKER} has no record_mode {mode!r}; there are {', '.join(_MODES)}")
    return str(mode)


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.\[\]-]", "-", name)[:200]


class _RedactingPersister:
    """pytest-recording's persister for reading, and ours for writing, so that everything written is redacted."""

    def __init__(self, recording: VcrpyRecording, persister: Any) -> None:
        self._recording = recording
        self.load_cassette = persister.load_cassette

    def save_cassette(self, cassette_path: Any, cassette_dict: Any, serializer: Any = None) -> None:
        self._recording.save_cassette(cassette_path, cassette_dict, serializer)
