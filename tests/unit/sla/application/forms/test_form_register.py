"""The register of issued forms: a missing number and a copy that differs from the ledger are faults."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from cli.commands.records.ledger import form_faults, procedures_below
from services.sla.application.forms.form_register import copy_faults, number_faults
from services.sla.domain.evidence.case_history import CaseHistory, LedgerRow
from services.sla.storage.form_register import FormIssue
from shared.procedures.forms.versions import form_versions
from tests.unit.procedures.forms.sample_form import form_of, sample_events, sample_procedure
from tests.unit.procedures.sample_pack import write_pack

NOW = datetime(2026, 9, 24, tzinfo=UTC)


def issue(serial: int, form: str = "sheet", version: int = 0, digest: str = "", year: int = 2026) -> FormIssue:
    return FormIssue("sample", form, year, serial, "case-1", version, bytes.fromhex(digest) or None, "吴芳", "唐丽", NOW)


def history() -> CaseHistory:
    bodies = [{**event, "type": event["event"], "procedure": "sample", "version": 1} for event in sample_events()]
    rows = [LedgerRow(body["sequence"], orjson.dumps(body), b"", body["type"], NOW, NOW) for body in bodies]
    return CaseHistory("case-1", b"", len(rows), "", b"", rows)


def test_numbers_without_a_gap_have_no_fault() -> None:
    assert list(number_faults([issue(1), issue(2), issue(1, "register"), issue(1, year=2027)])) == []


@pytest.mark.parametrize(("serials", "missing"), [((2,), ["00001"]), ((1, 4), ["00002", "00003"])])
def test_missing_number_is_a_fault(serials: tuple[int, ...], missing: list[str]) -> None:
    faults = list(number_faults([issue(serial) for serial in serials]))
    assert faults == [f"the form sample sheet 2026-{number} is missing from the register of issued forms" for number in missing]


def test_copy_with_the_hash_of_its_version_has_no_fault() -> None:
    procedure = sample_procedure()
    [version] = form_versions(procedure, form_of(procedure), sample_events())
    assert list(copy_faults(history(), procedure, [issue(1, version=1, digest=version.hash)])) == []


@pytest.mark.parametrize(("form", "version", "digest"), [("sheet", 1, "00" * 32), ("sheet", 2, "00" * 32), ("other", 1, "00" * 32)])
def test_copy_that_differs_from_the_ledger_is_a_fault(form: str, version: int, digest: str) -> None:
    [fault] = copy_faults(history(), sample_procedure(), [issue(1, form, version, digest)])
    assert fault == f"the copy {form} 2026-00001 of version {version} differs from the ledger: one of them was changed"


def test_copies_of_a_procedure_that_is_not_installed_are_checked_with_the_one_of_a_folder() -> None:
    procedure = sample_procedure()
    [version] = form_versions(procedure, form_of(procedure), sample_events())
    copies = [issue(1, version=1, digest=version.hash)]
    registered = history().recorded_events()[0].body
    key = (registered["procedure"], registered["version"])
    assert form_faults(history(), copies, {key: procedure}) == []
    [fault] = form_faults(history(), copies, {})
    assert fault.endswith("is not installed; name its folder by --procedures")


def test_the_procedures_below_a_folder_are_found_in_every_version(tmp_path: Path) -> None:
    write_pack(tmp_path / "own")
    write_pack(tmp_path / "own" / "versions" / "2", ("version: 1", "version: 2"))
    assert [*procedures_below(tmp_path)] == [("sample", 1), ("sample", 2)]
