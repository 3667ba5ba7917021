"""Takes mails in: each becomes a submission, a supplement, a report or nothing, recorded with its reason in one transaction."""
