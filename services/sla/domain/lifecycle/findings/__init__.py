"""Findings on a case (causes, liability, sanctions, compensation, agreements, notices, calls): state and rules."""
