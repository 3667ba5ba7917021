"""The attachments of a case, for whoever may see the case: short-lived addresses under which intake serves them."""
