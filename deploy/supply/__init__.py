"""What the image consists of, and what is known against it: for checkouts only."""
