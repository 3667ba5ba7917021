"""The approved template of a text, and its parameters."""

import pytest

from services.notify.domain.sms.approved_template import ApprovedTemplate, find_template

TEMPLATES = [
    ApprovedTemplate("SMS_1", "待办：投诉单 ${number}（${matter}），请于 ${due} 前办理。"),
    ApprovedTemplate("SMS_2", "待办：投诉单 ${number}，请尽快办理。"),
    ApprovedTemplate("SMS_3", "${number} again ${number}"),
    ApprovedTemplate("SMS_4", "没有参数"),
]


@pytest.mark.parametrize(
    ("text", "code", "parameters"),
    [
        (
            "【接诉】待办：投诉单 TS-1（电梯停运(3号楼)），请于 2026-09-24 17:00 前办理。",
            "SMS_1",
            {"number": "TS-1", "matter": "电梯停运(3号楼)", "due": "2026-09-24 17:00"},
        ),
        ("待办：投诉单 TS-1，请尽快办理。", "SMS_2", {"number": "TS-1"}),
        ("待办：投诉单\n TS-1，请尽快办理。 ", "SMS_2", {"number": "TS-1"}),
        ("a again a", "SMS_3", {"number": "a"}),
        ("没有参数", "SMS_4", {}),
    ],
)
def test_template_is_found_with_its_values(text: str, code: str, parameters: dict[str, str]) -> None:
    found = find_template(TEMPLATES, text)
    assert found is not None
    assert (found[0].code, found[1]) == (code, parameters)


@pytest.mark.parametrize("text", ["a again b", "待办：投诉单 TS-1，请办理。", "待办：投诉单 ，请尽快办理。", "", "没有参数。"])
def test_other_texts_have_no_template(text: str) -> None:
    assert find_template(TEMPLATES, text) is None


def test_placeholders_are_named_in_their_order() -> None:
    assert TEMPLATES[0].placeholders == ["number", "matter", "due"]


def test_a_text_that_does_not_fit_is_refused_without_trying_every_division() -> None:
    template = ApprovedTemplate("T", "，".join(f"${{v{number}}}" for number in range(5)) + "！")
    assert template.parameters("，".join("字" * 200) + "。") is None
    assert template.parameters("甲，乙，丙，丁，戊，己！") == {"v0": "甲", "v1": "乙", "v2": "丙", "v3": "丁", "v4": "戊，己"}
