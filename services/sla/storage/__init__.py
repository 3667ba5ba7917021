"""All SQL of sla: one module a table or a topic."""
