"""A topic is configured anew only where its settings differ, and keeps what its operator set."""

import pytest

from shared.contracts.topics import CASE_ACTIONS
from shared.runtime.kafka.topic_admin import corrected_configs, topic_configs

RIGHT = topic_configs(CASE_ACTIONS)


@pytest.mark.parametrize("present", [RIGHT, {**RIGHT, "max.message.bytes": "2000000"}])
def test_a_topic_with_the_right_settings_is_left_alone(present: dict[str, str]) -> None:
    assert corrected_configs(present, CASE_ACTIONS, 30) is None


@pytest.mark.parametrize("present", [{}, {"message.timestamp.type": "CreateTime"}, {**RIGHT, "retention.ms": "7"}])
def test_a_wrong_or_absent_setting_is_corrected(present: dict[str, str]) -> None:
    assert corrected_configs(present, CASE_ACTIONS, 30) == RIGHT


def test_a_correction_keeps_what_the_operator_set() -> None:
    present = {**RIGHT, "retention.ms": "7", "max.message.bytes": "2000000"}
    assert corrected_configs(present, CASE_ACTIONS, 30) == {**RIGHT, "max.message.bytes": "2000000"}
