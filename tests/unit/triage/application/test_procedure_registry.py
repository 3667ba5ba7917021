"""Procedures that cases are pinned to."""

from pathlib import Path

import pytest

from services.triage.application.procedure_registry import ProcedureRegistry
from shared.procedures.organisation import Organisation
from shared.runtime.errors import Rejected


@pytest.fixture
def registry(tmp_path: Path) -> ProcedureRegistry:
    return ProcedureRegistry(Organisation.model_validate({"id": "o"}), tmp_path)


def test_rules_are_compiled_once_for_each_procedure_and_parameters(registry: ProcedureRegistry) -> None:
    rules = registry.rules("hunan-property", 1, {})
    assert registry.rules("hunan-property", 1, {}) is rules
    assert rules.procedure.id == "hunan-property"


def test_procedure_that_is_not_installed_is_rejected(registry: ProcedureRegistry) -> None:
    with pytest.raises(Rejected, match="moon@1"):
        registry.rules("moon", 1, {})
