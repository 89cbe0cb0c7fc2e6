"""Step four for a 201 of /users/track/sync: which user it shows, and whether it is the one that the request names.

Tries every profile that the request may be about; what is shown of attributes, events and purchases is checked in
`check_attributes` and `check_counters`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import response_body, users
from tracksync.oracle.ambiguous_writes import make_unknown
from tracksync.oracle.belief import Belief, User
from tracksync.oracle.check_attributes import check_attributes
from tracksync.oracle.check_counters import check_counter
from tracksync.oracle.context import Context, changed
from tracksync.oracle.identifiers import identifier_of
from tracksync.oracle.pending import emptied
from tracksync.oracle.request import ParsedRequest
from tracksync.oracle.response_body import Success
from tracksync.oracle.spelling import folded
from tracksync.oracle.users import Candidate

USERS: Final = "/response/body/users"
_SECTIONS_SHOWN: Final = ("custom_attributes", *(member for member, _ in response_body.SECTION_MEMBERS.values()))
OF_SUCCESS: Final = frozenset({"TS-OK-MESSAGE", "TS-OK-NO-ERRORS", "TS-OK-USERS"})

# Clauses of findings by which the state of another user shows.
_OF_ANOTHER: Final = frozenset({"TS-ATTR-INC", "TS-EVENT-COUNT", "TS-STATE-USERS-APART", "TS-STATE-KEYS-APART"})
_OF_ANOTHER_BY_CONTACT: Final = _OF_ANOTHER | {"TS-PURCHASE-COUNT", "TS-STATE-VISIBLE"}

_OF_A_STATE: Final = ("TS-USER-", "TS-STATE-", "TS-EVENT-", "TS-PURCHASE-", "TS-ATTR-", "TS-ARRAY-", "TS-OBJECT")


def check_write(context: Context, body: dict[str, Any]) -> None:
    """Find a profile, and for its cells outcomes, that the body of a 201 fits; `context` takes what that shows."""
    if context.parsed.section != "purchases":
        _check_write(context, body)
        return
    attempt = Context(context.belief, context.exchange, context.parsed, context.in_flight)
    _check_write(attempt, body)
    shown = _shows_a_purchase(body)
    wrong = len(attempt.findings) > len(response_body.check_message(body))
    if not shown and (wrong or body.get("users")) and "without-effect" in context.belief.ambiguities["purchase-events"]:
        context.findings += response_body.check_message(body)
        if wrong:
            context.hold("purchase-events", frozenset(["without-effect"]), USERS)
        make_unknown(context)  # an entry without a purchase may also be how the response shows that there is no user
        return
    _adopt(context, attempt)
    if shown:
        context.hold("purchase-events", frozenset(["available"]), USERS)


def _shows_a_purchase(body: dict[str, Any]) -> bool:
    listed = body.get("users")
    entries = listed if isinstance(listed, list) else [listed]
    return any(isinstance(entry, dict) and entry.get("purchase_events") for entry in entries)


def _check_write(context: Context, body: dict[str, Any]) -> None:
    success, findings = response_body.check_success(body)
    context.findings += findings
    context.covered |= OF_SUCCESS
    if success.found is None:
        make_unknown(context)
        return
    candidates = users.candidates(context.belief, context.parsed)
    attempts = [_attempt(context, candidate, success) for candidate in candidates]
    if _may_show_no_user(context, success):
        none_found = replace(success, found=False, entry=None)
        others = [attempt for one in candidates if not (attempt := _attempt(context, one, none_found)).findings]
        if others and all(attempt.findings for attempt in attempts):
            candidates, attempts = candidates[:1], others[:1]
        elif others:
            make_unknown(context)  # the entry does not tell whether the user exists
            context.covered |= others[0].covered
            return
    if len(attempts) <= 1:
        for attempt in attempts:
            _adopt(context, attempt)
        return
    fitting = [pair for pair in zip(candidates, attempts, strict=True) if not pair[1].findings]
    if len({(candidate.uid, candidate.kind) for candidate, _ in fitting}) > 1:
        make_unknown(context)  # the response does not tell which of them was written
        context.covered |= fitting[0][1].covered
    elif fitting:
        context.findings += _found_by_a_former_contact(context, fitting[0][0])
        _adopt(context, fitting[0][1])
        context.belief = context.belief.narrow([candidate.requires for candidate, _ in fitting])
    else:
        _adopt(context, next(filter(_only_contradicts, attempts), attempts[0]))


def _may_show_no_user(context: Context, success: Success) -> bool:
    """Whether the entry has the request's identifier and nothing else: ambiguity no-user."""
    entry, parsed = success.entry, context.parsed
    if entry is None or any(map(entry.get, _SECTIONS_SHOWN)):
        return False
    if not (parsed.update_only or any(kind in ("user_alias", "braze_id") for kind, _ in parsed.identifiers)):
        return False  # a user would have been created
    allowed = "identifier" in context.belief.ambiguities["no-user"]
    return allowed and not response_body.check_identifier(parsed, entry)[0]


def _attempt(context: Context, candidate: Candidate, success: Success) -> Context:
    """Check the response as if the request were about this candidate."""
    attempt = Context(context.belief, context.exchange, context.parsed, context.in_flight)
    _check_candidate(attempt, candidate, success)
    if context.belief.deleted:
        _name_by_deletion(attempt, candidate)
    return attempt


def _name_by_deletion(context: Context, candidate: Candidate) -> None:
    """What a user has of which nothing was written since it was deleted is there because of the deletion."""
    parsed = context.parsed
    leading = [identifier_of(kind, value) for kind, value in parsed.identifiers if kind == candidate.kind]
    if not any(one in context.belief.deleted for one in leading) or any(
        key in candidate.user.cells for key in parsed.cells()
    ):
        return
    context.covered.add("TS-DELETE-DONE")
    context.findings = [
        dataclasses.replace(one, clause="TS-DELETE-DONE", message=f"{one.message}; the user was deleted")
        if one.clause.startswith(_OF_A_STATE)
        else one
        for one in context.findings
    ]


def _found_by_a_former_contact(context: Context, candidate: Candidate) -> Iterator[Finding]:
    """The response can be about no other profile than one that has another email or phone by now."""
    for kind, value in context.parsed.identifiers:
        identifier = identifier_of(kind, value)
        if kind == candidate.kind and kind in bounds().contacts and identifier in context.belief.links:
            context.covered.add("TS-USER-FORMER-CONTACT")
            sure = any(link.uid == candidate.uid and link.sure for link in context.belief.links[identifier])
            if identifier in candidate.user.former and not sure:
                text = f"the response shows the user that replaced this {kind} by another one"
                yield Finding("TS-USER-FORMER-CONTACT", text, USERS, "another user")


def _adopt(context: Context, attempt: Context) -> None:
    """The request was about the candidate of this attempt."""
    context.belief = attempt.belief
    context.findings += attempt.findings
    context.covered |= attempt.covered


def _only_contradicts(attempt: Context) -> bool:
    """Whether all that is wrong is that the server contradicts the interpretation it has shown."""
    return all(finding.clause == "TS-INTERPRETATION-KEPT" for finding in attempt.findings)


def _check_candidate(context: Context, candidate: Candidate, success: Success) -> None:
    """Check that the response shows a user or none as this candidate demands, and then what it shows of the user."""
    parsed = context.parsed
    if success.entry is not None and candidate.user.exists and not candidate.requires:  # the usual case, at less cost
        context.covered.add(user_clause(parsed, candidate))
        _check_entry(context, candidate, success.entry)
        return
    due = candidate.user.due
    if due is not None and due < context.exchange.sent and candidate.user.exists is None:
        context.covered.add("TS-TRACK-APPLIED")
        if not success.found:
            text = "a user that /users/track was to create does not exist"
            context.findings.append(Finding("TS-TRACK-APPLIED", text, USERS, "one entry", success.users))
            return
        candidate = replace(candidate, user=replace(candidate.user, exists=True))
    meanwhile = candidate.user.exists and not success.found and candidate.user.touched >= context.exchange.sent
    if meanwhile:  # it may have been created after this request had looked for it
        candidate = replace(candidate, user=replace(candidate.user, exists=None))
    lawful = check_path(context, candidate, success)
    if meanwhile and lawful:
        return
    if success.entry is not None:
        _check_entry(context, candidate, success.entry)
    else:
        _check_no_user(context, candidate, success, lawful=lawful)


def check_path(context: Context, candidate: Candidate, success: Success) -> bool:
    """Check whether a user may be found or created, or not. Returns whether what the response shows is lawful."""
    parsed, belief = context.parsed, context.belief
    clause = user_clause(parsed, candidate)
    paths = users.paths(belief, parsed, candidate)
    definite = len({path.found for path in paths}) == 1
    if (definite and candidate.user.exists is not None) or candidate.requires or any(path.requires for path in paths):
        context.covered.add(clause)
    shown = [(*candidate.requires, *path.requires) for path in paths if path.found is success.found]
    allowed = [requires for requires in shown if belief.allows(requires)]
    if allowed:
        if candidate.user.exists is False or definite:
            context.belief = belief.narrow(allowed)
        return True
    if shown:
        ambiguity, answer = shown[0][-1]
        context.findings.append(changed(ambiguity, belief.ambiguities[ambiguity], [answer], USERS))
    else:
        if success.found and candidate.kind == "user_alias" and _is_known_under_another_label(belief, parsed):
            clause = "TS-USER-ALIAS-LABEL"
        context.findings.append(_wrong_user(parsed, candidate, success, clause))
    return False


def _check_no_user(context: Context, candidate: Candidate, success: Success, *, lawful: bool) -> None:
    """The response shows no user: the belief after it, and which interpretation of no-user it shows."""
    parsed, user = context.parsed, candidate.user
    if lawful and candidate.kind == "braze_id" and candidate.uid is not None and len(user.identifiers) > 1:
        # It is not assigned again, whoever is made anew by the other identifiers.
        context.belief = users.unlinked(context.belief, parsed, candidate.uid)
        candidate = replace(candidate, uid=None)
        user = User(exists=False, fresh=True, external=False)
    certain = lawful and not user.may_be_created
    user = replace(user, exists=False if certain else None, fresh=lawful or user.fresh)
    if lawful:
        user = user.with_cells({key: emptied(cell) for key, cell in user.cells.items()})
    context.belief, _ = users.linked(context.belief, parsed, candidate, user, found=False)
    context.covered.add("TS-USER-UPDATE-ONLY" if parsed.update_only else user_clause(parsed, candidate))
    if lawful:
        shown = "omitted" if success.users is NOTHING else "identifier" if success.users else "empty-list"
        context.hold("no-user", frozenset([shown]), USERS)


def user_clause(parsed: ParsedRequest, candidate: Candidate) -> str:
    """The clause on whether this user is found or created."""
    kind, exists = candidate.kind, candidate.user.exists
    if exists:
        if parsed.update_only:
            return "TS-USER-UPDATE-KNOWN"
        return {"email": "TS-USER-EMAIL-FINDS", "phone": "TS-USER-PHONE-FINDS"}.get(kind, "TS-OK-USERS")
    if kind == "braze_id":
        return "TS-USER-BRAZE-ID"
    if parsed.update_only:
        return "TS-USER-UPDATE-ONLY"
    if kind == "user_alias":
        if parsed.update_only is None:
            return "TS-USER-ALIAS-DEFAULT"
        return "TS-USER-ALIAS-CREATE" if parsed.section == "attributes" else "TS-USER-ALIAS-CREATE-EVENT"
    return {"email": "TS-USER-EMAIL-CREATE", "phone": "TS-USER-PHONE-CREATE"}.get(kind, "TS-USER-CREATE")


def _is_known_under_another_label(belief: Belief, parsed: ParsedRequest) -> bool:
    """Whether the request's alias_name is known together with another alias_label."""
    own = identifier_of("user_alias", dict(parsed.identifiers)["user_alias"])
    alike = belief.spellings.get(folded(own.text), ())
    return any(one.kind == "user_alias" and one.text == own.text and one.label != own.label for one in alike)


def _wrong_user(parsed: ParsedRequest, candidate: Candidate, success: Success, clause: str) -> Finding:
    known = {True: "exists", False: "does not exist", None: "may not exist"}[candidate.user.exists]
    flag = {True: "true", False: "false", None: "left out"}[parsed.update_only]
    what, expected = ("lists a user", "no entry") if success.found else ("lists no user", "one entry")
    text = f"the response {what}; the {candidate.kind} {known} and _update_existing_only is {flag}"
    return Finding(clause, text, USERS, expected, success.users)


def _check_entry(context: Context, candidate: Candidate, entry: dict[str, Any]) -> None:
    """Check what the response's entry shows of the user, and store and link the user."""
    parsed = context.parsed
    assert parsed.section is not None
    findings, answer = response_body.check_identifier(parsed, entry)
    context.findings += findings
    context.covered.add("TS-OK-IDENTIFIER")
    if answer is not None:
        context.hold("integer-identifiers", frozenset([answer]), response_body.ENTRY)
    context.findings += response_body.check_other_sections(parsed.section, entry)
    if candidate.kind != "external_id":
        context.covered.update(_covered_by_entry(parsed, candidate))
    moment = context.belief.moment
    user, received = candidate.user, context.exchange.received
    profile_updated = moment if parsed.section == "attributes" else user.profile_updated
    user = replace(
        user, exists=True, updated=moment, may_be_created=False, profile_updated=profile_updated, touched=received
    )
    check_cells = check_attributes if parsed.section == "attributes" else check_counter
    user = check_cells(context, candidate, user, entry)
    if context.findings:
        context.findings = _named_by_identifier(context, candidate, entry)
    context.belief = users.with_write(context.belief, parsed, candidate, user)


def _covered_by_entry(parsed: ParsedRequest, candidate: Candidate) -> Iterator[str]:
    """The clauses on identifiers that an entry of the response bears on."""
    if [kind for kind, _ in parsed.identifiers] == ["email", "phone"]:
        yield "TS-USER-EMAIL-LEADS"
    if candidate.user.exists and candidate.kind in bounds().contacts:
        yield f"TS-USER-{candidate.kind.upper()}-FINDS"
    if candidate.user.exists is False and candidate.kind == "user_alias" and parsed.update_only is False:
        yield "TS-USER-ALIAS-LABEL"


def _named_by_identifier(context: Context, candidate: Candidate, entry: dict[str, Any]) -> list[Finding]:
    """The findings, named after the rule on identifiers that explains the state of another user, where one does."""
    parsed, findings = context.parsed, context.findings
    if _fits_the_phone(context, entry):
        findings = [_renamed(one, _OF_ANOTHER, "TS-USER-EMAIL-LEADS") for one in findings]
    if candidate.kind in bounds().contacts and candidate.user.external:
        clause = f"TS-USER-{candidate.kind.upper()}-FINDS"
        findings = [_renamed(one, _OF_ANOTHER_BY_CONTACT, clause) for one in findings]
    if candidate.user.exists is False and _is_known_in_another_spelling(context.belief, parsed):
        text = "the response mixes up users whose identifiers differ in spelling only"
        return [*findings, Finding("TS-USER-SPELLING", text, response_body.ENTRY)]
    return findings


def _fits_the_phone(context: Context, entry: dict[str, Any]) -> bool:
    """Whether a request by email and phone wrote the user of the phone, so far as the entry shows."""
    parsed = context.parsed
    named = dict(parsed.identifiers)
    if named.keys() != set(bounds().contacts):
        return False
    for candidate in users.lookup(context.belief, "phone", named["phone"]):
        attempt = Context(context.belief, context.exchange, parsed, context.in_flight)
        check_cells = check_attributes if parsed.section == "attributes" else check_counter
        check_cells(attempt, candidate, candidate.user, entry)
        if not attempt.findings:
            return True
    return False


def _renamed(finding: Finding, clauses: frozenset[str], clause: str) -> Finding:
    return dataclasses.replace(finding, clause=clause) if finding.clause in clauses else finding


def _is_known_in_another_spelling(belief: Belief, parsed: ParsedRequest) -> bool:
    """Whether another identifier of that kind differs from the request's in case, spaces or Unicode form only."""
    for kind, value in parsed.identifiers:
        own = identifier_of(kind, value)
        for one in belief.spellings.get(folded(own.text), ()):
            if one.kind == kind and one != own and folded(one.label or "") == folded(own.label or ""):
                return True
    return False
