"""Make a failing sequence short: keep removing items while the same clause still breaks.

Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002) over steps, or over
the operations of a history. Knows nothing of targets: whoever calls says how a sequence is played or checked, since
playing costs requests on a live workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from tracksync.contract.bounds import bounds
from tracksync.generate.build import Step, encode
from tracksync.values.jsontext import read_json

Item = TypeVar("Item")


def shrink(steps: Sequence[Item], breaks: Callable[[Sequence[Item]], bool]) -> tuple[Item, ...]:
    """The shortest sequence found for which `breaks` holds; it must hold for `steps` itself.

    The last item, in which the break shows, always stays.
    """
    left = list(steps)
    size = max(len(left) // 2, 1)
    while len(left) > 1:
        removed = False
        start = 0
        while start < len(left) - 1:
            end = min(start + size, len(left) - 1)
            candidate = left[:start] + left[end:]
            if breaks(candidate):
                left = candidate
                removed = True
            else:
                start = end
        if size == 1 and not removed:
            break
        size = max(size // 2, 1)
    return tuple(left)


def related(steps: Sequence[Step], last: int, words: Callable[[Step], frozenset[str]]) -> list[Step]:
    """The steps up to `last` that share a word (an identifier) with it, directly or through another step."""
    wanted = set(words(steps[last]))
    chosen = [steps[last]]
    for step in reversed(steps[:last]):
        mine = words(step)
        if mine & wanted:
            wanted |= mine
            chosen.append(step)
    return chosen[::-1]


def with_less(steps: Sequence[Step], attribute: str | None) -> list[Step]:
    """The steps without what may have nothing to do with a finding about this custom attribute, or about none.

    Objects that write the attribute write no other one. Where it is about none, events and purchases of the last
    request have no optional members.
    """
    if attribute is not None:
        return [_changed(step, "attributes", lambda item: _of_attribute(item, attribute)) for step in steps]
    last = steps[-1]
    for section, members in bounds().required_members.items():
        if section != "attributes":
            kept = {*members, *bounds().naming_keys}
            last = _changed(last, section, lambda item, kept=kept: _only(item, kept))  # type: ignore[misc]
    return [*steps[:-1], last]


def _of_attribute(item: dict[str, Any], name: str) -> dict[str, Any]:
    return _only(item, {name, *bounds().naming_keys}) if name in item else item


def _only(item: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in names}


def _changed(step: Step, section: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Step:
    """The step with every object of a section changed; as it is where nothing is."""
    body = read_json(step.request.body).value
    listed = body.get(section) if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(listed, list):
        return step
    changed = [change(item) if isinstance(item, dict) else item for item in listed]
    if changed == listed:
        return step
    return replace(step, request=replace(step.request, body=encode({**body, section: changed})))
