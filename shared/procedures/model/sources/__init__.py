"""Settings of a source in the organisation file besides its procedure and keys: entry by hand, and its web form."""
