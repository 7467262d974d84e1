"""What was issued and what happened, as values (records, events), and the SQLite file that keeps it (sqlite).

It records what it is given, whole or not at all. It decides nothing, and knows no plan and no output.
"""
