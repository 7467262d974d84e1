"""The version, where every stage may read it."""

__version__ = "0.1.0"
_COMMIT_DATE = f"{__file__.removesuffix('version.py')}commit-date"


def version_line() -> str:
    """What ``ipmpki --version`` says: with the day of the commit, where a build put it beside this file."""
    try:
        with open(_COMMIT_DATE, encoding="utf-8") as file:  # noqa: PTH123 -- pathlib costs start-up
            return f"ipmpki {__version__} ({file.read()})"
    except OSError:
        return f"ipmpki {__version__}"
