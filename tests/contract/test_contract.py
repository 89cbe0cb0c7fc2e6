"""The contract of /users/track/sync against any server: `pytest tests/contract --target URL`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from contract_harness import ContractBroken, Harness
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from tracksync.generate import machine, strategies
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import ELSEWHERE, PROBES, Probe, rate_burst

# Requests cost nothing on the embedded mock; on a URL they are the scarce thing, and a minute has only so many.
EXAMPLES = {True: 60, False: 15}
STEPS = {True: 20, False: 10}


@pytest.mark.parametrize("probe", PROBES, ids=[probe.name for probe in PROBES])
def test_probe(harness: Harness, probe: Probe) -> None:
    broken(harness.hold, harness.play(probe))


def test_over_the_rate_limit_nothing_is_applied(harness: Harness) -> None:
    if not harness.probe_rate_limit:
        pytest.skip("going over the limit needs --probe-rate-limit")
    session = harness.session()
    config, begin = session.config, len(session.log)
    session.config = replace(config, pace=False)
    try:
        for step in rate_burst(Namer(harness.prefix, random.Random(0)), harness.rate_limit + 5):
            session.send(step)
            if any(sent.exchange.response and sent.exchange.response.status == 429 for sent in session.log[begin:]):
                break
    finally:
        session.config = config
    broken(harness.hold, session.log[begin:])


def test_any_steps_are_answered_as_promised(harness: Harness) -> None:
    names = Namer(harness.prefix, random.Random(0)).scope("drawn")

    @harness.settings(EXAMPLES[harness.embedded])
    @given(st.data())
    def check(data: st.DataObject) -> None:
        session, own = harness.example()
        for step in data.draw(
            strategies.sequences(names if harness.embedded else own, max_size=STEPS[harness.embedded])
        ):
            harness.send(session, step)

    broken(check)


def test_any_order_of_writes_is_remembered(harness: Harness) -> None:
    """Writes, refused writes and looks at both, in sequences that Hypothesis makes and shortens."""
    names = [Namer(harness.prefix, random.Random(0))]

    def send_factory() -> machine.Send:
        session, names[0] = harness.example()
        return lambda step: harness.send(session, step)

    made_for = machine.machine_class(send_factory, lambda: names[0])
    settings = harness.settings(EXAMPLES[harness.embedded], STEPS[harness.embedded])
    broken(lambda: run_state_machine_as_test(made_for, settings=settings))


def test_every_clause_was_put_to_the_test(harness: Harness) -> None:
    """On a URL what is left is told in the summary: a key may lack permissions, a limit may not be gone over."""
    if not harness.embedded:
        return
    for probe in PROBES:
        harness.play(probe)
    left = [clause for clause in harness.not_covered() if clause not in {*ELSEWHERE, "TS-ANSWER-ARRIVES"}]
    assert left == [], "no response covered these clauses"


def broken(check: Callable[..., object], *arguments: object) -> None:
    """Fail with what was found and the steps that show it, and without our own stack."""
    failure = ""
    try:
        check(*arguments)
    except ContractBroken as error:
        failure = "\n".join([f"{error}\n", *getattr(error, "__notes__", ())]).rstrip()
    if failure:
        pytest.fail(failure, pytrace=False)
