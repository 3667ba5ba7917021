"""Numbers of persons, amounts, identities and places out of words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.facts.values import choose_amount, normal_place, read_amounts, read_persons
from services.triage.domain.reading.reading_copy import read_text


@pytest.mark.parametrize(
    ("words", "persons"),
    [
        ("我们15户", (15, False)),
        ("我们二十三户", (23, False)),
        ("十几户", (11, True)),
        ("几十户人家", (20, True)),
        ("上百户", (100, True)),
        ("三十多户", (31, True)),
        ("七八户", (7, True)),
        ("两三百户", (200, True)),
        ("我跟他俩人", (2, False)),
        ("twelve residents", (12, False)),
        ("没有数", None),
        ("好人", None),
        ("我们好户人家", None),
        ("一3户", None),
    ],
)
def test_persons(words: str, persons: tuple[int, bool] | None) -> None:
    assert read_persons(read_text(words)) == persons


@given(st.text(alphabet="零一两三十百千万亿几好多来余3", max_size=8), st.sampled_from("户人家名"))
def test_any_characters_of_numerals_give_a_number_or_none(characters: str, counted: str) -> None:
    persons = read_persons(f"我们{characters}{counted}")
    assert persons is None or persons[0] > 0
    amounts = read_amounts(f"赔{characters}元")
    assert all(amount > 0 for amount, _ in amounts)


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        ("赔偿5000元", 5000),
        ("赔偿三万元", 30_000),
        ("赔偿3万5", 35_000),
        ("赔偿3万5千元", 35_000),
        ("赔偿1.2万元", 12_000),
        ("赔偿13,500元", 13_500),
        ("赔偿四千六", 4_600),
        ("赔偿两千零五十元", 2_050),
        ("赔偿人民币壹万元整", 10_000),
        ("RMB 60,000", 60_000),
        ("误工500元、医药费1200元", 1_700),
        ("共计8000元,其中医药费3000元", 8_000),
        ("赔偿3次", None),
    ],
)
def test_amounts(words: str, amount: int | None) -> None:
    assert choose_amount(read_amounts(read_text(words))) == amount


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("3号楼2单元1201室", "3栋2单元1201"),
        ("3栋2单元1201", "3栋2单元1201"),
        ("3-2-1201", "3栋2单元1201"),
        ("三幢二单元", "3栋2单元"),
        ("b座1503", "B栋1503"),
        ("Flat 12", ""),
    ],
)
def test_places_have_one_form(words: str, place: str) -> None:
    assert normal_place(read_text(words)) == place
