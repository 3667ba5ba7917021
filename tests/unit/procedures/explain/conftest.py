"""The sample procedure in both languages."""

from pathlib import Path

import pytest

from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.loading.loader import load_procedure
from tests.unit.procedures.sample_pack import write_pack


@pytest.fixture
def english(tmp_path: Path) -> ProcedureTexts:
    return ProcedureTexts(load_procedure(write_pack(tmp_path)), "en")


@pytest.fixture
def chinese(tmp_path: Path) -> ProcedureTexts:
    return ProcedureTexts(load_procedure(write_pack(tmp_path)), "zh")
