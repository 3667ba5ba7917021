"""A poll lingers for as long as records come to fill a batch."""

import pytest

from shared.runtime.subscription.consumer import linger_seconds


@pytest.mark.parametrize(("records", "seconds"), [(0, 0.0), (1, 0.005), (4, 0.02), (10, 0.05), (249, 0.05)])
def test_linger_grows_with_the_records_of_the_last_poll_up_to_fifty_milliseconds(records: int, seconds: float) -> None:
    assert linger_seconds(records) == pytest.approx(seconds)
