from controller.spacelift import errors


def test_each_kind_has_an_outcome_of_its_own_for_metrics() -> None:
    kinds = errors.SpaceliftError.__subclasses__()

    assert len({kind.outcome for kind in kinds}) == len(kinds) == 7
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in kinds)
