"""The parts of reports: their lists, the record of what people did, and improvement measures."""
