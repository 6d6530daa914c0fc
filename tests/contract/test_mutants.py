"""Each seeded fault still fits the product, so that `make mutants` means something."""

import pytest

from tests.mutants.mutant import Mutant
from tests.mutants.seeded import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_fits_its_module_which_is_python_with_it(mutant: Mutant) -> None:
    original = mutant.read()

    changed = mutant.applied_to(original)

    assert changed != original
    compile(changed, mutant.module, "exec")


def test_no_two_faults_have_one_name() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert sorted(set(names)) == sorted(names)


def test_a_fault_that_does_not_fit_is_named() -> None:
    stale = Mutant(name="a stale one", module="controller/clock.py", old="not there", new="")
    with pytest.raises(ValueError, match="a stale one: what it changes is 0 times in"):
        stale.applied_to(stale.read())
