"""A search in a text, in words: the expressions that are looked for, as people write them."""

import re
from collections.abc import Sequence

from shared.procedures.explain.conditions.condition_syntax import Call, Name, Node, Sum, Value
from shared.procedures.explain.conditions.operand_text import operand_text
from shared.procedures.explain.conditions.pattern_words import (
    PatternWords,
    PatternWordsError,
    WordSequence,
    merge_sequences,
    pattern_sequences,
    pattern_words,
)
from shared.procedures.explain.names import ProcedureNames
from shared.procedures.expressions.text_patterns import TOPIC_CUES, CueKind, TextPattern, common_cues
from shared.procedures.fact_library.library import fact_library, with_library

_CUE_NAMES: dict[CueKind, tuple[str, str]] = {
    "negation": ("被否定", "denied"),
    "past": ("已成过去", "past"),
    "hearsay": ("属他人他处之事", "somebody else's matter"),
    "enquiry": ("只是询问", "only asked about"),
    "conditional": ("只是假设", "only supposed"),
    "other_topic": ("所说并非此事", "said not to be the matter"),
}

_PICTURES = frozenset({"jpg", "jpeg", "png", "heic", "webp", "bmp", "tif", "tiff", "gif"})
_FILE_ENDINGS = re.compile(r"(?:\(\?i\))?\[\.\]\((?P<endings>\w+(?:\|\w+)*)\)\$")


def attached_files_text(names: ProcedureNames, ending: Node, *, positive: bool) -> str:
    """`event.attachments.exists(a, a.matches('[.](jpg|png)$'))` → a file of the type jpg or png is attached."""
    found = _FILE_ENDINGS.fullmatch(str(ending.value)) if isinstance(ending, Value) else None
    endings = found["endings"].split("|") if found else []
    types = names.join_list(endings, ("或", "or")) if found else names.choose("规定", "required")
    if _PICTURES.issuperset(endings) and endings:
        return names.choose(
            f"{'附有' if positive else '未附'}照片（{types}格式的文件）",
            f"{'a' if positive else 'no'} photograph is attached (as a file of the type {types})",
        )
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
    listed = _expressions(names, pattern.words, pattern.matches)
    if pattern.library:
        sense = names.quote(names.choose(pattern.zh, pattern.en) or pattern.zh or pattern.en)
        listed.append(names.choose(f"通用词库中表示{sense}的说法", f"an expression of the shared library for {sense}"))
    verb = names.choose("中出现" if positive else "中未出现", " contains " if positive else " does not contain ")
    return f"{subject}{verb}{names.choose('；或', '; or ').join(listed)}{_exceptions_text(names, pattern)}"


def _expressions(names: ProcedureNames, words: Sequence[str], sources: Sequence[str]) -> list[str]:
    """Words and patterns as people read them."""
    sequences = [WordSequence(((word,),)) for word in words]
    unread = list[str]()
    for source in sources:
        try:
            sequences += [_with_stems(sequence) for sequence in pattern_sequences(source)]
        except PatternWordsError:
            unread = [names.choose("规程数据中的文字式样", "a text pattern of the procedure")]
    return [*(_sequence_text(names, sequence) for sequence in merge_sequences(sequences)), *unread]


def _with_stems(sequence: WordSequence) -> WordSequence:
    """Latin letters that a pattern looks for are the beginning of a word; a word of the pack's list is looked for as a whole."""
    if sequence.gaps:
        return sequence
    return WordSequence((tuple(f"{word}…" if word.isascii() and word.isalpha() else word for word in sequence.words[0]),))


def _exceptions_text(names: ProcedureNames, pattern: TextPattern) -> str:
    """Exceptions, in one bracket: other words that look alike, exceptions, and what is denied, past, … ."""
    kinds = TOPIC_CUES if pattern.topic else with_library(pattern).cues
    cues = names.join_list([names.choose(*_CUE_NAMES[kind]) for kind in kinds], ("或", "or"))
    excepted = [*map(names.quote, pattern.lookalikes), *_expressions(names, (), pattern.exceptions)]
    if pattern.library and (fact := fact_library().facts[pattern.library]).exceptions + fact.lookalikes:
        excepted.append(names.choose("通用词库所列的例外说法", "what that library lists as an exception"))
    others = names.join_list(excepted, ("或", "or"))
    if not others:
        return names.choose(f"（{cues}的不算）", f" (what is {cues} does not count)") if cues else ""
    if not cues:
        return names.choose(f"（{others}不算）", f" ({others} does not count)")
    return names.choose(f"（{others}不算，{cues}的也不算）", f" ({others} does not count, nor does what is {cues})")


def _listed(names: ProcedureNames, words: PatternWords) -> str:
    return names.choose("；或", "; or ").join(_sequence_text(names, sequence) for sequence in words.sequences)


def _sequence_text(names: ProcedureNames, sequence: WordSequence) -> str:
    texts = [names.join_list([names.quote(word) for word in words]) for words in sequence.words]
    text = texts[0]
    for gap, following in zip(sequence.gaps, texts[1:], strict=True):
        if gap.most == 0:
            text += names.choose(f"，紧接{following}", f" followed directly by {following}")
        elif gap.is_unbounded:
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
