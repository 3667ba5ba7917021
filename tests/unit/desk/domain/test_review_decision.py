"""The decision that the form of a review amounts to."""

from services.desk.domain.review_decision import review_decision


def test_another_value_goes_before_the_guess_and_role_and_remark_go_with_them() -> None:
    values = {"guess.department": "repairs", "other.department": " gardens ", "guess.fault": "lift", "role": "supervisor", "text": " ok "}
    assert review_decision(values) == {"department": "gardens", "labels": {"fault": "lift"}, "role": "supervisor", "text": "ok"}


def test_without_a_value_it_confirms_what_stands() -> None:
    assert review_decision({"other.department": " ", "role": "", "text": ""}) == {"confirm": True}
