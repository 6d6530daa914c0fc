"""Faults seeded into the product on purpose, to see which tests catch them: `make mutants`."""
