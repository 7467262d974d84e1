"""The status of a PKI: a table for people, and what programs, monitors and calendars read."""
