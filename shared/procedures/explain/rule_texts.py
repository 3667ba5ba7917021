"""Describes the rules of actions, and reactions, in sentences."""

from collections.abc import Sequence

from shared.contracts.attachments import MediaKind
from shared.procedures.explain.effect_texts import effects_text
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.value_names import FIELD_NAMES, VALUE_NAMES
from shared.procedures.model.actions.action_rules import ActionRule, CallBackDemand, EngineDefault
from shared.procedures.model.actions.report_needs import ReportContent
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.timed_entries import ReactionEntry
from shared.procedures.model.triage.entries import NEVER_HOLDS


def describe_action_rule(texts: ProcedureTexts, action_ids: Sequence[str], rule: ActionRule) -> list[str]:
    """The performers of an action and its conditions; several actions if they have the same rule."""
    titles = [texts.action(action_id) for action_id in action_ids]
    actions = texts.join_list([texts.quote(title) for title in titles], ("和", "and")) if texts.is_chinese else texts.join_list(titles)
    lines = [*_permission_lines(texts, actions, rule), *_limit_lines(texts, actions, rule)]
    if "start_work" in action_ids and rule.requires is not None and _holds_for_handling(texts):
        handle = texts.quote(texts.action("handle")) if texts.is_chinese else texts.action("handle")
        lines.append(texts.choose(f"{handle}亦同。", f"the same holds for a request to {handle}."))
    if rule.when is None:
        return [line if texts.is_chinese else f"{line[0].upper()}{line[1:]}" for line in lines]
    condition = texts.condition(rule.when)
    return [texts.choose(f"若{condition}，{line}", f"If {condition}, {line}") for line in lines]


def _holds_for_handling(texts: ProcedureTexts) -> bool:
    """Whether what work needs before it starts is needed before it counts as handled, which is the engine's rule."""
    return not any("carried_out_as_approved" in rule.waives for rule in texts.procedure.action_rules("handle"))


def _permission_lines(texts: ProcedureTexts, actions: str, rule: ActionRule) -> list[str]:
    lines, refusal = [], _refusal(texts, rule)
    if rule.by is not None:
        roles = texts.roles(rule.by)
        lines.append(
            texts.choose(f"{actions}只能由{roles}作出；他人作出的，{refusal}。", f"only {roles} may {actions}; anyone else {refusal}.")
        )
    if rule.requires is not None and rule.requires.strip() == NEVER_HOLDS:
        lines.append(texts.choose(f"{actions}一律不予接受，{refusal}。", f"nobody may {actions}; whoever tries {refusal}."))
    elif rule.requires is not None:
        requirement = texts.condition(rule.requires)
        lines.append(
            texts.choose(
                f"{actions}须符合：{requirement}；不符合的，{refusal}。",
                f"a request to {actions} is accepted only if {requirement}; otherwise it {refusal}.",
            )
        )
    if rule.report_needs:
        lines.append(_report_line(texts, actions, rule))
    return lines


def _report_line(texts: ProcedureTexts, actions: str, rule: ActionRule) -> str:
    """The contents that a report needs, and the consequence where one of them is missing."""
    needs = texts.join_list([_needed_content(texts, name, content) for name, content in rule.report_needs.items()], ("和", "and"))
    if rule.incomplete == "refuse":
        refusal = _refusal(texts, rule)
        return texts.choose(
            f"{actions}须包括：{needs}；缺少的，{refusal}。",
            f"a request to {actions} is accepted only with {needs}; otherwise it {refusal}.",
        )
    return texts.choose(
        f"{actions}须包括：{needs}；缺少的仍予记录，并列为缺项。",
        f"a request to {actions} needs {needs}; without, it is accepted and what is missing is recorded.",
    )


def _needed_content(texts: ProcedureTexts, name: str, content: ReportContent) -> str:
    if content != "any":
        return texts.choose(*_MEDIA_NAMES[content])
    label = texts.choose(*FIELD_NAMES.get(name, (name, name)))
    return texts.choose(label, f"the field “{label}”")


_MEDIA_NAMES: dict[MediaKind, tuple[str, str]] = {
    "image": ("照片（图像文件）", "a photograph (an image file)"),
    "audio": ("录音（音频文件）", "an audio file"),
    "video": ("录像（视频文件）", "a video file"),
    "pdf": ("PDF 文件", "a PDF file"),
}


def _refusal(texts: ProcedureTexts, rule: ActionRule) -> str:
    """The consequence of an action that the rule forbids: a recorded refusal, with the pack's reason."""
    reason = texts.own_language_part(rule.reason)
    return texts.choose(
        "系统拒绝并记录" + (f"，理由为“{reason}”" if reason else ""),
        "is refused" + (f" for the reason “{reason}”" if reason else "") + ", and the refusal is recorded",
    )


def _limit_lines(texts: ProcedureTexts, actions: str, rule: ActionRule) -> list[str]:
    lines = []
    if rule.needs_sign_off is not None:
        condition = texts.condition(rule.needs_sign_off)
        lines.append(
            texts.choose(
                f"{actions}：若{condition}，须经审签方为有效。",
                f"a request to {actions} takes effect only once it has been signed off, if {condition}.",
            )
        )
    if rule.at_most is not None:
        lines.append(
            texts.choose(f"{actions}至多{rule.at_most}次。", f"a request to {actions} is accepted {rule.at_most} time(s) at most.")
        )
    if rule.reasons:
        reasons = texts.join_list([texts.own_language_part(reason) for reason in rule.reasons])
        lines.append(texts.choose(f"{actions}的理由限于：{reasons}。", f"a request to {actions} needs one of these reasons: {reasons}."))
    if rule.each_role:
        zh, en = (
            f"各岗位先后{actions}，每个岗位对同一次提交决定一次。",
            f"a request to {actions} is each role's, one after the other; each decides once.",
        )
        lines.append(texts.choose(zh, en))
    if rule.unasked:
        lines.append(texts.choose(f"无人申请也可{actions}。", f"a request to {actions} is accepted though nobody asked for it."))
    if rule.in_time:
        lines.append(texts.choose(f"{actions}须在期限届满前提出。", f"a request to {actions} is accepted only before the limit."))
    return [*lines, *_object_lines(texts, actions, rule)]


def _object_lines(texts: ProcedureTexts, actions: str, rule: ActionRule) -> list[str]:
    """The subject of a verification, the call-back before closing, and the common rules that do not hold."""
    lines = []
    if rule.decides_on:
        events = texts.join_list([texts.event(event) for event in rule.decides_on], ("或", "or"))
        lines.append(texts.choose(f"{actions}须在{events}之后。", f"a request to {actions} is accepted only after {events}."))
    if rule.call_back is not None:
        lines += _call_back_lines(texts, actions, rule, rule.call_back)
    for default in rule.waives:
        zh, en = _WAIVED[default]
        lines.append(texts.choose(f"{actions}{zh}。", f"a request to {actions} is accepted {en}."))
    return lines


_WAIVED: dict[EngineDefault, tuple[str, str]] = {
    "close_needs_handling": ("未经处理或答复也可作出", "though nothing was handled or answered"),
    "dissatisfied_goes_on": ("在最近一次回访不满意之后也可作出", "though the latest call-back was dissatisfied"),
    "refuse_decides_acceptance": ("在受理、批准或处理之后也可作出", "after acceptance, approval or handling too"),
    "verify_needs_its_object": ("在处理之前也可作出", "before anything was handled too"),
    "carried_out_as_approved": ("在措施未经批准时也可作出", "though the measures were not approved"),
}
"""Default of the engine → what holds where the procedure sets it aside."""


def _call_back_lines(texts: ProcedureTexts, actions: str, rule: ActionRule, demand: CallBackDemand) -> list[str]:
    outcomes = texts.join_list([texts.quote(texts.choose(*VALUE_NAMES[outcome])) for outcome in demand.outcomes])
    refusal = _refusal(texts, rule)
    lines = [
        texts.choose(
            f"{actions}之前，须在最近一次处理之后回访，且回访结果为{outcomes}；否则，{refusal}。",
            f"a request to {actions} is accepted only after a call-back that follows the latest handling, with the outcome {outcomes}; "
            f"otherwise it {refusal}.",
        )
    ]
    if demand.unreached_days != 0:
        days = texts.count(demand.unreached_days)
        roles = texts.roles(demand.closes or "owner")
        lines.append(
            texts.choose(
                f"分别在{days}个工作日回访均联系不上的，{roles}可以{actions}。",
                f"where call-backs on {days} working days reached nobody, {roles} may {actions}.",
            )
        )
    return lines


def describe_reaction(texts: ProcedureTexts, entry: ReactionEntry) -> list[str]:
    """Purpose, trigger and effects of a reaction."""
    events, title = texts.selector(entry.on), texts.title(entry)
    condition = texts.choose(f"若{texts.condition(entry.when)}，", f", if {texts.condition(entry.when)}") if entry.when is not None else ""
    effects = effects_text(texts, entry.do)
    purpose = texts.quote(title) + texts.choose("：", ": ") if title else ""
    return [
        texts.choose(
            f"{purpose}一经{events}，{condition}系统立即{effects}。", f"{purpose}on {events}{condition}, the system at once {effects}."
        )
    ]


def describe_after_end(texts: ProcedureTexts) -> list[str]:
    """Consequences when the complainant urges, supplements or reopens a case that has ended."""
    rule, reopen = texts.procedure.after_end, texts.action("reopen")
    request_zh, request_en = (
        f"案件终结后，投诉人催办、补充或要求{reopen}的",
        "If the complainant urges, supplements or asks to reopen an ended case",
    )
    if rule is not None and rule.follows == "reopen":
        clauses = texts.reference(clause_ids(rule.clause))
        return [texts.choose(f"{request_zh}，系统立即{reopen}{clauses}。", f"{request_en}, the system reopens it at once{clauses}.")]
    clauses = "" if rule is None else texts.reference(clause_ids(rule.clause))
    return [
        texts.choose(
            f"{request_zh}，系统通知作出终结决定的岗位，由其决定是否{reopen}{clauses}。",
            f"{request_en}, the system tells the role that ended it, which decides whether to reopen it{clauses}.",
        )
    ]
