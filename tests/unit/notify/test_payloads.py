"""What a sink gets: Slack's JSON, and CloudEvents in binary mode."""

import dataclasses
import json
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.chain.news import notifications
from controller.notify import payloads, sinks
from tests.support.builders import NOTIFIED_RUN, make_notification


def make_sink(type_: str, **fields: Any) -> sinks.Sink:
    entry = {
        "name": "x",
        "type": type_,
        "url": "https://example.com",
        "transitions": ["StackFailed"],
    }
    return sinks.parse_sinks({"sinks": [entry | fields]}, "n.yaml")["x"]


def sent(sink: sinks.Sink, told: notifications.Notification | None = None) -> Any:
    payload = payloads.payload(sink, told or make_notification())
    assert payload.headers["Content-Type"] == "application/json"
    return json.loads(payload.body)


def test_slack_gets_title_message_and_link() -> None:
    assert sent(make_sink("Slack")) == {
        "text": "*StackFailed: team/net run 7 (Apply), stack vpc*\nThe run failed.\n"
        "https://acme.app.spacelift.io/stack/vpc/run/01"
    }


def test_without_a_link_the_text_ends_with_the_message() -> None:
    told = make_notification(stack=None, run=None)

    assert sent(make_sink("Slack"), told)["text"].endswith("*\nThe run failed.")


def test_the_page_is_linked_where_there_is_one() -> None:
    page = "https://page.example.com/?namespace=team&chain=net"
    told = make_notification(stack=None, run=None, page_url=page)

    text = sent(make_sink("Slack"), told)["text"]
    assert text.splitlines()[1:] == ["The run failed.", page.replace("&", "&amp;")]
    assert sent(make_sink("Slack", template="${pageUrl}"), told)["text"].count(page[:40]) == 1
    assert sent(make_sink("CloudEvents"), told)["chain"]["pageUrl"] == page


def test_slack_gets_a_map_as_it_is() -> None:
    template = {"blocks": [{"text": {"type": "mrkdwn", "text": "<${workflowUrl}|${run}>"}}]}

    assert sent(make_sink("Slack", template=template)) == {
        "blocks": [{"text": {"type": "mrkdwn", "text": "<https://temporal.example.com/run|7>"}}]
    }


def test_a_message_cannot_mention_a_channel() -> None:
    told = make_notification(message="<!channel> & <https://evil.example.com|click>")

    text = sent(make_sink("Slack", template="<b> ${message}"), told)["text"]

    assert text == "<b> &lt;!channel&gt; &amp; &lt;https://evil.example.com|click&gt;"


def test_a_cloud_event_has_its_attributes_in_headers_and_its_data_in_the_body() -> None:
    payload = payloads.payload(make_sink("CloudEvents"), make_notification())

    assert payload.headers == {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "uid-7-1-StackFailed-0123456789abcdef",
        "ce-source": "/stackchain/prod/team/net",
        "ce-type": "dev.stackchain.StackFailed.v1alpha1",
        "ce-time": "2026-03-01T10:01:02Z",
        "ce-subject": "stacks/vpc",
        "ce-sequence": "0000000007.2026-03-01T10:01:02Z.0000000014.0000",
        "ce-runnumber": "7",
    }
    data = json.loads(payload.body)
    assert data["chain"] == {"namespace": "team", "name": "net", "uid": "uid", "generation": 3}
    assert (data["transition"], data["severity"]) == ("StackFailed", "Warning")
    assert data["run"]["startTime"] == "2026-03-01T10:00:00Z"
    assert data["stack"]["id"] == "vpc"
    assert "completionTime" not in data["run"]


def test_what_is_not_known_is_left_out() -> None:
    told = make_notification(stack=None, run=None)
    payload = payloads.payload(make_sink("CloudEvents"), told)

    assert not {"ce-subject", "ce-runnumber"} & set(payload.headers)
    assert not {"stack", "run"} & set(json.loads(payload.body))


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("vpc-prod", "vpc-prod"),
        ("a b", "a%20b"),
        ('say "hi"', "say%20%22hi%22"),
        ("100%", "100%25"),
        ("Köln\r\nX: y", "K%C3%B6ln%0D%0AX:%20y"),
        ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ("!#$&'()*+,-./:;<=>?@[]^_`{|}~\\", "!#$&'()*+,-./:;<=>?@[]^_`{|}~\\"),
    ],
)
def test_attributes_are_encoded_as_the_http_binding_says(text: str, encoded: str) -> None:
    stack = v1alpha1.StackStatus(id=text, level=0, phase=v1alpha1.Phase.FAILED)
    payload = payloads.payload(make_sink("CloudEvents"), make_notification(stack=stack))

    assert payload.headers["ce-subject"] == f"stacks/{encoded}"


def test_a_template_takes_the_place_of_the_data_and_is_json_whatever_is_filled_in() -> None:
    template = [{"labels": {"chain": "${chain}"}, "text": "${message}"}]
    told = make_notification(message='"}], "x": "')

    assert sent(make_sink("CloudEvents", template=template), told) == [
        {"labels": {"chain": "net"}, "text": '"}], "x": "'}
    ]


def test_later_ones_sort_behind_earlier_ones() -> None:
    earlier = make_notification(sequence=100, place=3)
    in_order = [
        make_notification(run=None, time="2027-01-01T00:00:00Z"),
        earlier,
        make_notification(sequence=101, place=0),
        make_notification(sequence=1000),
        make_notification(sequence=1000, place=10),
        # While Temporal is away, no one knows how far the run is.
        make_notification(sequence=0, time="2026-03-01T10:01:03Z"),
        make_notification(sequence=0, run=dataclasses.replace(NOTIFIED_RUN, number=10)),
    ]
    texts = [payloads.order(told) for told in in_order]

    assert texts == sorted(texts)
