"""Parameters of a procedure have to have a value of their type."""

from pathlib import Path
from typing import Any

import pytest

from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.model.timed_entries import LimitFromFact, LimitFromParameter
from tests.unit.procedures.sample_pack import write_pack


def test_the_error_for_a_parameter_without_a_value_names_its_clause(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError, match=r"sample@1:1: clause 3: the parameter limit has no value; .*parameters: \{limit: 3wd\}"):
        bind_parameters(load_procedure(write_pack(tmp_path)))


def test_a_value_replaces_the_default_and_becomes_the_limit(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, ("{type: duration, clause", "{type: duration, default: 5wd, clause"))
    assert bind_parameters(load_procedure(folder)).parameters == {"limit": "5wd"}
    bound = bind_parameters(load_procedure(folder), {"limit": "2wd"})
    assert bound.duration_text(LimitFromParameter(parameter="limit")) == "2wd"
    assert bound.duration_text(LimitFromFact(date="agreed")) == "date: agreed"
    assert bound.duration_text("3d") == "3d"


@pytest.mark.parametrize("value", [3, True, "soon", "0d"])
def test_a_value_of_the_wrong_type_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ProcedureError, match="the parameter limit is"):
        bind_parameters(load_procedure(write_pack(tmp_path)), {"limit": value})


def test_an_unknown_parameter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError, match="there is no parameter limits; the procedure has limit"):
        bind_parameters(load_procedure(write_pack(tmp_path)), {"limits": "3d"}, allow_unset=True)


def test_a_parameter_may_stay_unset_for_check_and_explain(tmp_path: Path) -> None:
    bound = bind_parameters(load_procedure(write_pack(tmp_path)), allow_unset=True)
    assert bound.unset_parameters == ("limit",)
    assert bound.duration_text(LimitFromParameter(parameter="limit")) is None
