"""What is personal in events and complaints, and how it is taken out of them."""
