"""The page of a procedure: clause by clause its words, and what the system does; then what is open, in conflict, or left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.procedures.explain import clock_texts, declarations, rule_texts
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.clauses import clause_ids, is_clause_or_subclause
from shared.procedures.model.entry_list import LocatedEntry, all_entries
from shared.procedures.model.procedure import (
    ActionRule,
    ClassRule,
    ClauseConflict,
    ConfidentialityRule,
    CountEntry,
    DerivationEntry,
    FactDeclaration,
    FigureEntry,
    FormEntry,
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
    """One heading: the regulation's words under it (empty if none), and what the system does, an entry a list of lines."""

    heading: str
    clause_text: str = ""
    entries: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExplanationPage:
    """A whole page in one language."""

    language: LanguageCode
    title: str
    intro: list[str]
    clause_sections: list[PageSection]
    appendices: list[PageSection]


def build_page(procedure: Procedure, clauses: Mapping[str, Title], language: LanguageCode) -> ExplanationPage:
    """The page of a procedure; parameters may be unbound."""
    speech = ProcedureTexts(procedure, language)
    items = [item for item in all_entries(procedure) if not item.part_of]
    everything = all_entries(procedure)
    parts = [PageSection(clause, speech.title(words), _entries_under(speech, everything, clause)) for clause, words in clauses.items()]
    loose = [
        lines
        for item in items
        if not item.clauses and item.section not in ("facts", "uncovered")
        for lines in [describe_entry(speech, item)]
        if lines
    ]
    further = [
        PageSection(
            speech.choose("原文未定、由组织设定的事项", "What the text leaves open and the organisation sets"),
            "",
            _entries_in(speech, items, "parameters"),
        ),
        PageSection(
            speech.choose("条款之间的矛盾及读法", "Where clauses contradict each other, and how they are read"),
            "",
            _entries_in(speech, items, "conflicts"),
        ),
        PageSection(speech.choose("系统不执行的条款", "Clauses that the system does not carry out"), "", _uncovered_clauses(speech)),
        PageSection(speech.choose("不属于某一条款的设置", "Settings that belong to no clause"), "", loose),
        PageSection(speech.choose("岗位", "Roles"), "", [[speech.role(role)] for role in procedure.role_names]),
        PageSection(speech.choose("规则读取的事实", "Facts that rules read"), "", _entries_in(speech, items, "facts")),
        PageSection(speech.choose("计时规则", "How time is counted"), "", _counting_rules(speech)),
    ]
    return ExplanationPage(
        language, speech.title(procedure.title), _intro(speech, len(clauses)), parts, [part for part in further if part.entries]
    )


def describe_entry(texts: ProcedureTexts, item: LocatedEntry) -> list[str]:
    """An entry in words, a line a sentence."""
    entry, name = item.entry, str(item.yaml_path[1]) if len(item.yaml_path) > 1 else ""
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
            return rule_texts.describe_action_rule(texts, "close" if item.section == "closing" else name, entry)
        case FactDeclaration():
            return declarations.describe_fact(texts, name, entry)
        case ParameterDeclaration():
            return declarations.describe_parameter(texts, name, entry)
    return _describe_triage_rule(texts, item) or _describe_declaration(texts, item)


def _describe_triage_rule(texts: ProcedureTexts, item: LocatedEntry) -> list[str]:
    match item.entry:
        case KindRule():
            return rule_texts.describe_kind(texts, item.entry)
        case ClassRule():
            return rule_texts.describe_class(texts, item.entry)
        case SubjectNode():
            return rule_texts.describe_subject(texts, item.entry)
        case RouteEntry():
            return rule_texts.describe_route(texts, item.entry)
        case DerivationEntry():
            return rule_texts.describe_derivation(texts, item.entry)
        case CountEntry():
            return rule_texts.describe_count(texts, item.entry)
    return []


def _describe_declaration(texts: ProcedureTexts, item: LocatedEntry) -> list[str]:
    match item.entry:
        case RegisterEntry():
            return declarations.describe_register(texts, item.entry)
        case FormEntry():
            return declarations.describe_form(texts, item.entry)
        case FigureEntry():
            return declarations.describe_figure(texts, item.entry)
        case ConfidentialityRule():
            return declarations.describe_confidentiality(texts, item.entry)
        case OwnershipRule():
            return declarations.describe_ownership(texts, item.entry)
        case ClauseConflict():
            return declarations.describe_conflict(texts, item.entry)
    return []


def _entries_under(texts: ProcedureTexts, items: list[LocatedEntry], clause: str) -> list[list[str]]:
    """The entries under a clause; a part that alone carries it (an effect, a due) brings its whole entry."""
    wholes = {item.id: item for item in items if not item.part_of}
    carrying = dict.fromkeys(item.part_of or item.id for item in items if any(is_clause_or_subclause(one, clause) for one in item.clauses))
    found = [describe_entry(texts, wholes[item_id]) for item_id in carrying]
    reasons = [entry.why for entry in texts.procedure.uncovered if clause in clause_ids(entry.clause)]
    return [*found, *([texts.choose("系统不执行：", "Not carried out by the system: ") + texts.own_language_part(why)] for why in reasons)]


def _entries_in(texts: ProcedureTexts, items: list[LocatedEntry], section: str) -> list[list[str]]:
    return [describe_entry(texts, item) for item in items if item.section == section]


def _uncovered_clauses(texts: ProcedureTexts) -> list[list[str]]:
    return [[f"{', '.join(clause_ids(entry.clause))}: {texts.own_language_part(entry.why)}"] for entry in texts.procedure.uncovered]


def _intro(texts: ProcedureTexts, clauses: int) -> list[str]:
    procedure = texts.procedure
    source = texts.choose(f"依据：{procedure.source}", f"Regulation: {procedure.source}") if procedure.source else ""
    version = texts.choose(
        f"规程{procedure.id}，第{procedure.version}版，共{clauses}条。",
        f"Procedure {procedure.id}, version {procedure.version}, {clauses} clauses.",
    )
    how = texts.choose(
        "本页逐条列出规定的内容（以本系统的文字转述），以及系统为此所做的事。由规程数据生成，与实际运行一致。",
        "Clause by clause: what the regulation says, in our own words, and what the system does about it. "
        "Made from the procedure's data, which is what runs.",
    )
    return [line for line in (source, version, how) if line]


def _counting_rules(texts: ProcedureTexts) -> list[list[str]]:
    midnight = texts.procedure.day_end == "midnight"
    return [
        [
            texts.choose(
                "工作日届满于该日下班时刻；法定节假日不计，调休上班日计入。",
                "A limit in working days ends at close of business; public holidays do not count, make-up working days do.",
            )
        ],
        [
            texts.choose(
                f"自然日届满于末日{'24时' if midnight else '下班时刻'}；末日非工作日的，除另有注明外顺延至下一工作日。",
                f"A limit in calendar days ends at {'24:00' if midnight else 'close of business'} on its last day; "
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
