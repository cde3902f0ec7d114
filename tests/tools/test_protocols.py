"""An answer recorded in one protocol is the same answer in another, or the replay stops and says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.cassette import Cassette, Interaction, write
from tools.clock import VirtualClock
from tools.errors import BadRecording, Refused
from tools.evidence import MemoryStore
from tools.protocols import KNOWN, CannotRecode, decoded, recoded
from tools.recording import Player
from tools.transport import WireAnswer

NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
ALARMS = b"""<DescribeAlarmsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">
  <DescribeAlarmsResult>
    <MetricAlarms>
      <member>
        <AlarmName>orders &amp; writes</AlarmName>
        <ActionsEnabled>true</ActionsEnabled>
        <StateUpdatedTimestamp>2026-03-13T17:15:00Z</StateUpdatedTimestamp>
        <Threshold>0.5</Threshold>
        <Dimensions><member><Name>TableName</Name><Value>orders</Value></member></Dimensions>
      </member>
    </MetricAlarms>
    <CompositeAlarms/>
  </DescribeAlarmsResult>
  <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>
</DescribeAlarmsResponse>"""
QUEUE = (
    b'<GetQueueAttributesResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><GetQueueAttributesResult>'
    b"<Attribute><Name>VisibilityTimeout</Name><Value>30</Value></Attribute></GetQueueAttributesResult>"
    b"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetQueueAttributesResponse>"
)


def answer(body: bytes, protocol: str, status: int = 200) -> WireAnswer:
    return WireAnswer(status=status, headers={"x-amzn-RequestId": "r-1"}, body=body, protocol=protocol)


def replayed(folder: Path, service: str, operation: str, parameters: dict[str, Any], said: WireAnswer) -> Aws:
    """An account that answers from a recording of this one answer."""
    item = Interaction(
        account="111122223333",
        region="eu-west-1",
        service=service,
        operation=operation,
        parameters=parameters,
        recorded_at=NOW,
        method="POST",
        url=f"https://{service}.eu-west-1.amazonaws.com/",
        request_headers={},
        request_body=b"",
        answer=said,
    )
    header = {"start": NOW.isoformat(), "account": "111122223333", "region": "eu-west-1"}
    write(folder / "run.yaml", Cassette(header=header, interactions=(item,)))
    return Aws(
        Account(region="eu-west-1"),
        Player(folder / "run.yaml"),
        VirtualClock(NOW),
        Budget(Limits(calls=10)),
        MemoryStore(),
        own_account="111122223333",
    )


def test_alarms_recorded_in_the_query_protocol_are_read_by_a_client_of_today(tmp_path: Path) -> None:
    asked = {"AlarmNames": ["orders & writes"]}
    found = replayed(tmp_path, "cloudwatch", "DescribeAlarms", asked, answer(ALARMS, "query")).ask(
        "cloudwatch", "DescribeAlarms", "eu-west-1", asked
    )
    assert found == {
        "MetricAlarms": [
            {
                "AlarmName": "orders & writes",
                "ActionsEnabled": True,
                "StateUpdatedTimestamp": datetime(2026, 3, 13, 17, 15, tzinfo=UTC),
                "Threshold": 0.5,
                "Dimensions": [{"Name": "TableName", "Value": "orders"}],
            }
        ],
        "CompositeAlarms": [],
    }


def test_metrics_recorded_as_cbor_are_read_by_a_client_of_today(tmp_path: Path) -> None:
    body = b'{"MetricDataResults":[{"Id":"m0","Timestamps":[1773420060],"Values":[2.5],"StatusCode":"Complete"}]}'
    said = recoded(answer(body, "json"), "cloudwatch", "GetMetricData", "smithy-rpc-v2-cbor")
    assert b"MetricDataResults" in said.body
    assert not said.body.startswith(b"{")
    asked: dict[str, Any] = {"MetricDataQueries": [{"Id": "m0", "Expression": "1"}]}
    asked |= {"StartTime": "2026-03-13T16:00:00+00:00", "EndTime": "2026-03-13T17:00:00+00:00"}
    found = replayed(tmp_path, "cloudwatch", "GetMetricData", asked, said).ask(
        "cloudwatch", "GetMetricData", "eu-west-1", asked
    )
    (result,) = found["MetricDataResults"]
    assert (result["Timestamps"], result["Values"]) == ([datetime(2026, 3, 13, 16, 41, tzinfo=UTC)], [2.5])


def test_a_refusal_keeps_its_code_and_words_in_the_other_protocol(tmp_path: Path) -> None:
    said = answer(
        b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
        b"<Message>ops-07 is not authorized to perform: cloudwatch:DescribeAlarms</Message></Error></ErrorResponse>",
        "query",
        403,
    )
    with pytest.raises(Refused) as refused:
        replayed(tmp_path, "cloudwatch", "DescribeAlarms", {}, said).ask(
            "cloudwatch", "DescribeAlarms", "eu-west-1", {}
        )
    assert refused.value.code == "AccessDenied"


def test_a_queue_recorded_in_a_protocol_that_botocore_has_forgotten_stops_the_replay(tmp_path: Path) -> None:
    """Its model no longer says how the old answers are nested, so their parser would find nothing in them."""
    asked = {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs", "AttributeNames": ["All"]}
    said = answer(QUEUE, "query")
    assert decoded(said, "sqs", "GetQueueAttributes") == {}
    with pytest.raises(BadRecording, match=r"in the query protocol; .* speaks json.*re-record"):
        replayed(tmp_path, "sqs", "GetQueueAttributes", asked, said).ask(
            "sqs", "GetQueueAttributes", "eu-west-1", asked
        )


@pytest.mark.parametrize(
    ("body", "protocol", "wanted", "why"),
    [
        (b'{"NewMember":1}', "json", "query", "no longer knows all of it"),
        (b"{", "json", "query", "Expecting property name"),
        (b"no xml", "query", "json", "Unable to parse response"),
        (b"<a/>", "query", "json", "DescribeAlarmsResult"),
        (b"{}", "rest-json", "json", "cannot be turned into"),
        (b"{}", "json", "ec2", "cannot be turned into"),
    ],
)
def test_what_cannot_be_taken_over_whole_is_refused(
    body: bytes, protocol: str, wanted: str, why: str
) -> None:
    with pytest.raises(CannotRecode, match=why):
        recoded(answer(body, protocol), "cloudwatch", "DescribeAlarms", wanted)


def test_a_service_that_does_not_speak_the_protocol_is_refused() -> None:
    with pytest.raises(CannotRecode, match="dynamodb does not speak query"):
        recoded(answer(b"{}", "json"), "dynamodb", "DescribeTable", "query")


_words = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20
).filter(lambda text: text.strip() == text)
_alarm = st.fixed_dictionaries(
    {},
    optional={
        "AlarmName": _words,
        "AlarmDescription": _words,
        "ActionsEnabled": st.booleans(),
        "OKActions": st.lists(_words, max_size=3),
        "StateUpdatedTimestamp": st.integers(0, 2**31),
        "Threshold": st.floats(-1e12, 1e12, allow_nan=False).map(lambda value: round(value, 3)),
        "Period": st.integers(1, 86_400),
        "Dimensions": st.lists(st.fixed_dictionaries({"Name": _words, "Value": _words}), max_size=3),
    },
)


@given(alarms=st.lists(_alarm, max_size=3), one=st.sampled_from(KNOWN), other=st.sampled_from(KNOWN))
def test_any_answer_survives_every_way_between_protocols(
    alarms: list[dict[str, Any]], one: str, other: str
) -> None:
    said = answer(json.dumps({"MetricAlarms": alarms}).encode(), "json")
    meant = decoded(said, "cloudwatch", "DescribeAlarms")
    there = recoded(said, "cloudwatch", "DescribeAlarms", one)
    back = recoded(there, "cloudwatch", "DescribeAlarms", other)
    assert (there.protocol, back.protocol) == (one, other)
    assert decoded(back, "cloudwatch", "DescribeAlarms") == meant
