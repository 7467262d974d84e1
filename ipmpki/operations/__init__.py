"""One file a verb of the user: reads files, clock and store at the edge, and lets the pure stages work.

It knows no option, no colour and no terminal: the command line, the language server and programs call it
alike.
"""
