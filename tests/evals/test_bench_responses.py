"""The benchmark of recorded answers counts what passes, what raises, and refusals that nobody told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.benchmarks.recorded_answers import load
from evals.benchmarks.responses import run
from tools.errors import BadInput

TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
DENIED = {
    "Error": {"Code": "AccessDeniedException", "Message": "not authorized to perform: dynamodb:ListTables"}
}
WHEN = {"__class__": "datetime", "year": 2026, "month": 1, "day": 2, "hour": 3}


def write(folder: Path, name: str, data: dict[str, Any], status: int = 200) -> None:
    place = folder / name.split(".", 1)[0]
    place.mkdir(exist_ok=True)
    (place / name).write_text(json.dumps({"status_code": status, "data": data}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path, "dynamodb.ListTables_1.json", {"TableNames": ["orders"], "LastEvaluatedTableName": "orders"}
    )
    write(tmp_path, "dynamodb.ListTables_2.json", DENIED, 400)
    table = {"TableName": "orders", "TableArn": TABLE, "TableStatus": "ACTIVE", "CreationDateTime": WHEN}
    write(tmp_path, "dynamodb.DescribeTable_1.json", {"Table": table})
    write(tmp_path, "dynamodb.DescribeTable_2.json", {"Table": {**table, "ItemCount": "many"}})
    write(tmp_path, "rds.DescribeDBInstances_1.json", {"DBInstances": [{"DBInstanceIdentifier": "a"}]})
    write(tmp_path, "glue.GetJobs_1.json", {"Jobs": []})
    write(tmp_path, "notes.json", {})
    return tmp_path


def test_what_passes_raises_and_does_not_fit_is_counted(folder: Path) -> None:
    found = run(folder)
    services = found.figures["services"]
    assert isinstance(services, dict)
    tables = services["dynamodb"]
    assert (tables["recordings"], tables["unfit"], tables["errors"]) == (3, 1, 1)
    assert (tables["raised"], tables["silent"]) == ([], [])
    assert tables["resources"] >= 1
    (raised,) = services["rds"]["raised"]
    assert "rds.DescribeDBInstances_1.json: KeyError" in raised
    assert found.figures["unused"] == {"glue": 1}
    assert not found.ok
    assert "3 of 4 recordings pass; 1 of 1 recorded errors are told." in found.text


def test_words_that_no_model_lists_are_given_as_they_were_recorded(tmp_path: Path) -> None:
    found = {"VpcEndpointId": "vpce-0a1b2c3d4e5f60001", "VpcId": "vpc-1", "State": "available"}
    write(tmp_path, "ec2.DescribeVpcEndpoints_1.json", {"VpcEndpoints": [found]})
    services = run(tmp_path).figures["services"]
    assert isinstance(services, dict)
    assert (services["vpc"]["recordings"], services["vpc"]["unfit"]) == (1, 0)
    assert services["vpc"]["raised"] == []


def test_what_does_not_exist_is_an_answer_and_other_errors_must_be_told(tmp_path: Path) -> None:
    write(tmp_path, "s3.ListBuckets_1.json", {"Buckets": [{"Name": "shop-data"}]})
    for code in ("NoSuchBucketPolicy", "AccessDenied"):
        number = "1" if code.startswith("No") else "2"
        error = {"Error": {"Code": code, "Message": "no"}}
        write(tmp_path, f"s3.GetBucketPolicy_{number}.json", error, 404 if number == "1" else 403)
    services = run(tmp_path).figures["services"]
    assert isinstance(services, dict)
    assert {name: services["s3"][name] for name in ("errors", "absent", "silent")} == {
        "errors": 2,
        "absent": 1,
        "silent": [],
    }


def test_an_operation_that_nothing_comes_to_is_called_as_it_is(tmp_path: Path) -> None:
    who = {"UserId": "AIDAEXAMPLE", "Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/a"}
    write(tmp_path, "sts.GetCallerIdentity_1.json", who)
    write(tmp_path, "wafv2.GetRuleGroup_1.json", {"LockToken": "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11"})
    services = run(tmp_path).figures["services"]
    assert isinstance(services, dict)
    assert {name: (one["direct"], one["raised"]) for name, one in services.items()} == {
        "sts": (1, []),
        "wafv2": (1, []),
    }


def test_two_generations_of_one_service_are_told_apart_by_their_answers(tmp_path: Path) -> None:
    write(tmp_path, "elasticloadbalancing.DescribeLoadBalancers_1.json", {"LoadBalancers": []})
    write(tmp_path, "elasticloadbalancing.DescribeLoadBalancers_2.json", {"LoadBalancerDescriptions": []})
    write(tmp_path, "apigateway.GetStages_1.json", {"item": []})
    write(tmp_path, "apigateway.GetStages_2.json", {"Items": []})
    found = {one.name: one.client for one in load(tmp_path).all}
    assert list(found.values()) == ["apigateway", "apigatewayv2", "elbv2", "elb"]


def test_times_and_errors_are_read_as_recorded(folder: Path) -> None:
    held = {one.name: one for one in load(folder).all}
    assert held["dynamodb.ListTables_2.json"].error == "AccessDeniedException"
    assert held["dynamodb.DescribeTable_1.json"].data["Table"]["CreationDateTime"].year == 2026


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No recorded answer"):
        run(tmp_path)
    with pytest.raises(BadInput, match="is not a folder"):
        run(tmp_path / "missing")
