"""sla: cases, clocks, escalation; decides everything after registration."""
