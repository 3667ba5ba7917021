"""The page on which people complain without an account: one a source, `/complain/{source}`, described in the organisation file."""
