"""Builds the explanation of a procedure: each clause with its text and what the system does, then appendices."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.procedures.explain import clock_texts, declarations, rule_texts
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.clauses import clause_ids, is_clause_or_subclause
from shared.procedures.model.entry_list import LocatedEntry, all_entries
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.procedure import (
    ActionRule,
    ClassRule,
    ClauseConflict,
    ConfidentialityRule,
    CountEntry,
    DerivationEntry,
    FactDeclaration,
    FigureEntry,
    KindRule,
    LanguageCode,
    OwnershipRule,
    ParameterDeclaration,
    Procedure,
    RegisterEntry,
    RouteEntry,
    SubjectNode,
    Title,
)
from shared.procedures.model.timed_entries import ClockEntry, EscalationLadder, PeriodicDuty, ReactionEntry


@dataclass(frozen=True, slots=True)
class PageSection:
    """A heading, the text of the clause under it (empty in appendices), and the entries, each as a list of lines."""

    heading: str
    clause_text: str = ""
    entries: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExplanationPage:
    """An explanation in one language."""

    language: LanguageCode
    title: str
    intro: list[str]
    clause_sections: list[PageSection]
    appendices: list[PageSection]


def build_page(procedure: Procedure, clauses: Mapping[str, Title], language: LanguageCode) -> ExplanationPage:
    """The explanation of a procedure; its parameters need no values."""
    texts = ProcedureTexts(procedure, language)
    entries = all_entries(procedure)
    clause_sections = [PageSection(clause, texts.title(title), _entries_under(texts, entries, clause)) for clause, title in clauses.items()]
    appendices = [section for section in _appendices(texts, entries) if section.entries]
    return ExplanationPage(language, texts.title(procedure.title), _intro(texts, len(clauses)), clause_sections, appendices)


def _appendices(texts: ProcedureTexts, entries: list[LocatedEntry]) -> Iterator[PageSection]:
    """What belongs to no single clause; sections may be empty."""
    open_heading = texts.choose("原文未定、由组织设定的事项", "What the text leaves open and the organisation sets")
    yield PageSection(open_heading, entries=_entries_in(texts, entries, "parameters"))
    conflicts_heading = texts.choose("条款之间的矛盾及读法", "Where clauses contradict each other, and how they are read")
    yield PageSection(conflicts_heading, entries=_entries_in(texts, entries, "conflicts"))
    yield PageSection(texts.choose("系统不执行的条款", "Clauses that the system does not carry out"), entries=_uncovered_clauses(texts))
    yield PageSection(
        texts.choose("不属于某一条款的设置", "Settings that belong to no clause"), entries=_entries_without_clause(texts, entries)
    )
    yield PageSection(texts.choose("岗位", "Roles"), entries=[[texts.role(role)] for role in texts.procedure.role_names])
    yield PageSection(texts.choose("规则读取的事实", "Facts that rules read"), entries=_entries_in(texts, entries, "facts"))
    yield PageSection(texts.choose("计时规则", "How time is counted"), entries=_counting_rules(texts))


def describe_entry(texts: ProcedureTexts, located: LocatedEntry) -> list[str]:
    """The description of an entry, one sentence for each line; empty for an entry that the page does not describe."""
    entry, name = located.entry, str(located.yaml_path[1]) if len(located.yaml_path) > 1 else ""
    match entry:
        case ClockEntry():
            return clock_texts.describe_clock(texts, entry)
        case EscalationLadder():
            return clock_texts.describe_ladder(texts, entry)
        case PeriodicDuty():
            return clock_texts.describe_duty(texts, entry)
        case ReactionEntry():
            return rule_texts.describe_reaction(texts, entry)
        case ActionRule():
            return rule_texts.describe_action_rule(texts, "close" if located.section == "closing" else name, entry)
        case FactDeclaration():
            return declarations.describe_fact(texts, name, entry)
        case ParameterDeclaration():
            return declarations.describe_parameter(texts, name, entry)
    return _describe_triage_rule(texts, located) or _describe_declaration(texts, located)


def _describe_triage_rule(texts: ProcedureTexts, located: LocatedEntry) -> list[str]:
    match located.entry:
        case KindRule():
            return rule_texts.describe_kind(texts, located.entry)
        case ClassRule():
            return rule_texts.describe_class(texts, located.entry)
        case SubjectNode():
            return rule_texts.describe_subject(texts, located.entry)
        case RouteEntry():
            return rule_texts.describe_route(texts, located.entry)
        case DerivationEntry():
            return rule_texts.describe_derivation(texts, located.entry)
        case CountEntry():
            return rule_texts.describe_count(texts, located.entry)
    return []


def _describe_declaration(texts: ProcedureTexts, located: LocatedEntry) -> list[str]:
    match located.entry:
        case RegisterEntry():
            return declarations.describe_register(texts, located.entry)
        case FormEntry():
            return declarations.describe_form(texts, located.entry)
        case FigureEntry():
            return declarations.describe_figure(texts, located.entry)
        case ConfidentialityRule():
            return declarations.describe_confidentiality(texts, located.entry)
        case OwnershipRule():
            return declarations.describe_ownership(texts, located.entry)
        case ClauseConflict():
            return declarations.describe_conflict(texts, located.entry)
    return []


def _entries_under(texts: ProcedureTexts, entries: list[LocatedEntry], clause: str) -> list[list[str]]:
    """The entries of a clause; an effect or a due entry with the clause is described with the whole entry that contains it."""
    wholes = {located.id: located for located in entries if not located.part_of}
    of_clause = [located for located in entries if any(is_clause_or_subclause(clause_id, clause) for clause_id in located.clauses)]
    whole_ids = dict.fromkeys(located.part_of or located.id for located in of_clause)
    reasons = [entry.why for entry in texts.procedure.uncovered if clause in clause_ids(entry.clause)]
    not_implemented = texts.choose("系统不执行：", "Not carried out by the system: ")
    return [
        *(describe_entry(texts, wholes[entry_id]) for entry_id in whole_ids),
        *([not_implemented + texts.own_language_part(reason)] for reason in reasons),
    ]


def _entries_in(texts: ProcedureTexts, entries: list[LocatedEntry], section: str) -> list[list[str]]:
    return [describe_entry(texts, located) for located in entries if located.section == section]


def _entries_without_clause(texts: ProcedureTexts, entries: list[LocatedEntry]) -> list[list[str]]:
    described = (
        describe_entry(texts, located) for located in entries if not (located.part_of or located.clauses or located.section == "facts")
    )
    return [lines for lines in described if lines]


def _uncovered_clauses(texts: ProcedureTexts) -> list[list[str]]:
    return [[f"{', '.join(clause_ids(entry.clause))}: {texts.own_language_part(entry.why)}"] for entry in texts.procedure.uncovered]


def _intro(texts: ProcedureTexts, clause_count: int) -> list[str]:
    procedure = texts.procedure
    source = texts.choose(f"依据：{procedure.source}", f"Regulation: {procedure.source}") if procedure.source else ""
    version = texts.choose(
        f"规程{procedure.id}，第{procedure.version}版，共{clause_count}条。",
        f"Procedure {procedure.id}, version {procedure.version}, {clause_count} clauses.",
    )
    content = texts.choose(
        "本页逐条列出规定的内容（以本系统的文字转述），以及系统为此所做的事。由规程数据生成，与实际运行一致。",
        "Clause by clause: what the regulation says, in our own words, and what the system does about it. "
        "Made from the procedure's data, which is what runs.",
    )
    return [line for line in (source, version, content) if line]


def _counting_rules(texts: ProcedureTexts) -> list[list[str]]:
    ends_at_midnight = texts.procedure.day_end == "midnight"
    return [
        [
            texts.choose(
                "工作日届满于该日下班时刻；法定节假日不计，调休上班日计入。",
                "A limit in working days ends at close of business; public holidays do not count, make-up working days do.",
            )
        ],
        [
            texts.choose(
                f"自然日届满于末日{'24时' if ends_at_midnight else '下班时刻'}；末日非工作日的，除另有注明外顺延至下一工作日。",
                f"A limit in calendar days ends at {'24:00' if ends_at_midnight else 'close of business'} on its last day; "
                "if that is not a working day, then on the next one, unless it says otherwise.",
            )
        ],
        [
            texts.choose(
                "登记所起算的时限自收到投诉之时起算；恰在届满时刻完成的为按时。",
                "Deadlines from registration count from the moment of receipt; what is done exactly at the due moment is in time.",
            )
        ],
    ]
