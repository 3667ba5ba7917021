"""Evidence archives: written from the ledger, verified without a database; and recorded cases read from them."""
