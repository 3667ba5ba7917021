"""What an organisation file says about a source besides its procedure and keys: entry by hand, and its web form."""
