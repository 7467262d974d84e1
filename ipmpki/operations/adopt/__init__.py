"""A PKI that openssl or easy-rsa made, taken over: understood, declared in a pki.toml, put into a store.

The old folder is only ever read. Everything that it holds is taken, or told as left out.
"""

from __future__ import annotations
