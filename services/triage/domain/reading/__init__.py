"""The reading copy of a complaint: its texts in one form, for rules, counting and classification; the complaint itself stays unchanged."""
