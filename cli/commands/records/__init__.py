"""Commands that read and prove what happened: evidence, ledger, replay, report."""
