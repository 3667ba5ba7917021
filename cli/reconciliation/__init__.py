"""Compares the services' tables and the topics with the accepted submissions: what is lost, duplicated or out of order."""
