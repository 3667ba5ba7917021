"""The same event in other words: what texts have in common, where they are, and which remembered text is nearest."""
