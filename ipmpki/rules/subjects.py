"""Every subject's rules; importing this module registers them all."""
