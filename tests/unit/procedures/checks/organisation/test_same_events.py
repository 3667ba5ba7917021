"""Events that an organisation finds across procedures are checked against each of them; errors name field, rule and remedy."""

from pathlib import Path

import pytest

from shared.procedures.checks.organisation.organisation_check import check_organisation

SOURCES = (
    "id: x\nfallback: ann\npeople: [{id: ann}]\nsources:\n  - {id: a, procedure: hunan-property}\n  - {id: b, procedure: website-levels}\n"
)
BOTH = "procedures: [hunan-property, website-levels]"


def errors(folder: Path, *events: str) -> list[str]:
    path = folder / "organisation.yaml"
    lines = "".join(f"  - {event}\n" for event in events)
    path.write_text(f"{SOURCES}same_events:\n{lines}", "utf-8")
    problems = [problem for problem in check_organisation(path) if problem.level == "error"]
    assert all(problem.line >= 7 for problem in problems)
    return [problem.message for problem in problems]


def test_event_of_two_procedures_has_no_fault(tmp_path: Path) -> None:
    event = (
        f"{{id: city_event, {BOTH}, threshold: 4, people: 2, window: 45d, similar: {{elsewhere: 0.14}}, when: \"complaint.title != ''\"}}"
    )
    assert errors(tmp_path, event) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (f"{BOTH}, window: 45d, does: {{reclassify: to_improve}}", "website-levels, there is no class to_improve; there are"),
        (f"{BOTH}, window: 45d, does: {{set: {{solvable_now: 3}}}}", "does.set.solvable_now: with the procedure hunan-property, 3 is"),
        (f"{BOTH}, window: 45d, when: facts.nowhere", "when: with the procedure hunan-property, «facts.nowhere»: facts.nowhere"),
        (f"{BOTH}, window: 45d, when: last.answered.at", "is not available in triage"),
        (f"{BOTH}, window: 45d, when: complaint.title", "it has to give true or false"),
        ("procedures: [hunan-property, website-level], window: 45d", "no source uses website-level; correct the id, or add"),
        ("procedures: [hunan-property], window: 45d", "name at least two procedures"),
        (f"{BOTH}, window: 3wd", "3wd is no window; write clock time or days"),
        (f"{BOTH}", "similar needs a window"),
        (f"{BOTH}, window: {{parameter: days}}", "window reads a parameter, and an organisation file declares none; write the value"),
        (f"{BOTH}, window: 45d, key: complaint.object", "an entry has either key or similar"),
        (f"{BOTH}, window: 45d, does: {{as: duplicate}}", "it should be 'group' or 'same_event'"),
        (f"{BOTH}, window: 45d, clause: '3'", "clause names a clause of a procedure, and the event has several procedures; leave it out"),
    ],
)  # fmt: skip
def test_fault_names_field_rule_and_remedy(tmp_path: Path, fields: str, message: str) -> None:
    found = errors(tmp_path, f"{{id: city_event, threshold: 4, {fields}}}")
    assert found
    assert message in found[0]


def test_two_events_with_one_id_are_refused(tmp_path: Path) -> None:
    event = f"{{id: city_event, {BOTH}, threshold: 4, window: 45d}}"
    assert errors(tmp_path, event, event) == ["same_events has city_event twice; rename one"]


def test_id_of_a_count_of_one_of_the_procedures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "organisation.yaml"
    source = "{id: a, procedure: telecom-urgent, parameters: {ordinary_limit: 3wd}}"
    event = "{id: batch_product, procedures: [telecom-urgent, website-levels], threshold: 4, window: 45d}"
    text = SOURCES.replace("{id: a, procedure: hunan-property}", source)
    path.write_text(f"{text}same_events:\n  - {event}\n", "utf-8")
    messages = [problem.message for problem in check_organisation(path) if problem.level == "error"]
    assert messages == ["id: telecom-urgent counts under batch_product itself; give the organisation's event another id"]
