from controller.spacelift import errors


def test_an_excerpt_is_one_short_line() -> None:
    text = errors.excerpt("<html>\n  <body>" + "x" * 500)

    assert len(text) == 256
    assert text.startswith("<html> <body>xxx")
    assert text.endswith("...")


def test_an_excerpt_of_a_short_text_is_the_text() -> None:
    assert errors.excerpt("not found") == "not found"


def test_an_excerpt_holds_no_token() -> None:
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"

    assert errors.excerpt(f"Authorization: Bearer {jwt}") == "Authorization: [redacted]"
    assert errors.excerpt(f"token={jwt};") == "token=[redacted];"


def test_a_known_secret_is_taken_out_before_the_cut() -> None:
    text = errors.excerpt("x" * 250 + "top-secret", hide=["top-secret", ""])

    assert "top" not in text


def test_each_kind_has_an_outcome_of_its_own_for_metrics() -> None:
    kinds = errors.SpaceliftError.__subclasses__()

    assert len({kind.outcome for kind in kinds}) == len(kinds) == 7
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in kinds)
