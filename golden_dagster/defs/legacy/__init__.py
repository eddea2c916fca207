"""The legacy experiments, proven: inventory, forensics, audit of their published table."""
