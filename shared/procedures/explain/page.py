"""Builds the explanation of a procedure: each clause with its text and what the system does, then appendices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from shared.procedures.explain import clock_texts, declarations, rule_texts, triage_texts
from shared.procedures.explain.placement import ClausePlacement, Placement, place_entries
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.clauses import clause_ids, is_clause_or_subclause
from shared.procedures.model.entry_list import LocatedEntry, all_entries
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.form_layout.lists import CaseListEntry
from shared.procedures.model.procedure import (
    ClauseReading,
    ClauseText,
    ConfidentialityRule,
    FactDeclaration,
    FigureEntry,
    LanguageCode,
    OwnershipRule,
    ParameterDeclaration,
    Procedure,
    RegisterEntry,
)
from shared.procedures.model.timed_entries import ClockEntry, EscalationLadder, PeriodicDuty, ReactionEntry
from shared.procedures.model.triage.entries import (
    ClassRule,
    CountEntry,
    DerivationEntry,
    DuplicateRule,
    KindRule,
    ReviewRule,
    RouteEntry,
    SubjectNode,
)


@dataclass(frozen=True, slots=True)
class PageEntry:
    """Sentences, one a line, and the ids of the procedure's entries that they describe in full (none for a mere reference)."""

    lines: list[str]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageSection:
    """A heading, the text of the clause under it (empty in appendices), and the entries."""

    heading: str
    clause_text: str = ""
    entries: list[PageEntry] = field(default_factory=list)
    clause: str = ""


@dataclass(frozen=True, slots=True)
class ExplanationPage:
    """An explanation in one language."""

    language: LanguageCode
    title: str
    intro: list[str]
    clause_sections: list[PageSection]
    appendices: list[PageSection]


def build_page(procedure: Procedure, clauses: Mapping[str, ClauseText], language: LanguageCode) -> ExplanationPage:
    """The explanation of a procedure; its parameters need no values."""
    texts = ProcedureTexts(procedure, language, clauses)
    entries = all_entries(procedure)
    placement = place_entries(entries, clauses)
    clause_sections = [
        PageSection(_heading(texts, clause), texts.title(title), list(_clause_entries(texts, placement, clause)), clause)
        for clause, title in clauses.items()
    ]
    appendices = [section for section in _appendices(texts, entries, placement) if section.entries]
    return ExplanationPage(language, texts.title(procedure.title), _intro(texts, len(clauses)), clause_sections, appendices)


def _heading(texts: ProcedureTexts, clause: str) -> str:
    heading = texts.clause(clause)
    # Deadlines and messages cite the number; where the regulation is cited otherwise people need both.
    number = texts.choose(f"（{clause}）", f" ({clause})") if texts.is_cited_otherwise(clause) and clause not in heading else ""
    return heading[0].upper() + heading[1:] + number


def _clause_entries(texts: ProcedureTexts, placement: Placement, clause: str) -> Iterator[PageEntry]:
    """The entries under a clause in full, then references, then what the system leaves to people."""
    of_clause = placement.clauses[clause]
    yield from (_described(texts, group) for group in of_clause.groups)
    yield from _references(texts, placement, of_clause)
    reasons = [entry.why for entry in texts.procedure.uncovered if clause in clause_ids(entry.clause)]
    not_implemented = texts.choose("系统不执行：", "Not carried out by the system: ")
    yield from (PageEntry([not_implemented + texts.sentence(reason)]) for reason in reasons)
    if not (of_clause.groups or of_clause.mentioned or reasons):
        parts = [other for other in placement.clauses if other != clause and is_clause_or_subclause(other, clause)]
        listed = texts.clause_list(parts)
        yield PageEntry([texts.choose(f"由{listed}落实。", f"Carried out by {listed}.")])


def _references(texts: ProcedureTexts, placement: Placement, of_clause: ClausePlacement) -> Iterator[PageEntry]:
    """Entries that serve the clause and are explained in full elsewhere, by name."""
    elsewhere = dict[str, list[str]]()
    for located in of_clause.mentioned:
        if located.id in placement.home:
            elsewhere.setdefault(placement.home[located.id], []).append(_name_of(texts, located))
    places = [
        f"{texts.clause(clause)}{texts.join_list(list(dict.fromkeys(titles)), ('、', 'and'))}"
        if texts.is_chinese
        else f"{texts.clause(clause)}, {texts.join_list(list(dict.fromkeys(titles)), ('', 'and'))}"
        for clause, titles in elsewhere.items()
    ]
    if places:
        listed = texts.choose("；", "; ").join(places)
        yield PageEntry([texts.choose(f"另见{listed}。", f"See also {listed}.")])
    for section, zh, en in (("parameters", "由本组织设定", "Set by the organisation"), ("facts", "涉及的事实", "Facts concerned")):
        titles = [_name_of(texts, located) for located in of_clause.mentioned if located.section == section]
        if titles:
            listed = texts.join_list(titles, ("、", "and"))
            yield PageEntry([texts.choose(f"{zh}：{listed}。", f"{en}: {listed}.")])
    numbers = [_reading_number(located) for located in of_clause.mentioned if located.section == "readings"]
    numbers += [_reading_number(located, "矛盾") for located in of_clause.mentioned if located.section == "conflicts"]
    if numbers:
        listed = "、".join(numbers) if texts.is_chinese else texts.join_list([_english_number(number) for number in numbers], ("", "and"))
        yield PageEntry([texts.choose(f"见附录{listed}。", f"See {listed} in the appendix.")])


def _reading_number(located: LocatedEntry, word: str = "读法") -> str:
    """Readings and contradictions are numbered in the order of the file, from 1."""
    return f"{word}{int(located.yaml_path[1]) + 1}"


def _english_number(number: str) -> str:
    return number.replace("读法", "reading ").replace("矛盾", "contradiction ")


def _name_of(texts: ProcedureTexts, located: LocatedEntry) -> str:
    """The title under which an entry is referred to."""
    entry, name = located.entry, str(located.yaml_path[1]) if len(located.yaml_path) > 1 else ""
    match entry:
        case ActionRule():
            return texts.quote(texts.action("close" if located.section == "closing" else name))
        case RegisterEntry():
            return texts.quote(texts.choose("登记", "registration"))
        case DuplicateRule():
            return texts.quote(texts.choose("重复投诉", "duplicates"))
        case ReviewRule():
            return texts.quote(texts.choose("人工复核", "review"))
        case FormEntry() | CaseListEntry():
            return texts.document(texts.title(entry))
        case FactDeclaration() | ParameterDeclaration():
            return texts.quote(texts.title(entry, name))
        case ClassRule():
            return texts.quote(texts.title(entry))
    title = getattr(entry, "zh" if texts.is_chinese else "en", "")
    return texts.quote(title) if title else texts.choose("案件负责人", "who is responsible for the case")


def _appendices(texts: ProcedureTexts, entries: list[LocatedEntry], placement: Placement) -> Iterator[PageSection]:
    """Entries of no single clause; sections may be empty."""
    open_heading = texts.choose("原文未定、由本组织设定的事项", "What the text leaves open and the organisation sets")
    yield PageSection(open_heading, entries=_entries_in(texts, entries, "parameters"))
    conflicts_heading = texts.choose("相互矛盾的条款及其读法", "Clauses that contradict each other, and how they are read")
    yield PageSection(conflicts_heading, entries=_numbered(texts, entries, "conflicts"))
    readings_heading = texts.choose("读法：原文未写明或可作数解之处", "Readings, where the text is silent or open to more than one")
    yield PageSection(readings_heading, entries=_numbered(texts, entries, "readings"))
    yield PageSection(texts.choose("系统不执行的条款", "Clauses that the system does not carry out"), entries=_uncovered_clauses(texts))
    unplaced = [PageEntry(lines, (located.id,)) for located in placement.unplaced if (lines := describe_entry(texts, located))]
    after_end = rule_texts.describe_after_end(texts)
    yield PageSection(texts.choose("结案之后投诉人再来", "When the complainant comes back after the end"), entries=[PageEntry(after_end)])
    yield PageSection(texts.choose("不属于某一条款的设置", "Settings that belong to no clause"), entries=unplaced)
    roles = texts.choose("、", "; ").join(texts.role(role) for role in texts.procedure.role_names)
    yield PageSection(texts.choose("岗位", "Roles"), entries=[PageEntry([roles])])
    yield PageSection(texts.choose("系统据以判断的事实", "Facts that the rules read"), entries=_entries_in(texts, entries, "facts"))
    yield PageSection(
        texts.choose("通则", "General rules"),
        entries=[PageEntry([rule]) for rule in [*declarations.describe_general_rules(texts), *clock_texts.describe_limit_defaults(texts)]],
    )


def _described(texts: ProcedureTexts, group: Sequence[LocatedEntry]) -> PageEntry:
    """A group of entries that one sentence describes."""
    first, sources = group[0], tuple(located.id for located in group)
    if isinstance(first.entry, FigureEntry):
        return PageEntry(declarations.describe_figures(texts, [cast("FigureEntry", located.entry) for located in group]), sources)
    if isinstance(first.entry, ActionRule):
        return PageEntry(rule_texts.describe_action_rule(texts, [_action_id(located) for located in group], first.entry), sources)
    return PageEntry(describe_entry(texts, first), sources)


def _action_id(located: LocatedEntry) -> str:
    return "close" if located.section == "closing" else str(located.yaml_path[1])


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
            return rule_texts.describe_action_rule(texts, [_action_id(located)], entry)
        case FactDeclaration():
            return declarations.describe_fact(texts, name, entry)
        case ParameterDeclaration():
            return declarations.describe_parameter(texts, name, entry)
    return _describe_triage_rule(texts, located) or _describe_declaration(texts, located)


def _describe_triage_rule(texts: ProcedureTexts, located: LocatedEntry) -> list[str]:
    match located.entry:
        case KindRule():
            return triage_texts.describe_kind(texts, located.entry)
        case ClassRule():
            return triage_texts.describe_class(texts, located.entry)
        case SubjectNode():
            return triage_texts.describe_subject(texts, located.entry)
        case RouteEntry():
            return triage_texts.describe_route(texts, located.entry)
        case DerivationEntry():
            return triage_texts.describe_derivation(texts, located.entry)
        case CountEntry():
            return triage_texts.describe_count(texts, located.entry)
        case DuplicateRule():
            return triage_texts.describe_duplicates(texts, located.entry)
        case ReviewRule():
            return triage_texts.describe_review(texts, located.entry)
    return []


def _describe_declaration(texts: ProcedureTexts, located: LocatedEntry) -> list[str]:
    match located.entry:
        case RegisterEntry():
            return declarations.describe_register(texts, located.entry)
        case FormEntry():
            return declarations.describe_form(texts, located.entry)
        case CaseListEntry():
            return declarations.describe_list(texts, located.entry)
        case FigureEntry():
            return declarations.describe_figures(texts, [located.entry])
        case ConfidentialityRule():
            return declarations.describe_confidentiality(texts, located.entry)
        case OwnershipRule():
            return declarations.describe_ownership(texts, located.entry)
        case ClauseReading():
            section = cast("Literal['conflicts', 'readings']", located.section)
            return declarations.describe_reading(texts, located.entry, section)
    return []


def _entries_in(texts: ProcedureTexts, entries: list[LocatedEntry], section: str) -> list[PageEntry]:
    return [PageEntry(describe_entry(texts, located), (located.id,)) for located in entries if located.section == section]


def _numbered(texts: ProcedureTexts, entries: list[LocatedEntry], section: Literal["conflicts", "readings"]) -> list[PageEntry]:
    """Readings with the numbers by which the clauses refer to them."""
    numbered = []
    for located in (entry for entry in entries if entry.section == section):
        number = _reading_number(located, "读法" if section == "readings" else "矛盾")
        first, *rest = describe_entry(texts, located)
        mark = texts.choose(f"{number}　", f"{_english_number(number).capitalize()}. ")
        numbered.append(PageEntry([mark + first, *rest], (located.id,)))
    return numbered


def _uncovered_clauses(texts: ProcedureTexts) -> list[PageEntry]:
    colon = texts.choose("：", ": ")
    return [
        PageEntry([f"{listed[0].upper()}{listed[1:]}{colon}{texts.sentence(entry.why)}"])
        for entry in texts.procedure.uncovered
        if (listed := texts.clause_list(clause_ids(entry.clause)))
    ]


def _intro(texts: ProcedureTexts, clause_count: int) -> list[str]:
    procedure = texts.procedure
    source = texts.choose(f"依据：{procedure.source}", f"Regulation: {procedure.source}") if procedure.source else ""
    version = texts.choose(
        f"第{procedure.version}版，共{clause_count}条。",
        f"Version {procedure.version}, {clause_count} clause{'' if clause_count == 1 else 's'}.",
    )
    content = texts.choose(
        "本页逐条列出规定的要点（系转述，非原文）和系统为此所做的事，由系统实际执行的规程数据生成。"
        "每项规则只在一处写全，其他条款以“另见”指引。",
        "Clause by clause: what the regulation asks for, in summary, and what the system does about it, generated from the data that the "
        "system executes. Each rule stands in full once; other clauses refer to it.",
    )
    return [line for line in (source, version, content) if line]
