"""The contents that a procedure requires of a report: refused without them, or recorded in `missing`."""

import pytest

from tests.unit.sla.timeline import event_lines, requested_messages, run_steps

PHOTO = f"sha256:{'ab' * 32}/0123456789abcdef/现场.jpg"
TEXT_FILE = f"sha256:{'cd' * 32}/0123456789abcdef/现场.jpg.txt"
RULES = """
clocks:
- {id: repair, clause: "3", starts: surveyed, stops: handled, owner: boss, due: [{within: 2d}], reminders: [
    {before: 24h, when: size(last.surveyed.missing) > 0, do: [{remind: boss, clause: "3.1"}]}]}
actions:
  survey: {report_needs: {text: any, attachments: image}, incomplete: missing, when: event.role == 'officer', clause: "1"}
  hand_over: {report_needs: {attachments: image}, when: event.role == 'officer', clause: "2"}
  report: {report_needs: {attachments: pdf}, clause: "2", reason: the report is a document}
reactions:
- id: incomplete
  "on": {event: surveyed, when: size(event.missing) > 0}
  clause: "4"
  do: [{remind: boss, text: {zh: "缺：{missing}", en: "Missing: {missing}"}}]
"""


@pytest.mark.parametrize(
    ("step", "missing"),
    [
        ("survey officer", ["text", "attachments"]),
        ("survey officer text=cracks", ["attachments"]),
        (f"survey officer text=cracks attachments=['{TEXT_FILE}']", ["attachments"]),
        ("survey officer text=cracks attachments=[photographs]", ["attachments"]),
        (f"survey officer attachments=['{PHOTO}']", ["text"]),
        (f"survey officer text=cracks attachments=['{TEXT_FILE}','{PHOTO}']", None),
        ("survey officer text=cracks attachments=['a.PNG']", None),
        ("survey chief", None),  # the rule holds for officers only
    ],
)
def test_incomplete_report_is_accepted_and_names_its_missing_fields(step: str, missing: list[str] | None) -> None:
    [surveyed] = [row for row in run_steps(RULES, f"09 10:00 {step}") if row["event"] == "surveyed"]
    assert surveyed.get("missing") == missing
    assert surveyed.get("clause") == ("1" if missing else None)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (f"hand_over officer to=chief attachments=['{TEXT_FILE}']", "the report is incomplete; hand_over needs attachments (image)"),
        ("hand_over officer to=chief", "the report is incomplete; hand_over needs attachments (image)"),
        (f"report officer attachments=['{PHOTO}']", "the report is a document"),
    ],
)
def test_report_without_a_required_file_is_refused_with_the_clause(step: str, reason: str) -> None:
    rows = run_steps(RULES, f"09 10:00 {step}")
    assert (rows[-1]["event"], rows[-1]["reason"], rows[-1]["clause"]) == ("action_refused", reason, "2")


def test_report_with_a_required_file_is_accepted() -> None:
    rows = run_steps(RULES, f"09 10:00 hand_over officer to=chief attachments=['{PHOTO}']", "09 11:00 report boss attachments=['a.pdf']")
    assert event_lines(rows, "action_refused", "handed_over", "reported") == ["09 10:00 handed_over officer", "09 11:00 reported boss"]


def test_conditions_read_the_missing_fields_of_the_latest_report() -> None:
    steps = ("09 10:00 survey officer text=cracks", f"09 11:00 survey officer text=cracks attachments=['{PHOTO}']")
    assert event_lines(run_steps(RULES, steps[0], until="11 12:00"), "reminded") == ["09 10:00 reminded boss", "11 00:00 reminded repair.1"]
    assert event_lines(run_steps(RULES, *steps, until="11 12:00"), "reminded") == ["09 10:00 reminded boss"]


def test_message_about_a_report_names_its_missing_fields() -> None:
    [message] = requested_messages(RULES, "09 10:00 survey officer", until="09 12:00")
    assert message["values"]["missing"] == ["text", "attachments"]
