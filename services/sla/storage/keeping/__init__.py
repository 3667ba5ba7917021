"""What is kept how long: erasures, legal holds, and the cases whose time is over."""
