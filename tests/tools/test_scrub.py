"""Nothing real stays in a recording, and what stands for it is the same everywhere.

Values that look real are put together here from parts, so that no file of the repository holds any.
"""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import BadRecording
from tools.scrub import SUFFIX, Scrubber, keep, kept
from tools.scrub_check import LooksReal, check

ACCOUNT = "7319" + "0456" + "2218"
OTHER = "2980" + "1177" + "5346"
ADDRESS = ".".join(("54", "18", "201", "77"))
SIXTH = ":".join(("2406", "da14", "0a1b", "", "9c2f"))
MAIL = "hana.tanaka" + "@" + "shop-and-go.co.jp"
KEY = "AKIA" + "R7QX2MPLV4TNB6ZD"
ROLE_ID = "AROA" + "3XWQ8LMRT5KVN2YC"
JWT = "eyJhbGciOiJIUzI1NiJ9" + "." + "eyJzdWIiOiJoYW5hIn0" + ".c2lnbmF0dXJl"
BLOB = base64.b64encode(bytes(range(7, 250, 5))).decode()


def event(user: str = "k-mueller2", address: str = ADDRESS) -> str:
    """An answer of LookupEvents, with the record as JSON inside a string of JSON."""
    record = {
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDA" + "J2XQ8LMRT5KVN2YC",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/team/{user}",
            "accountId": ACCOUNT,
            "accessKeyId": KEY,
            "userName": user,
        },
        "sourceIPAddress": address,
        "requestParameters": {"topicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:pager", "owner": MAIL},
    }
    return json.dumps({"Events": [{"Username": user, "CloudTrailEvent": json.dumps(record)}]})


def scrubber(*texts: str, hide: Iterable[str] = ()) -> Scrubber:
    made = Scrubber(hide=tuple(hide))
    made.learn(texts)
    return made


def test_an_event_and_all_that_refers_to_it_stay_consistent() -> None:
    line = (
        f"user k-mueller2 from {ADDRESS} ({MAIL}) called https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/jobs"
    )
    bucket = f"my-logs-{ACCOUNT}-eu"
    made = scrubber(event(), line, bucket)
    clean, said = made(event()), made(line)
    outer = json.loads(clean)["Events"][0]
    record = json.loads(outer["CloudTrailEvent"])
    who = record["userIdentity"]
    account = who["accountId"]
    assert account == "111111112222"
    assert who["arn"] == f"arn:aws:iam::{account}:user/team/{who['userName']}"
    assert outer["Username"] == who["userName"] == "person-02"  # 01 is whose mail stands there
    assert who["accessKeyId"] == "AKIAEXAMPLE000000001"
    assert record["sourceIPAddress"] == "203.0.113.1"
    assert record["requestParameters"]["owner"] == "person-01@example.com"
    assert record["requestParameters"]["topicArn"] == f"arn:aws:sns:eu-west-1:{account}:pager"
    assert said == (
        "user person-02 from 203.0.113.1 (person-01@example.com) called "
        f"https://sqs.eu-west-1.amazonaws.com/{account}/jobs"
    )
    assert made(bucket) == f"my-logs-{account}-eu"


@pytest.mark.parametrize(
    ("real", "told"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", "an account id"),
        (f'"accountId": "{ACCOUNT}"', "an account id"),
        (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", "an account id"),
        (f"<OwnerId>{ACCOUNT}</OwnerId>", "an account id"),
        (quote(f"arn:aws:iam::{ACCOUNT}:role/x", safe=""), "an account id"),
        (f"line one\\n{ACCOUNT}\\n", "an account id"),
        (KEY, "the id of a key or principal"),
        (f"{ROLE_ID}:i-0123456789abcdef0", "the id of a key or principal"),
        (ADDRESS, "a public address"),
        (f"{ADDRESS}/32", "a public address"),
        (f"ec2-{ADDRESS.replace('.', '-')}.eu-west-1.compute.amazonaws.com", "a public address"),
        (SIXTH, "a public address"),
        (MAIL, "an e-mail address"),
        (quote(MAIL), "an e-mail address"),
        (f"to:\\t{MAIL}", "an e-mail address"),
        (
            "orders.cluster-" + "c9akq2ic3abc" + ".eu-west-1.rds.amazonaws.com",
            "the account's part of a host name",
        ),
        ("o-" + "a1b2c3d4e5", "the id of an organisation or directory"),
        ("AWSReservedSSO_Admin_" + "926ea478f3a6b518", "the suffix of an SSO role"),
        (BLOB, "a secret or token"),
        ('"NextToken": "' + BLOB[:30] + '"', "a page token"),
    ],
)
def test_each_form_is_found_and_refused_and_replaced(real: str, told: str) -> None:
    with pytest.raises(LooksReal, match=told) as refused:
        check([("answer 3", real)], Scrubber())
    assert "in answer 3" in str(refused.value)
    assert "Nothing was written" in str(refused.value)
    made = scrubber(real)
    assert made(real) != real
    check([("answer 3", made(real))], made)
    assert made(made(real)) == made(real)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::111122223333:user/x in 444455556666",
        "arn:aws:iam::123456789012:root",
        "203.0.113.24 198.51.100.7 192.0.2.1 10.1.2.3 172.16.0.9 192.168.1.1 127.0.0.1 169.254.169.254 0.0.0.0/0",
        "2001:db8::24 fe80::1 ::1",
        "Mozilla/5.0 Chrome/141.0.7390.55 Safari/537.36",
        "taro@example.com hana@mail.example.org",
        "AKIAIOSFODNN7EXAMPLE",
        "d1863a97-8eb9-4e9f-a858-" + "123456789012",
        '{"TableSizeBytes": 107374182400, "Values": [107374182400.0, 0.107374182400]}',
        '{"Values":[107374182400,107374182401]}',
        "<AllocatedStorage>107374182400</AllocatedStorage>",
        "2026-03-13T17:41:00Z 1773423660000 00:11:22:33:44:55",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        '"CodeSha256": "' + base64.b64encode(bytes(range(3, 227, 7))).decode() + '"',
        "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
        "[redacted]",
    ],
)
def test_what_is_invented_or_no_name_at_all_stays(text: str) -> None:
    made = scrubber(text)
    assert made(text) == text
    check([("answer 1", text)], made)


@pytest.mark.parametrize(
    "secret",
    [
        JWT,
        "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow",
        "password=" + "hunter2hunter2",
        "IQoJb3JpZ2lu" + "X2VjEJr" * 6,
    ],
)
def test_secrets_are_masked_and_refused_where_they_are_left(secret: str) -> None:
    assert secret not in scrubber(f"a {secret} b")(f"a {secret} b")
    with pytest.raises(LooksReal):
        check([("answer 1", f"a {secret} b")], Scrubber())


def test_names_that_programs_give_to_sessions_and_resources_stay() -> None:
    role = "arn:aws:sts::111122223333:assumed-role/deploy-role/"
    kept_names = [
        "i-0123456789abcdef0",
        "GitHubActions",
        "AWSCodeBuild-3f2a",
        "botocore-session-1773",
        "order-writer",
    ]
    text = " ".join(f'"{role}{name}"' for name in kept_names)
    text += ' "arn:aws:lambda:eu-west-1:111122223333:function:order-writer" "userName":"deploy-role"'
    assert scrubber(text)(text) == text


def test_names_keep_the_form_that_tells_a_person_from_a_program() -> None:
    said = '"Username":"hana.sato" "roleSessionName":"hana.sato@corp-and-co.jp" "userName":"gitlab-hsato9"'
    clean = scrubber(said)(said)
    assert (
        clean
        == '"Username":"person.aa" "roleSessionName":"person-01@example.com" "userName":"gitlab-person-02"'
    )


def test_a_name_is_replaced_in_compounds_and_any_case_but_not_inside_words() -> None:
    said = '"userName":"yamada3"'
    made = scrubber(said)
    assert made("yamada3-test YAMADA3 /home/yamada3/x \\nyamada3 xyamada3 yamada34") == (
        "person-01-test person-01 /home/person-01/x \\nperson-01 xyamada3 yamada34"
    )
    with pytest.raises(LooksReal, match="a name"):
        check([("the log", "by Yamada3")], made)


def test_a_name_that_is_a_word_of_the_format_is_replaced_only_where_it_names_somebody() -> None:
    said = '{"mark": 1, "userName": "mark", "arn": "arn:aws:iam::111122223333:user/mark"}'
    assert json.loads(scrubber(said)(said)) == {
        "mark": 1,
        "userName": "person-01",
        "arn": "arn:aws:iam::111122223333:user/person-01",
    }


def test_a_name_is_also_replaced_where_it_stood_before_anything_said_that_it_is_one() -> None:
    made = scrubber("login of q-becker7", '"userName":"q-becker7"')
    assert made("login of q-becker7") == "login of person-01"


def test_words_to_hide_are_replaced_wherever_they_stand() -> None:
    made = scrubber("AcmeShop acmeshop-orders", hide=["AcmeShop"])
    assert made("AcmeShop acmeshop-orders 「AcmeShopの」") == "hidden01 hidden01-orders 「hidden01の」"
    with pytest.raises(LooksReal, match="a word to hide"):
        check([("truth.yaml", "acmeshop")], made)


def test_replacements_are_numbered_in_the_order_of_the_originals() -> None:
    """Answers that AWS sorts stay sorted."""
    users = [f"user{letter}{number}" for letter in "zka" for number in (3, 1)]
    text = " ".join(f'"userName":"{user}"' for user in users)
    found = scrubber(text).originals["name"]
    assert [found[user] for user in sorted(users)] == sorted(found.values())
    assert scrubber(*reversed(text.split())).originals == scrubber(*text.split()).originals


def test_different_originals_never_share_a_replacement() -> None:
    addresses = [f"54.18.{a}.{b}" for a in range(9) for b in range(1, 255)]
    found = scrubber(" ".join(addresses)).originals["address"]
    assert len(set(found.values())) == len(found) == len(addresses)


def test_a_replacement_that_already_stands_in_the_text_is_not_given_to_another() -> None:
    text = f'"userName":"person-01" "userName":"w-lopez4" 203.0.113.1 {ADDRESS} 111111112222 {ACCOUNT}'
    clean = scrubber(text)(text)
    assert (
        clean
        == '"userName":"person-01" "userName":"person-02" 203.0.113.1 203.0.113.10 111111112222 111111113333'
    )


def test_what_hides_in_base64_is_refused() -> None:
    wrapped = base64.b64encode(f"the owner is {ACCOUNT} ok".encode()).decode()
    with pytest.raises(LooksReal, match="an account id inside base64"):
        check([("answer 2", wrapped)], Scrubber())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(LooksReal, match="bytes that are no text"):
        check([("answer 2", b"\xff\xfe")], Scrubber())


def test_page_tokens_are_the_same_in_answer_parameter_and_address() -> None:
    token = "abc/def+" + "0123456789" + "=="
    said = json.dumps({"NextToken": token})
    made = scrubber(said)
    assert json.loads(made(said)) == {"NextToken": "page-00001"}
    assert made(f"<NextToken>{token}</NextToken>") == "<NextToken>page-00001</NextToken>"


def test_originals_are_kept_for_their_owner_only_and_read_back(tmp_path: Path) -> None:
    recording = tmp_path / "case" / "recording.yaml"
    made = scrubber(event(), hide=["AcmeShop"])
    keep(tmp_path / f"case{SUFFIX}", made)
    assert stat.S_IMODE((tmp_path / f"case{SUFFIX}").stat().st_mode) == 0o600
    again = kept(recording)
    assert again is not None
    assert again(f"{event()} acmeshop") == made(f"{event()} acmeshop")
    assert kept(tmp_path / "elsewhere" / "deep" / "recording.yaml") is None


def test_originals_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / f"run.yaml{SUFFIX}").write_text("{")
    with pytest.raises(BadRecording, match="Delete it to replay"):
        kept(tmp_path / "run.yaml")


_words = st.sampled_from(
    [ACCOUNT, OTHER, ADDRESS, SIXTH, MAIL, KEY, ROLE_ID, "k-mueller2", "orders", "\n", '"', "é", "\\"]
)
_json: st.SearchStrategy[Any] = st.recursive(
    st.lists(_words, max_size=4).map(" ".join) | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "userName", "arn"]), inner)
    ),
    max_leaves=12,
)


@given(value=_json)
def test_valid_json_stays_valid_and_nothing_real_is_left(value: Any) -> None:
    text = json.dumps({"value": value, "record": json.dumps({"userName": "k-mueller2", "inner": value})})
    made = scrubber(text)
    clean = made(text)
    assert isinstance(json.loads(json.loads(clean)["record"]), dict)
    check([("answer 1", clean)], made)
    assert made(clean) == clean
    for real in (ACCOUNT, OTHER, ADDRESS, SIXTH, MAIL, KEY, ROLE_ID, "k-mueller2"):
        assert real not in clean
