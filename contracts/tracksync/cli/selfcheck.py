"""`tracksync selfcheck`: test the oracle with the mock's faults and interpretations, and show the matrix."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import Progress

from tracksync.cli.docs import show
from tracksync.cli.names import known_name
from tracksync.cli.run import written
from tracksync.cli.shared import Outputs, is_terminal, presentation, result_options

if TYPE_CHECKING:
    from tracksync.selfcheck import JobResult, Totals


@click.command("selfcheck")
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, metavar="N", show_default=True, help="The first seed."
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=2,
    metavar="N",
    show_default=True,
    help="Seeds for each interpretation.",
)
@click.option(
    "--pairs", type=click.IntRange(0, 10_000), default=30, metavar="N", show_default=True, help="Pairs of faults."
)
@click.option("--only", multiple=True, metavar="NAME", help="Only this fault or AMBIGUITY=INTERPRETATION; repeatable.")
@click.option(
    "--sample", type=click.IntRange(1, 10_000), default=1, metavar="N", show_default=True, help="Only every Nth fault."
)
@click.option("--causes", is_flag=True, help="Make findings short too, and count the causes that they are put down to.")
@click.option("--workers", type=click.IntRange(1, 256), metavar="N", help="Processes.  [default: one a core]")
@click.option("--scheduler", metavar="ADDRESS", help="Run on a cluster: the address of its Dask scheduler.")
@click.option("--list", "verbose", is_flag=True, help="List every fault with the clause that found it.")
@result_options
def command(
    seed: int,
    seeds: int,
    pairs: int,
    only: tuple[str, ...],
    sample: int,
    causes: bool,
    workers: int | None,
    scheduler: str | None,
    verbose: bool,
    json_path: Path | None,
    junit_path: Path | None,
    html_path: Path | None,
    markdown_path: Path | None,
) -> int:
    """Test the oracle: every fault of the mock must be found, and no lawful interpretation may have a finding.

    One fuzz run of 500 requests for each fault, for some pairs of faults, for each interpretation and for a covering
    array of all pairs of interpretations, on all cores. Ctrl-C ends it and shows the outcomes so far. The page of
    --html shows the matrix of faults and requests.

    \b
    Examples:
      tracksync selfcheck
      tracksync selfcheck --seeds 5 --html selfcheck.html --json selfcheck.json
      tracksync selfcheck --only event-count-stuck --list
      tracksync selfcheck --causes --sample 10 --pairs 20 --seeds 1

    Exit codes: 0 passed, 1 a fault survives or an interpretation has a finding, 2 wrong use, 3 incomplete.
    """
    from tracksync.selfcheck import run_all
    from tracksync.selfcheck.matrix import all_jobs

    if scheduler and workers:
        raise click.UsageError("--workers are processes of this machine; leave it out, or --scheduler")
    outputs = Outputs(json=json_path, junit=junit_path, html=html_path, markdown=markdown_path, page="selfcheck_page")
    outputs.check()
    jobs = all_jobs(seed, seeds, pairs, sample=sample, causes=causes)
    if only:
        chosen = [job for job in jobs if job.name in only]
        missing = set(only) - {job.name for job in chosen}
        for name in sorted(missing):
            known_name(
                name,
                [job.name for job in jobs],
                "fault or interpretation",
                "`tracksync mock --list-faults` lists faults",
            )
        jobs = chosen
    console = Console(stderr=True)
    hidden = presentation().quiet or not is_terminal(sys.stderr)
    with Progress(console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("selfcheck", total=len(jobs))
        checked = run_all(
            jobs,
            seed=seed,
            workers=workers,
            scheduler=scheduler,
            progress=lambda outcome, done, total: progress.update(task, completed=done),
        )
    result = checked.result()
    incomplete = len(checked.outcomes) < len(jobs)
    if incomplete:
        result["verdict"] = "incomplete"
    lines = [_line(outcome) for outcome in checked.outcomes] if verbose else []
    lines += _shown(checked.totals(), result, len(jobs))
    for line in lines[-1:] if presentation().quiet else lines:
        show(line, err=outputs.to_stdout)
    return written(result, outputs)


def _line(outcome: JobResult) -> str:
    where = ", ".join(f"{clause} ({request})" for clause, request in outcome.found[:3]) or "nothing"
    return f"{outcome.job.kind:19} {outcome.job.name:50} {where}"


def _shown(totals: Totals, result: dict[str, Any], jobs: int) -> Iterator[str]:
    """The totals; the last line has the verdict."""
    if totals.faults:
        share = 100 * totals.found_by_probes / totals.faults
        yield f"faults found           {totals.found} of {totals.faults} within 500 requests"
        yield f"  by the probes alone  {totals.found_by_probes} ({share:.1f} %)"
        yield f"  by a clause named    {totals.found_by_named_clause}"
    if totals.with_causes:
        yield f"  shown as one cause   {totals.one_cause} of {totals.with_causes}"
        yield f"  led by a clause named {totals.led}"
    if totals.pairs:
        yield f"pairs of faults found  {totals.pairs_found} of {totals.pairs}"
    if totals.pairs_with_causes:
        yield f"  shown as two causes  {totals.two_causes} of {totals.pairs_with_causes} pairs"
        yield f"  one fault hidden     {totals.pairs_hidden} of them: nothing was found that tells the two apart"
    if totals.interpretations:
        yield f"lawful runs accused    {len(totals.accused)} of {totals.interpretations}"
        yield f"requests of all probes {totals.directed_requests}"
    for title, names in (
        ("surviving faults", totals.survivors),
        ("found only as warnings", totals.weak),
        ("accused interpretations", totals.accused),
        ("clauses that no fault was seen to break", totals.unbroken),
    ):
        if names:
            yield f"{title}: {', '.join(names)}"
    yield (
        f"{result['verdict']}: {len(result['matrix'])} of {jobs} runs, {result['requests']} requests, "
        f"{result['seconds']:.0f} seconds"
    )
