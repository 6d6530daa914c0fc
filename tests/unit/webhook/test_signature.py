"""Which deliveries count as signed."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.webhook import signature

# Computed apart from this code, with the rule that Spacelift documents.
SECRET = "topsecret"
BODY = b'{"account":"acme","state":"FINISHED","stateVersion":7}'
SIGNATURE = "sha256=d5605a68b44a0e68c842e566466a171916750aa649a82cd7e0e0eca2e21cf8c5"
SHA1 = "sha1=cb96675d6e81e7ff007063b6f2f88f9afcc8333c"

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def test_a_delivery_of_spacelift_is_signed() -> None:
    assert signature.is_signed(BODY, SIGNATURE, [SECRET])


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        pytest.param(None, [SECRET], id="no header"),
        pytest.param("", [SECRET], id="empty header"),
        pytest.param("sha256=", [SECRET], id="empty signature"),
        pytest.param(SIGNATURE.removeprefix("sha256="), [SECRET], id="no prefix"),
        pytest.param(SIGNATURE[:-1], [SECRET], id="cut short"),
        pytest.param(SIGNATURE + "0", [SECRET], id="too long"),
        pytest.param(SIGNATURE.upper(), [SECRET], id="upper case"),
        pytest.param(SHA1, [SECRET], id="the SHA-1 header"),
        pytest.param("sha256=ÿ\udcff", [SECRET], id="not ASCII"),
        pytest.param(SIGNATURE, ["Topsecret"], id="other secret"),
        pytest.param(SIGNATURE, [], id="no secret"),
        pytest.param(signature.sign(BODY, ""), [""], id="signed with an empty secret"),
    ],
)
def test_anything_else_is_not(header: str | None, secrets: list[str]) -> None:
    assert not signature.is_signed(BODY, header, secrets)


@pytest.mark.parametrize("secrets", [["new", SECRET], [SECRET, "new"], ["a", SECRET, "b"]])
def test_each_secret_counts_while_one_is_replaced(secrets: list[str]) -> None:
    assert signature.is_signed(BODY, SIGNATURE, secrets)


@given(body=st.binary(), secret=texts.filter(bool))
def test_every_body_is_signed_by_its_secret_as_others_compute_it(body: bytes, secret: str) -> None:
    expected = hmac.digest(secret.encode(), body, hashlib.sha256).hex()

    assert signature.sign(body, secret) == f"sha256={expected}"
    assert signature.is_signed(body, f"sha256={expected}", [secret])


@given(body=st.binary(min_size=1), secret=texts.filter(bool), data=st.data())
def test_a_body_with_another_bit_is_not_signed(
    body: bytes, secret: str, data: st.DataObject
) -> None:
    header = signature.sign(body, secret)
    place = data.draw(st.integers(0, len(body) * 8 - 1))
    changed = bytearray(body)
    changed[place // 8] ^= 1 << place % 8

    assert not signature.is_signed(bytes(changed), header, [secret])


@given(body=st.binary(), header=st.text(), secrets=st.lists(texts))
def test_no_header_that_is_made_up_is_valid(body: bytes, header: str, secrets: list[str]) -> None:
    assert not signature.is_signed(body, header, secrets)
