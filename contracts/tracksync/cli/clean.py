"""`tracksync clean`: deletes the test users that the journals of killed runs list."""

from __future__ import annotations

from pathlib import Path

import click

from tracksync.cli.shared import SECONDS, ca_option, config_option, journal_option
from tracksync.cli.target import find_target
from tracksync.errors import UsageError

INCOMPLETE = 3


@click.command("clean")
@journal_option
@click.option(
    "--wait",
    type=SECONDS,
    default=300.0,
    metavar="S",
    show_default=True,
    help="Seconds to wait for a slow deletion.",
)
@click.option("--discard", is_flag=True, help="Also delete the journals of the runs, which then cannot be resumed.")
@config_option
@ca_option
def command(journal_path: Path, wait: float, discard: bool, config_path: Path, ca_path: Path | None) -> int:
    """Delete the test users that a killed run left behind.

    Each run writes its users to a journal before it creates them. This command deletes them in batches of fifty,
    verifies that they are gone where the key may export, waits for slow deletions, and lists what is left. A killed run
    can still be resumed afterwards, with new users. The key needs the permission users.delete, and users.export.ids to
    verify.

    \b
    Examples:
      tracksync clean
      tracksync clean --discard --wait 30

    Exit codes: 0 no user is left (or every deletion was accepted and cannot be verified), 2 wrong use or
    configuration, 3 users are left.
    """
    from tracksync.live import journal as journals

    paths = journals.incomplete_runs(journal_path)
    if not paths:
        click.echo(f"nothing to clean: {journal_path} holds no journal of a run")
        return 0
    worst = 0
    for path in paths:
        worst = max(worst, _clean(path, wait, discard, config_path, ca_path))
    return worst


def _clean(path: Path, wait: float, discard: bool, config_path: Path, ca_path: Path | None) -> int:
    from tracksync.engine import FuzzPlan, TargetPlan
    from tracksync.engine.opening import open_target
    from tracksync.live import journal as journals
    from tracksync.live.journal_clean_up import clean

    state = journals.read(path)
    if state is None:
        journals.Journal.open(path).remove()
        click.echo(f"{path.name}: nothing was sent")
        return 0
    if not state.users and (not state.resumable or discard):
        journals.Journal.open(path).remove()
        click.echo(f"{path.name}: no user is left")
        return 0
    place = find_target(str(state.header.get("named", state.target)), config_path)
    if place.address != state.target:
        raise UsageError(f"the run of {path} was on {state.target}, and {config_path} now names {place.address}")
    try:
        journal = journals.Journal.open(path)
    except UsageError as error:
        click.echo(f"{path.name}: {error}", err=True)
        return INCOMPLETE
    saved = state.header.get("plan", {}).get("target", {}).get("verify", True)
    verify = str(ca_path) if ca_path is not None else saved
    plan = FuzzPlan(target=TargetPlan(address=place.address, key=place.key, verify=verify))
    target = open_target(plan, list(state.prefixes))
    try:
        done = clean(
            journal,
            target,
            deletion_timeout=wait,
            say=lambda text: click.echo(f"{path.name}: {text}"),
            keep=not discard,
        )
    finally:
        target.close()
    gone = done.users - len(done.left)
    seen = "seen to be gone" if done.verified else "deletion accepted"
    click.echo(f"{path.name}: {gone} of {done.users} users deleted ({seen})")
    if done.why:
        click.echo(f"{path.name}: {done.why}")
    for user in done.left[:20]:
        click.echo(f"  left: {' '.join(user)}")
    if len(done.left) > 20:
        click.echo(f"  and {len(done.left) - 20} more")
    if state.resumable and not discard:
        click.echo(f"{path.name}: its run was killed; `tracksync fuzz --resume` resumes it, --discard gives it up")
    return INCOMPLETE if done.left else 0
