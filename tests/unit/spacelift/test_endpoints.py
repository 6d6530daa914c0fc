import pytest

from controller.spacelift import endpoints

KEY_ID = "01K56PKQ8Z3V0000000000000A"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://acme.app.spacelift.io", "https://acme.app.spacelift.io"),
        ("https://acme.app.spacelift.io/", "https://acme.app.spacelift.io"),
        ("https://acme.app.spacelift.io/graphql", "https://acme.app.spacelift.io"),
        (" https://acme.app.spacelift.io/graphql// ", "https://acme.app.spacelift.io"),
        ("HTTPS://Acme.App.Spacelift.IO:443", "https://acme.app.spacelift.io"),
        ("acme.app.spacelift.io", "https://acme.app.spacelift.io"),
        ("http://127.0.0.1:4000/graphql", "http://127.0.0.1:4000"),
        ("http://[::1]:4000", "http://[::1]:4000"),
        ("https://spacelift.corp.example/base/graphql", "https://spacelift.corp.example/base"),
    ],
)
def test_spellings_of_one_endpoint_are_equal(text: str, expected: str) -> None:
    assert endpoints.normalize_endpoint(text) == expected
    assert endpoints.graphql_url(text) == expected + "/graphql"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ftp://acme.app.spacelift.io",
        "https://",
        "https://user:word@acme.example",
        "https://acme.example?x=1",
        "https://acme.example#x",
        "http://acme.example:port",
    ],
)
def test_what_names_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)endpoint|port"):
        endpoints.normalize_endpoint(text)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://acme.app.spacelift.io", "acme"),
        ("https://acme.app.us.spacelift.io/graphql", "acme.us"),
        ("https://spacelift.corp.example", "spacelift.corp.example"),
        ("https://spacelift.corp.example/Base", "spacelift.corp.example-base"),
        ("http://127.0.0.1:4000", "127.0.0.1-4000"),
        ("http://[::1]:4000", "1-4000"),
        ("http://localhost:80", "localhost"),
    ],
)
def test_accounts_have_names_that_fit_a_workflow_id(endpoint: str, expected: str) -> None:
    assert endpoints.account_of(endpoint) == expected


def test_links_lead_to_stack_and_run() -> None:
    endpoint = "https://acme.app.spacelift.io/graphql"

    assert endpoints.stack_url(endpoint, "vpc") == "https://acme.app.spacelift.io/stack/vpc"
    assert (
        endpoints.run_url(endpoint, "vpc", "01R")
        == "https://acme.app.spacelift.io/stack/vpc/run/01R"
    )
    assert endpoints.stack_url(endpoint, "a/../b").endswith("/stack/a%2F..%2Fb")


@pytest.mark.parametrize(
    ("triggered_by", "key_id", "expected"),
    [
        (f"api::{KEY_ID}", KEY_ID, True),
        ("api::01K56PK::Chain key", KEY_ID, True),
        ("api::01K56PK", KEY_ID, True),
        ("api::01k56pk::Chain key", KEY_ID, True),
        ("api::k1", "k1", True),
        (f"api::{KEY_ID}", f"oidc::https://issuer.example::{KEY_ID}", True),
        (
            f"oidc::https://issuer.example::{KEY_ID}",
            f"oidc::https://issuer.example::{KEY_ID}",
            True,
        ),
        (f"api::oidc::issuer::{KEY_ID}", f"oidc::issuer::{KEY_ID}", True),
        ("api::01K56PX::Other key", KEY_ID, False),
        ("api::01K5::Too short to tell", KEY_ID, False),
        ("api::", KEY_ID, False),
        ("api", KEY_ID, False),
        (f"api::{KEY_ID}", "", False),
        ("jdoe@example.com", KEY_ID, False),
        (f"user::{KEY_ID}", KEY_ID, False),
        ("vpc-prod", KEY_ID, False),
        ("", KEY_ID, False),
        (None, KEY_ID, False),
    ],
)
def test_own_runs_are_told_by_the_api_key(
    triggered_by: str | None, key_id: str, expected: bool
) -> None:
    assert endpoints.is_own_run(triggered_by, key_id) is expected
