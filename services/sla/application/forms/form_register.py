"""Issues numbered forms and accounts for them, and checks the register against the ledgers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.sla.domain.evidence.case_history import CaseHistory
from services.sla.storage import form_register
from services.sla.storage.form_register import FormIssue
from shared.procedures.forms.versions import form_versions
from shared.procedures.model.procedure import Procedure
from shared.runtime.database.database import Transaction

MAX_COUNT = 1000


@dataclass(frozen=True, slots=True)
class IssuedTo:
    """The keeper of the register and the recipients of the forms."""

    keeper: str
    receiver: str


async def issue_blank_forms(
    tx: Transaction, procedure: Procedure, form: str, count: int, to: IssuedTo, year: int, now: datetime
) -> list[FormIssue]:
    """Number and register blank forms; the numbers follow each other without a gap."""
    await form_register.lock_numbers(tx, procedure.id)
    last = await form_register.last_serial(tx, procedure.id, form, year)
    issues = [
        FormIssue(procedure.id, form, year, serial, "", 0, None, to.keeper, to.receiver, now)
        for serial in range(last + 1, last + count + 1)
    ]
    for issue in issues:
        await form_register.insert_issue(tx, issue)
    return issues


async def issue_signed_copy(
    tx: Transaction, procedure: Procedure, signed: tuple[str, str, int, str], to: IssuedTo, year: int, now: datetime
) -> FormIssue:
    """Number and register a copy of a signed version: `signed` is form, case, version and hash."""
    form, case, version, digest = signed
    await form_register.lock_numbers(tx, procedure.id)
    serial = await form_register.last_serial(tx, procedure.id, form, year) + 1
    issue = FormIssue(procedure.id, form, year, serial, case, version, bytes.fromhex(digest), to.keeper, to.receiver, now)
    await form_register.insert_issue(tx, issue)
    return issue


def case_events(history: CaseHistory) -> list[dict[str, Any]]:
    """The events of a case as forms read them."""
    return [{**recorded.body, "event": recorded.body["type"]} for recorded in history.recorded_events()]


def copy_faults(history: CaseHistory, procedure: Procedure, issues: Iterable[FormIssue]) -> Iterator[str]:
    """The registered copies of a case's forms whose hash is not that of the version in the ledger, one line each."""
    # A copy was made of texts that are gone: it can no longer be compared with them.
    if history.is_erased:
        return
    events = case_events(history)
    hashes: dict[str, list[str]] = {}
    forms = {form.id: form for form in procedure.forms}
    for issue in issues:
        if issue.form not in hashes:
            form = forms.get(issue.form)
            hashes[issue.form] = [] if form is None else [version.hash for version in form_versions(procedure, form, events)]
        known = hashes[issue.form]
        if issue.version > len(known) or issue.hash is None or known[issue.version - 1] != issue.hash.hex():
            yield f"the copy {issue.form} {issue.number} of version {issue.version} differs from the ledger: one of them was changed"


def number_faults(issues: Iterable[FormIssue]) -> Iterator[str]:
    """The numbers that the register lacks, one line each: a removed entry would hide a form."""
    serials: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for issue in issues:
        serials[issue.procedure, issue.form, issue.year].append(issue.serial)
    for (procedure, form, year), present in serials.items():
        missing = sorted(set(range(1, max(present) + 1)) - set(present))
        yield from (f"the form {procedure} {form} {year}-{serial:05} is missing from the register of issued forms" for serial in missing)
