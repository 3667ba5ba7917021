"""Personal values of events and complaints, and their removal."""
