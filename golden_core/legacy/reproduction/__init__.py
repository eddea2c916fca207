"""The historical record, held against runs of today: which window, which errors, and what speaks for a deviation."""
