"""Commands that run and repair the platform: demo, up, migrate, topics, dead letters."""
