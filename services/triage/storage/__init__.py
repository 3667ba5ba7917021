"""All of triage's SQL."""
