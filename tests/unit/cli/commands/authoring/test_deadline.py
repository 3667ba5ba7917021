"""`jiesu deadline`: due instants of durations, batches and procedures' clocks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.commands.authoring.deadline import app

START = "2026-09-24T16:40:00+08:00"


def answer_to(*options: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*options, "--json"])
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def error_of(*options: str) -> str:
    result = CliRunner().invoke(app, [*options])
    assert result.exit_code == 2, result.output
    return result.stderr


def answers_to_batch(*lines: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["--batch"], input="\n".join(lines) + "\n")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_duration_is_answered_with_due_instant_and_explanation() -> None:
    answer = answer_to("--duration", "3wd", "--start", START)
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
def test_options_change_the_due_instant(options: list[str], due: str | None) -> None:
    assert answer_to("--duration", "3d", "--start", START, *options)["due"] == due


def test_text_answer_contains_the_explanation() -> None:
    result = CliRunner().invoke(
        app, ["--duration", "3d", "--start", START, "--pause", "2026-09-25T08:00:00+08:00/2026-09-25T09:00:00+08:00"]
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
def test_invalid_options_end_with_status_2(options: list[str], message: str) -> None:
    assert message in error_of(*options)


def test_batch_answers_invalid_lines_with_their_error() -> None:
    answers = answers_to_batch(
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


def test_clock_is_named_by_clause_and_answered_with_its_occurrences() -> None:
    answer = answer_to("--procedure", "hunan-property", "--clock", "3.6", "--start", START)
    assert (answer["clock"], answer["clause"], answer["due"]) == ("follow_up", "3.6", "2026-09-29T00:00:00+08:00")
    assert [one["number"] for one in answer["occurrences"]] == [1, 2, 3, 5, 6]
    second = answer_to(
        "--procedure", "hunan-property", "--clock", "3.4.2", "--start", START, "--fact", "agreed_date=2026-09-26T10:00:00+08:00"
    )
    assert second["dues"][0]["due"] == "2026-09-26T10:00:00+08:00"
    assert second["explanation"]["procedure"] == "hunan-property"


def test_condition_of_a_clock_reads_the_facts_of_the_options() -> None:
    clock = ("--procedure", "hunan-property", "--clock", "3.5.1", "--start", START)
    assert answer_to(*clock)["applies"] is False
    assert answer_to(*clock, "--fact", "facility_failure=true")["applies"] is True


def test_text_answer_lists_occurrences() -> None:
    result = CliRunner().invoke(app, ["--procedure", "hunan-property", "--clock", "follow_up", "--start", START])
    assert "occurrence 3: 2026-10-09T00:00:00+08:00" in result.stdout


def test_clock_with_an_unset_parameter_needs_the_option() -> None:
    start = ("--procedure", "grievance-system", "--start", START, "--clock", "time-customer-1")
    assert "clause time-customer-1: the parameter time_customer_1 has no value" in error_of(*start)
    assert answer_to(*start, "--parameter", "time_customer_1=1wd")["due"] == "2026-09-28T18:00:00+08:00"
