"""The limit of calls within a window."""

from services.notify.domain.chat.address import ChatAddress
from services.notify.domain.chat.sliding_window import SlidingWindow


def test_call_beyond_the_limit_waits_until_the_oldest_leaves_the_window() -> None:
    window = SlidingWindow(2, 60)
    for now in (0.0, 10.0):
        assert window.seconds_until_free(now) == 0
        window.take(now)
    assert window.seconds_until_free(15.0) == 45
    assert window.seconds_until_free(60.0) == 0
    window.take(60.0)
    assert window.seconds_until_free(61.0) == 9


def test_chat_address_is_read_as_it_is_written() -> None:
    for text, national in (("ops", ""), ("ops#+8613800000001", "13800000001"), ("ops#+85291234567", "+85291234567")):
        address = ChatAddress.parse(text)
        assert (str(address), address.robot, address.national_mobile) == (text, "ops", national)
