"""Header fields as mail programs write them."""

from services.intake.channels.mail.headers import decoded


def test_a_long_run_of_blanks_is_read_in_linear_time() -> None:
    assert decoded("a" + " " * 200_000 + "b").endswith("b")
    assert decoded("a \r\n\t b") == "a b"
