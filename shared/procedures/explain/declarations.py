"""Describes registration, forms, figures, confidentiality, ownership, facts, parameters and conflicts in sentences."""

from shared.procedures.explain import value_names
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.procedure import (
    ClauseConflict,
    ConfidentialityRule,
    FactDeclaration,
    FigureEntry,
    OwnershipRule,
    ParameterDeclaration,
    RegisterEntry,
)


def describe_register(texts: ProcedureTexts, entry: RegisterEntry) -> list[str]:
    """The sentences on registration: case number, required fields and channels."""
    fields = texts.join_list([field_name(texts, name) for name in entry.required], ("和", "and"))
    lines = [
        texts.choose(
            f"每件投诉登记时即取得连续编号（格式{entry.number}）。",
            f"Every complaint gets a gapless number on registration (pattern {entry.number}).",
        ),
        texts.choose(
            f"应记录：{fields}；缺少的登记为缺项并催补。", f"To be recorded: {fields}; missing fields are recorded and requested."
        ),
    ]
    if entry.channels:
        channels = texts.join_list([texts.lookup(value_names.CHANNEL_NAMES, channel) for channel in entry.channels], ("和", "and"))
        lines.append(texts.choose(f"受理渠道：{channels}。", f"Channels named: {channels}."))
    return lines


def field_name(texts: ProcedureTexts, name: str) -> str:
    """The name of a complaint's field; `complainant.phone` → the complainant's phone."""
    field = texts.lookup(value_names.FIELD_NAMES, name.rpartition(".")[2])
    if name.startswith("complainant."):
        return texts.choose(f"投诉人{field}", f"the complainant's {field}")
    return field


def describe_fact(texts: ProcedureTexts, name: str, entry: FactDeclaration) -> list[str]:
    """A fact of the case."""
    title, kind = texts.quote(texts.title(entry, name)), texts.lookup(value_names.FACT_TYPE_NAMES, entry.type)
    return [texts.choose(f"案件记录{title}（{kind}）。", f"The case records {title} ({kind}).")]


def describe_parameter(texts: ProcedureTexts, name: str, entry: ParameterDeclaration) -> list[str]:
    """A value that the regulation leaves open."""
    title, kind = texts.quote(texts.title(entry, name)), texts.lookup(value_names.FACT_TYPE_NAMES, entry.type)
    if entry.default is None:
        return [
            texts.choose(
                f"原文未定{title}（{kind}），由本组织设定后方可启用。",
                f"The text leaves {title} open ({kind}); the organisation has to set it before use.",
            )
        ]
    value = texts.duration(str(entry.default)) if entry.type == "duration" else str(entry.default)
    return [
        texts.choose(
            f"原文未定{title}；未另行设定时为{value}。", f"The text leaves {title} open; unless the organisation sets it, it is {value}."
        )
    ]


def describe_form(texts: ProcedureTexts, entry: FormEntry) -> list[str]:
    """A form of the regulation."""
    title, opens = texts.quote(texts.title(entry)), texts.event(entry.opens)
    lines = [
        texts.choose(
            f"表单{title}：于{opens}时生成，由系统按案件记录填写。", f"Form {title}: opened on {opens}, filled from the case's record."
        )
    ]
    if entry.signed_by:
        roles = texts.join_list([texts.role(role) for role in entry.signed_by], ("和", "and"))
        lines.append(texts.choose(f"由{roles}签字。", f"Signed by {roles}."))
    return lines


def describe_figure(texts: ProcedureTexts, entry: FigureEntry) -> list[str]:
    """A figure of the report."""
    return [texts.choose(f"统计指标：{texts.title(entry)}。", f"Figure in the report: {texts.title(entry)}.")]


def describe_confidentiality(texts: ProcedureTexts, entry: ConfidentialityRule) -> list[str]:
    """The sentence on who may see confidential fields."""
    fields = texts.join_list([field_name(texts, name) for name in entry.hidden], ("和", "and")) or texts.choose(
        "投诉内容", "what was submitted"
    )
    roles = texts.join_list([texts.role(role) for role in entry.visible_to], ("和", "and"))
    also = texts.choose(f"及{roles}", f" and {roles}") if roles else ""
    return [texts.choose(f"{fields}只对经办本案的人员{also}可见。", f"Only persons who handle the case{also} may see: {fields}.")]


def describe_ownership(texts: ProcedureTexts, entry: OwnershipRule) -> list[str]:
    """Who owns a case."""
    lines = []
    if entry.first_asked:
        lines.append(
            texts.choose(
                "首问负责：最先接待者负责，直至他人接手。", "The person asked first owns the case until another person takes it over."
            )
        )
    if entry.role is not None:
        roles = texts.roles(entry.role)
        lines.append(
            texts.choose(
                f"案件由{roles}负责（依次，以在任者为准）。", f"The case is owned by {roles} (the first of them that a person holds)."
            )
        )
    return lines


def describe_conflict(texts: ProcedureTexts, entry: ClauseConflict) -> list[str]:
    """Clauses that contradict each other."""
    read, why = texts.own_language_part(entry.read), texts.own_language_part(entry.why)
    clauses = texts.choose("、", ", ").join(entry.clauses)
    if len(entry.clauses) == 1:
        return [
            texts.choose(f"第{clauses}条有疑义，读作：{read}", f"Clause {clauses} is in doubt. Read as: {read}"),
            texts.choose(f"理由：{why}", f"Because: {why}"),
        ]
    return [
        texts.choose(f"第{clauses}条相互矛盾，读作：{read}", f"Clauses {clauses} contradict each other. Read as: {read}"),
        texts.choose(f"理由：{why}", f"Because: {why}"),
    ]
