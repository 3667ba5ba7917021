"""The wording of messages: placeholders that exist, and that can be filled when the message is sent."""

import pytest
from pydantic import ValidationError

from shared.procedures.checks.messages import check_messages
from shared.procedures.model.wording import Wording
from tests.unit.sla.timeline import requested_messages, small_procedure


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("编号{matterr}", r"there is no placeholder \{matterr\}; write \{matter\}"),
        ("{whatever_it_is}", "the placeholders are number, matter"),
        ("{number", "a brace without its partner"),
        ("{{number}}", "a brace without its partner"),
    ],
)
def test_a_placeholder_that_does_not_exist_is_refused_with_the_nearest(text: str, error: str) -> None:
    with pytest.raises(ValidationError, match=error):
        Wording(zh=text, en="x")


def findings(entry: str) -> list[str]:
    return [f"{'.'.join(map(str, finding.yaml_path))}: {finding.message}" for finding in check_messages(small_procedure(entry))]


def reaction(event: str, text: str) -> str:
    return f'reactions: [{{id: r, "on": {event}, clause: "1", do: [{{notify: complainant, text: {{zh: "{text}", en: x}}}}]}}]'


def clock(text: str) -> str:
    effect = f'{{remind: boss, text: {{zh: "{text}", en: x}}}}'
    return f'clocks: [{{id: c, clause: "1", starts: registered, stops: handled, owner: boss, due: [{{within: 1h, do: [{effect}]}}]}}]'


@pytest.mark.parametrize(
    ("entry", "unknown"),
    [
        (reaction("refused", "{number}{matter}{reason}"), []),
        (reaction("measures_approved", "{measures}{demands}"), []),
        (clock("{due_at}{started_at}{title}"), []),
        (reaction("registered", "{measures}"), ["measures"]),
        (reaction("[registered, measures_approved]", "{demands}"), ["demands"]),
        (reaction("refused", "{due_at}"), ["due_at"]),
        (clock("{reason}{result}"), ["reason", "result"]),
    ],
)
def test_a_placeholder_that_is_not_known_at_that_point_is_found(entry: str, unknown: list[str]) -> None:
    found = findings(entry)
    assert [message.split("{")[1].split("}")[0] for message in found] == unknown
    assert all("is not known when" in message for message in found)


def test_the_words_of_an_earlier_event_reach_the_message() -> None:
    text = """
reactions:
- {id: tell, "on": measures_approved, clause: "1", do: [{notify: boss, text: {zh: "措施：{measures}", en: "Measures: {measures}"}}]}
"""
    steps = ("09 10:00 submit_measures officer text=甲", "09 11:00 submit_measures officer text=乙", "09 12:00 approve boss text=丙")
    [row] = requested_messages(text, *steps, until="09 13:00")
    assert (row["values"]["measures"], row["values"]["text"]) == ("乙", "丙")


def test_a_request_states_matter_and_wording() -> None:
    text = reaction("registered", "{matter}").replace("complainant", "boss")
    [row] = requested_messages(text, until="09 12:00")
    assert (row["values"]["matter"], row["values"]["wording"]) == ("x", "{matter}")
