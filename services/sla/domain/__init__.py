"""sla's decisions: tables in, decisions out; no I/O, no clock, no chance."""
