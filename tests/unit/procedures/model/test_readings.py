"""Readings that an organisation selects, and the regulation's own words."""

from pathlib import Path

import pytest

from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.loading.loader import load_pack, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure_error import ProcedureError
from tests.unit.procedures.sample_pack import write_pack

DECLARED = "parameters:\n  deemed: {type: text, options: [early, late], default: late, clause: '3'}\n"
READING = """
readings:
  - clauses: ["3"]
    read: 晚 / late
    why: 未写明 / unsaid
    alternatives: [{value: early, read: 早 / early}]
    parameter: deemed
uncovered:
"""


def load(folder: Path, declared: str = DECLARED, reading: str = READING) -> None:
    load_procedure(write_pack(folder, ("parameters:\n", declared), ("uncovered:\n", reading.lstrip("\n"))))


def test_an_organisation_selects_one_of_the_options(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, ("parameters:\n", DECLARED), ("uncovered:\n", READING.lstrip("\n")))
    procedure = load_procedure(folder)
    assert bind_parameters(procedure, {"limit": "3wd"}).parameters["deemed"] == "late"
    assert bind_parameters(procedure, {"limit": "3wd", "deemed": "early"}).parameters["deemed"] == "early"


def test_a_value_that_is_no_option_is_refused_with_the_options_and_without_the_value(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, ("parameters:\n", DECLARED), ("uncovered:\n", READING.lstrip("\n")))
    with pytest.raises(ProcedureError, match="the parameter deemed is none of its options; write one of early, late") as error:
        bind_parameters(load_procedure(folder), {"limit": "3wd", "deemed": "yesterday"})
    assert "yesterday" not in str(error.value)


@pytest.mark.parametrize(
    ("declared", "reading", "fault"),
    [
        (DECLARED.replace("default: late", "default: never"), READING, "the default is none of the options; write one of early, late"),
        (DECLARED.replace("type: text", "type: int"), READING, "options need type: text, and the type is int"),
        (DECLARED.replace("options: [early, late], ", ""), READING, "readings.0: the parameter deemed needs options"),
        (DECLARED, READING.replace("value: early", "value: earlier"), "readings.0: no alternative has the value early"),
        (DECLARED, READING.replace("    parameter: deemed\n", ""), "readings.0: alternatives with a value need a parameter"),
        (DECLARED, READING.replace("parameter: deemed", "parameter: dimmed"), "readings.0: the parameter dimmed needs options"),
    ],
)
def test_a_reading_that_cannot_be_selected_is_refused(tmp_path: Path, declared: str, reading: str, fault: str) -> None:
    with pytest.raises(ProcedureError, match=fault):
        load(tmp_path, declared, reading)


def test_a_page_uses_the_words_of_the_regulation(tmp_path: Path) -> None:
    terms = "terms:\n  handled: {zh: 办结, en: settlement}\n  close: {zh: 销案, en: strike the case off}\nroles:\n"
    procedure = load_procedure(write_pack(tmp_path, ("roles:\n", terms)))
    chinese, english = ProcedureTexts(procedure, "zh"), ProcedureTexts(procedure, "en")
    assert (chinese.event("handled"), english.event("handled")) == ("办结", "settlement")
    assert (chinese.action("close"), english.action("close")) == ("销案", "strike the case off")
    assert chinese.happened("handled", positive=False) == "尚未办结"


def test_a_word_for_something_unknown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError, match="finished_up is neither an event nor an action; terms has their ids as keys"):
        load_procedure(write_pack(tmp_path, ("roles:\n", "terms:\n  finished_up: {zh: 办结, en: settlement}\nroles:\n")))


def test_a_clause_without_a_number_is_cited_as_the_regulation_does(tmp_path: Path) -> None:
    clauses = "clauses:\n  limit: {zh: 时限, en: A limit, cite: {zh: “处理期限”, en: the time limit}}\n"
    pack = load_pack(write_pack(tmp_path, clauses=clauses))
    chinese, english = (ProcedureTexts(pack.procedure, language, pack.clauses) for language in ("zh", "en"))
    assert (chinese.clause("limit"), english.clause("limit")) == ("“处理期限”", "the time limit")
    assert [chinese.clause(clause) for clause in ("4.5.5", "4.1a", "7(3)", "3.1.2.e")] == [
        "第4.5.5条",
        "第4.1条a项",
        "第7条第（3）项",
        "第3.1.2条e项",
    ]
    assert english.clause("4.1a") == "clause 4.1(a)"
