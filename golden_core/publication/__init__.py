"""What strangers are handed: cards, licences, checklist, release notes, the archive. Nothing is computed here."""
