"""`tracksync mock`: serves the mock workspace on a port of this machine."""

from __future__ import annotations

import signal
import time
import webbrowser
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tracksync import config as configuration
from tracksync.admin.addresses import PREFIX
from tracksync.cli.docs import show, shown_name
from tracksync.cli.names import FAULT, INTERPRETATION, SCENARIO
from tracksync.cli.shared import FILE, SECONDS, Function, settings_option
from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.errors import UsageError
from tracksync.mock import limits
from tracksync.model.page_addresses import Subject
from tracksync.report import files

if TYPE_CHECKING:
    from tracksync.wire.serve import App

# Fixed, so that an example can be copied. They are good for this mock only.
KEY: Final = "tracksync-mock-key"
UNPRIVILEGED_KEY: Final = "tracksync-mock-key-without-permission"
DEFAULT_PORT: Final = 8080


def _listing(name: str, lines: Callable[[], Iterable[str]], help_: str) -> Callable[[Function], Function]:
    """A flag that prints `lines` and ends the command."""

    def listed(context: click.Context, option: click.Parameter, given: bool) -> None:
        if given:
            show("\n".join(lines()))
            context.exit()

    return click.option(name, is_flag=True, is_eager=True, expose_value=False, callback=listed, help=help_)


def _columns(kind: Subject, sentences: Mapping[str, str]) -> list[str]:
    widest = max(map(len, sentences))
    return [f"{shown_name(kind, name)}{' ' * (widest - len(name))}  {sentence}" for name, sentence in sentences.items()]


def _faults() -> list[str]:
    from tracksync.faults.catalogue import catalogue

    return _columns(
        Subject.FAULT, {fault.name: f"{fault.sentence} ({', '.join(fault.clauses)})" for fault in catalogue().values()}
    )


def _scenarios() -> list[str]:
    from tracksync.mock.scenarios import catalogue

    return _columns(Subject.SCENARIO, {scenario.name: scenario.sentence for scenario in catalogue().values()})


def _interpretations() -> Iterator[str]:
    for ambiguity in ambiguity_catalogue().values():
        yield f"{shown_name(Subject.AMBIGUITY, ambiguity.name)}: {ambiguity.question}"
        for name, sentence in ambiguity.interpretations.items():
            default = " (default)" if name == ambiguity.default else ""
            yield f"  {name}: {sentence}{default}"


@click.command("mock")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    metavar="N",
    show_default=True,
    help="The port to serve on; 0 takes any free one.",
)
@click.option("--host", default="127.0.0.1", metavar="NAME", show_default=True, help="The address to serve on.")
@click.option(
    "--interpretation",
    "pairs",
    multiple=True,
    type=INTERPRETATION,
    metavar="AMBIGUITY=NAME",
    help="Follow this interpretation; repeatable.",
)
@click.option(
    "--interpretations", "interpretations_path", type=FILE, metavar="FILE", help="Follow the interpretations in FILE."
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=FAULT,
    metavar="NAME",
    help="Inject a fault: break a clause on purpose; repeatable.",
)
@click.option(
    "--scenario",
    default="normal",
    type=SCENARIO,
    metavar="NAME",
    show_default=True,
    help="How to treat clients.",
)
@_listing("--list-interpretations", _interpretations, "List the ambiguities and their interpretations, and end.")
@_listing("--list-faults", _faults, "List the faults, and end.")
@_listing("--list-scenarios", _scenarios, "List the scenarios, and end.")
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="The seed of a random scenario.")
@click.option(
    "--rate-limit",
    type=click.IntRange(min=1),
    default=limits.RATE_PER_MINUTE,
    metavar="N",
    show_default=True,
    help="Requests accepted in a clock minute.",
)
@click.option(
    "--array-limit",
    type=click.IntRange(min=1),
    default=limits.ARRAY_MAX,
    metavar="N",
    show_default=True,
    help="Elements an array attribute may have.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY",
    help="A key to accept in place of the printed one; repeatable, each has a workspace of its own.",
)
@click.option(
    "--seed-file",
    "seed_path",
    type=FILE,
    metavar="FILE",
    help="Begin with the users in FILE, JSON in the form of an export.",
)
@click.option("--state", "state_path", type=FILE, metavar="FILE", help="Keep everything in FILE, across restarts.")
@click.option("--no-admin", is_flag=True, help="Serve no admin API and no inspector.")
@click.option(
    "--admin-host",
    "admin_hosts",
    multiple=True,
    metavar="NAME",
    help="Open the admin API to other machines that call this one NAME; repeatable.",
)
@click.option("--open", "open_page", is_flag=True, help="Open the inspector in a browser.")
@click.option("--port-file", "port_path", type=FILE, metavar="FILE", help="Write the port to FILE once it is served.")
@click.option(
    "--wait",
    "wait",
    type=SECONDS,
    metavar="S",
    help="Serve nothing: wait until the mock on --port (or of --port-file) is ready, S seconds at most.",
)
@click.option("--tls-cert", "cert_path", type=FILE, metavar="FILE", help="Serve over TLS with this certificate (PEM).")
@click.option("--tls-key", "key_path", type=FILE, metavar="FILE", help="The certificate's private key (PEM).")
@settings_option
def command(
    port: int,
    host: str,
    pairs: tuple[str, ...],
    interpretations_path: Path | None,
    faults: tuple[str, ...],
    scenario: str,
    seed: int,
    rate_limit: int,
    array_limit: int,
    keys: tuple[str, ...],
    seed_path: Path | None,
    state_path: Path | None,
    no_admin: bool,
    admin_hosts: tuple[str, ...],
    open_page: bool,
    port_path: Path | None,
    wait: float | None,
    cert_path: Path | None,
    key_path: Path | None,
) -> None:
    """Serve a mock workspace: it stores users, and has the limits and responses that the documents promise.

    It prints its address and its key, and serves until Ctrl-C. Where the documents leave a question open, it follows
    the default interpretation, or the one that --interpretation names. --fault injects a fault, to see what it breaks.
    --scenario treats clients to transient failures, slow responses or rate limits.

    The inspector at /__tracksync/ shows what happens while it happens; the admin API beside it steers the mock.

    \b
    Examples:
      tracksync mock --port 8080
      tracksync mock --open                      with the inspector in a browser
      tracksync mock --state mock.db             goes on where it ended
      tracksync mock --interpretation no-user=omitted --rate-limit 60
      tracksync mock --interpretations interpretations.toml
      tracksync mock --scenario rate-burst
      tracksync mock --scenario http2            over TLS, with a generated certificate
      tracksync mock --port 0 --port-file port &
      tracksync mock --wait 30 --port-file port  in a script, before the tests
      tracksync mock --list-faults
    """
    from tracksync.cli import mock_start

    if wait is not None:
        mock_start.wait_until_ready(host, port, port_path, wait)
        return
    if key_path is not None and cert_path is None:
        raise UsageError("--tls-key is the private key of a certificate; name that with --tls-cert")
    if port_path is not None:
        files.check_writable(port_path)
    if no_admin and (admin_hosts or open_page):
        raise UsageError("--no-admin leaves out what --admin-host and --open are about; give one of them")
    from tracksync.admin.serving import mock_app
    from tracksync.admin.workspace import Setup
    from tracksync.faults.catalogue import servers
    from tracksync.mock import MockConfig
    from tracksync.wire.serve import serve

    interpretations = configuration.read_interpretations(interpretations_path) if interpretations_path else {}
    interpretations |= configuration.parse_interpretations(pairs)
    try:
        setups = [
            Setup(
                MockConfig(
                    key=key,
                    unprivileged_key=unprivileged,
                    rate_limit=rate_limit,
                    array_limit=array_limit,
                    interpretations=interpretations,
                    faults=servers(faults),
                    scenario=scenario,
                    seed=seed,
                ),
                tuple(dict.fromkeys(faults)),
            )
            for key, unprivileged in mock_start.keys_of(keys, KEY, UNPRIVILEGED_KEY)
        ]
    except ValueError as error:
        raise UsageError(str(error)) from None
    played = setups[0].config.played()
    with ExitStack() as stack:
        workspaces = mock_start.workspaces_of(setups, state_path, seed_path, stack, logged=not no_admin)
        app = mock_app(workspaces, admin=not no_admin, names=admin_hosts)

        def ready(address: str, trust: str = "") -> None:
            for line in mock_start.greeting(address, played, keys, trust, admin=not no_admin):
                click.echo(line)
            if port_path is not None:
                mock_start.write_port(port_path, address, stack)
            if open_page:
                webbrowser.open(f"{address}{PREFIX}/")

        # Ctrl-C and SIGTERM end the mock. The server raises the signal again once it has stopped.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        stack.callback(signal.signal, signal.SIGTERM, before)
        with suppress(KeyboardInterrupt):
            if played.http2:
                _serve_http2(app, host, port, cert_path, key_path, ready)
                return
            capitals = any(act.do == "capitals" for act in played.acts)
            serve(app, host=host, port=port, certificate=cert_path, key=key_path, keep_case=capitals, ready=ready)


def _serve_http2(
    app: App, host: str, port: int, certificate: Path | None, key: Path | None, ready: Callable[[str, str], None]
) -> None:
    """Serve until Ctrl-C, with a generated certificate where none is given."""
    from tracksync.wire.http2 import identity, served_http2

    with ExitStack() as stack:
        trust = ""
        if certificate is None:
            files = stack.enter_context(identity(host))
            certificate, key, trust = files.certificate, files.key, str(files.bundle)
        url = stack.enter_context(served_http2(app, certificate=certificate, key=key, host=host, port=port))
        ready(url, trust)
        while True:
            time.sleep(3600)
