"""The attachments of a case, for people who may see the case: short-lived addresses under which intake serves them."""
