"""`tracksync proxy`: stands between a client and a real endpoint, and checks both."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from tracksync import config as configuration
from tracksync.cli.names import clauses_named
from tracksync.cli.recording import exchange_recorder, exchanges_option
from tracksync.cli.reproduce import reproduce_line
from tracksync.cli.shared import (
    FILE,
    SECONDS_ABOVE_0,
    Outputs,
    allow_option,
    ca_option,
    config_option,
    environment_key,
    environment_secrets,
    learn_option,
    max_time_option,
    rate_limit_option,
    result_options,
)
from tracksync.cli.target import find_address
from tracksync.config import Config
from tracksync.errors import UsageError
from tracksync.model.events import Emit, Event, Middleware, RunEnded, unchanged

if TYPE_CHECKING:
    from tracksync.proxy import Keys, ProxyPlan

DEFAULT_PORT: Final = 8090


@click.command("proxy")
@click.option("--upstream", required=True, metavar="URL|live", help="The endpoint to hand everything on to.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    metavar="N",
    show_default=True,
    help="The port for the client; 0 takes any free one.",
)
@click.option("--host", default="127.0.0.1", metavar="NAME", show_default=True, help="The address to listen on.")
@ca_option
@click.option(
    "--tls-cert", "cert_path", type=FILE, metavar="FILE", help="Serve the client over TLS: a certificate (PEM)."
)
@click.option("--tls-key", "key_path", type=FILE, metavar="FILE", help="The certificate's private key (PEM).")
@click.option("--record", "directory", type=FILE, metavar="DIR", help="Make cassettes of all that passes in DIR.")
@exchanges_option
@allow_option
@click.option(
    "--interpretations",
    "interpretations_path",
    type=FILE,
    metavar="FILE",
    help="Hold the endpoint to the interpretations in FILE.",
)
@learn_option
@rate_limit_option
@click.option("--max-requests", type=click.IntRange(min=1), metavar="N", help="Stop after N requests.")
@max_time_option
@click.option(
    "--timeout",
    type=SECONDS_ABOVE_0,
    default=120.0,
    metavar="S",
    show_default=True,
    help="Seconds to wait for the endpoint's next byte.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail the run too.")
@config_option
@result_options
def command(
    upstream: str,
    port: int,
    host: str,
    ca_path: Path | None,
    cert_path: Path | None,
    key_path: Path | None,
    directory: Path | None,
    exchanges_path: Path | None,
    allow: tuple[str, ...],
    interpretations_path: Path | None,
    learn_path: Path | None,
    rate_limit: int | None,
    max_requests: int | None,
    max_time: float | None,
    timeout: float,
    strict: bool,
    config_path: Path,
    json_path: Path | None,
    junit_path: Path | None,
    html_path: Path | None,
    markdown_path: Path | None,
) -> int:
    """Stand between a client and a real endpoint: forward everything unchanged, and check both sides live.

    Give the client the proxy's address as its endpoint; its key goes through and is kept nowhere. Each finding is
    printed when it happens, and Ctrl-C ends with the verdict. An endpoint on another machine needs `live = true` in
    tracksync.toml, since everything that the client sends takes effect there.

    \b
    Examples:
      tracksync proxy --upstream http://127.0.0.1:8080
      tracksync proxy --upstream live --record recordings/ --html proxy.html
      tracksync proxy --upstream https://braze.internal.example --ca ca.pem --max-requests 100

    Exit codes: 0 passed, 1 failed: an error by either side, 2 wrong use, 3 incomplete: no request could be checked.
    """
    from tracksync.cli.run import run
    from tracksync.engine.targets import trusted
    from tracksync.proxy import Keys, ProxyPlan, proxy

    if key_path is not None and cert_path is None:
        raise UsageError("--tls-key is the private key of a certificate; name that with --tls-cert")
    address, config = find_address(upstream, config_path)
    _no_circle(address, host, port)
    workspace = config.workspace
    loopback = configuration.is_loopback(address)
    interpretations_file = interpretations_path or (
        config.interpretations if config.interpretations and config.interpretations.exists() else None
    )
    plan = ProxyPlan(
        upstream=address,
        host=host,
        port=port,
        context=None if ca_path is None else trusted(ca_path),
        certificate=cert_path,
        certificate_key=key_path,
        loopback=loopback,
        timeout=timeout,
        interpretations=configuration.read_interpretations(interpretations_file) if interpretations_file else {},
        rate_limit=rate_limit or workspace.rate_limit,
        array_limit=workspace.array_limit,
        # Requests that do not pass the proxy count against the same window; on this machine there are none.
        shared=not loopback if workspace.shared is None else workspace.shared,
        strict=strict,
        allowed=frozenset(clauses_named(allow)),
        max_requests=max_requests,
        max_seconds=max_time,
        reproduce=reproduce_line("tracksync", "proxy"),
    )
    outputs = Outputs(json_path, junit_path, html_path, markdown_path, learn_path)
    keys = Keys([*environment_secrets(), *_known(config)])

    def ready(url: str) -> None:
        click.echo(f"tracksync proxy on {url}, handing on to {address}", err=outputs.to_stdout)
        click.echo(f"  export BRAZE_REST_ENDPOINT={url}", err=outputs.to_stdout)
        click.echo("  Ctrl-C ends it with the verdict", err=outputs.to_stdout)

    record = _recorder(directory, plan, keys)
    parts = urlsplit(address)
    with exchange_recorder(exchanges_path, lambda phase: f"{parts.scheme}://{parts.netloc}", keys) as write:
        return run(
            lambda emit: proxy(plan, emit, keys, ready),
            outputs=outputs,
            redactor=keys,
            conclude=keys.result,
            middleware=lambda emit: write(record(emit)),
        )


def _known(config: Config) -> list[str]:
    """The keys that the environment has for this workspace; none is needed, the client brings its own."""
    return [environment_key(name) or "" for name in (config.key_env, config.unprivileged_key_env)]


def _no_circle(address: str, host: str, port: int) -> None:
    parts = urlsplit(address)
    if port and parts.port == port and (parts.hostname == host or configuration.is_loopback(address)):
        raise UsageError(f"{address} is the address of the proxy itself; give one of the two another port")


def _recorder(directory: Path | None, plan: ProxyPlan, keys: Keys) -> Middleware:
    """Middleware that makes cassettes: of each finding against the endpoint, and of all traffic, piece by piece."""
    if directory is None:
        return unchanged
    from tracksync.cassettes.audit import Auditor
    from tracksync.cassettes.generating import CassetteDirectory, CassetteGenerator
    from tracksync.cassettes.manifest import ManifestEntry
    from tracksync.cassettes.session_recording import SessionRecorder

    entry = ManifestEntry(
        interpretations=dict(plan.interpretations),
        against=plan.upstream,
        rate_limit=plan.rate_limit,
        array_limit=plan.array_limit,
        clock_skew=None if plan.loopback else 300,
    )
    cassettes = CassetteDirectory(directory, Auditor(keys))
    name = time.strftime("session-%Y%m%d-%H%M%S", time.gmtime())

    def record(emit: Emit) -> Emit:
        session = SessionRecorder(cassettes, name, entry, keys, CassetteGenerator(cassettes, entry, keys, emit))

        def take(event: Event) -> None:
            session(event)
            if isinstance(event, RunEnded):
                click.echo(f"recorded: {len(session.written)} pieces of the session, in {directory}", err=True)
                for line in dict.fromkeys(cassettes.refused):
                    click.echo(f"not recorded: {line}", err=True)

        return take

    return record
