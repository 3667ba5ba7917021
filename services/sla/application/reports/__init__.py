"""Use cases of reports: their lists, their signature, improvement measures, and reminders of what is overdue."""
