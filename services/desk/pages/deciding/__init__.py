"""Pages on which people decide: the review queue, escalations, groups."""
