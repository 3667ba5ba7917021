"""Use cases of the desk: project records, rebuild the read model, list cases, act through the services."""
