"""Reviews of triage's decisions: what a person has to review, and what his decision changes."""
