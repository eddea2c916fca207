"""What may be claimed of a study: decisions by its protocol. The record of what was tried is trials/ledger.py."""
