"""References and reports in mails, which intake and notify share."""
