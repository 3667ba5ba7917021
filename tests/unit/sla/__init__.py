"""Pure tests of the sla domain."""
