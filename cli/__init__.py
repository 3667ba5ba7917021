"""The command line `jiesu`: one module a command; nothing else imports it."""
