"""`procedure check` refuses a list with columns, conditions or an order that nothing can fill, and a duty without its lists."""

from pathlib import Path

import pytest

from shared.procedures.checks.pack_check import check_pack
from shared.procedures.loading.loader import load_pack
from shared.procedures.model.procedure_error import ProcedureError
from tests.unit.procedures.sample_pack import write_pack

LISTS = """\
lists:
  - id: late
    clause: "3"
    zh: 逾期件
    en: Overdue cases
    cases: open
    period: week
    when: "case.overdue && !case.suspended && count.handled == 0 && facts.urgent"
    order: [-complainant.household, received_at]
    columns:
      - number
      - {value: [handled.text, handled.at], take: first, zh: 结果, en: Result}
      - {expression: "last.called_back.outcome", zh: 回访, en: Called back}
      - {expression: "size(complaint.against) + count.urged", zh: 数, en: Count}
      - {expression: "case.due_at", zh: 期限, en: Due}
      - {value: compensation_paid.amount, take: sum, zh: 赔偿, en: Paid}
      - {value: cause_recorded.cause, take: all, zh: 原因, en: Causes}
      - overdue
duties:
  - {id: weekly, every: 1w, owner: desk, report: week, lists: [late, cases], clause: "3", zh: 周检, en: Weekly check}
uncovered:
"""


def messages(folder: Path, *changes: tuple[str, str]) -> list[str]:
    lists = LISTS
    for old, new in changes:
        assert old in lists, old
        lists = lists.replace(old, new)
    return [f"{problem.level}: {problem.message}" for problem in check_pack(load_pack(str(write_pack(folder, ("uncovered:\n", lists)))))]


def test_sample_lists_have_no_findings(tmp_path: Path) -> None:
    assert messages(tmp_path) == []


FAULTS = [
    (("- number\n", "- nummer\n"), "there is no field of a case nummer; did you mean number?"),
    (("- overdue\n", "- complainant.email\n"), "there is no field of the complainant that a form may print email"),
    (("handled.at]", "handeld.at]"), "there is no event handeld; did you mean handled?"),
    (("-complainant.household", "-facts.urgnt"), "there is no fact urgnt; did you mean urgent?"),
    (("case.overdue &&", "case.overdu &&"), "case.overdu: case has"),
    (("case.overdue &&", "case.level == 1 &&"), "case.level: case has"),
    (("case.overdue &&", "event.role == 'desk' &&"), "event is not available in a list"),
    (("case.overdue &&", "says.x &&"), "says"),
    (('"case.overdue && !case.suspended && count.handled == 0 && facts.urgent"', "count.handled"), "has to give true or false"),
    (("size(complaint.against) + count.urged", "complaint.text + 1"), "cannot be evaluated"),
    (("last.called_back.outcome", "last.called_back.result"), "called_back has"),
    (("last.called_back.outcome", "complaint.complainant"), "complainant"),
    (("value: compensation_paid.amount", "value: cause_recorded.cause"), "cause_recorded.cause is no number, so it has no sum"),
    (("value: cause_recorded.cause", "value: object"), "object is no field of an event, so there is one value only"),
    (("lists: [late, cases]", "lists: [latest]"), "there is no list latest; there are late, cases"),
    (("report: week, ", ""), "makes no report that could contain its lists"),
    (("zh: 逾期件\n", "zh: ''\n"), "lists.late has no title in zh"),
    (('clause: "3"\n    zh: 逾期件', 'clause: "9"\n    zh: 逾期件'), "clauses.yaml has no clause 9"),
]


@pytest.mark.parametrize(("change", "message"), FAULTS)
def test_fault_is_found(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    found = messages(tmp_path, change)
    assert any(message in each for each in found), found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("- number\n", "- {value: number, expression: count.urged, zh: x, en: x}\n"), "takes either value or expression"),
        (("- number\n", "- {zh: x, en: x}\n"), "takes either value or expression"),
        (("cases: open", "cases: all"), "cases"),
        (("take: all", "take: everything"), "take"),
        (("duties:", "  - {id: late, zh: x, en: x, columns: [number]}\nduties:"), "lists has late twice"),
    ],
)
def test_list_that_cannot_be_read_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(ProcedureError, match=message):
        messages(tmp_path, change)
