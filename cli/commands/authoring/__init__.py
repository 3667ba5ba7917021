"""Commands for people who write and check regulations: procedures, scenarios, deadlines, calendars."""
