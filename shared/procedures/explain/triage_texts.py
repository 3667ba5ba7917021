"""Describes kinds, classes, subjects, routes, derived facts and groups in sentences."""

from shared.procedures.explain import value_names
from shared.procedures.explain.conditions.condition_syntax import Value
from shared.procedures.explain.conditions.condition_text import node_text, operand_words, split_conditional_key
from shared.procedures.explain.conditions.operand_text import operand_text
from shared.procedures.explain.effect_texts import facts_text
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.triage.entries import (
    NEVER_HOLDS,
    ClassRule,
    CountEntry,
    DerivationEntry,
    DuplicateRule,
    KindRule,
    ReviewRule,
    RouteEntry,
    SimilarTexts,
    SubjectNode,
)

# Fields of a complaint that hold several values; a case counts under each of them.
_LISTS = frozenset({"complaint.against"})


def describe_kind(texts: ProcedureTexts, entry: KindRule) -> list[str]:
    """The condition of a kind."""
    kind = texts.lookup(value_names.VALUE_NAMES, entry.id)
    title = texts.title(entry)
    beginning, colon, description = title.partition(texts.choose("：", ": "))
    title = description if colon and beginning.lower() == kind.lower() else title
    name = texts.quote(kind) if title in (kind, entry.id) else texts.quote(kind) + texts.choose(f"（{title}）", f" ({title})")
    return [_choice_line(texts, "类别", "kind", name, entry.when)]


def describe_class(texts: ProcedureTexts, entry: ClassRule) -> list[str]:
    """The condition of a class."""
    return [_choice_line(texts, "级别", "class", texts.quote(texts.title(entry)), entry.when)]


def _choice_line(texts: ProcedureTexts, zh: str, en: str, name: str, when: str | None) -> str:
    if when is None:
        return texts.choose(f"其余投诉，{zh}定为{name}。", f"Every other complaint is of the {en} {name}.")
    if when == NEVER_HOLDS:
        return texts.choose(f"{zh}{name}只由人认定。", f"Only a person assigns the {en} {name}.")
    return texts.choose(f"若{texts.condition(when)}，{zh}定为{name}。", f"If {texts.condition(when)}, the {en} is {name}.")


def describe_subject(texts: ProcedureTexts, entry: SubjectNode) -> list[str]:
    """A node of the subject tree."""
    title = texts.quote(texts.title(entry))
    lines = []
    if entry.words:
        words = texts.join_list([texts.quote(word) for word in entry.words])
        lines.append(
            texts.choose(f"标题或内容中出现{words}的，专业定为{title}。", f"If title or text contain {words}, the subject is {title}.")
        )
    if entry.when is not None:
        lines.append(
            texts.choose(
                f"若{texts.condition(entry.when)}，专业定为{title}。", f"If {texts.condition(entry.when)}, the subject is {title}."
            )
        )
    if entry.department is not None:
        department = texts.role_phrase(entry.department)
        lines.append(texts.choose(f"由{department}负责。", f"Responsible: {department}."))
    return lines or [texts.choose(f"专业{title}由人认定。", f"A person assigns the subject {title}.")]


def describe_route(texts: ProcedureTexts, entry: RouteEntry) -> list[str]:
    """The lead department and its condition."""
    department = texts.role_phrase(entry.department)
    title = texts.quote(texts.title(entry)) if entry.id and (entry.zh or entry.en) else department
    condition = texts.condition(entry.when) if entry.when is not None else texts.choose("其余情形", "nothing else applies")
    proposes = not texts.procedure.auto_route
    lines = [
        texts.choose(
            f"{title}：若{condition}，系统{'提出派单建议' if proposes else '自动派单'}。",
            f"{title}: if {condition}, the system {'proposes this dispatch' if proposes else 'dispatches the case there'}.",
        )
    ]
    if entry.cooperating:
        departments = texts.roles(entry.cooperating, ("和", "and"))
        lines.append(texts.choose(f"协同：{departments}。", f"Co-operating: {departments}."))
    return lines


def describe_derivation(texts: ProcedureTexts, entry: DerivationEntry) -> list[str]:
    """Facts that the system derives from a complaint."""
    condition = texts.condition(entry.when)
    taken = [
        texts.choose(f"文字所示的{texts.quote(texts.fact(name))}", f"{texts.quote(texts.fact(name))} is what the words say")
        for name in entry.takes
    ]
    facts = texts.join_list([part for part in (facts_text(texts, entry.set), *taken) if part], ("和", "and"))
    return [
        texts.choose(
            f"来件未注明的，若{condition}，系统认定{facts}。",
            f"Unless the complaint says otherwise, the system takes it that {facts} if {condition}.",
        )
    ]


def describe_count(texts: ProcedureTexts, entry: CountEntry) -> list[str]:
    """A group of cases and the changes to its members."""
    changes = []
    if entry.does.set:
        changes.append(texts.choose(f"认定{facts_text(texts, entry.does.set)}", f"records that {facts_text(texts, entry.does.set)}"))
    if entry.does.reclassify:
        title = texts.quote(texts.class_(entry.does.reclassify))
        changes.append(texts.choose(f"将级别改为{title}", f"changes the class to {title}"))
    change = "".join(texts.choose(f"，并{text}", f", and {text}") for text in changes)
    reach = (
        texts.choose("此前已登记的同组投诉一并适用。", "This applies to the earlier cases of the group as well.")
        if entry.reaches_back
        else texts.choose(
            "只适用于达到数量的这一件，此前的不变。",
            "This applies only to the case that completes the number; the earlier ones stay as they are.",
        )
    )
    return [f"{_count_line(texts, entry)}{change}{texts.choose('。', '.')}", reach]


def describe_duplicates(texts: ProcedureTexts, entry: DuplicateRule) -> list[str]:
    """When the system links a second submission as a duplicate."""
    window = texts.limit(entry.within_)
    paths = [name if name.startswith("facts.") else f"complaint.{name}" for name in entry.same]
    names = texts.join_list([operand_words(texts, path) for path in paths], ("、", "and"))
    return [
        texts.choose(
            f"同一投诉人在{window}内就同一事项（{names}相同）再次来件，且前一件尚未答复的，系统将后一件作为重复投诉并入前一件。",
            f"If one complainant submits again within {window} with the same {names.removeprefix('the ')}, and the first is open and "
            "unanswered, the system links the later case to it as a duplicate.",
        )
    ]


def _least_people(texts: ProcedureTexts, entry: CountEntry) -> str:
    """The number of people that the cases of an entry have to come from at least; empty without one."""
    if entry.people is None:
        return ""
    return texts.choose(f"（至少来自{entry.people}名不同投诉人）", f" of at least {entry.people} different complainants")


def _similar_line(texts: ProcedureTexts, entry: CountEntry, similar: SimilarTexts) -> str:
    """How an entry that compares texts groups cases."""
    window = texts.duration(entry.window) if entry.window else ""
    title = texts.choose(f"，含标题相互包含程度的{similar.title:g}倍", f", {similar.title:g} of a title's share in the other text included")
    title = title if similar.title else ""
    linked = texts.quote(texts.lookup(value_names.VALUE_NAMES, entry.does.link_as))
    note = _count_notes(texts, entry, needs_key=False)
    if texts.is_chinese:
        only = f"若{texts.condition(entry.when)}，" if entry.when else ""
        number = f"{entry.threshold}{'名不同投诉人' if entry.distinct else '件'}{_least_people(texts, entry)}"
        return (
            f"“{texts.title(entry)}”：{only}{window}内用不同说法反映同一事件的投诉达到{number}的{note}"
            f"（文字相似度：写明同一地点或对象的不低于{similar.threshold:g}，未写明的不低于{similar.elsewhere:g}{title}；"
            f"地点或对象不同的不合并），系统将其作为{linked}关联"
        )
    whose = ("different complainants" if entry.distinct else "cases") + _least_people(texts, entry)
    only = f", counting those where {texts.condition(entry.when)}" if entry.when else ""
    return (
        f"“{texts.title(entry)}”: once {entry.threshold} {whose} within {window} tell of the same event in other words{note}{only} "
        f"(similarity of the texts at least {similar.threshold:g} where both name the same place or object, {similar.elsewhere:g} "
        f"where one names none{title}; different places or objects never join), the system links them as {linked}"
    )


def describe_review(texts: ProcedureTexts, entry: ReviewRule) -> list[str]:
    """From which confidence the classifier decides, and what a person reviews."""
    below, audit = f"{entry.below:.0%}", f"{entry.audit:.1%}"
    lines = [
        texts.choose(
            f"没有规则适用的，系统按以往投诉推断类别、专业和责任部门；把握不足{below}的，由人复核。",
            f"Where no rule applies, the system infers kind, subject and department from past complaints; "
            f"what it is less than {below} sure of, a person reviews.",
        )
    ]
    if entry.audit:
        lines.append(
            texts.choose(
                f"系统推断的，另随机抽取{audit}由人复核。", f"Of what the system infers, a person reviews {audit} at random nevertheless."
            )
        )
    return lines


def _count_line(texts: ProcedureTexts, entry: CountEntry) -> str:
    if entry.similar is not None:
        return _similar_line(texts, entry, entry.similar)
    conditional = split_conditional_key(entry.key)
    key = conditional[2] if conditional else None
    conditions = [texts.condition(entry.when)] if entry.when else []
    if conditional:
        text = node_text(texts, conditional[1], negated=conditional[0] == "unless")
        either = bool(conditions) and texts.choose("或", " or ") in text
        conditions.append(texts.choose(f"（{text}）", f"({text})") if either else text)
    shared = operand_words(texts, entry.key) if key is None else "" if isinstance(key, Value) else operand_text(texts, key)
    condition = texts.choose("，且", " and ").join(conditions)
    window = texts.limit(entry.window_) if entry.window_ else ""
    linked = texts.quote(texts.lookup(value_names.VALUE_NAMES, entry.does.link_as))
    notes = _count_notes(texts, entry, bool(shared) and not conditional and not _has_fallback(texts, entry.key))
    if texts.is_chinese:
        only = f"若{condition}，" if condition else ""
        alike = ("同一投诉人的" if entry.same else "") + (f"{shared}相同的" if shared else "")
        counted = f"{alike}投诉{'在' + window + '内' if window else '累计'}"
        least = _least_people(texts, entry)
        number = f"达到{texts.count(entry.threshold_, '名不同投诉人' if entry.distinct else '件')}{least}的{notes}"
        return f"“{texts.title(entry)}”：{only}{counted}{number}，系统将其作为{linked}关联"
    whose = "different complainants" if entry.distinct else "cases of one complainant" if entry.same else "cases"
    whose += _least_people(texts, entry)
    counted = f"{texts.count(entry.threshold_)} {whose}{' within ' + window if window else ' in all'}"
    alike = f" with the same {shared.removeprefix('the ')}" if shared else ""
    only = f", counting those where {condition}" if condition else ""
    return f"“{texts.title(entry)}”: once there are {counted}{alike}{notes}{only}, the system links them as {linked}"


def _has_fallback(texts: ProcedureTexts, key: str) -> bool:
    """Whether a key names another field for cases that do not give the first one."""
    return texts.choose("没有的", "failing that") in operand_words(texts, key)


def _count_notes(texts: ProcedureTexts, entry: CountEntry, needs_key: bool) -> str:
    """Further counting rules, in brackets: absent keys, several values, withdrawn cases."""
    notes = []
    if entry.key.strip() in _LISTS:
        notes.append(texts.choose("列有数个的，各计一次", "each of several counts once"))
    if needs_key:
        notes.append(texts.choose("未写明的不计", "cases that do not give it are not counted"))
    if entry.withdrawn:
        notes.append(texts.choose("已撤回的也计入", "withdrawn ones are counted"))
    listed = texts.choose("；", "; ").join(notes)
    return texts.choose(f"（{listed}）", f" ({listed})") if notes else ""
