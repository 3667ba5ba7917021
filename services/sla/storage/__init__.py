"""All of sla's SQL."""
