"""Forms of the regulations: filled from the events of cases, with their signed versions, and printed as HTML, PDF and DOCX."""
