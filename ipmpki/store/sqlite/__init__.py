"""The store: one SQLite file that holds the authority, every key, every certificate ever issued and a ledger.

Each method that writes is one transaction, so that a process killed at any instant leaves either all of
it or nothing. Nothing is overwritten: a certificate that is replaced stays, marked as retired.
"""
