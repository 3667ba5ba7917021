"""Checks of a pack: one case for each kind of mistake, as one change of the sample procedure."""

from pathlib import Path

import pytest

from shared.procedures.checks.pack_check import check_pack
from shared.procedures.loading.loader import load_pack
from shared.procedures.organisation import Organisation, Person
from tests.unit.procedures.sample_pack import CLAUSES, write_pack


def findings(folder: Path, *changes: tuple[str, str], organisation: Organisation | None = None, clauses: str = CLAUSES) -> list[str]:
    problems = check_pack(load_pack(write_pack(folder, *changes, clauses=clauses)), organisation)
    return [f"{problem.level}: {problem}".replace(f"{folder}/", "") for problem in problems]


def test_the_sample_has_no_findings(tmp_path: Path) -> None:
    assert findings(tmp_path) == []


ERRORS = {
    "unknown fact": ('when: "facts.urgent"', 'when: "facts.urgnt"', "facts.urgnt: facts has agreed, urgent"),
    "unknown event field": ("event.role == 'chief'", "event.rle == 'chief'", "event.rle: event has"),
    "unknown role in a condition": ("event.role == 'chief'", "event.role == 'boss'", "event.role is never 'boss'"),
    "unknown class in a condition": (
        "case.class == 'ordinary'",
        "case.class == 'ordnary'",
        "case.class is never 'ordnary'; use one of ordinary, urgent",
    ),
    "unknown outcome": ("== 'satisfied'", "in ['happy', 'satisfied']", "last.called_back.outcome is never 'happy'"),
    "unknown last event": ("last.called_back.outcome", "last.called.outcome", "no event is called called"),
    "bad syntax": ("== 'satisfied'", "=== 'satisfied'", "is not a condition"),
    "operator that does not fit the types": ("facts.urgent", "facts.urgent > 3", "cannot be evaluated"),
    "operator that does not fit the types if a fact is set": (
        'when: "facts.urgent"',
        'when: "facts.urgent && facts.agreed > 3"',
        "cannot be evaluated",
    ),
    "text instead of true or false": ('when: "facts.urgent"', "when: \"'urgent'\"", "has to give true or false"),
    "unknown pattern": ('when: "facts.urgent"', 'when: "says.hurry"', "says.hurry: says has discontent, enquiry, suggestion"),
    "pattern outside triage": ("case.class == 'ordinary'", "says.discontent", "says is available in triage only"),
    "pattern without an expression": ("classes:\n", "patterns:\n  hurry: {cues: []}\nclasses:\n", "patterns.hurry has no expression"),
    "pattern with an empty expression": ("classes:\n", "patterns:\n  hurry: {words: ['']}\nclasses:\n", "or an empty one; write words or"),
    "pattern with bad syntax": (
        "classes:\n",
        "patterns:\n  hurry: {matches: ['快(']}\nclasses:\n",
        "patterns.hurry: the pattern is not valid",
    ),
    "pattern that no condition can name": (
        "classes:\n",
        "patterns:\n  Hurry Up: {words: [快]}\nclasses:\n",
        "patterns.Hurry Up: a name has",
    ),
    "history in triage": ('when: "facts.urgent"', 'when: "count.answered > 1"', "count is not available in triage"),
    "event in a guard": ("case.class == 'ordinary'", "event.role == 'desk'", "event is not available in a clock's when"),
    "unknown event": ("stops: closed", "stops: closd", "there is no event closd; did you mean closed?"),
    "unknown action": ("  close: {by", "  clse: {by", "there is no action clse; did you mean close?"),
    "unknown role": ("remind: desk", "remind: clerk", "the role clerk is not declared"),
    "unknown department of a message": ("remind: desk", "remind: desk, departments: [clerk]", "the role clerk is not declared"),
    "unknown ladder or role": ("escalate: up", "escalate: upp", "the role upp is not declared"),
    "unknown parameter": ("{parameter: limit}", "{parameter: limt}", "there is no parameter limt; did you mean limit?"),
    "unknown date": ("{parameter: limit}", "{date: agred}", "there is no fact agred; did you mean agreed?"),
    "date of another type": ("{parameter: limit}", "{date: urgent}", "a date needs type: instant"),
    "unknown clock": ("{escalate: up}", "{cancel: chas}", "there is no clock chas; did you mean chase?"),
    "undeclared fact set": ("{escalate: up}", "{set: {urgnt: true}}", "there is no fact urgnt; did you mean urgent?"),
    "wrong type set": ("{escalate: up}", "{set: {urgent: often}}", "'often' is not of the type bool"),
    "wrong default": ("default: false", "default: 7", "the default 7 is not of the type bool"),
    "unknown class": ("{escalate: up}", "{reclassify: urgnt}", "there is no class urgnt; did you mean urgent?"),
    "duplicates by an unknown field": ("uncovered:", "duplicates: {within: 2h, same: [objekt]}\nuncovered:", "did you mean object?"),
    "duplicates by a field of the submission": ("uncovered:", "duplicates: {within: 2h, same: [number]}\nuncovered:", "in common number"),
    "duplicates by an undeclared fact": ("uncovered:", "duplicates: {within: 2h, same: [facts.lift]}\nuncovered:", "in common facts.lift"),
    "duplicates within working time": ("uncovered:", "duplicates: {within: 4wh, same: [object]}\nuncovered:", "4wh is no window"),
    "count within working time": (
        "uncovered:",
        "counts: [{id: many, zh: 多, en: Many, key: complaint.object, threshold: 2, window: 1wd, does: {}}]\nuncovered:",
        "1wd is no window",
    ),
    "refusal of no action": ("{escalate: up}", "{refuse_further: answr}", "there is no action answr; did you mean answer?"),
    "level without levels": ("{escalate: up}", "{raise_level: 1}", "raise_level needs levels"),
    "unknown field required": ("required: [text,", "required: [txt,", "there is no field of a complaint txt; did you mean text?"),
    "unreachable class": ('when: "facts.urgent", clause', "clause", "is never reached: entry 1 has no when"),
    "endless repeat": ("    stops: closed\n", "", "nothing stops the repeating clock chase"),
    "endless clock": ("    stops: [handled, {event: closed, when: \"event.role == 'chief'\"}]\n", "", "nothing stops the clock handling"),
    "repeat without effect": ("    do: [{remind: desk, by: [sms]}]\n", "", "every without do has no effect"),
    "clock without a limit": ("    every: 3d\n    do: [{remind: desk, by: [sms]}]\n", "", "has neither due nor every"),
    "class without a closing condition": (
        '4"}\nclosing:\n  - {requires: "last.called_back.outcome == \'satisfied\'", clause: "4.1"}\n',
        '4", waives: [close_needs_handling]}\n',
        "the class urgent has no closing condition",
    ),
    "review that does not see a new plan": (
        '  close: {by: [desk, chief], clause: "4"}',
        '  close: {by: [desk, chief], clause: "4"}\n  handle: {requires: "last.review_passed.at > last.review_rejected.at", clause: "4"}',
        "compare last.review_passed.at with last.measures_submitted.at",
    ),
    "verification of nothing": (
        "last.called_back.outcome == 'satisfied'",
        "last.called_back.outcome == 'satisfied' && count.verified > 0",
        "compare last.verified.at with last.handled.at",
    ),
    "only the first call-back": (
        "uncovered:",
        'reactions:\n- {id: c, zh: 回, en: B, on: handled, when: "count.called_back == 0", do: [{remind: desk}], clause: "4"}\nuncovered:',
        "asks for the first call-back only",
    ),
    "only the first call-back, in a clock": (
        "    starts: registered\n    stops: closed",
        '    starts: {event: handled, when: "count.called_back == 0"}\n    stops: closed',
        "asks for the first call-back only",
    ),
    "call-back that closing does not need": (
        'last.called_back.outcome == \'satisfied\'", clause: "4.1"}',
        'count.handled > 0", clause: "4.1"}\nfigures: [{id: call_back_rate, zh: 回访率, en: Rate, clause: "4.1"}]',
        "closing does not need it; add {call_back: {}",
    ),
    "call-back under another action": (
        '  close: {by: [desk, chief], clause: "4"}',
        '  close: {by: [desk, chief], clause: "4"}\n  handle: {call_back: {}, clause: "4"}',
        "call_back has no effect on handle; write it under closing",
    ),
    "role that closes is unknown": ('clause: "4.1"}', 'clause: "4.1", call_back: {closes: clerk}}', "the role clerk is not declared"),
    "days of another type": (
        'clause: "4.1"}',
        'clause: "4.1", call_back: {unreached_days: {parameter: limit}}}',
        "unreached_days needs a parameter of the type int",
    ),
    "object of another action": (
        '  close: {by: [desk, chief], clause: "4"}',
        '  close: {by: [desk, chief], clause: "4", decides_on: [handled]}',
        "decides_on has no effect on close",
    ),
    "unknown object": (
        '  close: {by: [desk, chief], clause: "4"}',
        '  close: {by: [desk, chief], clause: "4"}\n  verify: {clause: "4", decides_on: [handeld]}',
        "there is no event handeld",
    ),
    "report that needs an unknown field": (
        '  close: {by: [desk, chief], clause: "4"}',
        '  close: {by: [desk, chief], clause: "4"}\n  survey: {clause: "4", incomplete: missing, report_needs: {attachment: any}}',
        "there is no field of survey's event attachment; did you mean attachments?",
    ),
    "report that needs a field of another event": (
        '  close: {by: [desk, chief], clause: "4"}',
        '  close: {by: [desk, chief], clause: "4"}\n  survey: {clause: "4", report_needs: {outcome: any}}',
        "there is no field of survey's event outcome",
    ),
    "report that needs a field of the engine": (
        '  close: {by: [desk, chief], clause: "4"}',
        '  close: {by: [desk, chief], clause: "4"}\n  survey: {clause: "4", report_needs: {missing: any}}',
        "there is no field of survey's event missing",
    ),
    "event without a field for what is missing": (
        '  close: {by: [desk, chief], clause: "4"}',
        '  close: {by: [desk, chief], clause: "4"}\n  contact: {clause: "4", incomplete: missing, report_needs: {text: any}}',
        "the event of contact has no field missing; write incomplete: refuse, or use one of hand_over, report, survey",
    ),
    "default of another action": (
        '  close: {by: [desk, chief], clause: "4"}',
        '  close: {by: [desk, chief], clause: "4", waives: [refuse_decides_acceptance]}',
        "refuse_decides_acceptance is a rule for refuse, not for close",
    ),
    "limit that reaches nobody": (
        "    due:\n      - within: {parameter: limit}\n        do: [breach, {escalate: up}]\n",
        '    limits: {tell_owner: false, escalate_after: null, clause: "3"}\n    due: [{within: {parameter: limit}}]\n',
        "the limit of handling reaches nobody when it is missed",
    ),
    "periods that reach nobody": (
        "    do: [{remind: desk, by: [sms]}]\n",
        '    limits: {missed_period: false, remind_at: null, clause: "3.1"}\n',
        "the periods of chase reach nobody",
    ),
    "default changed without a clause": ("    every: 3d\n", "    every: 3d\n    limits: {missed_period: false}\n", "missed_period changes"),
    "default changed by an unknown clause": (
        "    every: 3d\n",
        '    every: 3d\n    limits: {missed_period: false, clause: "7"}\n',
        "clauses.yaml has no clause 7",
    ),
    "unit that takes over forgotten": (
        "actions:\n",
        'reactions:\n  - {id: told, on: routed, do: [{notify: desk}], clause: "3", zh: 告知, en: Told}\nactions:\n',
        "forgets the unit that takes over",
    ),
    "guard of a reminder that is never read again": (
        "    owner: desk\n    due:\n",
        "    owner: desk\n    reminders: [{share: 0.5, when: count.handled == 0, do: [{remind: desk}]}]\n    due:\n",
        "reads only count.handled, which nothing changes once the clock runs",
    ),
    "unknown clause": ('clause: "3.1"', 'clause: "7"', "clauses.yaml has no clause 7"),
    "unknown clause under uncovered": ('clause: "5"', 'clause: "6"', "clauses.yaml has no clause 6"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_mistake_is_an_error_with_its_remedy(tmp_path: Path, name: str) -> None:
    old, new, message = ERRORS[name]
    errors = [line for line in findings(tmp_path, (old, new)) if line.startswith("error: procedure.yaml:")]
    assert any(message in line for line in errors), errors


def test_a_clause_without_an_entry_is_an_error_in_clauses_yaml(tmp_path: Path) -> None:
    errors = findings(tmp_path, clauses=CLAUSES + '  "6": {zh: 六, en: Six}\n')
    assert errors == ["error: clauses.yaml:8: no entry implements the clause 6; add one, or list it under uncovered with the reason"]


def test_a_missing_text_of_a_clause_is_an_error(tmp_path: Path) -> None:
    errors = findings(tmp_path, clauses=CLAUSES.replace("en: Polite", 'en: ""'))
    assert errors == ["error: clauses.yaml:7: the text of 5 is missing in en; add it"]


_DERIVED = '  - {id: hurry, zh: 急, en: Hurry, clause: "2", when: WHEN, set: {urgent: true}}\nclasses:\n'
WARNINGS = {
    "derived fact without regard to negation": (
        "classes:\n",
        "derived:\n" + _DERIVED.replace("WHEN", "\"complaint.text.matches('急')\""),
        "searches the text for words without regard to negation",
    ),
    "derived fact from title and text without regard to negation": (
        "classes:\n",
        "derived:\n" + _DERIVED.replace("WHEN", "\"(complaint.title + complaint.text).contains('急')\""),
        "searches the text for words without regard to negation",
    ),
    "derived fact from a pattern without negation": (
        "classes:\n",
        "patterns:\n  hurry: {words: [急], cues: [hearsay]}\nderived:\n" + _DERIVED.replace("WHEN", "says.hurry"),
        "reads says.hurry, whose cues do not contain negation",
    ),
    "no class left": (
        "ordinary, zh: 普通件, en: Ordinary case, clause",
        'ordinary, zh: 普通件, en: Ordinary case, when: "!facts.urgent", clause',
        "a complaint may get no class",
    ),
    "idle role": (
        "  chief: {zh: 主管",
        "  idle: {zh: 闲, en: Idle}\n  chief: {zh: 主管",
        "the role idle is declared, but no entry names it",
    ),
    "unread parameter": ("within: {parameter: limit}", "within: 3d", "no entry uses the parameter limit"),
    "title missing": ("en: Urgent case", 'en: ""', "classes.urgent has no title in en"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_a_weakness_is_a_warning(tmp_path: Path, name: str) -> None:
    old, new, message = WARNINGS[name]
    lines = findings(tmp_path, (old, new))
    assert any(line.startswith("warning: procedure.yaml:") and message in line for line in lines), lines
    assert [line for line in lines if line.startswith("error")] == []


@pytest.mark.parametrize("pattern", ["{words: [急]}", "{words: [急], topic: true}", "{words: [急], cues: [negation]}"])
def test_a_derived_fact_from_a_pattern_with_negation_or_of_a_topic_is_no_weakness(tmp_path: Path, pattern: str) -> None:
    sections = f"patterns:\n  hurry: {pattern}\nderived:\n" + _DERIVED.replace("WHEN", "says.hurry")
    assert findings(tmp_path, ("classes:\n", sections)) == []


def test_a_closing_condition_that_holds_for_an_empty_case_does_not_count(tmp_path: Path) -> None:
    only = "case.class != 'urgent' || last.called_back.outcome == 'satisfied'"
    waived = ('  close: {by: [desk, chief], clause: "4"}', '  close: {by: [desk, chief], clause: "4", waives: [close_needs_handling]}')
    lines = findings(tmp_path, ("last.called_back.outcome == 'satisfied'", only), waived)
    assert [line for line in lines if "closing condition" in line] == [
        (
            "error: procedure.yaml:15: clause 2: the class ordinary has no closing condition: "
            "its cases may be closed at once; add one under closing"
        )
    ]


def test_several_classes_that_only_a_person_assigns_are_no_mistake(tmp_path: Path) -> None:
    never = "".join(f'  - {{id: {name}, zh: 重, en: Grave, when: "false", clause: "2"}}\n' for name in ("grave", "special"))
    assert findings(tmp_path, ("classes:\n", "classes:\n" + never)) == []


def test_a_vacant_role_is_a_warning_if_a_role_above_it_has_a_holder_else_an_error(tmp_path: Path) -> None:
    with_chief = Organisation(id="o", people=[Person(id="p", roles=["chief"])], line={"desk": "chief"})
    lines = findings(tmp_path, organisation=with_chief)
    assert [line.partition(": no person")[0] for line in lines] == ["warning: procedure.yaml:17: clause 3"]
    without_chief = Organisation(id="o", people=[Person(id="p", roles=["desk"])])
    lines = findings(tmp_path, organisation=without_chief)
    assert [line.partition(":")[0] for line in lines if "no person holds the role chief or a role above it" in line] == ["error"]
