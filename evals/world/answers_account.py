"""STS, Organizations and CloudFormation: who reads, the organization's member account, no stacks."""

from __future__ import annotations

from evals.world.asking import Ask, Refusal, handles
from evals.world.permissions import caller
from evals.world.seed import Seed
from tools.models import Json


@handles("sts", "GetCallerIdentity")
def get_caller_identity(ask: Ask) -> Json:
    role = "AROA" + Seed(ask.world.seed.number).letters("reader", 16)
    return {"UserId": f"{role}:opsleuth", "Account": ask.world.account, "Arn": caller(ask.world)}


@handles("cloudformation", "ListStacks")
def list_stacks(ask: Ask) -> Json:
    ask.take("StackStatusFilter")
    return {"StackSummaries": []}


@handles("cloudformation", "DescribeStacks")
def describe_stacks(ask: Ask) -> Json:
    name = ask.take("StackName")
    if name is not None:
        raise Refusal("ValidationError", f"Stack with id {name} does not exist")
    return {"Stacks": []}


@handles("cloudformation", "DescribeStackResources")
def describe_stack_resources(ask: Ask) -> Json:
    name = ask.take("PhysicalResourceId") or ask.take("StackName")
    raise Refusal("ValidationError", f"Stack for {name} does not exist")


@handles("organizations", "DescribeOrganization")
def describe_organization(ask: Ask) -> Json:
    """The account is a member; a member may see its organization and nothing else of it (API reference)."""
    seed, partition = ask.world.seed, ask.world.partition
    code = f"o-{seed.letters('organization', 10, 'abcdefghijklmnopqrstuvwxyz0123456789')}"
    management = "111122223333" if ask.world.account != "111122223333" else "444455556666"
    arn = f"arn:{partition}:organizations::{management}"
    return {
        "Organization": {
            "Id": code,
            "Arn": f"{arn}:organization/{code}",
            "FeatureSet": "ALL",
            "MasterAccountArn": f"{arn}:account/{code}/{management}",
            "MasterAccountId": management,
            "MasterAccountEmail": "aws-management@example.com",
            "AvailablePolicyTypes": [],
        }
    }


def _not_a_member_s(ask: Ask) -> Json:
    ask.left.clear()
    raise Refusal("AccessDeniedException", "You don't have permissions to access this resource.")


for _operation in (
    "DescribeAccount",
    "DescribeOrganizationalUnit",
    "DescribePolicy",
    "ListAccounts",
    "ListChildren",
    "ListParents",
    "ListPolicies",
    "ListPoliciesForTarget",
    "ListRoots",
    "ListTagsForResource",
    "ListTargetsForPolicy",
):
    handles("organizations", _operation)(_not_a_member_s)
