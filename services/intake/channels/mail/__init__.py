"""Reads mails (RFC 5322, MIME): text, sender, attachments, and what kind of mail it is; no I/O and bounded work, whatever was sent."""
