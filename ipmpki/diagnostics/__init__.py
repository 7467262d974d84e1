"""What is wrong, and what failed: problems as values, faults as exceptions, and how both are worded.

Everything else may speak of these; they know of no declaration, no certificate and no terminal.
"""
