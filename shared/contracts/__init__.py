"""The public wire format: topics, events, actions and complaints as every service and department sees them."""
