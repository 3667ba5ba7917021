"""Registers, forms, figures, confidentiality, ownership, facts and parameters in words."""

from shared.procedures.explain import terms
from shared.procedures.explain.speech import Speech
from shared.procedures.model.procedure import Confidentiality, Conflict, Fact, Figure, Form, Ownership, Parameter, Register


def register(speech: Speech, entry: Register) -> list[str]:
    """How complaints are entered."""
    fields = speech.several([field(speech, name) for name in entry.required], ("和", "and"))
    lines = [
        speech.say(
            f"每件投诉登记时即取得连续编号（格式{entry.number}）。",
            f"Every complaint gets a gapless number on registration (pattern {entry.number}).",
        ),
        speech.say(f"应记录：{fields}；缺少的登记为缺项并催补。", f"To be recorded: {fields}; what is missing is noted and chased."),
    ]
    if entry.channels:
        channels = speech.several([speech.word(terms.CHANNELS, channel) for channel in entry.channels], ("和", "and"))
        lines.append(speech.say(f"受理渠道：{channels}。", f"Channels named: {channels}."))
    return lines


def field(speech: Speech, name: str) -> str:
    """A field of a complaint; `complainant.phone` is the complainant's phone."""
    label = speech.word(terms.FIELDS, name.rpartition(".")[2])
    if name.startswith("complainant."):
        return speech.say(f"投诉人{label}", f"the complainant's {label}")
    return label


def fact(speech: Speech, name: str, entry: Fact) -> list[str]:
    """A fact that is recorded."""
    title, kind = speech.quoted(speech.title(entry, name)), speech.word(terms.FACT_TYPES, entry.type)
    return [speech.say(f"案件记录{title}（{kind}）。", f"The case records {title} ({kind}).")]


def parameter(speech: Speech, name: str, entry: Parameter) -> list[str]:
    """What the text leaves open."""
    title, kind = speech.quoted(speech.title(entry, name)), speech.word(terms.FACT_TYPES, entry.type)
    if entry.default is None:
        return [
            speech.say(
                f"原文未定{title}（{kind}），由本组织设定后方可启用。",
                f"The text leaves {title} open ({kind}); the organisation has to set it before use.",
            )
        ]
    value = speech.duration(str(entry.default)) if entry.type == "duration" else str(entry.default)
    return [
        speech.say(
            f"原文未定{title}；未另行设定时为{value}。", f"The text leaves {title} open; unless the organisation sets it, it is {value}."
        )
    ]


def form(speech: Speech, entry: Form) -> list[str]:
    """A form of the regulation."""
    title, opens = speech.quoted(speech.title(entry)), speech.event(entry.opens)
    lines = [
        speech.say(
            f"表单{title}：于{opens}时生成，由系统按案件记录填写。", f"Form {title}: opened on {opens}, filled from the case's record."
        )
    ]
    if entry.signed_by:
        roles = speech.several([speech.role(role) for role in entry.signed_by], ("和", "and"))
        lines.append(speech.say(f"由{roles}签字。", f"Signed by {roles}."))
    return lines


def figure(speech: Speech, entry: Figure) -> list[str]:
    """A figure of the report."""
    return [speech.say(f"统计指标：{speech.title(entry)}。", f"Figure in the report: {speech.title(entry)}.")]


def confidentiality(speech: Speech, entry: Confidentiality) -> list[str]:
    """Who may see what."""
    fields = speech.several([field(speech, name) for name in entry.hidden], ("和", "and")) or speech.say("投诉内容", "what was submitted")
    roles = speech.several([speech.role(role) for role in entry.visible_to], ("和", "and"))
    also = speech.say(f"及{roles}", f" and {roles}") if roles else ""
    return [speech.say(f"{fields}只对经办本案的人员{also}可见。", f"Only those with a part in the case{also} see: {fields}.")]


def ownership(speech: Speech, entry: Ownership) -> list[str]:
    """Who owns a case."""
    lines = []
    if entry.first_asked:
        lines.append(
            speech.say(
                "首问负责：最先接待者负责，直至他人接手。", "Whoever is asked first owns the matter until another has taken it over."
            )
        )
    if entry.role is not None:
        roles = speech.roles(entry.role)
        lines.append(
            speech.say(
                f"案件由{roles}负责（依次，以在任者为准）。", f"The case is owned by {roles} (the first of them that somebody holds)."
            )
        )
    return lines


def conflict(speech: Speech, entry: Conflict) -> list[str]:
    """Clauses that contradict each other."""
    read, why = speech.spoken(entry.read), speech.spoken(entry.why)
    clauses = speech.say("、", ", ").join(entry.clauses)
    if len(entry.clauses) == 1:
        return [
            speech.say(f"第{clauses}条有疑义，读作：{read}", f"Clause {clauses} is in doubt. Read as: {read}"),
            speech.say(f"理由：{why}", f"Because: {why}"),
        ]
    return [
        speech.say(f"第{clauses}条相互矛盾，读作：{read}", f"Clauses {clauses} contradict each other. Read as: {read}"),
        speech.say(f"理由：{why}", f"Because: {why}"),
    ]
