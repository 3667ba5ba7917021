"""Running servers, and fresh databases and topics on them."""
