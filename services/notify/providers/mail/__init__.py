"""Sends e-mail: the SMTP provider, its sessions, and how a mail is composed and signed."""
