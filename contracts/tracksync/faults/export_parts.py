"""Faults of the parts of an exported profile: left out, wrongly named, wrongly typed, cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import faults, row
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


# --- what was asked for and is left out -----------------------------------------------------------------------
@faults("TS-EXPORT-FIELDS")(
    row(
        "export-without-events",
        "An export leaves custom_events out.",
        "TS-EXPORT-ANSWER",
        "TS-EXPORT-AGREES",
        part="custom_events",
    ),
    row(
        "export-without-purchases",
        "An export leaves purchases out.",
        "TS-EXPORT-ANSWER",
        "TS-EXPORT-AGREES",
        part="purchases",
    ),
    row(
        "export-leaves-attributes-out",
        "An export leaves custom_attributes out.",
        "TS-EXPORT-ANSWER",
        "TS-EXPORT-AGREES",
        part="custom_attributes",
    ),
    row("export-without-external-id", "An export leaves external_id out.", part="external_id"),
    row("export-without-braze-id", "An export leaves braze_id out.", part="braze_id"),
    row("export-without-aliases", "An export leaves user_aliases out.", part="user_aliases"),
    row("export-without-email", "An export leaves email out.", part="email"),
    row("export-without-phone", "An export leaves phone out.", part="phone"),
)
def _left_out(part: str) -> type[Core]:
    """Leaves one part of every profile out."""

    class LeftOut(Core):
        def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
            entry = super().exported(profile, wanted)
            return {name: held for name, held in entry.items() if name != part}

    return LeftOut


# --- names and types ------------------------------------------------------------------------------------------
@faults("TS-EXPORT-ANSWER")(
    row(
        "export-attributes-under-attributes",
        "custom_attributes are called attributes.",
        part="custom_attributes",
        shown="attributes",
    ),
    row("export-events-under-events", "custom_events are called events.", part="custom_events", shown="events"),
    row(
        "export-purchases-under-purchase-events",
        "purchases are called purchase_events.",
        part="purchases",
        shown="purchase_events",
    ),
    row(
        "export-external-id-under-user-id",
        "external_id is called user_id.",
        "TS-EXPORT-FIELDS",
        part="external_id",
        shown="user_id",
    ),
    row(
        "export-aliases-under-alias",
        "user_aliases are called user_alias.",
        "TS-EXPORT-FIELDS",
        part="user_aliases",
        shown="user_alias",
    ),
)
def _renamed(part: str, shown: str) -> type[Core]:
    """Gives one part of every profile another name."""

    class Renamed(Core):
        def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
            entry = super().exported(profile, wanted)
            return {shown if key == part else key: held for key, held in entry.items()}

    return Renamed


def _listed(held: Any) -> Any:
    return [{"name": name, "value": value} for name, value in held.items()]


def each(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], Any]:
    """A change of every entry of a part."""
    return lambda held: [change(tally) for tally in held]


@faults("TS-EXPORT-AGREES")(
    row(
        "export-attributes-as-list",
        "custom_attributes are a list of names and values.",
        "TS-EXPORT-ANSWER",
        part="custom_attributes",
        change=_listed,
    ),
    row(
        "export-attributes-of-json",
        "custom_attributes are a text of JSON.",
        "TS-EXPORT-ANSWER",
        part="custom_attributes",
        change=json.dumps,
    ),
    row(
        "export-null-for-no-attributes",
        "custom_attributes are null where there are none.",
        "TS-EXPORT-ANSWER",
        part="custom_attributes",
        change=lambda held: held or None,
        beyond="no document says how an export shows a part that holds nothing",
    ),
    row(
        "export-attribute-names-lower",
        "Names of exported attributes are in lower case.",
        part="custom_attributes",
        change=lambda held: {name.lower(): value for name, value in held.items()},
    ),
    row(
        "export-arrays-cut",
        "Of exported arrays only the first element is shown.",
        part="custom_attributes",
        change=lambda held: {name: value[:1] if isinstance(value, list) else value for name, value in held.items()},
    ),
    row(
        "export-event-count-as-text",
        "Counts of exported events are texts.",
        "TS-OK-COUNT-FORM",
        "TS-EXPORT-ANSWER",
        part="custom_events",
        change=each(lambda tally: tally | {"count": str(tally["count"])}),
    ),
    row(
        "export-event-name-under-event",
        "The name of an exported event is called event.",
        "TS-EXPORT-ANSWER",
        part="custom_events",
        change=each(lambda tally: {"event" if name == "name" else name: held for name, held in tally.items()}),
    ),
    row(
        "export-event-without-first",
        "Exported events lack first.",
        "TS-OK-TIME-FORM",
        "TS-EXPORT-ANSWER",
        part="custom_events",
        change=each(lambda tally: {name: held for name, held in tally.items() if name != "first"}),
    ),
    row(
        "export-purchase-without-last",
        "Exported purchases lack last.",
        "TS-OK-TIME-FORM",
        "TS-EXPORT-ANSWER",
        part="purchases",
        change=each(lambda tally: {name: held for name, held in tally.items() if name != "last"}),
    ),
    row(
        "export-purchase-without-count",
        "Exported purchases lack count.",
        "TS-OK-COUNT-FORM",
        "TS-EXPORT-ANSWER",
        part="purchases",
        change=each(lambda tally: {name: held for name, held in tally.items() if name != "count"}),
    ),
    row(
        "export-event-times-as-numbers",
        "Times of exported events are numbers of seconds.",
        "TS-OK-TIME-FORM",
        "TS-EXPORT-ANSWER",
        part="custom_events",
        change=each(lambda tally: tally | {"first": 0, "last": 0}),
    ),
    row(
        "export-first-event-only",
        "Of several events only the first is exported.",
        part="custom_events",
        change=lambda held: held[:1],
    ),
    row(
        "export-last-purchase-only",
        "Of several products only the last is exported.",
        part="purchases",
        change=lambda held: held[-1:],
    ),
    row(
        "export-event-count-ends-at-three",
        "Exported counts of events end at three.",
        part="custom_events",
        change=each(lambda tally: tally | {"count": min(3, tally["count"])}),
    ),
    row("export-event-twice", "Each event is exported twice.", part="custom_events", change=lambda held: held * 2),
    row(
        "export-external-id-lower",
        "An exported external_id is in lower case.",
        "TS-EXPORT-USERS",
        "TS-EXPORT-AGREES",
        part="external_id",
        change=str.lower,
    ),
    row(
        "export-alias-swapped",
        "The name and the label of an exported alias are swapped.",
        "TS-EXPORT-FIELDS",
        part="user_aliases",
        change=each(lambda alias: {"alias_name": alias["alias_label"], "alias_label": alias["alias_name"]}),
    ),
)
def changed(part: str | tuple[str, ...], change: Callable[[Any], Any]) -> type[Core]:
    """Shows one part of every profile, or several, in another form or with another content."""
    parts = (part,) if isinstance(part, str) else part

    class Changed(Core):
        def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
            entry = super().exported(profile, wanted)
            return entry | {name: change(entry[name]) for name in parts if entry.get(name) is not None}

    return Changed
