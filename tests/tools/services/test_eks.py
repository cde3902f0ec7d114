"""EKS: what a cluster hangs on, what of it is not seen, whose event it is, and how changes go back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.cloudtrail import touched_by, toucher
from tools.directory import KnownResources
from tools.history import prior
from tools.models import Actor, Call, ChangeEvent, Json, Resource, Value
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.eks import SERVICE, describe, discover, owner, relations
from tools.topology import around

AT = "eu-west-1:111122223333"
EKS = f"arn:aws:eks:{AT}"
SHOP = f"{EKS}:cluster/shop"
WORKERS = f"{EKS}:nodegroup/shop/workers/0ac5f64a-1c7b-4b0d-9f3e-2a1b0c9d8e7f"
DNS = f"{EKS}:addon/shop/coredns/1bc5f64a-1c7b-4b0d-9f3e-2a1b0c9d8e7f"
NODE_ROLE = "arn:aws:iam::111122223333:role/nodes"
CI = "arn:aws:iam::111122223333:role/tools/ci"
CI_SENT = "arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Ftools%2Fci"
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
NOON = datetime(2026, 3, 13, 12, tzinfo=UTC)
GROUP = f"arn:aws:autoscaling:{AT}:autoScalingGroup:0f0e2b7d:autoScalingGroupName/eks-workers-0ac5"

CLUSTER: Json = {
    "name": "shop",
    "arn": SHOP,
    "version": "1.33",
    "roleArn": "arn:aws:iam::111122223333:role/eks",
    "status": "ACTIVE",
    "resourcesVpcConfig": {
        "subnetIds": ["subnet-0a"],
        "securityGroupIds": ["sg-0b"],
        "clusterSecurityGroupId": "sg-0a",
        "endpointPublicAccess": True,
        "endpointPrivateAccess": False,
        "publicAccessCidrs": ["0.0.0.0/0"],
    },
    "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
    "logging": {
        "clusterLogging": [
            {"types": ["api", "audit"], "enabled": True},
            {"types": ["authenticator", "controllerManager", "scheduler"], "enabled": False},
        ]
    },
    "health": {"issues": []},
    "tags": {"team": "shop"},
}
NODEGROUP: Json = {
    "nodegroupName": "workers",
    "nodegroupArn": WORKERS,
    "clusterName": "shop",
    "version": "1.33",
    "releaseVersion": "1.33.5-20260220",
    "capacityType": "ON_DEMAND",
    "scalingConfig": {"minSize": 2, "maxSize": 6, "desiredSize": 4},
    "instanceTypes": ["m6i.large"],
    "subnets": ["subnet-0a"],
    "amiType": "AL2023_x86_64_STANDARD",
    "nodeRole": NODE_ROLE,
    "resources": {"autoScalingGroups": [{"name": "eks-workers-0ac5"}]},
    "health": {"issues": []},
    "launchTemplate": {"id": "lt-0a", "name": "workers", "version": "3"},
}
ADDON: Json = {
    "addonName": "coredns",
    "addonArn": DNS,
    "clusterName": "shop",
    "status": "ACTIVE",
    "addonVersion": "v1.11.4-eksbuild.2",
    "serviceAccountRoleArn": "arn:aws:iam::111122223333:role/coredns",
    "configurationValues": '{"replicaCount": 2}',
    "health": {"issues": []},
}


def answers(**changed: Any) -> dict[tuple[str, str], Answer]:
    groups = ("application", "performance")
    return {
        ("eks", "ListClusters"): {"clusters": ["shop"]},
        ("eks", "DescribeCluster"): {"cluster": {**CLUSTER, **changed}},
        ("eks", "ListNodegroups"): {"nodegroups": ["workers"]},
        ("eks", "DescribeNodegroup"): {"nodegroup": NODEGROUP},
        ("eks", "ListAddons"): {"addons": ["coredns"]},
        ("eks", "DescribeAddon"): {"addon": ADDON},
        ("eks", "ListAccessEntries"): {"accessEntries": [CI]},
        ("eks", "DescribeAccessEntry"): {
            "accessEntry": {"principalArn": CI, "kubernetesGroups": ["deployers"]}
        },
        ("eks", "ListAssociatedAccessPolicies"): {"associatedAccessPolicies": [{"policyArn": ADMIN}]},
        ("eks", "ListPodIdentityAssociations"): {"associations": []},
        ("logs", "DescribeLogGroups"): {
            "logGroups": [{"logGroupName": f"/aws/containerinsights/shop/{one}"} for one in groups]
        },
    }


def read(arn: str = SHOP, **changed: Any) -> Resource:
    found = describe(FakeAws(answers(**changed)).reader(), arn)
    assert found is not None
    assert found.arn == arn
    return found


def happened(
    operation: str, request: Json, *, minutes: float = 0, response: Json | None = None
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=NOON + timedelta(minutes=minutes),
        source="eks.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request={"name": "shop", **request},
        response=response or {},
    )


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def calls(path: str, value: Value, at: Resource) -> tuple[Call, ...]:
    made = setting(path).restore(at, value)
    assert all(validate(one) == () for one in made)
    return made


def undo(event: ChangeEvent, *earlier: ChangeEvent) -> tuple[Call, ...]:
    change = catalogue.change_of(event)
    assert change is not None
    assert change.undo is not None
    made = change.undo(event, earlier)
    assert all(validate(one) == () for one in made)
    return made


# -- reading ------------------------------------------------------------------------------------------


def test_a_cluster_tells_its_parts_and_who_may_enter() -> None:
    found = read(certificateAuthority={"data": "LS0t"})
    assert [one["addonName"] for one in found.config["Addons"]] == ["coredns"]
    (entry,) = found.config["AccessEntries"]
    assert (entry["principalArn"], entry["kubernetesGroups"]) == (CI, ["deployers"])
    assert [one["policyArn"] for one in entry["associatedAccessPolicies"]] == [ADMIN]
    assert "certificateAuthority" not in found.config
    assert SERVICE.log_groups is not None
    assert SERVICE.log_groups(found) == ("/aws/containerinsights/shop/application", "/aws/eks/shop/cluster")


def test_clusters_and_their_node_groups_are_listed() -> None:
    found = list(discover(FakeAws(answers()).reader(), "eu-west-1"))
    assert [(one.type, one.name) for one in found] == [("eks-cluster", "shop"), ("nodegroup", "workers")]


def test_relations_lead_to_all_that_a_cluster_hangs_on() -> None:
    group = Resource(
        arn=GROUP,
        service="autoscaling",
        type="auto-scaling-group",
        name="eks-workers-0ac5",
        account="111122223333",
        region="eu-west-1",
    )
    known = KnownResources([read(), read(WORKERS), read(DNS), group])
    found = {
        (one.kind, one.source.rpartition(":")[2], one.target.split(":", 5)[5])
        for resource in known.of("eks-cluster", "nodegroup", "addon")
        for one in relations(resource, known)
    }
    workers, dns = WORKERS.split(":", 5)[5], DNS.split(":", 5)[5]
    assert found == {
        ("guarded by", "cluster/shop", "security-group/sg-0a"),
        ("guarded by", "cluster/shop", "security-group/sg-0b"),
        ("in", "cluster/shop", "subnet/subnet-0a"),
        ("runs as", "cluster/shop", "role/eks"),
        ("uses", "cluster/shop", dns),
        ("logs to", "cluster/shop", "log-group:/aws/containerinsights/shop/application"),
        ("logs to", "cluster/shop", "log-group:/aws/eks/shop/cluster"),
        ("runs on", "cluster/shop", workers),
        ("runs on", workers, GROUP.split(":", 5)[5]),
        ("in", workers, "subnet/subnet-0a"),
        ("runs as", workers, "role/nodes"),
        ("uses template", workers, "launch-template/lt-0a"),
        ("runs as", dns, "role/coredns"),
    }


@pytest.mark.parametrize("audited", [True, False])
def test_what_happens_inside_is_a_gap_with_the_query_that_stands_in(audited: bool) -> None:
    reader = FakeAws(answers()).reader()
    logging = {"clusterLogging": [{"types": ["audit"], "enabled": audited}]}
    reader = FakeAws(answers(logging=logging)).reader()
    describe(reader, SHOP)
    pods, changes = reader.gaps
    assert "Logs Insights on /aws/containerinsights/shop/performance: fields" in pods.lift
    assert pods.code == "OutOfScope"
    assert ("Switch the audit log on" in changes.lift) is not audited
    assert changes.code == ("OutOfScope" if audited else "NotEnabled")


def test_without_container_insights_the_gap_says_how_to_get_it() -> None:
    told: dict[tuple[str, str], Answer] = {**answers(), ("logs", "DescribeLogGroups"): {"logGroups": []}}
    reader = FakeAws(told).reader()
    found = describe(reader, SHOP)
    assert found is not None
    assert found.config["LogGroups"] == ["/aws/eks/shop/cluster"]
    assert reader.gaps[0].lift.startswith("Add amazon-cloudwatch-observability")


def test_a_refused_read_is_a_gap_and_the_rest_is_told() -> None:
    reader = FakeAws(answers(), denied=frozenset({"eks:ListAddons", "eks:ListNodegroups"})).reader()
    found = list(discover(reader, "eu-west-1"))
    assert [one.type for one in found] == ["eks-cluster"]
    assert [gap.code for gap in reader.gaps] == ["AccessDenied"]
    whole = describe(reader, SHOP)
    assert whole is not None
    assert ("Addons" in whole.config, len(whole.config["AccessEntries"])) == (False, 1)


def test_entries_are_not_asked_for_where_the_config_map_decides() -> None:
    asked = FakeAws(answers(accessConfig={"authenticationMode": "CONFIG_MAP"}))
    describe(asked.reader(), SHOP)
    assert ("eks", "ListAccessEntries") not in asked.asked


def test_no_cluster_is_listed_for_a_symptom_of_another_kind() -> None:
    asked = FakeAws(answers())
    around(asked.reader(), [f"arn:aws:dynamodb:{AT}:table/orders"])
    assert not [one for one in asked.asked if one[0] == "eks"]


@pytest.mark.parametrize("namespace", ["AWS/EKS", "ContainerInsights"])
def test_metrics_lead_to_the_cluster(namespace: str) -> None:
    named = {"ClusterName": "shop", "Namespace": "orders"}
    assert owner(named, "aws", "eu-west-1", "111122223333") == SHOP
    assert KnownResources([read()]).measured(namespace, named, "eu-west-1") == SHOP


# -- whose event it is --------------------------------------------------------------------------------


def test_a_part_is_touched_by_names_and_belongs_to_its_cluster() -> None:
    event = happened("UpdateNodegroupConfig", {"nodegroupName": "workers"})
    change = catalogue.change_of(event)
    assert change is not None
    assert change.touches(event) == (f"{EKS}:nodegroup/shop/workers/*", SHOP)
    assert touched_by(event, read(WORKERS))
    assert touched_by(event, read())
    assert [one.arn for one in toucher([read(WORKERS), read(DNS)])(event)] == [WORKERS]
    assert catalogue.owner_arn(WORKERS) == catalogue.owner_arn(DNS) == SHOP


@pytest.mark.parametrize(
    "request_parameters",
    [
        {"nodegroupName": "workers-2"},
        {"nodegroupName": "workers", "name": "test"},
        {"addonName": "workers"},
        {},
    ],
)
def test_another_node_group_is_not_touched(request_parameters: Json) -> None:
    assert not touched_by(happened("UpdateNodegroupConfig", request_parameters), read(WORKERS))


@pytest.mark.parametrize("key", ["name", "clusterName"])
def test_both_words_for_a_cluster_are_known(key: str) -> None:
    event = replace(happened("UpdateClusterConfig", {}), request={key: "shop"})
    change = catalogue.change_of(event)
    assert change is not None
    assert change.touches(event) == (SHOP,)
    assert touched_by(event, read())


# -- putting back -------------------------------------------------------------------------------------


def test_sizes_of_a_node_group_go_back_alone() -> None:
    (made,) = calls("scalingConfig.desiredSize", 4, read(WORKERS))
    assert made.parameters == {
        "clusterName": "shop",
        "nodegroupName": "workers",
        "scalingConfig": {"desiredSize": 4},
    }


def test_the_size_before_is_in_an_earlier_request() -> None:
    def sized(desired: int, minutes: float) -> ChangeEvent:
        request = {"nodegroupName": "workers", "scalingConfig": {"desiredSize": desired}}
        return happened("UpdateNodegroupConfig", request, minutes=minutes)

    found = prior(setting("scalingConfig.desiredSize"), read(WORKERS), sized(0, 0), (sized(4, -900),), None)
    assert (found.value, found.known) == (4, True)


def test_an_addon_goes_back_with_its_role_and_configuration() -> None:
    (made,) = calls("addonVersion", "v1.11.3-eksbuild.1", read(DNS))
    assert made.parameters == {
        "clusterName": "shop",
        "addonName": "coredns",
        "addonVersion": "v1.11.3-eksbuild.1",
        "serviceAccountRoleArn": "arn:aws:iam::111122223333:role/coredns",
        "configurationValues": '{"replicaCount": 2}',
        "resolveConflicts": "OVERWRITE",
    }


def test_the_ways_to_the_endpoint_go_back_together() -> None:
    (made,) = calls("resourcesVpcConfig.endpointPublicAccess", False, read())
    assert made.parameters["resourcesVpcConfig"] == {
        "endpointPublicAccess": False,
        "endpointPrivateAccess": False,
    }
    (made,) = calls("resourcesVpcConfig.publicAccessCidrs", '["203.0.113.0/24"]', read())
    assert made.parameters["resourcesVpcConfig"] == {"publicAccessCidrs": ["203.0.113.0/24"]}


def test_a_template_of_nodes_goes_back_by_its_id() -> None:
    (made,) = calls("launchTemplate.version", "2", read(WORKERS))
    assert (made.operation, made.parameters["launchTemplate"]) == (
        "UpdateNodegroupVersion",
        {"id": "lt-0a", "version": "2"},
    )


def test_a_deleted_node_group_is_made_again_as_it_was() -> None:
    event = happened("DeleteNodegroup", {"nodegroupName": "workers"}, response={"nodegroup": NODEGROUP})
    (made,) = undo(event)
    assert made.operation == "CreateNodegroup"
    assert made.parameters["scalingConfig"] == {"minSize": 2, "maxSize": 6, "desiredSize": 4}
    assert made.parameters["launchTemplate"] == {"id": "lt-0a", "version": "3"}
    assert "resources" not in made.parameters
    custom = happened(
        "DeleteNodegroup",
        {"nodegroupName": "workers"},
        response={"nodegroup": {**NODEGROUP, "amiType": "CUSTOM"}},
    )
    assert undo(custom) == ()
    assert undo(happened("DeleteNodegroup", {"nodegroupName": "workers"})) == ()


def test_a_deleted_addon_comes_back_with_what_earlier_requests_gave_it() -> None:
    bare = {"addonName": "coredns", "addonVersion": "v1.11.4-eksbuild.2", "status": "DELETING"}
    event = happened("DeleteAddon", {"addonName": "coredns"}, response={"addon": bare})
    values = {"addonName": "coredns", "configurationValues": '{"replicaCount": 2}'}
    (made,) = undo(event, happened("UpdateAddon", values, minutes=-900))
    assert (made.operation, made.parameters["configurationValues"]) == ("CreateAddon", '{"replicaCount": 2}')
    lost = {**bare, "podIdentityAssociations": [f"{EKS}:podidentityassociation/shop/a-0a"]}
    assert undo(replace(event, response={"addon": lost})) == ()


def entry(operation: str, minutes: float, **request: Any) -> ChangeEvent:
    principal = CI if operation == "CreateAccessEntry" else CI_SENT
    return happened(operation, {"principalArn": principal, **request}, minutes=minutes)


def test_an_access_entry_comes_back_with_its_policies() -> None:
    made = entry("CreateAccessEntry", -9000, kubernetesGroups=["deployers"], clientRequestToken="x")
    policy = entry("AssociateAccessPolicy", -8999, policyArn=ADMIN, accessScope={"type": "cluster"})
    create, associate = undo(entry("DeleteAccessEntry", 0), policy, made)
    assert create.parameters == {
        "clusterName": "shop",
        "principalArn": CI,
        "kubernetesGroups": ["deployers"],
    }
    assert (associate.operation, associate.parameters["policyArn"]) == ("AssociateAccessPolicy", ADMIN)
    away = entry("DisassociateAccessPolicy", -60, policyArn=ADMIN.replace(":", "%3A").replace("/", "%2F"))
    assert [one.operation for one in undo(entry("DeleteAccessEntry", 0), away, policy, made)] == [
        "CreateAccessEntry"
    ]


def test_an_entry_of_which_the_beginning_is_not_known_is_not_made_again() -> None:
    policy = entry("AssociateAccessPolicy", -60, policyArn=ADMIN, accessScope={"type": "cluster"})
    assert undo(entry("DeleteAccessEntry", 0), policy) == ()
    other = replace(entry("CreateAccessEntry", -90), request={"name": "test", "principalArn": CI})
    assert undo(entry("DeleteAccessEntry", 0), other) == ()


def test_a_policy_goes_back_with_the_scope_it_had() -> None:
    event = entry("DisassociateAccessPolicy", 0, policyArn=ADMIN)
    scope = {"type": "namespace", "namespaces": ["orders"]}
    (made,) = undo(event, entry("AssociateAccessPolicy", -60, policyArn=ADMIN, accessScope=scope))
    assert made.parameters["accessScope"] == scope
    assert undo(event) == ()
    wider = entry("AssociateAccessPolicy", 0, policyArn=ADMIN, accessScope={"type": "cluster"})
    (made,) = undo(wider, entry("CreateAccessEntry", -60))
    assert (made.operation, made.parameters["principalArn"]) == ("DisassociateAccessPolicy", CI)


def test_groups_of_an_entry_go_back() -> None:
    event = entry("UpdateAccessEntry", 0, kubernetesGroups=["viewers"])
    (made,) = undo(event, entry("CreateAccessEntry", -60, kubernetesGroups=["deployers"]))
    assert made.parameters == {
        "clusterName": "shop",
        "principalArn": CI,
        "kubernetesGroups": ["deployers"],
    }
    (none,) = undo(event, entry("CreateAccessEntry", -60))
    assert none.parameters["kubernetesGroups"] == []
    assert undo(event) == ()


def logged(minutes: float, *kinds: str, on: bool) -> ChangeEvent:
    logging = {"clusterLogging": [{"types": list(kinds), "enabled": on}]}
    return happened("UpdateClusterConfig", {"logging": logging}, minutes=minutes)


def test_logs_that_were_switched_off_are_switched_on_again() -> None:
    (made,) = undo(logged(0, "audit", "api", on=False), logged(-900, "audit", "api", "scheduler", on=True))
    assert made.parameters["logging"]["clusterLogging"] == [{"types": ["api", "audit"], "enabled": True}]
    assert undo(logged(0, "audit", on=False)) == ()
    (off,) = undo(logged(0, "audit", on=True), happened("CreateCluster", {}, minutes=-9000))
    assert off.parameters["logging"]["clusterLogging"] == [{"types": ["audit"], "enabled": False}]


# -- what EKS says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arn", "code", "keys"),
    [
        (WORKERS, "AsgInstanceLaunchFailures", ["nodes-not-launched"]),
        (WORKERS, "NodeCreationFailure", ["nodes-do-not-join"]),
        (WORKERS, "InsufficientFreeAddresses", ["node-addresses-used-up"]),
        (SHOP, "KmsKeyDisabled", ["cluster-key-unusable"]),
        (SHOP, "InsufficientFreeAddresses", ["cluster-addresses-used-up"]),
        (SHOP, "IamRoleNotFound", ["cluster-parts-missing"]),
        (DNS, "InsufficientNumberOfReplicas", ["addon-unhealthy"]),
    ],
)
def test_a_health_issue_is_a_condition(arn: str, code: str, keys: list[str]) -> None:
    found = read(arn)
    ill = replace(found, config={**found.config, "health": {"issues": [{"code": code, "message": "x"}]}})

    def shown(resource: Resource) -> list[str]:
        own = [one for one in SERVICE.conditions if one.type == resource.type and one.shown is not None]
        return [one.key for one in own if one.shown is not None and one.shown(resource)]

    assert shown(ill) == keys
    assert shown(found) == []


def test_a_line_without_room_for_a_pod_points_at_the_nodes() -> None:
    line = "Warning FailedScheduling pod/web-1 0/3 nodes are available: 3 Insufficient cpu"
    assert [one.points_to for one in SERVICE.signatures if re.search(one.match, line)] == [
        "scalingConfig.desiredSize"
    ]


def test_every_part_is_described_by_its_own_arn() -> None:
    asked: Mapping[tuple[str, str], Answer] = answers()
    for arn, kind in ((WORKERS, "nodegroup"), (DNS, "addon"), (SHOP, "eks-cluster")):
        assert catalogue.type_of(arn) == kind
        found = describe(FakeAws(asked).reader(), arn)
        assert found is not None
        assert found.type == kind
    assert describe(FakeAws({}).reader(), WORKERS) is None
