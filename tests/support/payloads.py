"""What must hold for a payload, whatever its bytes are; for properties and the fuzzer alike."""

from controller.webhook import payload


def check_outcome(body: bytes) -> None:
    """Assert one of the three outcomes, in a form that a workflow id and a log line can take."""
    said, refusal = None, ""
    try:
        said = payload.parse(body)
    except payload.PayloadError as error:
        refusal = str(error)
    assert len(refusal) < 40, "it may quote nothing of the body"
    if said is None or isinstance(said, payload.OtherNotification):
        return
    assert said.stack_id
    for text in (said.stack_id, said.run_id, said.run_type, said.state, *said.labels):
        assert len(text) <= payload.MAX_ID_CHARACTERS
        assert text.isprintable()
        assert text.encode().decode() == text
    assert list(said.labels) == sorted(set(said.labels))
