"""The pages of clauses, ambiguities, faults and scenarios, from their catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.clauses import Clause, Side, catalogue
from tracksync.faults.catalogue import catalogue as fault_catalogue
from tracksync.gate.guidance import guidance
from tracksync.gate.scenarios import expectation
from tracksync.mock.scenarios import Act, Scenario
from tracksync.mock.scenarios import catalogue as scenario_catalogue
from tracksync.model.page_addresses import Subject
from tracksync.model.verdict import severity_of
from tracksync.pages.entry import Entry, Fact, Named, Reference, facts

_COUNTS: Final = {
    "error": "a broken clause is an error and fails the run",
    "warning": "a broken clause is a warning; with --strict it fails the run",
    "note": "a broken clause is a note and does not fail the run",
}


def entries() -> Iterator[Entry]:
    """Every entry of the catalogues, in their order."""
    yield from map(_clause, catalogue(None).values())
    yield from _ambiguities()
    yield from _faults()
    yield from map(_scenario, scenario_catalogue().values())


def _clause(clause: Clause) -> Entry:
    server = clause.side is Side.SERVER
    advice = guidance().get(clause.id)
    scenarios = advice.scenarios if advice else ("normal",)
    # A clause that no scenario shows is one about what a driven client reports.
    gate = f"gate --scenario {scenarios[0]} -- COMMAND" if scenarios else "gate --driver -- ADAPTER"
    command = f"fuzz --only {clause.id}" if server else gate
    return Entry(
        Subject.CLAUSE,
        clause.id,
        clause.sentence,
        facts(
            Fact("Who keeps it", (f"a {clause.side}",)),
            Fact("Evidence", (f"{clause.evidence}: {_COUNTS[severity_of(clause.evidence)]}",)),
            Fact("Source", (clause.source,)),
            Fact("Questions that it leaves open", tuple(map(_ambiguity_reference, clause.ambiguities))),
            Fact("What to do", (advice.do,) if advice else ()),
            Fact("Refused under", tuple(map(_clause_reference, clause.refused_by))),
            Fact("Scenarios that show it", () if server else tuple(map(_scenario_reference, scenarios))),
            Fact("Faults that break it", tuple(_faults_of(clause.id))),
            Fact("Test it", (f"tracksync {command}",), code=True),
        ),
        "Clauses of a server" if server else "Clauses of a client",
    )


def _ambiguities() -> Iterator[Entry]:
    for one in ambiguity_catalogue().values():
        clauses = [clause for clause in catalogue(None).values() if one.name in clause.ambiguities]
        choices = [
            Named(name, sentence + (" (default of the mock)" if name == one.default else ""), anchor=True)
            for name, sentence in one.interpretations.items()
        ]
        consistency = (
            "A server has to keep to the interpretation that it has shown."
            if one.learned
            else "Every response may follow another one."
        )
        yield Entry(
            Subject.AMBIGUITY,
            one.name,
            one.question,
            facts(
                Fact("Lawful interpretations", tuple(choices)),
                Fact("Consistency", (consistency,)),
                Fact("Source", (one.source,)),
                Fact("Clauses that leave it open", tuple(_clause_reference(clause.id) for clause in clauses)),
                Fact(
                    "Follow an interpretation",
                    tuple(f"tracksync mock --interpretation {one.name}={name}" for name in one.interpretations),
                    code=True,
                ),
            ),
        )


def _faults() -> Iterator[Entry]:
    for fault in fault_catalogue().values():
        only = "race" if fault.family == "race" else "fuzz"
        yield Entry(
            Subject.FAULT,
            fault.name,
            fault.sentence,
            facts(
                Fact("Clauses that it breaks", tuple(map(_clause_reference, fault.clauses))),
                Fact("Family", (fault.family,)),
                Fact("Why an oracle leaves it alone", (fault.beyond,) if fault.beyond else ()),
                Fact(
                    "See it",
                    (f"tracksync {only} --fault {fault.name}", f"tracksync mock --fault {fault.name}"),
                    code=True,
                ),
            ),
            fault.family,
        )


def _scenario(scenario: Scenario) -> Entry:
    settings = [
        f"{name} = {value}"
        for name in ("rate_limit", "window_seconds", "clock_ahead", "http2")
        if (value := getattr(scenario, name))
    ]
    settings += [f"interpretation {name}={value}" for name, value in scenario.interpretations.items()]
    shown_by = [clause for clause, advice in guidance().items() if scenario.name in advice.scenarios]
    return Entry(
        Subject.SCENARIO,
        scenario.name,
        scenario.sentence,
        facts(
            Fact("What happens to single requests", tuple(map(_act, scenario.acts))),
            Fact("Settings", tuple(settings)),
            Fact("What is expected of a client", (expectation(scenario).sentence,)),
            Fact("Clauses that it shows", tuple(map(_clause_reference, shown_by))),
            Fact(
                "Play it",
                (f"tracksync gate --scenario {scenario.name} -- COMMAND", f"tracksync mock --scenario {scenario.name}"),
                code=True,
            ),
        ),
    )


def _act(act: Act) -> str:
    """`status, times = 2, status = 503`: what an act does, with the settings that are not the default."""
    given = [
        f"{one.name} = {getattr(act, one.name)}"
        for one in fields(act)
        if one.name != "do" and getattr(act, one.name) != one.default
    ]
    return ", ".join([act.do, *given])


def _clause_reference(id_: str) -> Reference:
    return Reference(Subject.CLAUSE, id_, catalogue(None)[id_].sentence)


def _ambiguity_reference(name: str) -> Reference:
    return Reference(Subject.AMBIGUITY, name, ambiguity_catalogue()[name].question)


def _scenario_reference(name: str) -> Reference:
    return Reference(Subject.SCENARIO, name, scenario_catalogue()[name].sentence)


def _faults_of(clause: str) -> Iterator[Reference]:
    for fault in fault_catalogue().values():
        if clause in fault.clauses:
            yield Reference(Subject.FAULT, fault.name, fault.sentence)
