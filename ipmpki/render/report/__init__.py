"""The report of a build: one document as values (document, collect), and its three files."""
