"""Faults against consistency: a server that follows one lawful interpretation now and another the next time."""

from __future__ import annotations

from typing import Any, Final

from tracksync.contract import ambiguities
from tracksync.faults.registry import fault, faults, row
from tracksync.mock.call import Call, WriteTask
from tracksync.mock.core import Core

# Why a fair oracle leaves some of them alone.
BEYOND: Final = {
    "body-size": "a second body over 4 MB is not worth its price",
    "date-attribute": "a server that keeps the text and one that normalises may show the same",
    "time-form": "each response is free in its form of times: the ambiguity is not learned",
    "extras": "each response is free in what it adds: the ambiguity is not learned",
    "surplus-message": "the wording of messages is free: the ambiguity is not learned",
    "invalid-object": "a size may be refused otherwise than a key name: the ambiguity is not learned",
    "coerced-types": "a server may read a price in a text and no name in a number: the ambiguity is not learned",
    "unused-sections-shown": "each response is free in what it leaves empty: the ambiguity is not learned",
    "rate-counting": "other requests on the workspace explain the same headers: the ambiguity is not learned",
    "headers-on-401": "the documents and the wire differ, and a response may follow either: it is not learned",
}
# Every ambiguity. Those consulted only where they matter change with every second request of that kind,
# the others with every second request.
WAVERING: Final = """
    bare-object alias-create empty-sections integer-identifiers array-overflow removed-attribute refused-attribute
    no-user unknown-braze-id content-type wrong-method body-size error-entries inc-missing update-without-merge
    emptied-array emptied-objects quantity-low remove-add-order date-attribute string-length purchase-count
    integer-products identifier-precedence empty-attributes array-repeats update-matches bad-email time-form extras
    surplus-message invalid-object coerced-types unused-sections-shown rate-counting headers-on-401
""".split()
ALIKE: Final = frozenset({"braze-id"})  # leads before external-id, and no run knows a braze_id of its users


@faults()(
    *(
        row(
            f"wavers-on-{name}",
            f"Every second request that meets the ambiguity {name} meets another of its interpretations.",
            "TS-INTERPRETATION-KEPT",
            beyond=BEYOND.get(name, ""),
            ambiguity=name,
        )
        for name in WAVERING
    )
)
def _wavering(ambiguity: str) -> type[Core]:
    """Follows the configured interpretation and, in every second request that consults it, the next one."""

    class Wavering(Core):
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

    return Wavering


@fault(
    "interpretations-of-another-release-after-a-while",
    "After sixty requests the server follows another interpretation of every ambiguity.",
    "TS-INTERPRETATION-KEPT",
)
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


@fault(
    "interpretations-by-section",
    "Whether users is empty or left out when no user is found depends on the section.",
    "TS-INTERPRETATION-KEPT",
)
class _InterpretationsBySection(Core):
    def no_user(self, call: Call, task: WriteTask) -> dict[str, Any]:
        body = super().no_user(call, task)
        if task.section == "attributes":
            return body
        if "users" in body:
            del body["users"]
            return body
        return body | {"users": []}
