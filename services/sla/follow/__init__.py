"""The page on which a complainant follows his case with a code, without an account."""
