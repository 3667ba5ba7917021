"""Checks stored reports against their hashes, their signatures, and the record of what people did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

import orjson

from services.sla.domain.evidence.hash_chain import canonical_json, verify_chain
from services.sla.storage.reports import report_events, report_lists, signatures
from services.sla.storage.reports.signatures import StoredReport
from shared.contracts.instants import END_OF_INSTANTS
from shared.runtime.database.database import Transaction

_ALL_REPORTS = 1_000_000


async def report_faults(tx: Transaction) -> AsyncIterator[str]:
    """The reports, lists and signatures that were changed after they were made, one line each."""
    for procedure in await report_events.procedures_with_reports(tx):
        chain = await report_events.load_chain(tx, procedure)
        for fault in verify_chain(chain):
            yield f"the record of the reports of {procedure}: {fault}"
        signed = {body["sha256"] for entry in chain if (body := orjson.loads(entry.body))["type"] == "report_signed"}
        for report in await signatures.load_reports(tx, procedure, END_OF_INSTANTS, _ALL_REPORTS):
            async for fault in _report_faults(tx, report, signed):
                yield f"the report {procedure}/{report.key.duty} of {report.report['period']['from'][:10]}: {fault}"


async def _report_faults(tx: Transaction, report: StoredReport, signed: set[str]) -> AsyncIterator[str]:
    for frozen in report.report.get("lists", []):
        digest = sha256()
        async for content in report_lists.load_parts(tx, report.key, frozen["id"]):
            digest.update(content)
        if digest.hexdigest() != frozen["sha256"] and not await report_lists.has_erased_rows(tx, report.key, frozen["id"]):
            yield f"the rows of the list {frozen['id']} differ from its hash: one of them was changed"
    signature = report.report.get("signature")
    if signature is None:
        if report.signed_at is not None:
            yield "it is signed, but the signature is gone"
        return
    unsigned = {name: value for name, value in report.report.items() if name != "signature"}
    if sha256(canonical_json(unsigned)).hexdigest() != signature["sha256"]:
        yield "it differs from what was signed"
    elif signature["sha256"] not in signed:
        yield "its signature is not in the record"
