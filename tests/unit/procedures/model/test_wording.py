"""The wording of messages: placeholders that exist, and that can be filled when the message is sent."""

import pytest
from pydantic import ValidationError

from shared.procedures.checks.messages import check_messages
from shared.procedures.model.wording import Wording, fill
from tests.unit.sla.timeline import requested_messages, small_procedure


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("编号{matterr}", r"there is no placeholder \{matterr\}; write \{matter\}"),
        ("{whatever_it_is}", "the placeholders are number, matter"),
        ("{number", "a brace without its partner"),
        ("{{number}}", "a brace without its partner"),
        ("{number}[，措施：{measures}", "a bracket without its partner"),
        ("{number}[[{measures}]]", "a bracket without its partner"),
        ("{number}[，请验证]", "names no placeholder"),
    ],
)
def test_a_placeholder_that_does_not_exist_is_refused_with_the_nearest(text: str, error: str) -> None:
    with pytest.raises(ValidationError, match=error):
        Wording(zh=text, en="x")


def findings(entry: str) -> list[str]:
    return [f"{'.'.join(map(str, finding.yaml_path))}: {finding.message}" for finding in check_messages(small_procedure(entry))]


def reaction(event: str, text: str) -> str:
    return f'reactions: [{{id: r, "on": {event}, clause: "1", do: [{{notify: boss, text: {{zh: "{text}", en: "{text}"}}}}]}}]'


def clock(text: str) -> str:
    effect = f'{{remind: boss, text: {{zh: "{text}", en: "{text}"}}}}'
    return f'clocks: [{{id: c, clause: "1", starts: registered, stops: handled, owner: boss, due: [{{within: 1h, do: [{effect}]}}]}}]'


@pytest.mark.parametrize(
    ("entry", "unknown"),
    [
        (reaction("refused", "{number}{matter}{reason}"), []),
        (reaction("measures_approved", "{measures}{demands}"), []),
        (clock("{due_at}{started_at}{title}"), []),
        (reaction("work_started", "[措施：{measures}][时间：{agreed_date}]"), []),
        (reaction("[measures_approved, measures_deemed_approved]", "[要求：{demands}]"), []),
        (clock("[措施：{measures}]"), []),
        (reaction("registered", "[要求：{demands}]"), ["demands"]),
        (reaction("handled", "[期限：{due_at}]"), ["due_at"]),
        (clock("[{reason}]"), ["reason"]),
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
    text = reaction("registered", "{matter}")
    [row] = requested_messages(text, until="09 12:00")
    assert (row["values"]["matter"], row["values"]["wording"]) == ("x", "{matter}")


def test_a_part_in_brackets_is_left_out_unless_all_its_values_are_known() -> None:
    text = "开始处理[，措施：{measures}][，{agreed_date}由{contact_name}上门]。"
    known = {"measures": "换[新]泵{1}", "agreed_date": "", "contact_name": "郭强"}
    assert fill(text, known, "（未填写）") == "开始处理，措施：换[新]泵{1}。"
    assert fill(text, {**known, "agreed_date": "周五"}, "（未填写）") == "开始处理，措施：换[新]泵{1}，周五由郭强上门。"
    assert fill("{measures}；{agreed_date}", known, "（未填写）") == "换[新]泵{1}；（未填写）"


def wording_of_a_reaction(event: str, effect: str) -> str:
    return f'reactions: [{{id: r, "on": {event}, clause: "1", do: [{{{effect}}}]}}]'


LADDER = 'ladders: [{id: up, clause: "1", rungs: [boss], text: {zh: "%s", en: "%s"}}]'


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("notify: complainant, text: {zh: '{number}{matter}', en: '{matter} {number}'}", []),
        ("notify: complainant, text: {zh: '{matter}', en: '{matter}'}", ["says which complaint it is about; write {number}"]),
        ("notify: complainant, text: {zh: '{number}[{matter}]', en: '{number}[{matter}]'}", ["write {matter} outside brackets"]),
        ("notify: complainant, text: {zh: '{number}{matter}[{demands}]', en: '{number}{matter}[{demands}]'}", ["is written for staff"]),
        ("notify: boss, text: {zh: '{number}', en: 'x'}", ["differ in {number}"]),
        ("notify: boss, text: {zh: '{number}', en: '[{number}]'}", ["differ in {number}"]),
        ("notify: boss, texts: {measures_approved: {zh: '{demands}', en: '{demands}'}}", []),
        ("notify: boss, texts: {measures_approved: {zh: '{outcome}', en: '{outcome}'}}", ["is not known when measures_approved happens"]),
        ("notify: boss, texts: {handled: {zh: a, en: a}}", ["it is sent when measures_approved happens"]),
        ("notify: boss, text: {zh: a, en: a}, texts: {measures_approved: {zh: b, en: b}}", ["no message has this wording"]),
    ],
)
def test_a_wording_that_readers_cannot_use_is_found(entry: str, found: list[str]) -> None:
    lines = findings(wording_of_a_reaction("measures_approved", entry))
    assert len(lines) == len(found), lines
    assert all(words in line for words, line in zip(found, lines, strict=True)), lines


def test_a_clock_has_one_wording() -> None:
    [line] = findings(clock("{due_at}").replace("text: {", "texts: {signed: {").replace("}}]}", "}}}]}"))
    assert "the messages of a clock have one wording" in line


def test_the_wording_of_a_ladder_names_only_what_is_known_at_every_step() -> None:
    assert findings(LADDER % ("{matter}[{measures}]", "{matter}[{measures}]")) == []
    [line] = findings(LADDER % ("{measures}", "{measures}"))
    assert line.startswith("ladders.0.text: {measures}")


def test_each_event_that_causes_a_message_can_have_its_own_wording() -> None:
    text = """
reactions:
- id: decision
  "on": [measures_submitted, measures_approved, measures_rejected]
  clause: "1"
  do:
  - notify: boss
    text: {zh: 批示, en: decided}
    texts:
      measures_submitted: {zh: "请审批[：{measures}]", en: "Please decide[: {measures}]"}
      measures_rejected: {zh: "未批准[：{measures}]", en: "Rejected[: {measures}]"}
"""
    steps = (
        "09 10:00 submit_measures officer text=甲",
        "09 11:00 approve boss",
        "09 12:00 submit_measures officer text=乙",
        "09 13:00 reject boss",
    )
    rows = requested_messages(text, *steps, until="09 14:00")
    assert [(row["values"]["wording"], row["values"].get("measures")) for row in rows] == [
        ("请审批[：{measures}]", "甲"),
        ("批示", None),
        ("请审批[：{measures}]", "乙"),
        ("未批准[：{measures}]", "乙"),
    ]


def test_the_date_agreed_last_reaches_a_later_message_with_its_offset() -> None:
    text = wording_of_a_reaction("work_started", "notify: boss, text: {zh: '[{agreed_date}]', en: '[{agreed_date}]'}")
    steps = ("09 10:00 agree_date officer date=2026-11-10T09:00:00+08:00", "09 11:00 agree_date officer date=2026-11-11T09:00:00+08:00")
    [row] = requested_messages(text, *steps, "09 12:00 start_work officer", until="09 13:00")
    assert row["values"]["agreed_date"] == "2026-11-11T09:00:00+08:00"
