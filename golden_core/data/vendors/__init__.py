"""Vendors' file formats, one reader per file. What the project makes of the bars does not belong here."""
