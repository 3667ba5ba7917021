"""A search in a text, in words: the expressions that are looked for, as people write them."""

import re

from shared.procedures.explain.conditions.condition_syntax import Call, Name, Node, Sum, Value
from shared.procedures.explain.conditions.operand_text import operand_text
from shared.procedures.explain.conditions.pattern_words import PatternWords, PatternWordsError, WordSequence, pattern_words
from shared.procedures.explain.names import ProcedureNames
from shared.procedures.expressions.text_patterns import TOPIC_CUES, CueKind, common_cues

_CUE_NAMES: dict[CueKind, tuple[str, str]] = {
    "negation": ("被否定", "denied"),
    "past": ("已成过去", "past"),
    "hearsay": ("属他人他处之事", "somebody else's matter"),
    "enquiry": ("只是询问", "only asked about"),
    "conditional": ("只是假设", "only supposed"),
    "other_topic": ("所说并非此事", "said not to be the matter"),
}

_FILE_ENDINGS = re.compile(r"(?:\(\?i\))?\[\.\]\((?P<endings>\w+(?:\|\w+)*)\)\$")


def attached_files_text(names: ProcedureNames, ending: Node, *, positive: bool) -> str:
    """`event.attachments.exists(a, a.matches('[.](jpg|png)$'))` → a file of the type jpg or png is attached."""
    found = _FILE_ENDINGS.fullmatch(str(ending.value)) if isinstance(ending, Value) else None
    types = names.join_list(found["endings"].split("|"), ("或", "or")) if found else names.choose("规定", "required")
    if names.is_chinese:
        return f"{'附有' if positive else '未附'}{types}格式的文件"
    return f"{'a' if positive else 'no'} file of the type {types} is attached"


def search_text(names: ProcedureNames, call: Call, *, positive: bool) -> str:
    """`complaint.text.matches('a|b')` → the text contains “a” or “b”."""
    fields = call.target.parts if isinstance(call.target, Sum) else (call.target,)
    subject = names.join_list([operand_text(names, field) for field in fields if field is not None and field != Value(" ")])
    argument = call.arguments[0] if call.arguments else Value("")
    pattern = str(argument.value) if isinstance(argument, Value) else ""
    if call.function != "matches":
        return _plain_text(names, call.function, subject, names.quote(pattern), positive)
    try:
        words = pattern_words(pattern)
    except PatternWordsError:
        # The text still has to be true: a pattern of another form is named as what it is.
        return names.choose(
            f"{subject}{'' if positive else '不'}符合规程数据中的文字式样",
            f"{subject} {'fits' if positive else 'does not fit'} a text pattern of the procedure",
        )
    listed = _listed(names, words)
    case = names.choose("（字母不分大小写）", " (capital or small letters)") if words.ignores_case else ""
    verb = names.choose("中出现" if positive else "中未出现", " contains " if positive else " does not contain ")
    return f"{subject}{verb}{listed}{case}"


def pattern_text(names: ProcedureNames, name: str, *, positive: bool) -> str:
    """`says.lift` → the title and the text contain “lift stopped”, other than where it is denied, past, … ."""
    pattern = names.procedure.patterns.get(name) or common_cues().patterns[name]
    paths = [("complaint", "complainant", field) if field == "identity" else ("complaint", field) for field in pattern.fields]
    subject = names.join_list([operand_text(names, Name(path)) for path in paths], ("或", "or"))
    listed = [names.join_list([names.quote(word) for word in pattern.words], ("或", "or"))] if pattern.words else []
    for source in pattern.matches:
        try:
            listed.append(_listed(names, pattern_words(source)))
        except PatternWordsError:
            listed.append(names.choose("规程数据中的文字式样", "a text pattern of the procedure"))
    verb = names.choose("中出现" if positive else "中未出现", " contains " if positive else " does not contain ")
    text = f"{subject}{verb}{names.choose('；或', '; or ').join(listed)}"
    if pattern.lookalikes:
        others = names.join_list([names.quote(word) for word in pattern.lookalikes], ("或", "or"))
        text += names.choose(f"（{others}不算）", f" ({others} does not count)")
    kinds = TOPIC_CUES if pattern.topic else pattern.cues
    if not kinds:
        return text
    cues = names.join_list([names.choose(*_CUE_NAMES[kind]) for kind in kinds], ("或", "or"))
    return text + names.choose(f"（{cues}的不算）", f" (what is {cues} does not count)")


def _listed(names: ProcedureNames, words: PatternWords) -> str:
    return names.choose("；或", "; or ").join(_sequence_text(names, sequence) for sequence in words.sequences)


def _sequence_text(names: ProcedureNames, sequence: WordSequence) -> str:
    texts = [names.join_list([names.quote(word) for word in words]) for words in sequence.words]
    text = texts[0]
    for gap, following in zip(sequence.gaps, texts[1:], strict=True):
        if gap.is_unbounded:
            text += names.choose(f"，其后又出现{following}", f" and later {following}")
        else:
            text += names.choose(
                f"，其后{gap.most}字以内又有{following}",
                f" followed, at most {gap.most} character{'' if gap.most == 1 else 's'} on, by {following}",
            )
    return text


def _plain_text(names: ProcedureNames, function: str, subject: str, word: str, positive: bool) -> str:
    zh, en = {"contains": ("包含", "contain"), "startsWith": ("开头为", "begin with"), "endsWith": ("结尾为", "end with")}[function]
    if names.is_chinese:
        return (
            f"{subject}{'' if positive else '并非'}{zh}{word}"
            if function != "contains"
            else f"{subject}{'' if positive else '不'}{zh}{word}"
        )
    if not positive:
        return f"{subject} does not {en} {word}"
    return f"{subject} {en.replace(' ', 's ', 1) if ' ' in en else en + 's'} {word}"
