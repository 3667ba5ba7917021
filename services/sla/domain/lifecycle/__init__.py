"""A case and how an input changes it: permissions, clocks, effects, escalation, notifications, and the event loop."""
