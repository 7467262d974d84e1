"""The declaration as written."""
