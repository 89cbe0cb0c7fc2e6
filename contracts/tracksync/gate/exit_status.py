"""What the exit status of the command says: of the client, and of the command itself. Pure.

Of the client it is evidence only where it is known that the command succeeds when nothing is wrong, and where the user
did not say what is expected of it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Final

from tracksync.contract.bounds import SYNC, TRACK
from tracksync.gate.client_behaviour import cells_of
from tracksync.gate.plan import ObservePlan, ScenarioRun
from tracksync.gate.retries import request_key
from tracksync.gate.scenarios import NORMAL, Expect, Family, expectation
from tracksync.model.exchange import Credential, Exchange
from tracksync.model.finding import Finding
from tracksync.oracle.request import read_request

ENOUGH: Final = 4  # tries of one request; in each scenario of failures that pass, three are enough for one sent alone


@dataclass(frozen=True, slots=True)
class ExitEvidence:
    """`clause`: the clause that the exit status bears on, empty for none; `finding`: how it is broken, if it is."""

    clause: str = ""
    finding: Finding | None = None
    exchanges: tuple[Exchange, ...] = ()


NOT_APPLIED: Final = frozenset({429, 502, 503})  # ERRORS: the request was not let in, or did not reach its destination
_NONE = ExitEvidence()


def expected_end(plan: ObservePlan, run: ScenarioRun) -> Expect:
    """How the command is expected to end under the scenario of `run`."""
    implied: Expect = "success" if plan.aware else expectation(run.scenario).expect
    return plan.expected.get(run.scenario.name, implied)


def evidence_of_exit(plan: ObservePlan, run: ScenarioRun, *, normal_succeeded: bool) -> ExitEvidence:
    """What the exit status under one scenario says of the client."""
    name = run.scenario.name
    if run.end is None or run.timed_out or run.last is None or plan.aware or name in plan.expected:
        return _NONE
    how, failed = run.end.describe(), run.end.failed
    # Two scenarios that the same clause is about are two places: one of them may be known, and the other new.
    place = f"/outcome/{name}"
    match expectation(run.scenario).family:
        case Family.UNAPPLIED if run.unapplied is not None:
            text = "nothing was applied, and the command ended with success"
            wrong = Finding("TC-NOT-APPLIED", text, place, "a failure", how)
            return ExitEvidence("TC-NOT-APPLIED", None if failed else wrong, (run.unapplied,))
        case Family.LASTING if (never := _never_succeeded(run)) is not None:
            text = "a request failed, however often it was sent, and the command ended with success"
            wrong = Finding("TC-FAILURE-TOLD", text, place, "a failure", how)
            return ExitEvidence("TC-FAILURE-TOLD", None if failed else wrong, (never,))
        case Family.HARMLESS if normal_succeeded and not _hung_up(run):
            text = f"under normal the command succeeds, under {name} it does not, though all of it is lawful"
            wrong = Finding("TC-TOLERANT", text, place, "exit status 0", how)
            return ExitEvidence("TC-TOLERANT", wrong if failed else None, (run.last,))
        case Family.TRANSIENT if normal_succeeded and not failed and (left := _left_undone(run)) is not None:
            text = "a request failed and what it asked for was never done, and the command ended with success"
            wrong = Finding("TC-FAILURE-TOLD", text, place, "a failure", how)
            return ExitEvidence("TC-FAILURE-TOLD", wrong, (left,))
        case Family.TRANSIENT if (
            normal_succeeded and run.disturbed is not None and not (run.risky and failed) and not _tried_enough(run)
        ):
            text = f"under normal the command succeeds, after failures that pass ({name}) it does not"
            wrong = Finding("TC-RECOVERS", text, place, "exit status 0", how)
            return ExitEvidence("TC-RECOVERS", wrong if failed else None, (run.last,))
    return _NONE


def _never_succeeded(run: ScenarioRun) -> Exchange | None:
    """The last try of a request that failed for good; None where every request may have succeeded in the end.

    Where some requests are served, one that was sent once may have been sent again in other words.
    """
    tries = _tries(run)
    served = not all(_failed(exchange) for row in tries for exchange in row)
    rows = [row for row in tries if _failed(row[-1]) and not (served and len(row) == 1)]
    return max((row[-1] for row in rows), key=lambda exchange: exchange.received, default=None)


def _left_undone(run: ScenarioRun) -> Exchange | None:
    """The last request that was not applied and that no later one about the same cell made good; None for none."""
    left: dict[Hashable, Exchange] = {}
    for exchange in (one.exchange for one in run.checked):
        status = exchange.response.status if exchange.response else None
        for _, cell in cells_of(read_request(replace(exchange, credential=Credential.VALID))):
            if status in NOT_APPLIED:
                left[cell] = exchange
            else:
                left.pop(cell, None)
    return max(left.values(), key=lambda exchange: exchange.received, default=None)


def _tried_enough(run: ScenarioRun) -> bool:
    """Whether every request that failed in the end had been sent so often that to give it up is right.

    Many requests at once use up a limit again and again, so that some of them meet it at every try.
    """
    return any(
        (failed := [len(row) for row in _tries(run, timeless=timeless) if _failed(row[-1])]) and min(failed) >= ENOUGH
        for timeless in (True, False)
    )


def _tries(run: ScenarioRun, *, timeless: bool = True) -> list[list[Exchange]]:
    """The tries of each request, in the order in which they ended; `timeless`: the same but for their time."""
    tries: dict[Hashable, list[Exchange]] = {}
    for exchange in (one.exchange for one in run.checked):
        if exchange.request.path.partition("?")[0] in (SYNC, TRACK):
            tries.setdefault(request_key(exchange, timeless=timeless), []).append(exchange)
    return list(tries.values())


def _failed(exchange: Exchange) -> bool:
    return exchange.response is None or exchange.response.status >= 400


def _hung_up(run: ScenarioRun) -> bool:
    """Whether the client did not wait for a response: a clause of its own says how long it has to."""
    return any(seen.finding.clause in ("TC-TIMEOUT", "TC-TIMEOUT-TEN") for seen in run.found)


def own_failure(plan: ObservePlan, run: ScenarioRun, *, normal_known: bool) -> str:
    """Why the command itself counts as failed under the scenario of `run`, whatever its client did; empty if not.

    `normal_known`: the command was run under `normal` too, so that an unexpected failure elsewhere is evidence about
    the client instead.
    """
    if run.end is None or run.timed_out:
        return ""
    name, how, expected = run.scenario.name, run.end.describe(), expected_end(plan, run)
    if name in plan.expected or plan.aware:
        option = "--expect" if name in plan.expected else "--scenario-aware"
        if expected != "any" and (expected == "success") != run.succeeded:
            return f"under {name} the command ended with {how}, and {expected} was expected of it ({option})"
        return ""
    if name == NORMAL and run.end.failed:
        return f"the command failed under normal: {how}"
    if expected == "success" and run.end.failed and not normal_known and not run.risky:
        return (
            f"the command failed under {name}: {how}; run it under normal too (--scenario normal), to see whether "
            "that is what the scenario does to it"
        )
    return ""
