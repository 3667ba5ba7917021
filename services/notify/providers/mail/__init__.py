"""Sends e-mail: the SMTP provider, its sessions, the composition and the signature of a mail."""
