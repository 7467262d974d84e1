"""A declarative config compiler for a print shop's private PKI."""

__version__ = "0.1.0"
