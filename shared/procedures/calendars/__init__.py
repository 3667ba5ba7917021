"""Working calendars, public-holiday schedules, and the time zone of a procedure."""
