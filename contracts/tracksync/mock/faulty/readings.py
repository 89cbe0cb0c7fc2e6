"""Faults against consistency: a server that follows one lawful reading now and another the next time."""

from __future__ import annotations

from typing import Any, Final

from tracksync import ledger
from tracksync.mock.call import Call, Task
from tracksync.mock.core import Core
from tracksync.mock.faulty.registry import fault

# Every row of the ledger. Those consulted only where they matter change with every second request of that kind,
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


def _waver(row: str) -> None:
    """Enter the fault that keeps to the configured reading of a row and, in every second request, to the next one."""

    class _Wavering(Core):
        __request = 0
        __consulted = 0

        def reading(self, name: str) -> str:
            configured = super().reading(name)
            if name != row:
                return configured
            if self.__request != self.requests:
                self.__request = self.requests
                self.__consulted += 1
            if self.__consulted % 2:
                return configured
            readings = tuple(one for one in ledger.ledger()[row].readings if one == configured or one not in ALIKE)
            return readings[(readings.index(configured) + 1) % len(readings)]

    fault(f"wavers-on-{row}")(_Wavering)


for _row in WAVERING:
    _waver(_row)


@fault("readings-of-another-release-after-a-while")
class _ReadingsOfAnotherReleaseAfterAWhile(Core):
    def admit(self, call: Call) -> None:
        super().admit(call)
        if call.number == 60:
            self.readings |= {
                name: next(reading for reading in row.readings if reading != self.readings[name])
                for name, row in ledger.ledger().items()
                if row.learned
            }


@fault("readings-by-section")
class _ReadingsBySection(Core):
    def nobody(self, call: Call, task: Task) -> dict[str, Any]:
        body = super().nobody(call, task)
        if task.section == "attributes":
            return body
        if "users" in body:
            del body["users"]
            return body
        return body | {"users": []}
