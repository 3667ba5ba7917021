"""notify's decisions, without I/O: recipients, text, time of sending, retries."""
