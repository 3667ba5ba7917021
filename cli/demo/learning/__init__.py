"""The part of the demo in which triage reads texts: training, and steps that follow what it found."""
