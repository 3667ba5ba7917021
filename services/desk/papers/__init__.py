"""The papers of a case: the forms that the regulation names, filled by sla with the signatures that were given."""
