"""Pure tests, a folder a service: no broker, no database, no clock."""
