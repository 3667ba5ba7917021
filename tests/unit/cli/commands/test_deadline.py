"""`jiesu deadline` and `jiesu calendar` answer and refuse as they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.commands.authoring.calendar import app as calendar
from cli.commands.authoring.deadline import app as deadline

START = "2026-09-24T16:40:00+08:00"


def asked(*options: str) -> dict[str, Any]:
    result = CliRunner().invoke(deadline, [*options, "--json"])
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def refused(*options: str) -> str:
    result = CliRunner().invoke(deadline, [*options])
    assert result.exit_code == 2, result.output
    return result.stderr


def batch(*lines: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(deadline, ["--batch"], input="\n".join(lines) + "\n")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_duration() -> None:
    answer = asked("--duration", "3wd", "--start", START)
    assert list(answer) == ["start", "duration", "counting", "roll", "due", "provisional", "explanation"]
    assert (answer["due"], answer["provisional"]) == ("2026-09-30T18:00:00+08:00", False)
    assert sum(day["amount"] for day in answer["explanation"]["segments"]) == 3


@pytest.mark.parametrize(
    ("options", "due"),
    [
        (["--counting", "inclusive"], "2026-09-29T00:00:00+08:00"),
        (["--roll", "none"], "2026-09-28T00:00:00+08:00"),
        (["--day-end", "close"], "2026-09-28T18:00:00+08:00"),
        (["--pause", f"{START}/2026-09-27T10:00:00+08:00"], "2026-09-30T00:00:00+08:00"),
        (["--pause", f"{START}/"], None),
        (["--extend", "by:1w"], "2026-10-09T00:00:00+08:00"),
        (["--extend", "2d"], "2026-09-30T00:00:00+08:00"),
        (["--extend", "until:2026-10-20T10:00:00+08:00"], "2026-10-20T10:00:00+08:00"),
        (["--extend", "2026-10-20T02:00:00Z"], "2026-10-20T10:00:00+08:00"),
    ],
)
def test_options(options: list[str], due: str | None) -> None:
    assert asked("--duration", "3d", "--start", START, *options)["due"] == due


def test_an_answer_for_reading_says_why() -> None:
    result = CliRunner().invoke(
        deadline, ["--duration", "3d", "--start", START, "--pause", "2026-09-25T08:00:00+08:00/2026-09-25T09:00:00+08:00"]
    )
    assert "due 2026-09-29T00:00:00+08:00" in result.stdout
    assert "rolled from 2026-09-27 to 2026-09-28" in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--duration", "3x", "--start", START], "3x"),
        (["--duration", "3d", "--start", "2026-09-24T16:40:00"], "has no offset"),
        (["--duration", "3d", "--start", "yesterday"], "is not an instant"),
        (["--duration", "3d"], "--start"),
        (["--start", START], "--duration"),
        (["--duration", "3d", "--procedure", "x", "--clock", "y", "--start", START], "either"),
        (["--duration", "3d", "--start", START, "--counting", "twice"], "counting 'twice'"),
        (["--duration", "3d", "--start", START, "--pause", "soon"], "FROM/TO"),
        (["--duration", "3d", "--start", START, "--extend", "by:2wd"], "2wd"),
        (["--duration", "date: x", "--start", START, "--extend", "maybe"], "maybe"),
        (["--duration", "3d", "--start", START, "--calendar", "/no/such/file"], "/no/such/file"),
        (["--procedure", "no-such-procedure", "--clock", "x", "--start", START], "no such procedure"),
        (["--procedure", "hunan-property", "--clock", "x", "--start", START], "follow_up"),
        (["--procedure", "hunan-property", "--clock", "follow_up", "--start", START, "--fact", "major=perhaps"], "major"),
    ],
)
def test_what_cannot_be_used_is_refused(options: list[str], message: str) -> None:
    assert message in refused(*options)


def test_batch_answers_every_line_and_never_stops() -> None:
    answers = batch(
        json.dumps({"start": START, "duration": "3wd", "id": 7}),
        "",
        "not json",
        "[1]",
        json.dumps({"start": START, "duration": "2h", "pauses": [["2026-09-24T17:00:00+08:00", "2026-09-24T18:00:00+08:00"]]}),
        json.dumps({"start": START, "duration": "2h", "pauses": [["2026-09-24T17:00:00+08:00", None]]}),
        json.dumps({"start": START, "duration": 3}),
        json.dumps({"start": "2026-09-24T16:40:00", "duration": "3d"}),
        json.dumps({"start": "2026-12-30T10:00:00Z", "duration": "5wd", "counting": "inclusive", "roll": "none", "pauses": []}),
        json.dumps({"start": START, "duration": "3d", "extensions": [{"by": "2d"}], "pauses": None, "roll": None}),
        json.dumps({"start": START, "duration": "3d", "pauses": "none"}),
        json.dumps({"start": START, "duration": "3d", "counting": ["inclusive"]}),
    )
    assert answers[0] == {"start": START, "duration": "3wd", "id": 7, "due": "2026-09-30T18:00:00+08:00", "provisional": False}
    assert [answer.get("due") for answer in answers[3:5]] == ["2026-09-24T19:40:00+08:00", None]
    assert answers[7]["provisional"] is True
    assert answers[8]["due"] == "2026-09-30T00:00:00+08:00"
    assert ["error" in answer for answer in answers] == [False, True, True, False, False, True, True, False, False, True, True]
    assert answers[1]["line"] == 3


def test_a_clock_of_a_procedure() -> None:
    answer = asked("--procedure", "hunan-property", "--clock", "3.6", "--start", START)
    assert (answer["clock"], answer["clause"], answer["due"]) == ("follow_up", "3.6", "2026-09-29T00:00:00+08:00")
    assert [one["number"] for one in answer["occurrences"]] == [1, 2, 3, 5, 6]
    second = asked("--procedure", "hunan-property", "--clock", "3.4.2", "--start", START, "--fact", "agreed_date=2026-09-26T10:00:00+08:00")
    assert second["dues"][0]["due"] == "2026-09-26T10:00:00+08:00"
    assert second["explanation"]["procedure"] == "hunan-property"


def test_a_guard_is_judged_by_the_facts_given() -> None:
    clock = ("--procedure", "hunan-property", "--clock", "3.5.1", "--start", START)
    assert asked(*clock)["applies"] is False
    assert asked(*clock, "--fact", "facility_failure=true")["applies"] is True


def test_a_clock_for_reading() -> None:
    result = CliRunner().invoke(deadline, ["--procedure", "hunan-property", "--clock", "follow_up", "--start", START])
    assert "occurrence 3: 2026-10-09T00:00:00+08:00" in result.stdout


def test_a_calendar_file_is_used_checked_and_shown(tmp_path: Path) -> None:
    file = tmp_path / "branch.yaml"
    file.write_text("id: branch\nversion: 2\npublished_until: 2027-12-31\ndays: {2027-02-06: off, 2026-09-28: off}\n", encoding="utf-8")
    assert asked("--duration", "1wd", "--start", START, "--calendar", str(file))["due"] == "2026-09-29T18:00:00+08:00"
    checked = CliRunner().invoke(calendar, ["check", str(file)])
    assert (checked.exit_code, "branch, version 2" in checked.stdout) == (0, True)
    shown = CliRunner().invoke(calendar, ["show", "2026", "--calendar", str(file)])
    assert "28 off" in shown.stdout


def test_a_suspicious_calendar_is_warned_about(tmp_path: Path) -> None:
    file = tmp_path / "branch.yaml"
    file.write_text("id: branch\nversion: 2\npublished_until: 2027-12-31\n", encoding="utf-8")
    assert "2027 has no exception at all" in CliRunner().invoke(calendar, ["check", str(file)]).stdout
    file.write_text("id: branch\nversion: 2\ndays: {2027-02-06: off}\n", encoding="utf-8")
    assert "lies after published_until" in CliRunner().invoke(calendar, ["check", str(file)]).stdout


@pytest.mark.parametrize("text", ["- a list", "id: [", "id: x\nversion: 1\nhours: {}\n"])
def test_a_calendar_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    assert CliRunner().invoke(calendar, ["check", str(file)]).exit_code == 2


def test_the_standard_calendar_is_shown() -> None:
    shown = CliRunner().invoke(calendar, ["show"]).stdout
    assert "2026-02  16 working days  14 work" in shown
    assert "248 working days" in shown


def test_a_clock_whose_length_the_text_leaves_open_needs_the_parameter_and_others_do_not() -> None:
    start = ("--procedure", "grievance-system", "--start", START, "--clock", "time-customer-1")
    assert "clause time-customer-1: the parameter time_customer_1 has no value" in refused(*start)
    assert asked(*start, "--parameter", "time_customer_1=1wd")["due"] == "2026-09-28T18:00:00+08:00"
