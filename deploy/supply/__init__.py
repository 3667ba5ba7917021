"""The image's packages and their known vulnerabilities: for checkouts only."""
