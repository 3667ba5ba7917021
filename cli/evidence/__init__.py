"""A case's evidence archive: written from the ledger, verified without a database."""
