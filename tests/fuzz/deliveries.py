"""`python -m tests.fuzz.deliveries [OPTIONS of libFuzzer]`: bytes for signature and payload.

It is atheris, led by the coverage of the receiver's own code. What it finds is written to `crash-*`
in the working directory; `python -m tests.fuzz.deliveries crash-...` runs that again.
"""

import json
import pathlib
import sys
import tempfile
from typing import Any

import atheris

with atheris.instrument_imports(include=["controller.webhook", "json"]):
    from controller.webhook import payload, signature
    from tests.support import payloads

SECRETS = ["s3cret", "another"]
SEEDS = (
    {"account": "a", "state": "FINISHED", "run": {"id": "r", "type": "TRACKED"},
     "stack": {"id": "vpc", "labels": ["a", "b"]}},
    {"stack_id": "vpc", "stack_labels": ["a"], "run_id": "r", "type": "TRACKED", "state": "QUEUED"},
    {"action": "stack.create", "data": {"ID": "vpc"}},
    {"error": "e", "severity": "ERROR", "title": "t", "body": "b"},
)  # fmt: skip
WORDS = (
    *("stack", "stack_id", "stack_labels", "run", "run_id", "type", "state", "labels", "id"),
    *("action", "error", "severity"),
)


def shaped(data: bytes) -> bytes:
    """Return a document of the fields that are read, with values of all kinds."""
    source = atheris.FuzzedDataProvider(data)

    def value(depth: int) -> Any:
        kind = source.ConsumeIntInRange(0, 7 if depth else 4)
        match kind:
            case 0:
                return None
            case 1:
                return source.ConsumeInt(8)
            case 2:
                return source.ConsumeFloat()
            case 3 | 4:
                return source.ConsumeUnicode(source.ConsumeIntInRange(0, 300))
            case 5:
                return [value(depth - 1) for _ in range(source.ConsumeIntInRange(0, 4))]
        return document(depth - 1)

    def document(depth: int) -> dict[str, Any]:
        count = source.ConsumeIntInRange(0, 5)
        return {source.PickValueInList(list(WORDS)): value(depth) for _ in range(count)}

    return json.dumps(document(2)).encode()


def one(data: bytes) -> None:
    """Take the first bytes for a header and the rest for a body."""
    size = data[0] if data else 0
    header, body = data[1 : 1 + size].decode("utf-8", "surrogateescape"), data[1 + size :]
    payloads.check_outcome(body)
    payloads.check_outcome(shaped(data))
    own = signature.sign(body, SECRETS[1])
    assert signature.is_signed(body, own, SECRETS)
    assert not signature.is_signed(body + b"\0", own, SECRETS)
    is_own = header in (own, signature.sign(body, SECRETS[0]))
    assert signature.is_signed(body, header, SECRETS) == is_own


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(SEEDS):
            (corpus / str(number)).write_bytes(b"\0" + json.dumps(seed).encode())
        words = pathlib.Path(folder) / "words"
        words.write_text("".join(f'"\\"{word}\\""\n' for word in WORDS))
        atheris.Setup([*sys.argv, f"-dict={words}", str(corpus)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    seed = payload.parse(json.dumps(SEEDS[0]).encode())
    assert isinstance(seed, payload.RunNotification)
    assert seed.stack_id == "vpc"
    main()
