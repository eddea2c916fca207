"""Where things are kept and what identifies them: lake, warehouse, schemas of tables, provenance, randomness."""
