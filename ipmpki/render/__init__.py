"""The bytes of every output, from values: hosts' folders, plan, status, report, problems.

Renderers read their own templates and nothing else; what they show is handed to them. They write no file,
ask no clock, and know nothing of how a certificate comes about.
"""

from __future__ import annotations

from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
"""What jinja2 renders, and the files that are published as they stand."""
