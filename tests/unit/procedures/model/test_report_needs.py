"""Rules for the contents of a report: a kind of file is required of attachments only, with a clause, and has an effect."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.attachments.content_types import IMAGE_TYPES, TYPES
from shared.contracts.attachments import MEDIA_ENDINGS
from shared.procedures.model.actions.action_rules import ActionRule


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"report_needs": {"text": "image"}, "clause": "1"}, "text holds no files; write text: any, or attachments: image"),
        ({"report_needs": {"attachments": "image"}}, "add clause with the id of the clause that demands it"),
        ({"incomplete": "missing", "clause": "1"}, "incomplete: missing without report_needs has no effect"),
        ({"report_needs": {"attachments": "picture"}, "clause": "1"}, "Input should be"),
    ],
)
def test_rule_without_effect_is_refused(rule: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        ActionRule.model_validate(rule)


def test_endings_of_media_are_those_that_intake_gives() -> None:
    given = {ending for media_type in TYPES for ending in TYPES[media_type].endings if media_type.startswith(("audio/", "video/"))}
    assert {*MEDIA_ENDINGS["audio"], *MEDIA_ENDINGS["video"]} == given
    assert TYPES["application/pdf"].endings == MEDIA_ENDINGS["pdf"]
    images = {ending for media_type in IMAGE_TYPES for ending in TYPES[media_type].endings}
    # A moving picture or a drawing is no photograph.
    assert set(MEDIA_ENDINGS["image"]) == images - {".gif"}
