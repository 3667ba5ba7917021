"""Reads mails (RFC 5322, MIME): text, sender, attachments, and the kind of mail; no I/O, and bounded work for any input."""
