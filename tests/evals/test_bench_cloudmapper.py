"""An account in CloudMapper's files becomes a map; what is not there is a gap."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.benchmarks.cloudmapper import run
from tools.errors import BadInput

_ARN = "arn:aws:lambda:us-east-1:111122223333:function:hello"


def _write(folder: Path, name: str, told: object) -> None:
    file = folder / "us-east-1" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told))


def test_files_become_a_map(tmp_path: Path) -> None:
    _write(
        tmp_path,
        "sts-get-caller-identity.json",
        {"Account": "111122223333", "UserId": "A", "Arn": "arn:aws:iam::111122223333:user/a"},
    )
    role = "arn:aws:iam::111122223333:role/hello"
    function = {
        "FunctionName": "hello", "FunctionArn": _ARN, "Role": role, "Runtime": "python3.12",
        "VpcConfig": {"SubnetIds": ["subnet-0001"], "SecurityGroupIds": ["sg-0001"], "VpcId": "vpc-0001"},
    }  # fmt: skip
    _write(tmp_path, "lambda-list-functions.json", {"Functions": [function], "Unheard": 1})
    groups = [
        {
            "GroupId": "sg-0001",
            "GroupName": "g",
            "VpcId": "vpc-0001",
            "IpPermissions": [],
            "IpPermissionsEgress": [],
        }
    ]
    _write(tmp_path, "ec2-describe-security-groups.json", {"SecurityGroups": groups})
    details = {
        "RoleDetailList": [
            {
                "RoleName": "hello",
                "RoleId": "A",
                "Arn": role,
                "Path": "/",
                "CreateDate": "2020-01-01T00:00:00Z",
            }
        ]
    }
    _write(tmp_path, "iam-get-account-authorization-details.json", details)
    result = run(tmp_path)
    assert result.ok, result.text
    assert result.figures["made_up"] == 0
    assert "1 runs as" in result.text
    assert "1 guarded by" in result.text
    assert int(str(result.figures["gaps"])) > 20


def test_a_folder_without_regions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder of a region"):
        run(tmp_path)
