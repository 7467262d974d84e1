"""``ipmpki verify``: files, folders and live servers collected, and judged by the rules."""
