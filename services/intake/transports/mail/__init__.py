"""Mail in: mailboxes by IMAP, and a port for SMTP or LMTP."""
