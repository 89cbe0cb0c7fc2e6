"""Cleaning up: in batches, looking whether users are gone, and honest about those that are not."""

from __future__ import annotations

import json
from typing import Any

from tracksync.contract.bounds import DELETE
from tracksync.engine.user_deletion import Cleaner
from tracksync.generate.build import Step
from tracksync.model.exchange import Exchange, Response

IDS = [("external_id", f"tsaaaaaaaaaaaa-{number}") for number in range(120)]


class Workspace:
    """Deletes and exports as told. `slow`: exports that still show a deleted user."""

    def __init__(self, *, slow: int = 0, delete: int = 200, export: int = 200, refuse: str = "") -> None:
        self.slow, self.delete, self.export, self.refuse = slow, delete, export, refuse
        self.users = {name for _, name in IDS}
        self.batches: list[int] = []
        self.slept = 0.0
        self.deletions: list[Any] = []

    def send(self, step: Step) -> Exchange:
        body = json.loads(step.request.body)
        if step.request.path == DELETE:
            self.deletions.append(body)
            names = body.get("external_ids", [])
            self.batches.append(len(names))
            status = 400 if self.refuse and self.refuse in names else self.delete
            if status == 200 and not self.slow:
                self.users -= set(names)
            return self._answer(step, status, {"deleted": len(names), "message": "success"})
        if self.slow:
            self.slow -= 1
            if not self.slow:
                self.users.clear()
        shown = [{"external_id": name} for name in body.get("external_ids", []) if name in self.users]
        return self._answer(step, self.export, {"users": shown, "message": "success"})

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def _answer(self, step: Step, status: int, body: Any) -> Exchange:
        return Exchange(step.request, Response(status, (), json.dumps(body).encode()), 0.0, 0.0)


def test_users_are_deleted_fifty_at_a_time_and_seen_to_be_gone() -> None:
    workspace = Workspace()
    done = Cleaner(workspace.send, workspace.sleep).clean(IDS)
    assert workspace.batches == [50, 50, 20]
    assert (done.left, done.verified, done.deleted) == ((), True, 120)


def test_a_slow_deletion_is_waited_for() -> None:
    workspace = Workspace(slow=10)
    done = Cleaner(workspace.send, workspace.sleep).clean(IDS)
    assert done.verified
    assert workspace.slept > 1


def test_users_that_stay_are_named_after_the_time_out() -> None:
    workspace = Workspace(slow=10**6)
    done = Cleaner(workspace.send, workspace.sleep, deletion_timeout=100).clean(IDS)
    assert set(done.left) == set(IDS)
    assert "still there" in done.why
    assert 100 <= workspace.slept < 200


def test_a_key_that_may_not_delete_leaves_all_and_names_the_permission() -> None:
    done = Cleaner(Workspace(delete=403).send, lambda seconds: None).clean(IDS)
    assert set(done.left) == set(IDS)
    assert "users.delete" in done.why


def test_a_key_that_may_not_export_deletes_and_says_that_no_one_looked() -> None:
    workspace = Workspace(export=403)
    done = Cleaner(workspace.send, workspace.sleep).clean(IDS)
    assert (done.left, done.verified) == ((), False)
    assert "users.export.ids" in done.why


def test_one_name_that_is_refused_does_not_keep_its_batch_alive() -> None:
    workspace = Workspace(refuse=IDS[7][1])
    done = Cleaner(workspace.send, workspace.sleep).clean(IDS)
    assert done.left == (IDS[7],)
    assert workspace.users == {IDS[7][1]}


def test_emails_and_phones_are_deleted_with_the_prioritization_that_they_need() -> None:
    workspace = Workspace()
    Cleaner(workspace.send, workspace.sleep).clean(
        [("email", "tsaaaaaaaaaaaa-e@example.com"), ("phone", "+12025550100")]
    )
    assert {tuple(body) for body in workspace.deletions} == {("email_addresses",), ("phone_numbers",)}
    assert all(entry["prioritization"] for body in workspace.deletions for entry in next(iter(body.values())))


def test_an_alias_is_deleted_by_its_name_and_label() -> None:
    workspace = Workspace()
    Cleaner(workspace.send, workspace.sleep).clean([("user_alias", "label", "tsaaaaaaaaaaaa-a")])
    assert workspace.deletions == [{"user_aliases": [{"alias_label": "label", "alias_name": "tsaaaaaaaaaaaa-a"}]}]
