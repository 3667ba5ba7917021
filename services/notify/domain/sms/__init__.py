"""Rules of text messages: characters, parts, receipts."""
