"""Names in explanations, in both languages."""

from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.complaint import CHANNEL_FAMILIES
from shared.contracts.events import EVENT_CLASSES
from shared.procedures.explain.event_action_names import ACTION_NAMES, EVENT_NAMES
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.value_names import CHANNEL_NAMES


def test_every_event_action_and_channel_has_a_name_in_both_languages() -> None:
    for names, ids in ((EVENT_NAMES, EVENT_CLASSES), (ACTION_NAMES, ACTION_DEFINITIONS), (CHANNEL_NAMES, CHANNEL_FAMILIES)):
        assert set(ids) <= set(names)
        assert all(zh and en for zh, en in names.values())


def test_the_part_in_the_language_is_taken_from_a_bilingual_text(english: ProcedureTexts, chinese: ProcedureTexts) -> None:
    for bilingual in ("先读甲。 First read A.", "先读甲 / First read A."):
        assert english.own_language_part(bilingual) == "First read A."
        assert chinese.own_language_part(bilingual).startswith("先读甲")
    assert english.own_language_part("Only English.") == chinese.own_language_part("Only English.") == "Only English."
