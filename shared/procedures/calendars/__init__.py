"""Working calendars, published public-holiday schedules, time zones."""
