"""A form is filled from the case's events alone: present values, latest valid decision, names for ids."""

import pytest

from shared.contracts.attachments import AttachmentKeys
from shared.procedures.checks.form_layouts import check_form_layouts
from shared.procedures.forms.filled_form import FilledBox, FilledField, FilledForm, FilledSignature
from shared.procedures.forms.filling import blank_form, fill_form
from shared.procedures.forms.versions import form_versions
from tests.unit.procedures.forms.sample_form import FORM, event, form_of, registered, sample_events, sample_procedure, sample_texts


def fill(events: list[dict[str, object]], hidden: tuple[str, ...] = ()) -> FilledForm:
    procedure = sample_procedure()
    form = form_of(procedure)
    return fill_form(form, events, sample_texts(hidden=hidden), form_versions(procedure, form, events))


def fields(filled: FilledForm) -> dict[str, FilledField]:
    return {field.label: field for section in filled.sections for field in section.fields}


def test_fields_show_names_boxes_local_times_and_photographs() -> None:
    filled = fields(fill(sample_events()))
    assert filled["编号"].text == "S-2026-00001"
    assert filled["投诉人"].text == "王**"
    assert filled["级别"].boxes == (FilledBox("严重", ticked=True), FilledBox("一般", ticked=False))
    assert filled["紧急"].boxes == (FilledBox("是", ticked=True), FilledBox("否", ticked=False))
    assert filled["限期"].text == "2026年9月20日 12:00"
    assert filled["附件"].photos == ("照片-1.jpg",)


def test_fact_that_nobody_recorded_ticks_no_box() -> None:
    assert [box.ticked for box in fields(fill([registered()]))["紧急"].boxes] == [False, False]


def test_first_path_with_a_value_is_printed() -> None:
    assert fields(fill([registered(complainant={"enterprise": "税控公司"})]))["投诉人"].text == "税控公司"


def test_amended_fields_replace_registered_ones_and_null_takes_a_value_away() -> None:
    amended = event(2, "amended", fields={"text": "两部电梯停运", "complainant": {"name": None}}, facts={"urgent": False})
    filled = fields(fill([registered(), amended]))
    assert (filled["内容"].text, filled["投诉人"].text) == ("两部电梯停运", "")
    assert filled["紧急"].boxes[1].ticked


def test_decision_on_replaced_measures_is_not_printed_as_the_decision_on_the_new_ones() -> None:
    events = sample_events()
    decided = fill(events[:4])
    assert decided.sections[1].signatures[0] == FilledSignature("主管", "王经理", "主管", "退回措施", "2026年9月14日 14:00")
    assert fields(decided)["意见"].text == "重新制定"
    resubmitted = fill(events)
    assert resubmitted.sections[1].signatures[0] == FilledSignature("主管")
    assert fields(resubmitted)["意见"].text == ""


def test_act_of_another_role_does_not_sign() -> None:
    filled = fill([*sample_events(), event(6, "measures_approved", "desk", "li")])
    assert filled.sections[1].signatures[0].name == ""


def test_deemed_approval_is_named_instead_of_a_person() -> None:
    filled = fill([*sample_events(), event(6, "measures_deemed_approved")])
    assert filled.sections[1].signatures[0].name == "措施视为已批准"


def test_table_has_a_row_for_each_event_and_blank_ones() -> None:
    table = fill(sample_events()).sections[2].table
    assert table is not None
    assert [row[1:] for row in table.rows] == [
        ("提交处理措施", "李敏", "第一次措施"),
        ("退回措施", "王经理", "重新制定"),
        ("提交处理措施", "李敏", "第二次措施"),
    ]
    first = fill([registered()]).sections[2].table
    assert first is not None
    assert first.rows == (("", "", "", ""),) * 3


@pytest.mark.parametrize("hidden", ["text", "complaint.text"])
def test_field_that_the_reader_may_not_see_is_marked_in_every_event(hidden: str) -> None:
    filled = fill(sample_events(), (hidden,))
    assert fields(filled)["内容"].text == "（保密）"
    table = filled.sections[2].table
    assert table is not None
    assert {row[3] for row in table.rows} == {"（保密）"}


def test_hidden_complainant_hides_each_of_his_fields() -> None:
    assert fields(fill(sample_events(), ("complainant",)))["投诉人"].text == "（保密）"


def test_hidden_boxes_show_no_tick() -> None:
    field = fields(fill(sample_events(), ("facts",)))["紧急"]
    assert (field.text, field.boxes) == ("（保密）", ())


def test_control_characters_are_not_printed() -> None:
    assert fields(fill([registered(text="电\x00梯\x1b\n停运")]))["内容"].text == "电梯\n停运"


def test_head_names_organisation_regulation_copies_and_number() -> None:
    filled = fill(sample_events())
    assert (filled.title, filled.organisation, filled.regulation, filled.code) == ("处理单", "某物业", "样例规程", "R-1")
    assert (filled.number, filled.copies, filled.notes) == ("S-2026-00001/01", ("客服",), ("不得涂改",))


def test_english_form() -> None:
    procedure = sample_procedure()
    filled = fill_form(form_of(procedure), sample_events(), sample_texts("en"))
    assert (filled.title, filled.state) == ("Sheet", "not signed yet")
    assert fields(filled)["class"].boxes[0].label == "Serious"


def test_blank_form_has_its_number_and_no_value() -> None:
    procedure = sample_procedure()
    blank = blank_form(form_of(procedure), sample_texts(), "R-1-2026-00007")
    assert (blank.number, blank.state) == ("R-1-2026-00007", "空白表单")
    assert {field.text for field in fields(blank).values()} == {""}
    assert not any(box.ticked for field in fields(blank).values() for box in field.boxes)


def test_findings_print_names_amounts_and_a_box_for_each_kind() -> None:
    section = {
        "fields": [
            {"value": "compensation_proposed.compensation", "show": "boxes"},
            "compensation_approved.amount",
            {"value": "agreement_recorded.agreed", "show": "boxes"},
        ],
        "table": {"events": ["sanction_recorded"], "columns": ["persons", "units", "sanction", "amount"]},
    }
    procedure = sample_procedure({**FORM, "sections": [section]})
    assert [finding.message for finding in check_form_layouts(procedure)] == []
    events = [
        registered(),
        event(2, "compensation_proposed", compensation="waived_fees", amount=1200.5),
        event(3, "compensation_approved", compensation="waived_fees", amount=1000.0),
        event(4, "agreement_recorded", household="1-1", agreed=False),
        event(5, "sanction_recorded", sanction="fine", persons=["li", "外包工"], amount=200.0),
    ]
    filled = fill_form(form_of(procedure), events, sample_texts())
    kinds, amount, agreed = filled.sections[0].fields
    assert [box.label for box in kinds.boxes if box.ticked] == ["减免费用"]
    assert len(kinds.boxes) == 5
    assert amount.text == "1,000.00"
    assert [box.ticked for box in agreed.boxes] == [False, True]
    table = filled.sections[0].table
    assert table is not None
    assert table.rows[0] == ("李敏、外包工", "", "罚款", "200.00")


def test_photographs_are_stored_images_and_said_to_be_missing_without_any() -> None:
    keys = AttachmentKeys(["a secret of the tests"])
    image, document = (str(keys.reference("ab" * 32, name)) for name in ("现场.jpg", "报告.jpg.pdf"))
    with_photo = fields(fill([registered(attachments=[document, image])]))["附件"]
    without = fields(fill([registered(attachments=[document])]))["附件"]
    assert (with_photo.photos, with_photo.text) == (("现场.jpg (abababababab…)",), "")
    assert (without.photos, without.text) == ((), "（缺）")
