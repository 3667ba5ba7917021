"""`jiesu triage` on the small history."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.commands.authoring.triage import app
from tests.support.scenarios.triage_history import NAMES_CSV, rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("triage")
    (folder / "history.jsonl").write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows()), encoding="utf-8")
    (folder / "names.csv").write_text(NAMES_CSV, encoding="utf-8")
    trained = run("train", str(folder / "history.jsonl"), "--out", str(folder / "model.npz"))
    assert trained.exit_code == 0, trained.output
    assert "subject: 4 values" in trained.output
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_evaluate_gives_figures_of_every_label(folder: Path) -> None:
    result = run("evaluate", str(folder / "history.jsonl"), "--model", str(folder / "model.npz"), "--json")
    labels = json.loads(result.output)["labels"]
    assert labels.keys() == {"subject", "department"}
    assert labels["subject"]["accuracy"] > 0.9


def test_explain_shows_ngrams_that_add_up(folder: Path) -> None:
    result = run("explain", "楼下電梯又停運了", "--model", str(folder / "model.npz"), "--json")
    subject = next(entry for entry in json.loads(result.output)["labels"] if entry["label"] == "subject")
    assert subject["guesses"][0]["value"] == "lift"
    added = sum(part["contribution"] for part in subject["contributions"])
    assert subject["bias"] + added == pytest.approx(subject["margin"])
    assert "because of:" in run("explain", "电梯", "--model", str(folder / "model.npz")).output


def test_explain_shows_facts_with_their_words() -> None:
    text = "我們十幾戶業主聯名，3號樓電梯停運"
    facts = json.loads(run("explain", text, "--json").output)["facts"]
    by_name = {fact["name"]: fact for fact in facts}
    assert by_name["persons"] | {"words": ""} == {
        "name": "persons",
        "value": 11,
        "words": "",
        "field": "text",
        "start": 0,
        "end": 7,
        "note": "at least",
    }
    assert {fact["words"] for fact in facts} >= {"3號樓", "電梯停運"}
    assert all(fact["words"] == text[fact["start"] : fact["end"]] for fact in facts)
    assert "facility_failure: yes («電梯停運», text 13-17)" in run("explain", text).output


def test_compare_counts_what_another_model_would_change(folder: Path) -> None:
    other = folder / "other.npz"
    history, old = str(folder / "history.jsonl"), str(folder / "model.npz")
    assert run("train", history, "--out", str(other), "--names", str(folder / "names.csv")).exit_code == 0
    same = json.loads(run("compare", old, old, "--data", history, "--json").output)
    assert {figures["different"] for figures in same.values()} == {0}
    changed = json.loads(run("compare", old, str(other), "--data", history, "--json").output)["subject"]
    assert changed["labelled"] == changed["messages"] == sum(1 for _ in rows())
    assert changed["different"] >= changed["old_right"] - changed["new_right"]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("train", "absent.jsonl", "--out", "m.npz"), "absent.jsonl: cannot be read"),
        (("train", ".", "--out", "m.npz"), "train: .: cannot be read"),
        (("train", "absent.jsonl", "--out", "/nonexistent/m.npz"), "--out /nonexistent/m.npz: cannot be written (No such file"),
        (("train", "absent.jsonl", "--out", "."), "--out .: cannot be written (Is a directory)"),
        (("explain", "x", "--model", "."), ".: cannot be read"),
        (("explain", "x", "--model", "absent.npz"), "with its hash"),
    ],
)
def test_a_file_that_cannot_be_used_ends_with_status_2(
    arguments: tuple[str, ...], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert fault in result.output
    assert result.output.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"text": "电梯停运", "labels": "lift", "id": 7}', "line 1: labels: there is no such field, and label is missing"),
        ('{"txt": "电梯停运", "label": "lift"}', "line 1: txt: there is no such field, and text is missing"),
        ("[1]", "line 1: Input should be an object"),
    ],
)
def test_a_misspelt_field_of_the_history_is_named(line: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text(line, encoding="utf-8")
    result = run("train", str(tmp_path / "history.jsonl"), "--out", str(tmp_path / "m.npz"))
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert fault in result.output
