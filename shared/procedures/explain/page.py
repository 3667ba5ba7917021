"""The page of a procedure: clause by clause its words, and what the system does; then what is open, in conflict, or left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.procedures.explain import records, rules, timing
from shared.procedures.explain.speech import Speech
from shared.procedures.explain.words import Language
from shared.procedures.model.clauses import counts_for, listed
from shared.procedures.model.entry_list import Item, inventory
from shared.procedures.model.procedure import (
    ActionRule,
    ClassRule,
    Confidentiality,
    Conflict,
    Count,
    Derived,
    Fact,
    Figure,
    Form,
    KindRule,
    Ownership,
    Parameter,
    Procedure,
    Register,
    Route,
    Subject,
    Title,
)
from shared.procedures.model.timed_entries import Clock, Duty, Ladder, Reaction


@dataclass(frozen=True, slots=True)
class Part:
    """One heading: the regulation's words under it (empty if none), and what the system does, an entry a list of lines."""

    heading: str
    words: str = ""
    entries: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page in one language."""

    language: Language
    title: str
    intro: list[str]
    clauses: list[Part]
    further: list[Part]


def page(procedure: Procedure, clauses: Mapping[str, Title], language: Language) -> Page:
    """The page of a procedure; parameters may be unbound."""
    speech = Speech(procedure, language)
    items = [item for item in inventory(procedure) if not item.within]
    everything = inventory(procedure)
    parts = [Part(clause, speech.title(words), _under(speech, everything, clause)) for clause, words in clauses.items()]
    loose = [
        lines
        for item in items
        if not item.clauses and item.section not in ("facts", "uncovered")
        for lines in [describe(speech, item)]
        if lines
    ]
    further = [
        Part(
            speech.say("原文未定、由组织设定的事项", "What the text leaves open and the organisation sets"),
            "",
            _section(speech, items, "parameters"),
        ),
        Part(
            speech.say("条款之间的矛盾及读法", "Where clauses contradict each other, and how they are read"),
            "",
            _section(speech, items, "conflicts"),
        ),
        Part(speech.say("系统不执行的条款", "Clauses that the system does not carry out"), "", _left_out(speech)),
        Part(speech.say("不属于某一条款的设置", "Settings that belong to no clause"), "", loose),
        Part(speech.say("岗位", "Roles"), "", [[speech.role(role)] for role in procedure.role_names]),
        Part(speech.say("规则读取的事实", "Facts that rules read"), "", _section(speech, items, "facts")),
        Part(speech.say("计时规则", "How time is counted"), "", _counting(speech)),
    ]
    return Page(language, speech.title(procedure.title), _intro(speech, len(clauses)), parts, [part for part in further if part.entries])


def describe(speech: Speech, item: Item) -> list[str]:
    """An entry in words, a line a sentence."""
    entry, name = item.entry, str(item.way[1]) if len(item.way) > 1 else ""
    match entry:
        case Clock():
            return timing.clock(speech, entry)
        case Ladder():
            return timing.ladder(speech, entry)
        case Duty():
            return timing.duty(speech, entry)
        case Reaction():
            return rules.reaction(speech, entry)
        case ActionRule():
            return rules.action(speech, "close" if item.section == "closing" else name, entry)
        case Fact():
            return records.fact(speech, name, entry)
        case Parameter():
            return records.parameter(speech, name, entry)
    return _of_triage(speech, item) or _of_record(speech, item)


def _of_triage(speech: Speech, item: Item) -> list[str]:
    match item.entry:
        case KindRule():
            return rules.kind(speech, item.entry)
        case ClassRule():
            return rules.class_(speech, item.entry)
        case Subject():
            return rules.subject(speech, item.entry)
        case Route():
            return rules.route(speech, item.entry)
        case Derived():
            return rules.derived(speech, item.entry)
        case Count():
            return rules.count(speech, item.entry)
    return []


def _of_record(speech: Speech, item: Item) -> list[str]:
    match item.entry:
        case Register():
            return records.register(speech, item.entry)
        case Form():
            return records.form(speech, item.entry)
        case Figure():
            return records.figure(speech, item.entry)
        case Confidentiality():
            return records.confidentiality(speech, item.entry)
        case Ownership():
            return records.ownership(speech, item.entry)
        case Conflict():
            return records.conflict(speech, item.entry)
    return []


def _under(speech: Speech, items: list[Item], clause: str) -> list[list[str]]:
    """The entries under a clause; a part that alone carries it (an effect, a due) brings its whole entry."""
    wholes = {item.id: item for item in items if not item.within}
    carrying = dict.fromkeys(item.within or item.id for item in items if any(counts_for(one, clause) for one in item.clauses))
    found = [describe(speech, wholes[item_id]) for item_id in carrying]
    reasons = [entry.why for entry in speech.procedure.uncovered if clause in listed(entry.clause)]
    return [*found, *([speech.say("系统不执行：", "Not carried out by the system: ") + speech.spoken(why)] for why in reasons)]


def _section(speech: Speech, items: list[Item], section: str) -> list[list[str]]:
    return [describe(speech, item) for item in items if item.section == section]


def _left_out(speech: Speech) -> list[list[str]]:
    return [[f"{', '.join(listed(entry.clause))}: {speech.spoken(entry.why)}"] for entry in speech.procedure.uncovered]


def _intro(speech: Speech, clauses: int) -> list[str]:
    procedure = speech.procedure
    source = speech.say(f"依据：{procedure.source}", f"Regulation: {procedure.source}") if procedure.source else ""
    version = speech.say(
        f"规程{procedure.id}，第{procedure.version}版，共{clauses}条。",
        f"Procedure {procedure.id}, version {procedure.version}, {clauses} clauses.",
    )
    how = speech.say(
        "本页逐条列出规定的内容（以本系统的文字转述），以及系统为此所做的事。由规程数据生成，与实际运行一致。",
        "Clause by clause: what the regulation says, in our own words, and what the system does about it. "
        "Made from the procedure's data, which is what runs.",
    )
    return [line for line in (source, version, how) if line]


def _counting(speech: Speech) -> list[list[str]]:
    midnight = speech.procedure.day_end == "midnight"
    return [
        [
            speech.say(
                "工作日届满于该日下班时刻；法定节假日不计，调休上班日计入。",
                "A limit in working days ends at close of business; public holidays do not count, make-up working days do.",
            )
        ],
        [
            speech.say(
                f"自然日届满于末日{'24时' if midnight else '下班时刻'}；末日非工作日的，除另有注明外顺延至下一工作日。",
                f"A limit in calendar days ends at {'24:00' if midnight else 'close of business'} on its last day; "
                "if that is not a working day, then on the next one, unless it says otherwise.",
            )
        ],
        [
            speech.say(
                "登记所起算的时限自收到投诉之时起算；恰在届满时刻完成的为按时。",
                "Deadlines from registration count from the moment of receipt; what is done exactly at the due moment is in time.",
            )
        ],
    ]
