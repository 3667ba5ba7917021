"""The file of a sink: each message once, also when the sink was killed while it wrote."""

from pathlib import Path

from deploy.sinks.message_file import MessageFile


def test_a_restarted_sink_recognises_what_it_stored(tmp_path: Path) -> None:
    file = tmp_path / "sms.jsonl"
    assert MessageFile(file).add("k", {"text": "一"})
    again = MessageFile(file)
    assert again.messages == {"k": {"text": "一"}}
    assert not again.add("k", {"text": "一"})
    assert (again.duplicates, len(file.read_text(encoding="utf-8").splitlines())) == (1, 1)


def test_half_a_line_is_dropped_and_its_message_is_stored_when_it_comes_again(tmp_path: Path) -> None:
    file = tmp_path / "sms.jsonl"
    MessageFile(file).add("k", {"text": "一"})
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    again = MessageFile(file)
    assert again.add("l", {"text": "二"})
    assert MessageFile(file).messages == {"k": {"text": "一"}, "l": {"text": "二"}}
