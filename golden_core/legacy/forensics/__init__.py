"""What is wrong with the legacy results, and how that is shown: risks with probes, differences, open questions."""
