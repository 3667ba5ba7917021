"""Loading of packs and organisations: references, versions, and errors with file, line, clause and remedy."""

from pathlib import Path

import pytest

from shared.procedures.loading.loader import (
    installed_packs,
    installed_versions,
    load_clauses,
    load_installed,
    load_organisation,
    load_pack,
    load_procedure,
)
from shared.procedures.model.procedure_error import ProcedureError
from tests.unit.procedures.sample_pack import PROCEDURE, write_pack


def problems(folder: Path, *changes: tuple[str, str]) -> list[str]:
    with pytest.raises(ProcedureError) as caught:
        load_procedure(write_pack(folder, *changes))
    return [str(problem).removeprefix(str(folder) + "/") for problem in caught.value.problems]


def test_a_folder_and_a_file_give_the_same_procedure(tmp_path: Path) -> None:
    folder = write_pack(tmp_path)
    assert load_procedure(folder) == load_procedure(folder / "procedure.yaml") == load_procedure("procedure.yaml", base_folder=folder)
    assert load_clauses(folder)["3.1"].en == "Chased"


def test_an_installed_pack_is_loaded_by_its_id_and_version() -> None:
    for pack_id in installed_packs():
        assert load_procedure(pack_id).id == pack_id
        assert load_procedure(f"{pack_id}@{installed_versions(pack_id)[-1]}") == load_procedure(pack_id)


@pytest.mark.parametrize(
    "name", ["长" * 150, "x" * 5000, "../packs/hunan-property", "/etc/hostname", "hunan-property@1", "a\x00b", "", "Ä"]
)
def test_what_a_record_calls_a_procedure_is_never_read_as_a_path(name: str) -> None:
    """A name of 300 bytes in a record once stopped a partition: the file system refused it, and the batch was tried again without end."""
    with pytest.raises(ProcedureError):
        load_installed(name, 1)


def test_an_installed_version_is_loaded_for_a_case() -> None:
    assert load_installed("hunan-property", 1) == load_procedure("hunan-property@1")


def test_a_path_that_no_file_system_takes_is_an_error_of_the_reference() -> None:
    with pytest.raises(ProcedureError, match="cannot be read"):
        load_procedure("x" * 5000)


def test_the_error_for_an_unknown_pack_lists_those_that_exist() -> None:
    with pytest.raises(ProcedureError, match=r"installed pack: .*hunan-property"):
        load_procedure("nowhere")
    with pytest.raises(ProcedureError, match="there is no version 99; installed are"):
        load_procedure("hunan-property@99")


def test_an_older_version_is_loaded_from_the_versions_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.procedures.loading.loader.PACKS_FOLDER", tmp_path)
    write_pack(tmp_path / "sample", ("version: 1", "version: 2"))
    (tmp_path / "sample/versions/1").mkdir(parents=True)
    (tmp_path / "sample/versions/1/procedure.yaml").write_text(PROCEDURE, "utf-8")
    assert installed_packs() == ["sample"]
    assert (load_procedure("sample").version, load_procedure("sample@1").version, load_procedure("sample@2").version) == (2, 1, 2)
    assert installed_versions("sample") == [1, 2]
    assert load_pack("sample@1").clauses == load_pack("sample").clauses


def test_a_version_in_the_wrong_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.procedures.loading.loader.PACKS_FOLDER", tmp_path)
    write_pack(tmp_path / "sample", ("version: 1", "version: 4"))
    (tmp_path / "sample/versions/3").mkdir(parents=True)
    (tmp_path / "sample/versions/3/procedure.yaml").write_text(PROCEDURE, "utf-8")
    with pytest.raises(ProcedureError, match="its folder is 3; make them equal"):
        load_procedure("sample@3")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert load_procedure(write_pack(tmp_path)).version == 1
    assert load_procedure(write_pack(tmp_path, ("version: 1", "version: 12"))).version == 12


def test_the_error_for_an_unknown_key_suggests_a_similar_one(tmp_path: Path) -> None:
    assert problems(tmp_path, ("every: 3d", "evry: 3d")) == [
        "procedure.yaml:35: clause 3.1: clocks.1.evry: unknown key; did you mean every?"
    ]


def test_the_error_for_an_unknown_effect_lists_all_effects(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, ("{remind: desk, by: [sms]}", "{remnd: desk}"))
    assert problem.startswith("procedure.yaml:36: clause 3.1: clocks.1.do.0: {'remnd': 'desk'} is not an effect; use one of breach, remind")


def test_two_effects_in_one_entry_are_an_error(tmp_path: Path) -> None:
    assert "notify: unknown key" in problems(tmp_path, ("{remind: desk, by: [sms]}", "{remind: desk, notify: desk}"))[0]


def test_the_error_for_a_clause_without_quotes_explains_how_yaml_reads_it(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, ('{by: [desk, chief], clause: "4"}', "{by: [desk, chief], clause: 4.10}"))
    assert problem == (
        "procedure.yaml:40: clause 4.10: actions.close.clause: 4.1 is not a clause id; "
        'write it in quotes, such as "3.10" (YAML reads 3.10 as 3.1)'
    )


def test_the_error_for_a_bad_duration_lists_the_units(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, ("every: 3d", "every: 3 days"))
    assert problem.startswith("procedure.yaml:35: clause 3.1: clocks.1.every: duration '3 days': is not a duration; write 30m, 2h")


def test_the_error_for_a_wrong_type_names_the_right_one(tmp_path: Path) -> None:
    assert problems(tmp_path, ("owner: desk\n    every", "owner: 7\n    every")) == [
        "procedure.yaml:34: clause 3.1: clocks.1.owner: is 7; it has to be text; put it in quotes"
    ]


def test_a_missing_key_and_a_wrong_choice_are_both_reported(tmp_path: Path) -> None:
    messages = problems(tmp_path, ("starts: registered\n    stops: closed", "counting: incl\n    stops: closed"))
    assert messages[0] == "procedure.yaml:28: clause 3.1: clocks.1: the key starts is missing; add it"
    assert "clocks.1.counting: is 'incl'" in messages[1]


def test_a_duplicate_key_is_an_error(tmp_path: Path) -> None:
    assert problems(tmp_path, ("version: 1", "version: 1\nversion: 2")) == [
        "procedure.yaml:3: duplicate key «version» (first on line 2); keep one"
    ]


def test_a_duplicate_id_is_an_error(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, ("id: chase", "id: handling"))
    assert problem == "procedure.yaml:28: clause 3.1: clocks has handling twice (entry 1 and 2); rename one"


def test_the_error_for_invalid_yaml_names_the_line(tmp_path: Path) -> None:
    assert problems(tmp_path, ("version: 1", "version: [1"))[0].startswith("procedure.yaml:3: is not valid YAML")


def test_on_is_a_text_and_not_true(tmp_path: Path) -> None:
    reaction = "reactions:\n  - {on: registered, do: [{notify: desk}]}\nuncovered:"
    assert load_procedure(write_pack(tmp_path, ("uncovered:", reaction))).reactions[0].on == "registered"


def test_a_missing_organisation_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError, match="cannot be read: No such file"):
        load_organisation(tmp_path / "nowhere.yaml")


def test_an_unknown_person_in_an_organisation_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("id: org\nfallback: ghost\n", "utf-8")
    with pytest.raises(ProcedureError, match="ghost does not exist; add it or correct the id"):
        load_organisation(tmp_path / "org.yaml")


def test_tags_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tag.yaml").write_text("id: !!python/name:os.system x\n", "utf-8")
    with pytest.raises(ProcedureError, match="tag"):
        load_organisation(tmp_path / "tag.yaml")


def test_nested_aliases_that_expand_to_millions_of_values_are_refused(tmp_path: Path) -> None:
    flood = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
    )
    (tmp_path / "flood.yaml").write_text(flood, "utf-8")
    with pytest.raises(ProcedureError, match="do not nest aliases"):
        load_organisation(tmp_path / "flood.yaml")
