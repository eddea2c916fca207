"""The audit of published error tables: identities that no rounding breaks. Nothing here is about one paper."""
