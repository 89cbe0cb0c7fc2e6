"""Fixtures for the tests of Python clients: a mock to call, and a check that fails the test whose traffic is wrong.

    def test_signup(tracksync_mock):
        Client(tracksync_mock.url, tracksync_mock.key).track("user-1", "signed_up")
        assert tracksync_mock.state("external_id", "user-1") is not None

`@pytest.mark.tracksync_scenario("error-503")` or `--tracksync-scenario` chooses how the client is treated. Every test
has a mock of its own on a free port, so that tests may run in any order and in parallel (pytest-xdist). Imports
nothing heavy until a test uses the mock.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tracksync.gate.testing_mock import BrokenClause, CheckedMock

SCENARIO: Final = "tracksync_scenario"
GATE: Final = "tracksync_gate"
_HELD: Final = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--tracksync-scenario and --tracksync-strict."""
    group = parser.getgroup("tracksync", "tracksync: the contract of /users/track/sync")
    group.addoption(
        "--tracksync-scenario",
        default=None,
        metavar="NAME",
        help="How tests with the fixture tracksync_mock treat the client (default: normal); "
        "`tracksync gate --list-scenarios` lists the names. A test's own marker overrides it.",
    )
    group.addoption(
        "--tracksync-strict",
        action="store_true",
        help="Fail tests with the fixture tracksync_mock on warnings and notes too.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line("markers", f"{SCENARIO}(name): the scenario under which tracksync_mock treats the client.")
    config.addinivalue_line(
        "markers", f"{GATE}(allow=(), strict=False): clauses (TC-…) that the test's traffic may break; check strictly."
    )


@pytest.fixture
def tracksync_scenario(request: pytest.FixtureRequest) -> str:
    """The name of the scenario. Parametrize it indirectly to run a test under several."""
    if hasattr(request, "param"):
        return str(request.param)
    marker = request.node.get_closest_marker(SCENARIO)
    if marker is not None:
        if len(marker.args) != 1 or marker.kwargs:
            raise pytest.UsageError(f'write @pytest.mark.{SCENARIO}("error-503"), with one name')
        return str(marker.args[0])
    return str(request.config.getoption("--tracksync-scenario") or "normal")


@pytest.fixture
def tracksync_mock(
    request: pytest.FixtureRequest, tracksync_scenario: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CheckedMock]:
    """A mock workspace: `url`, `key`, `state(kind, value)`, `journal`, `findings()`, `reset()`.

    The test fails if its traffic breaks a clause. BRAZE_REST_ENDPOINT and BRAZE_API_KEY are set as well.
    """
    from tracksync.errors import UsageError
    from tracksync.gate.testing_mock import checked_mock
    from tracksync.mock.scenarios import scenario

    try:
        played = scenario(tracksync_scenario)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    with checked_mock(played) as mock:
        for name, value in mock.trust.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("BRAZE_REST_ENDPOINT", mock.url)
        monkeypatch.setenv("BRAZE_API_KEY", mock.key)
        request.node.stash[_HELD] = mock
        yield mock


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Check the traffic when the test has ended, so that the test itself fails and not its teardown."""
    result = yield
    mock = item.stash.get(_HELD, None)
    if mock is not None:
        failing = _failing(item, mock)
        if failing:
            from tracksync.gate.testing_mock import explain, once

            what = "the client breaks the contract of /users/track/sync"
            where = f"(scenario {mock.scenario}; a test may allow a clause with @pytest.mark.{GATE}(allow=[...]))"
            pytest.fail(f"{what} {where}\n\n{explain(once(failing), mock.key)}", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Fail a test that printed or logged the key."""
    report = yield
    mock = item.stash.get(_HELD, None)
    if mock is None or report.when != "call" or "TC-KEY-SECRET" in _allowed(item):
        return report
    shows = [name for name, text in report.sections if "Captured" in name and _shows(text, mock.key)]
    if shows:
        from tracksync.report.redact import Redactor

        if report.passed:
            report.outcome = "failed"
            report.longrepr = f"TC-KEY-SECRET: the key stands in what the test printed or logged ({', '.join(shows)})"
        clean = Redactor([mock.key])
        report.sections = [(name, clean.text(text)) for name, text in report.sections]
    return report


def _shows(text: str, key: str) -> bool:
    """Whether the key stands in `text`, as it is, in base64 or in hex."""
    from tracksync.gate.command import key_spellings

    printed = text.lower().encode("utf-8", "replace")
    return any(needle in printed for needle in key_spellings(key))


def _allowed(item: pytest.Item) -> frozenset[str]:
    marker = item.get_closest_marker(GATE)
    allow = marker.kwargs.get("allow", ()) if marker else ()
    return frozenset([allow] if isinstance(allow, str) else allow)


def _failing(item: pytest.Item, mock: CheckedMock) -> list[BrokenClause]:
    from tracksync.contract.clauses import UnknownClause, clause
    from tracksync.model.verdict import evidence_of, fails

    allowed = _allowed(item)
    for id_ in allowed:
        try:
            clause(id_)
        except UnknownClause as error:
            raise pytest.UsageError(str(error)) from None
    marker = item.get_closest_marker(GATE)
    everything = bool(item.config.getoption("--tracksync-strict"))
    strict = everything or bool(marker and marker.kwargs.get("strict"))
    return [
        one
        for one in mock.findings()
        if one.finding.clause not in allowed and (everything or fails(evidence_of(one.finding.clause), strict=strict))
    ]
