"""Certificates, keys, requests and revocation lists: made, read back, judged. Cryptography lives here alone.

Bytes and values in, bytes and values out. It knows nothing of hosts, plans, the store, or where files lie.
"""
