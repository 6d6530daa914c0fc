"""The documents of `stackchain webhook setup`, in the form of `documents`.

They select only fields that Spacelift's published collection of operations selects. The mutations
select nothing but the id: a field that fails below would hide that the mutation was carried out.
"""

from controller.spacelift.documents import LARGEST_SIZE, Document, Variables

_WEBHOOK = "id name endpoint enabled labels space { id } retryOnFailure"
_POLICY = "id name body type description labels space"

LIST_SPACES = Document(
    name="ListSpaces",
    kind="Query",
    text="query ListSpaces { viewer { id } spaces { id parentSpace inheritEntities } }",
)
LIST_WEBHOOKS = Document(
    name="ListWebhooks",
    kind="Query",
    text="query ListWebhooks($input: SearchInput!) { viewer { id }"
    f" found: searchNamedWebhooksIntegrations(input: $input) {{ edges {{ node {{ {_WEBHOOK} }} }}"
    " pageInfo { endCursor hasNextPage } } }",
)
LIST_POLICIES = Document(
    name="ListPolicies",
    kind="Query",
    text=f"query ListPolicies {{ viewer {{ id }} policies {{ {_POLICY} }} }}",
)
CREATE_WEBHOOK = Document(
    name="CreateWebhook",
    kind="Mutation",
    text="mutation CreateWebhook($input: NamedWebhooksIntegrationInput!) {"
    " changed: namedWebhooksIntegrationCreate(input: $input) { id } }",
)
UPDATE_WEBHOOK = Document(
    name="UpdateWebhook",
    kind="Mutation",
    text="mutation UpdateWebhook($id: ID!, $input: NamedWebhooksIntegrationInput!) {"
    " changed: namedWebhooksIntegrationUpdate(id: $id, input: $input) { id } }",
)
DELETE_WEBHOOK = Document(
    name="DeleteWebhook",
    kind="Mutation",
    text="mutation DeleteWebhook($id: ID!) {"
    " changed: namedWebhooksIntegrationDelete(id: $id) { id } }",
)
CREATE_POLICY = Document(
    name="CreatePolicy",
    kind="Mutation",
    text="mutation CreatePolicy($input: PolicyCreateInput!) {"
    " changed: policyCreatev2(input: $input) { id } }",
)
UPDATE_POLICY = Document(
    name="UpdatePolicy",
    kind="Mutation",
    text="mutation UpdatePolicy($id: ID!, $input: PolicyUpdateInput!) {"
    " changed: policyUpdatev2(id: $id, input: $input) { id } }",
)
DELETE_POLICY = Document(
    name="DeletePolicy",
    kind="Mutation",
    text="mutation DeletePolicy($id: ID!) { changed: policyDelete(id: $id) { id } }",
)


def page(*, after: str | None) -> Variables:
    """Return the variables of one page of webhooks.

    The name is not a filter: whether Spacelift takes it for a pattern is not documented, and an
    account has few webhooks.
    """
    return {"input": {"first": LARGEST_SIZE, "after": after}}
