"""sla: cases, their clocks and escalations; decides everything after registration."""
