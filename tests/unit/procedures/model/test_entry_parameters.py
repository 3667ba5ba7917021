"""Parameters that stand for a threshold, a window, an interval or a period: bound, checked, explained, and carried out."""

from pathlib import Path
from typing import Any

import pytest

from shared.procedures.checks.pack_check import check_pack
from shared.procedures.explain.page import build_page
from shared.procedures.explain.rendering.text_page import render_text
from shared.procedures.loading.loader import load_clauses, load_pack, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import LanguageCode
from shared.procedures.model.procedure_error import ProcedureError
from tests.unit.procedures.sample_pack import write_pack

DECLARED = """parameters:
  several: {type: int, default: 3, clause: "3", zh: 数次, en: Several}
  joint: {type: duration, default: 30d, clause: "3", zh: 期间, en: Time for joint complaints}
  review: {type: duration, default: 1mo, clause: "3", zh: 周期, en: Time between reviews}
  step: {type: duration, default: 1d, clause: "3", zh: 逐级间隔, en: Time for a step}
  twice: {type: duration, default: 2h, clause: "3", zh: 重复期间, en: Time for duplicates}
"""
ENTRIES = """counts:
  - {id: many, clause: "3", zh: 多件, en: Many, key: complaint.object, does: {as: group},
     threshold: {parameter: several}, window: {parameter: joint}}
duplicates: {within: {parameter: twice}, same: [object], clause: "3"}
duties:
  - {id: reviewed, clause: "3", zh: 总结, en: Review, every: {parameter: review}, owner: chief, report: period}
uncovered:
"""
CHANGES = (
    ("parameters:\n", DECLARED),
    ("uncovered:\n", ENTRIES),
    ("rungs: [chief]", "rungs: [chief], every: {parameter: step}"),
)


def folder(path: Path, *changes: tuple[str, str]) -> Path:
    return write_pack(path, *CHANGES, *changes)


def values(path: Path, **parameters: Any) -> tuple[Any, ...]:
    procedure = bind_parameters(load_procedure(folder(path)), {"limit": "3wd", **parameters}).procedure
    [count], [duty], [ladder] = procedure.counts, procedure.duties, procedure.ladders
    assert procedure.duplicates is not None
    return count.threshold, count.window, procedure.duplicates.within, duty.every, duty.report_period, ladder.every


def test_a_bound_procedure_has_the_values_where_the_parameters_stand(tmp_path: Path) -> None:
    assert values(tmp_path) == (3, "30d", "2h", "1mo", "month", "1d")
    set_values = {"several": 2, "joint": "1h", "twice": "1d", "review": "1q", "step": "2h"}
    assert values(tmp_path, **set_values) == (2, "1h", "1d", "1q", "quarter", "2h")


@pytest.mark.parametrize(
    ("parameter", "value", "fault"),
    [
        ("several", 1, "is less than 2, and a group needs as many"),
        ("several", "3", "it has to be of the type int"),
        ("joint", "3wd", "is no window; write clock time or days"),
        ("twice", "1mo", "is no window; write clock time or days"),
        ("review", "2w", "is no period of a duty; write one of 1w, 1mo, 1q, 1y"),
        ("step", "soon", "is wrong: "),
    ],
)
def test_a_value_that_does_not_fit_its_place_is_refused(tmp_path: Path, parameter: str, value: Any, fault: str) -> None:
    with pytest.raises(ProcedureError, match=f"the parameter {parameter} .*{fault}"):
        values(tmp_path, **{parameter: value})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("{parameter: several}", "{parameter: few}"), "there is no parameter few"),
        (("{parameter: several}", "{parameter: joint}"), "the parameter joint is of the type duration; threshold needs type: int"),
        (("default: 30d", "default: 3wd"), "the default is no window"),
        (("default: 1mo", "default: 3d"), "the default is no period of a duty"),
        (("type: int, default: 3", "type: int, default: 1"), "the default is less than 2"),
        (("threshold: {parameter: several}", "threshold: 3"), "no entry uses the parameter several"),
    ],
)
def test_check_finds_a_parameter_that_does_not_fit_its_place(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    messages = [problem.message for problem in check_pack(load_pack(folder(tmp_path, change)))]
    assert any(fault in message for message in messages), messages


def test_check_finds_nothing_where_all_fit(tmp_path: Path) -> None:
    assert [str(problem) for problem in check_pack(load_pack(folder(tmp_path))) if "parameter" in problem.message] == []


def test_a_value_of_the_wrong_type_in_the_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError) as error:
        load_pack(folder(tmp_path, ("threshold: {parameter: several}", "threshold: 1")))
    assert len(error.value.problems) == 1
    assert "threshold" in str(error.value)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "zh",
            [
                "达到3件（“数次”，本组织可另行设定）",
                "在30个自然日（“期间”，本组织可另行设定）内",
                "每月（“周期”，本组织可另行设定）由主管完成“总结”",
            ],
        ),
        ("en", ["3 (“Several”; the organisation may set another number) cases", "Every month (“Time between reviews”; the organisation"]),
    ],
)
def test_the_page_names_the_default_and_the_parameter(tmp_path: Path, language: LanguageCode, lines: list[str]) -> None:
    page = render_text(build_page(load_procedure(folder(tmp_path)), load_clauses(tmp_path), language))
    assert [line for line in lines if line not in page] == []
