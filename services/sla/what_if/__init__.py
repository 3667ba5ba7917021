"""Trials of a procedure with other numbers on recorded cases; they change no case and send no message."""
