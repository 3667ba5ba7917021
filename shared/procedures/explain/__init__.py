"""A procedure in plain words, in Chinese or English, as text and as a page: what the system does for each clause."""
