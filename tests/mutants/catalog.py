"""All faults, in the order of the table."""

from tests.mutants import seeded, taken_back

MUTANTS = (*seeded.MUTANTS, *taken_back.MUTANTS)
