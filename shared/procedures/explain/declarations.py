"""Describes registration, forms, figures, confidentiality, ownership, facts, parameters and conflicts in sentences."""

from collections.abc import Sequence
from typing import Literal

from shared.procedures.explain import value_names
from shared.procedures.explain.event_action_names import BilingualNames
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.form_layout.lists import CaseListEntry
from shared.procedures.model.procedure import (
    ClauseReading,
    ConfidentialityRule,
    FactDeclaration,
    FigureEntry,
    OwnershipRule,
    ParameterDeclaration,
    RegisterEntry,
)

_SAMPLE_YEAR = 2026
_LIST_PERIOD_NAMES: BilingualNames = {
    "week": value_names.PERIOD_NAMES["1w"],
    "month": value_names.PERIOD_NAMES["1mo"],
    "quarter": value_names.PERIOD_NAMES["1q"],
    "year": value_names.PERIOD_NAMES["1y"],
    "": ("随时", "at any time"),
}
_LISTED_CASES: BilingualNames = {
    "received": ("期内收到", "received in the period"),
    "open": ("期末尚未了结", "open at the end of the period"),
    "ended": ("期内了结", "that ended in the period"),
    "active": ("期内有进展或尚未了结", "open or changed in the period"),
}
_LISTED_AT_ANY_TIME: BilingualNames = {
    "received": ("已登记", "that are registered"),
    "open": ("尚未了结", "that are open"),
    "ended": ("已了结", "that have ended"),
    "active": ("已登记", "that are registered"),
}


def describe_register(texts: ProcedureTexts, entry: RegisterEntry) -> list[str]:
    """The sentences on registration: case number, required fields and channels."""
    fields = texts.join_list([field_name(texts, name) for name in entry.required], ("和", "and"))
    # The pattern takes `year` and `seq` only, as the number series of intake does.
    sample = entry.number.format(year=_SAMPLE_YEAR, seq=1)
    lines = [
        texts.choose(
            f"每件投诉登记时即取得连续编号，形如{sample}。",
            f"On registration every complaint gets a number, in sequence without gaps, such as {sample}.",
        ),
        texts.choose(f"应登记：{fields}；缺少的作为缺项登记。", f"To be recorded: {fields}; what is missing is recorded as missing."),
    ]
    if entry.channels:
        channels = texts.join_list([texts.lookup(value_names.CHANNEL_NAMES, channel) for channel in entry.channels], ("和", "and"))
        lines.append(texts.choose(f"原文列明的渠道：{channels}。", f"Channels that the text names: {channels}."))
    return lines


def field_name(texts: ProcedureTexts, name: str) -> str:
    """The name of a complaint's field; `complainant.phone` → the complainant's phone."""
    if name == "complainant":
        return texts.choose("投诉人的全部信息", "all that is known of the complainant")
    field = texts.lookup(value_names.FIELD_NAMES, name.rpartition(".")[2])
    if name.startswith("complainant."):
        return texts.choose(f"投诉人{field}", f"the complainant's {field}")
    return field


def describe_fact(texts: ProcedureTexts, name: str, entry: FactDeclaration) -> list[str]:
    """A fact of the case, what it is if no one states it, and the clauses that it serves."""
    title, kind = texts.quote(texts.title(entry, name)), texts.lookup(value_names.FACT_TYPE_NAMES, entry.type)
    default = ""
    # What is assumed where nobody says otherwise decides cases: within warranty, solvable, justified.
    if entry.default not in (None, ""):
        default = texts.choose(f"；未注明时视为{texts.value(entry.default)}", f"; {texts.value(entry.default)} unless recorded otherwise")
    reference = texts.clause_list(clause_ids(entry.clause))
    return [
        f"{title}"
        + texts.choose(f"（{kind}{default}）", f" ({kind}{default})")
        + (texts.choose("：", ": ") + reference if reference else "")
    ]


def describe_parameter(texts: ProcedureTexts, name: str, entry: ParameterDeclaration) -> list[str]:
    """A value that the regulation leaves open."""
    title = texts.quote(texts.title(entry, name))
    reference = texts.reference(clause_ids(entry.clause))
    if entry.options:
        return [
            texts.choose(
                f"{title}{reference}：由本组织在各种读法中选定，见“读法”。",
                f"{title}{reference}: the organisation selects one of the readings; see the readings.",
            )
        ]
    if entry.default is None:
        return [
            texts.choose(
                f"{title}{reference}：原文留空，由本组织设定后方可启用。",
                f"{title}{reference}: the text leaves it open; the organisation has to set it before use.",
            )
        ]
    value = texts.duration(str(entry.default)) if entry.type == "duration" else str(entry.default)
    return [
        texts.choose(
            f"{title}{reference}：原文未定；本组织未另行设定时为{value}。",
            f"{title}{reference}: the text leaves it open; unless the organisation sets it, it is {value}.",
        )
    ]


def describe_form(texts: ProcedureTexts, entry: FormEntry) -> list[str]:
    """A form of the regulation."""
    title, opens = texts.document(texts.title(entry)), texts.event(entry.opens)
    lines = [
        texts.choose(f"{title}：{opens}时生成，由系统按案件记录填写。", f"{title}: drawn up on {opens} and filled from the case's record.")
    ]
    if entry.signed_by:
        roles = texts.roles([*entry.signed_by], ("和", "and"))
        lines.append(texts.choose(f"由{roles}签字。", f"Signed by {roles}."))
    return lines


def describe_list(texts: ProcedureTexts, entry: CaseListEntry) -> list[str]:
    """A list of cases: which ones, and its columns."""
    title = texts.document(texts.title(entry))
    period, cases = (
        texts.lookup(_LIST_PERIOD_NAMES, entry.period or ""),
        texts.lookup(_LISTED_CASES if entry.period else _LISTED_AT_ANY_TIME, entry.cases),
    )
    condition = ""
    if entry.when is not None:
        phrase = texts.condition(entry.when)
        condition = texts.choose(f"，且{phrase}", f", where {phrase}")
    columns = [
        texts.choose(column.zh, column.en) or column.zh or column.en or texts.path_name(column.paths[0])
        for column in entry.expanded_columns
    ]
    if not texts.is_chinese:
        columns = [column if column[1:2].isupper() else column[:1].lower() + column[1:] for column in columns]
    listed = texts.join_list(columns, ("和", "and"))
    return [
        texts.choose(
            f"系统{period}列出{title}：{cases}的投诉{condition}。", f"The system lists {title} {period}: cases {cases}{condition}."
        ),
        texts.choose(f"栏目：{listed}。", f"Columns: {listed}."),
    ]


def describe_figures(texts: ProcedureTexts, entries: Sequence[FigureEntry]) -> list[str]:
    """The figures of the report that a clause asks for."""
    titles = texts.join_list([texts.quote(texts.title(entry)) for entry in entries], ("和", "and"))
    return [texts.choose(f"统计指标：{titles}。", f"Figures in the report: {titles}.")]


def describe_confidentiality(texts: ProcedureTexts, entry: ConfidentialityRule) -> list[str]:
    """The sentence on who may see confidential fields."""
    # Whoever may not see the complainant at all sees none of his particulars.
    hidden = [name for name in entry.hidden if "complainant" not in entry.hidden or not name.startswith("complainant.")]
    fields = texts.join_list([field_name(texts, name) for name in hidden], ("和", "and")) or texts.choose("投诉内容", "what was submitted")
    roles = texts.join_list([texts.role_phrase(role) for role in entry.visible_to], ("和", "and"))
    also = texts.choose(f"及{roles}", f" and {roles}") if roles else ""
    return [texts.choose(f"{fields}：只对经办本案的人员{also}可见。", f"Only persons who handle the case{also} may see: {fields}.")]


def describe_ownership(texts: ProcedureTexts, entry: OwnershipRule) -> list[str]:
    """The owner of a case."""
    lines = []
    if entry.first_asked:
        lines.append(
            texts.choose(
                "首问负责：最先接待者负责，直至他人接手。", "The person asked first owns the case until another person takes it over."
            )
        )
    if entry.role is not None:
        roles = texts.first_held(entry.role)
        lines.append(texts.choose(f"案件由{roles}负责。", f"The case is the responsibility of {roles}."))
    return lines


def describe_reading(texts: ProcedureTexts, entry: ClauseReading, section: Literal["conflicts", "readings"]) -> list[str]:
    """How clauses are read, why, and the other readings; only under `conflicts` do clauses contradict each other."""
    clauses, contradict = texts.clause_list(entry.clauses, ("和", "and")), section == "conflicts"
    read, why = texts.sentence(entry.read), texts.sentence(entry.why)
    lines = [
        texts.choose(
            f"{clauses}{'相互矛盾，读作' if contradict else '读作'}：{read}",
            f"{clauses[0].upper()}{clauses[1:]}{' contradict each other; read as' if contradict else ', read as'}: {read}",
        ),
        texts.choose(f"理由：{why}", f"Reason: {why}"),
    ]
    for alternative in entry.alternatives:
        reading = texts.sentence(alternative.read)
        lines.append(texts.choose(f"另一种读法：{reading}", f"Other reading: {reading}"))
    if entry.parameter:
        title = texts.quote(texts.parameter(entry.parameter))
        lines.append(texts.choose(f"本组织可以{title}选定读法。", f"The organisation selects the reading by {title}."))
    return lines


def describe_general_rules(texts: ProcedureTexts) -> list[str]:
    """How time is counted and which rule applies first, in every clause."""
    midnight = texts.procedure.day_end == "midnight"
    end_zh, end_en = ("24时", "24:00") if midnight else ("下班时刻", "close of business")
    return [
        texts.choose(
            "工作日届满于该日下班时刻；法定节假日不计，调休上班日计入。",
            "A limit in working days ends at close of business; public holidays do not count, make-up working days do.",
        ),
        texts.choose(
            f"自然日届满于末日{end_zh}；末日非工作日的，除另有注明外顺延至下一工作日。",
            f"A limit in calendar days ends at {end_en} on its last day; if that is not a working day, then on the next one, "
            "unless it says otherwise.",
        ),
        texts.choose(
            "自登记起算的时限，从收到投诉之时起算；恰在届满时刻完成的为按时。",
            "Deadlines from registration count from the moment of receipt; what is done exactly at the due moment is in time.",
        ),
        texts.choose(
            "类别、级别和派单按所列顺序判断，以先符合者为准；人作出的决定优先于系统后来自动作出的判断。",
            "Of kinds, classes and dispatches the first in order that fits applies; a person's decision outranks a later automatic one.",
        ),
    ]
