"""Faults against consistency: a server that follows one lawful interpretation now and another the next time."""

from __future__ import annotations

from typing import Any, Final

from tracksync.contract import ambiguities
from tracksync.faults.registry import fault
from tracksync.mock.call import Call, WriteTask
from tracksync.mock.core import Core

# Every ambiguity. Those consulted only where they matter change with every second request of that kind,
# the others with every second request.
WAVERING: Final = (
    "bare-object",
    "alias-create",
    "empty-sections",
    "integer-identifiers",
    "array-overflow",
    "removed-attribute",
    "refused-attribute",
    "no-user",
    "unknown-braze-id",
    "content-type",
    "wrong-method",
    "body-size",
    "error-entries",
    "inc-missing",
    "update-without-merge",
    "emptied-array",
    "quantity-low",
    "remove-add-order",
    "date-attribute",
    "string-length",
    "purchase-count",
    "integer-products",
    "identifier-precedence",
    "empty-attributes",
    "array-repeats",
    "update-matches",
    "bad-email",
    "time-form",
    "extras",
    "surplus-message",
    "invalid-object",
    "coerced-types",
    "unused-sections-shown",
    "rate-counting",
    "headers-on-401",
)

ALIKE: Final = frozenset({"braze-id"})  # leads before external-id, and no run knows a braze_id of its users


def _waver(ambiguity: str) -> None:
    """Enter the fault that keeps to the configured reading of a row and, in every second request, to the next one."""

    class _Wavering(Core):
        __request = 0
        __consulted = 0

        def interpretation(self, name: str) -> str:
            configured = super().interpretation(name)
            if name != ambiguity:
                return configured
            if self.__request != self.requests:
                self.__request = self.requests
                self.__consulted += 1
            if self.__consulted % 2:
                return configured
            interpretations = tuple(
                one
                for one in ambiguities.ambiguity_catalogue()[ambiguity].interpretations
                if one == configured or one not in ALIKE
            )
            return interpretations[(interpretations.index(configured) + 1) % len(interpretations)]

    fault(f"wavers-on-{ambiguity}")(_Wavering)


for _ambiguity in WAVERING:
    _waver(_ambiguity)


@fault("interpretations-of-another-release-after-a-while")
class _InterpretationsOfAnotherReleaseAfterAWhile(Core):
    def admit(self, call: Call) -> None:
        super().admit(call)
        if call.number == 60:
            self.interpretations |= {
                name: next(
                    interpretation
                    for interpretation in ambiguity.interpretations
                    if interpretation != self.interpretations[name]
                )
                for name, ambiguity in ambiguities.ambiguity_catalogue().items()
                if ambiguity.learned
            }


@fault("interpretations-by-section")
class _InterpretationsBySection(Core):
    def nobody(self, call: Call, task: WriteTask) -> dict[str, Any]:
        body = super().nobody(call, task)
        if task.section == "attributes":
            return body
        if "users" in body:
            del body["users"]
            return body
        return body | {"users": []}
