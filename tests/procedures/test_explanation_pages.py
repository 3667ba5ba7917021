"""The explanation of every pack, sentence by sentence against the rulebook that is executed."""

import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from services.sla.domain.rules.rulebook import Rulebook
from shared.procedures.explain.page import ExplanationPage, build_page
from shared.procedures.model.bound_procedure import bind_parameters, entry_parameters
from shared.procedures.model.effects import Effect, Escalate, Notify, Remind, role_tuple
from shared.procedures.model.entry_list import all_entries
from shared.procedures.model.procedure import LanguageCode, Procedure
from shared.procedures.model.timed_entries import ClockEntry, LimitFromFact, LimitFromParameter, LimitSource
from shared.procedures.organisation import open_organisation
from tests.support.scenarios.packs import PACKS, pack

EVERY_PACK = pytest.mark.parametrize("name", PACKS)
BOTH_LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])
NAMED_LIMITS = {
    "same_day": "当日24时前",
    "0.5wd": "半个工作日",
}
UNITS = {"wd": "个工作日", "wh": "个工作小时", "mo": "个月", "d": "个自然日", "h": "小时", "m": "分钟", "w": "周"}
CHANNELS = {"sms": "短信", "email": "电子邮件"}


def page_of(name: str, language: LanguageCode) -> ExplanationPage:
    return build_page(pack(name).procedure, pack(name).clauses, language)


def rulebook_of(name: str) -> Rulebook:
    return Rulebook(bind_parameters(pack(name).procedure, allow_unset=True), open_organisation(), {})


def lines_by_source(page: ExplanationPage) -> dict[str, list[str]]:
    return {
        source: entry.lines
        for section in (*page.clause_sections, *page.appendices)
        for entry in section.entries
        for source in entry.sources
    }


def all_lines(page: ExplanationPage) -> Iterator[str]:
    for section in (*page.clause_sections, *page.appendices):
        for entry in section.entries:
            yield from entry.lines


def limit_words(procedure: Procedure, limit: LimitSource) -> str:
    """A limit as the Chinese page has to state it, written here by hand."""
    if isinstance(limit, LimitFromFact):
        return procedure.facts[limit.date].zh
    if isinstance(limit, LimitFromParameter):
        default = procedure.parameters[limit.parameter].default
        return procedure.parameters[limit.parameter].zh if default is None else limit_words(procedure, str(default))
    if limit in NAMED_LIMITS:
        return NAMED_LIMITS[limit]
    unit = limit.lstrip("0123456789.")
    return f"{limit.removesuffix(unit)}{UNITS[unit]}"


def role_words(procedure: Procedure, role: str) -> str:
    assert isinstance(procedure.roles, dict)
    if role == "complainant":
        return "投诉人"
    if role in procedure.roles:
        return procedure.roles[role].zh
    return "案件负责人" if procedure.ownership else procedure.roles["handler"].zh


def figures_in(text: str) -> set[float]:
    return {float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)}


def stated(procedure: Procedure, effect: Effect, clock: ClockEntry | None = None) -> list[str]:
    """What a sentence about a message has to contain: whom it goes to and by what channels."""
    if isinstance(effect, Escalate):
        return [ladder.zh for ladder in procedure.ladders if ladder.id == effect.escalate]
    if not isinstance(effect, Remind | Notify):
        return []
    roles = role_tuple(effect.remind if isinstance(effect, Remind) else effect.notify)
    if clock is not None and "owner" in roles and isinstance(clock.owner, str | list):
        roles = (*(role for role in roles if role != "owner"), *role_tuple(clock.owner))
    return [*(role_words(procedure, role) for role in roles), *(CHANNELS[channel] for channel in effect.by)]


@EVERY_PACK
@BOTH_LANGUAGES
def test_every_entry_stands_in_full_exactly_once(name: str, language: LanguageCode) -> None:
    page = page_of(name, language)
    sources = Counter(
        source for section in (*page.clause_sections, *page.appendices) for entry in section.entries for source in entry.sources
    )
    assert sources == Counter(located.id for located in all_entries(pack(name).procedure) if not located.part_of)


@EVERY_PACK
def test_every_deadline_step_is_stated_once_with_its_figure_clause_and_recipients(name: str) -> None:
    procedure, lines = pack(name).procedure, lines_by_source(page_of(name, "zh"))
    texts = {clause: title.cite.zh if title.cite else f"第{clause}条" for clause, title in pack(name).clauses.items()}
    for clock_id, plan in rulebook_of(name).clock_plans.items():
        stating = [line for line in lines[f"clocks.{clock_id}"] if "期限：" in line]
        assert len(stating) == len(plan.deadline_steps)
        for line, step in zip(stating, plan.deadline_steps, strict=True):
            assert limit_words(procedure, step.entry.within) in line
            assert step.when is None or line.startswith("若")
            expected = [text for planned in step.effects if not planned.rule for text in stated(procedure, planned.effect, plan.clock)]
            own = [step.entry.clause, *(planned.effect.clause for planned in step.effects if not planned.rule)]
            clauses = [clause for ids in own if ids for clause in ([ids] if isinstance(ids, str) else ids)]
            assert [text for text in (*expected, *(texts[clause] for clause in clauses)) if text not in line] == []


@EVERY_PACK
def test_every_reminder_and_repetition_is_stated_once_with_its_figure_and_recipients(name: str) -> None:
    procedure, lines = pack(name).procedure, lines_by_source(page_of(name, "zh"))
    for clock_id, plan in rulebook_of(name).clock_plans.items():
        of_clock = lines[f"clocks.{clock_id}"]
        reminding = [line for line in of_clock if line.startswith(("届满前", "期限用去"))]
        assert len(reminding) == len(plan.clock.reminders)
        for line, entry, planned in zip(reminding, plan.clock.reminders, plan.reminders, strict=False):
            assert entry.before is None or limit_words(procedure, entry.before) in line
            assert [text for effect in planned.effects for text in stated(procedure, effect.effect, plan.clock) if text not in line] == []
        repeating = [line for line in of_clock if line.startswith("其间每隔")]
        assert len(repeating) == (plan.clock.every is not None)
        for line in repeating:
            assert plan.clock.every is not None
            assert limit_words(procedure, plan.clock.every) in line
            assert [
                text for effect in plan.repeat_effects for text in stated(procedure, effect.effect, plan.clock) if text not in line
            ] == []


@EVERY_PACK
def test_every_reaction_says_what_it_is_for_and_whom_it_reaches(name: str) -> None:
    procedure, lines = pack(name).procedure, lines_by_source(page_of(name, "zh"))
    plans = {plan.id: plan for plans in rulebook_of(name).reactions_by_event.values() for plan in plans}
    assert set(plans) == {reaction.id for reaction in procedure.reactions}
    for plan in plans.values():
        [line] = lines[f"reactions.{plan.id}"]
        assert line.startswith(f"“{plan.title[0]}”：一经")
        assert [text for planned in plan.effects for text in stated(procedure, planned.effect) if text not in line] == []
        assert plan.when is None or "若" in line


@EVERY_PACK
def test_every_permission_is_stated_with_its_roles_and_its_reason(name: str) -> None:
    procedure, lines = pack(name).procedure, lines_by_source(page_of(name, "zh"))
    stating = [line for source, of_source in lines.items() if source.startswith(("actions.", "closing.")) for line in of_source]
    for permissions in rulebook_of(name).permissions_by_action.values():
        for permission in permissions:
            rule = permission.rule
            expected = [role_words(procedure, role) for role in role_tuple(rule.by or [])]
            expected += [rule.reason.split(" / ")[0]] if rule.reason else []
            assert any(all(text in line for text in expected) for line in stating), rule


@EVERY_PACK
def test_a_clock_states_no_figure_that_it_does_not_have(name: str) -> None:
    procedure, lines = pack(name).procedure, lines_by_source(page_of(name, "zh"))
    for clock in procedure.clocks:
        parameters = [parameter.model_dump(mode="json") for parameter in procedure.parameters.values()]
        # Clauses, titles and readings have numbers of their own.
        cited = [re.escape(title.cite.zh) for title in pack(name).clauses.values() if title.cite is not None]
        others = "|".join([*cited, "“[^”]*”", "第[^（）]*?条", r"(?:读法|矛盾)\d+", "24时"])
        stated_here = re.sub(others, "", " ".join(lines[f"clocks.{clock.id}"]))
        limits = clock.effective_limits(procedure.limits)
        shares = {100 * share for share in (limits.remind_at, *(reminder.share for reminder in clock.reminders)) if share}
        defaults = shares | figures_in(limits.model_dump_json())
        assert figures_in(stated_here) <= figures_in(clock.model_dump_json() + json.dumps(parameters)) | defaults, stated_here


@EVERY_PACK
@BOTH_LANGUAGES
def test_a_page_has_no_id_no_code_and_no_pattern(name: str, language: LanguageCode) -> None:
    page = page_of(name, language)
    names, operators = r"\b[a-z]+_[a-z_]+\b|\b(?:facts|complaint|case|event|count|last|parameters)\.\w", r"&&|\|\||[!=]=|\{\d|\(\?"
    code = re.compile(f"{names}|{operators}|规程数据中|procedure's data")
    assert [line for line in (*page.intro, *all_lines(page)) if code.search(line)] == []
    assert [
        section.heading for section in page.clause_sections if re.fullmatch(r"第[a-z_-]+\d*条|Clause [a-z_-]+\d*", section.heading)
    ] == []


@EVERY_PACK
def test_only_contradicting_clauses_are_said_to_contradict(name: str) -> None:
    lines = [line for line in all_lines(page_of(name, "en")) if "contradict each other" in line]
    assert len(lines) == len(pack(name).procedure.conflicts)
    assert all(len(entry.clauses) > 1 for entry in pack(name).procedure.conflicts)


@EVERY_PACK
def test_every_alternative_reading_is_listed_with_the_parameter_that_selects_it(name: str) -> None:
    procedure, lines = pack(name).procedure, lines_by_source(page_of(name, "zh"))
    for section in ("conflicts", "readings"):
        for index, entry in enumerate(getattr(procedure, section)):
            text = " ".join(lines[f"{section}.{index}"])
            assert text.count("另一种读法") == len(entry.alternatives)
            assert not entry.parameter or procedure.parameters[entry.parameter].zh in text


@EVERY_PACK
def test_a_parameter_that_selects_a_reading_is_read_by_a_condition_or_stands_for_a_value(name: str) -> None:
    procedure = pack(name).procedure
    read = {path[1] for condition in rulebook_of(name)._conditions() for path in condition.paths if path[0] == "parameters"}
    read |= {source.parameter for _, _, source in entry_parameters(procedure)}
    assert {entry.parameter for entry in (*procedure.conflicts, *procedure.readings) if entry.parameter} <= read


@EVERY_PACK
@BOTH_LANGUAGES
def test_a_page_says_nothing_twice(name: str, language: LanguageCode) -> None:
    page = page_of(name, language)
    statements = Counter(entry.lines[0] for section in page.clause_sections for entry in section.entries if entry.sources)
    assert [line for line, times in statements.items() if times > 1] == []
    defaults = "所在条款未另作安排的" if language == "zh" else "where its own entry says nothing else"
    records = [clock for clock in pack(name).procedure.clocks if "breach" in clock.model_dump_json()]
    assert sum(line.count(defaults) for line in all_lines(page)) == bool(records)


@EVERY_PACK
def test_no_word_of_a_list_stands_there_twice(name: str) -> None:
    lists = [found for line in all_lines(page_of(name, "zh")) for found in re.findall(r"出现((?:“[^”]*”(?:、|或)?)+)", line)]
    words = [re.findall("“([^”]*)”", listed) for listed in lists]
    assert [listed for listed in words if len(set(listed)) != len(listed)] == []
