"""The messages of every installed pack, as complainant, handler and executive read them."""

import re
from collections.abc import Iterator
from functools import cache

import pytest

from cli.messages.entry_requests import entry_request, entry_requests
from cli.messages.pack_messages import PackMessage, pack_messages
from cli.messages.sample_case import SAMPLE_SOURCE, with_sample_titles
from services.notify.bootstrap import procedure_titles, template_sources
from services.notify.domain.delivery_planning import template_names
from services.notify.domain.message_templates import LANGUAGES, MessageTemplates
from services.notify.domain.message_values import MessageForm, MessageTexts, message_values
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.checks.messages import check_messages
from shared.procedures.model.effects import MessageEffect, Notify, role_tuple
from shared.procedures.model.entry_list import LocatedEntry, all_entries
from shared.procedures.model.selectors import selected_events
from shared.procedures.model.timed_entries import ReactionEntry
from shared.procedures.model.wording import Wording
from shared.procedures.organisation import open_organisation
from tests.support.scenarios.packs import PACKS, pack

EVERY_PACK = pytest.mark.parametrize("name", PACKS)
TEMPLATES = MessageTemplates(template_sources(None))
THREE_PARTS = 3 * 67
"""Characters of three parts of a text message that contains a Chinese character; without one, a part has 153."""
THREE_PARTS_IN_LATIN = 3 * 153
ENDED = ("refused", "closed", "withdrawn")
GOES_ON = re.compile("跟进|进展|继续|正在|尽快|重新处理|will be handled|is being|progress|soon|follow")
NEXT_STEP = re.compile("会|请|欢迎|we will|please|welcome|[Tt]ell us|call us")
END = re.compile("到此结束|已经办结|不再办理|ends here|is closed|no more")


@cache
def messages(name: str) -> list[PackMessage]:
    return pack_messages(pack(name), TEMPLATES)


def to_complainants(name: str) -> list[PackMessage]:
    return [message for message in messages(name) if "complainant" in message.recipients]


def wording_effects(name: str) -> Iterator[tuple[LocatedEntry, LocatedEntry, MessageEffect]]:
    """Each effect that sends a message, after its place and the reaction or clock that it is part of."""
    entries = {located.id: located for located in all_entries(pack(name).procedure)}
    for located in entries.values():
        if isinstance(located.entry, MessageEffect):
            yield located, entries[located.part_of], located.entry


@EVERY_PACK
def test_every_message_to_a_complainant_has_a_wording_of_its_own(name: str) -> None:
    missing = [
        f"{located.id} {event.event}"
        for located, whole, effect in wording_effects(name)
        if isinstance(effect, Notify) and "complainant" in role_tuple(effect.notify) and isinstance(whole.entry, ReactionEntry)
        for event in selected_events(whole.entry.on)
        if effect.wording(event.event) is None
    ]
    assert missing == []


@EVERY_PACK
def test_every_message_of_a_reaction_has_a_wording_of_its_own(name: str) -> None:
    in_reactions = [(located.id, effect) for located, whole, effect in wording_effects(name) if isinstance(whole.entry, ReactionEntry)]
    assert [entry for entry, effect in in_reactions if not effect.wordings()] == []


@EVERY_PACK
def test_a_complainant_reads_which_complaint_and_what_happens_next_or_that_it_ended(name: str) -> None:
    for message in to_complainants(name):
        for (language, channel), rendered in message.rendered.items():
            where = (message.rule, message.about, language, channel)
            assert re.search(r"[A-Z]{2}-2026-\d{5}", rendered.text), where
            assert re.search("“.+”|'.+'", rendered.text), where
            assert (END if message.about in ENDED else NEXT_STEP).search(rendered.text), where
            assert SAMPLE_SOURCE.contact_phone in rendered.text, where


@EVERY_PACK
def test_no_message_of_an_ended_case_says_that_it_goes_on(name: str) -> None:
    ended = [message for message in to_complainants(name) if message.about in ENDED]
    assert [(message.rule, text.text) for message in ended for text in message.rendered.values() if GOES_ON.search(text.text)] == []


@EVERY_PACK
def test_no_message_shows_a_value_that_is_not_given(name: str) -> None:
    texts = [rendered.text for message in messages(name) for rendered in message.rendered.values()]
    assert [text for text in texts if re.search(r"未填写|not given|[{}\[]\w|：。|: \.|。。|\.\.", text.removeprefix("[Jiesu] "))] == []


@EVERY_PACK
def test_no_text_message_has_more_than_three_parts(name: str) -> None:
    texts = [rendered.text for message in messages(name) for (_, channel), rendered in message.rendered.items() if channel == "sms"]
    assert [(len(text), text) for text in texts if len(text) > THREE_PARTS] == []


@EVERY_PACK
def test_no_text_message_has_more_than_three_parts_with_the_longest_words(name: str) -> None:
    texts = MessageTexts(with_sample_titles(open_organisation()), procedure_titles([pack(name)]))
    longest = [text for request in entry_requests(pack(name)) if "sms" in request.by for text in rendered_sms(request, texts)]
    assert [
        (len(text), text) for language, text in longest if len(text) > (THREE_PARTS if language == "zh" else THREE_PARTS_IN_LATIN)
    ] == []


@EVERY_PACK
def test_messages_to_a_complainant_that_are_merged_have_at_most_three_parts(name: str) -> None:
    texts = MessageTexts(with_sample_titles(open_organisation()), procedure_titles([pack(name)]))
    wordings: dict[str, list[tuple[LocatedEntry, Wording]]] = {}
    for located, whole, effect in wording_effects(name):
        if (
            isinstance(effect, Notify)
            and isinstance(whole.entry, ReactionEntry)
            and "complainant" in role_tuple(effect.notify)
            and "sms" in effect.by
        ):
            for event in selected_events(whole.entry.on):
                if wording := effect.wording(event.event):
                    wordings.setdefault(event.event, []).append((located, wording))
    for event_type, merged in wordings.items():
        first, *_ = requests = [
            entry_request(pack(name).procedure, located, wording, event_type, ["complainant"], timed=False) for located, wording in merged
        ]
        items = [{"wording": each.values["wording"], "wording_en": each.values["wording_en"]} for each in requests]
        together = first.model_copy(update={"values": {**first.values, "items": items}})
        for language, text in rendered_sms(together, texts):
            assert len(text) <= (THREE_PARTS if language == "zh" else THREE_PARTS_IN_LATIN), text


def rendered_sms(request: NotificationRequested, texts: MessageTexts) -> Iterator[tuple[str, str]]:
    for language in LANGUAGES:
        name = TEMPLATES.choose(template_names(request, request.recipients[0]), language, "sms")
        values = message_values(request, MessageForm(language, "sms", TEMPLATES.format_instant), texts)
        yield language, TEMPLATES.render(name, values).text


@EVERY_PACK
def test_chinese_and_english_state_the_same(name: str) -> None:
    assert [finding.message for finding in check_messages(pack(name).procedure)] == []
    for _, _, effect in wording_effects(name):
        for wording in effect.wordings():
            assert re.search(r"[\u3400-\u9fff]", wording.en) is None, wording.en
            assert re.search(r"[\u3400-\u9fff]", wording.zh), wording.zh
