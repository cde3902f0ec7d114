"""EKS: clusters, their node groups and add-ons, and who may enter. No API of AWS tells what runs inside a cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tools import arn as arns
from tools.change_kit import changes_of, moved
from tools.errors import BadInput, NotThere
from tools.kit import call, here, optional, plain, record, relation, text, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
from tools.services._spec import (
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Missing,
    Read,
    Role,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "eks.amazonaws.com"
_MOST_CLUSTERS = 20
_MOST_GROUPS = 30  # node groups, and as many add-ons and entries, of one cluster
_TOKEN = ("nextToken", "nextToken")
_OBSERVED = "amazon-cloudwatch-observability"  # the add-on that brings Container Insights


# -- names --------------------------------------------------------------------------------------------


def _cluster(event: ChangeEvent) -> str:
    """Name of the cluster. Records call it by its place in the path of the request, `name`, or `clusterName`."""
    return text(event.request, "clusterName") or text(event.request, "name")


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """What the request names within a cluster, then the cluster; the cluster alone for entries and associations.

    A record tells names and not the id within an ARN: the star stands for it, as in IAM policies.
    """
    tagged = text(event.request, "resourceArn")
    if tagged:
        return (unquote(tagged),)
    name = _cluster(event)
    if not name:
        return ()
    cluster = here(event, "eks", f"cluster/{name}")
    for key, kind in (("nodegroupName", "nodegroup"), ("addonName", "addon")):
        if part := text(event.request, key):
            told = text(event.response, kind, f"{kind}Arn")
            return (told or here(event, "eks", f"{kind}/{name}/{part}/*"), cluster)
    return (cluster,)


def _place(arn: str) -> tuple[str, str, str]:
    """Region, cluster and name within it ("" for the cluster itself)."""
    parts = arns.parse(arn)
    words = parts.resource.split("/")
    return parts.region, words[1], words[2] if len(words) > 2 else ""


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All clusters with their node groups; add-ons and who may enter are read of those that are near."""
    names = reader.pages("eks", "ListClusters", "clusters", region=region, token=_TOKEN, maxResults=100).items
    if len(names) > _MOST_CLUSTERS:
        reader.missing(
            "Some clusters",
            f"{len(names)} clusters are there; the first {_MOST_CLUSTERS} were looked into.",
            "node groups of other clusters",
            code="BudgetSpent",
        )
    for name in sorted(names)[:_MOST_CLUSTERS]:
        found = _one(reader, region, "DescribeCluster", "cluster", "eks-cluster", name=name)
        if found is not None:
            yield found
            yield from _groups(reader, region, name)


def _one(
    reader: Reader, region: str, operation: str, member: str, type: str, **parameters: Any
) -> Resource | None:
    try:
        answer = reader.ask("eks", operation, region=region, **parameters)
    except NotThere:
        return None
    config = plain(answer.data[member])
    # The authority's certificate is no secret, but long and of no use here.
    config.pop("certificateAuthority", None)
    key = {"eks-cluster": "arn", "nodegroup": "nodegroupArn", "addon": "addonArn"}[type]
    return _resource(config[key], type, config, (answer.evidence,))


def _resource(arn: str, type: str, config: Json, evidence: Iterable[str]) -> Resource:
    parts = arns.parse(arn)
    _, cluster, name = _place(arn)
    return Resource(
        arn=arn,
        service="eks",
        type=type,
        name=name or cluster,
        account=parts.account,
        region=parts.region,
        config=config,
        tags={str(key): str(value) for key, value in (config.get("tags") or {}).items()},
        evidence=tuple(dict.fromkeys(id for id in evidence if id)),
    )


def _groups(reader: Reader, region: str, cluster: str) -> Iterator[Resource]:
    for name in _names(reader, region, cluster, "ListNodegroups", "nodegroups", "Node groups") or []:
        found = _one(
            reader,
            region,
            "DescribeNodegroup",
            "nodegroup",
            "nodegroup",
            clusterName=cluster,
            nodegroupName=name,
        )
        if found is not None:
            yield found


def _names(
    reader: Reader, region: str, cluster: str, operation: str, member: str, what: str
) -> list[Any] | None:
    """What a list operation of a cluster tells; None, with a gap noted, when it is not visible."""
    seen: list[list[Any]] = []
    with reader.seeing(f"{what} of cluster {cluster}", f"{what.lower()} of it"):
        pages = reader.pages(
            "eks", operation, member, region=region, token=_TOKEN, clusterName=cluster, maxResults=100
        )
        seen.append(list(pages.items))
    if not seen:
        return None
    found = seen[0]
    if len(found) > _MOST_GROUPS:
        reader.missing(
            f"{what} of cluster {cluster}",
            f"{len(found)} are there; the first {_MOST_GROUPS} were read.",
            f"other {what.lower()}",
            code="BudgetSpent",
        )
    return found[:_MOST_GROUPS]


def describe(reader: Reader, arn: str) -> Resource | None:
    """A cluster, a node group or an add-on as AWS describes it.

    A cluster has four keys more: `Addons` (DescribeAddon), `AccessEntries` (DescribeAccessEntry, each with
    `associatedAccessPolicies`), `PodIdentityAssociations` (ListPodIdentityAssociations) and `LogGroups` (names of those
    that Container Insights and the control plane write to). A key is missing where its read was refused.
    """
    region, cluster, name = _place(arn)
    kind = arns.parse(arn).type
    if kind == "nodegroup":
        asked = {"clusterName": cluster, "nodegroupName": name}
        return _one(reader, region, "DescribeNodegroup", "nodegroup", "nodegroup", **asked)
    if kind == "addon":
        return _one(reader, region, "DescribeAddon", "addon", "addon", clusterName=cluster, addonName=name)
    found = _one(reader, region, "DescribeCluster", "cluster", "eks-cluster", name=cluster)
    return _whole(reader, found) if found is not None else None


def _whole(reader: Reader, found: Resource) -> Resource:
    evidence, at = list(found.evidence), (found.region, found.name)
    more: dict[str, list[Any] | None] = {}
    addons = _names(reader, *at, "ListAddons", "addons", "Add-ons")
    if addons is not None:
        told = [_told(reader, found, "DescribeAddon", "addon", evidence, addonName=name) for name in addons]
        more["Addons"] = [one for one in told if one]
    more["AccessEntries"] = _entries(reader, found, evidence)
    pods = _names(reader, *at, "ListPodIdentityAssociations", "associations", "Roles of pods")
    more["PodIdentityAssociations"] = None if pods is None else [plain(one) for one in pods]
    more["LogGroups"] = _log_groups(reader, found)
    config = {**found.config, **{key: value for key, value in more.items() if value is not None}}
    made = _resource(found.arn, "eks-cluster", config, evidence)
    _not_seen(reader, made)
    return made


def _told(
    reader: Reader, cluster: Resource, operation: str, member: str, evidence: list[str], **parameters: Any
) -> Any:
    """A member of an answer about a part of the cluster; None when it is not visible, with a gap noted."""
    what = f"A part of cluster {cluster.name}"
    at: Json = {"region": cluster.region, "clusterName": cluster.name}
    answer = optional(reader, "eks", operation, what, **at, **parameters)
    if answer is None:
        return None
    evidence.append(answer.evidence)
    return plain(answer.data).get(member)


def _entries(reader: Reader, cluster: Resource, evidence: list[str]) -> list[Json] | None:
    """Who may enter, with the policies of each; [] where only the config map inside the cluster tells it."""
    if text(cluster.config, "accessConfig", "authenticationMode") == "CONFIG_MAP":
        return []
    at = (cluster.region, cluster.name)
    principals = _names(reader, *at, "ListAccessEntries", "accessEntries", "Access entries")
    found = []
    for principal in principals or []:
        entry: Json = {"principalArn": principal}
        tell = partial(_told, reader, cluster, evidence=evidence, principalArn=principal)
        entry |= tell("DescribeAccessEntry", "accessEntry") or {}
        policies = tell("ListAssociatedAccessPolicies", "associatedAccessPolicies")
        found.append(entry if policies is None else {**entry, "associatedAccessPolicies": policies})
    return found if principals is not None else None


def _insights(cluster: str) -> str:
    return f"/aws/containerinsights/{cluster}"


def _log_groups(reader: Reader, cluster: Resource) -> list[str]:
    """Log groups of what runs in the cluster, then the control plane's (audit log), where they are there."""
    names: list[str] = []
    with reader.seeing(f"Log groups of cluster {cluster.name}", "what its pods and its control plane log"):
        pages = reader.pages(
            "logs",
            "DescribeLogGroups",
            "logGroups",
            region=cluster.region,
            logGroupNamePrefix=f"{_insights(cluster.name)}/",
            token=_TOKEN,
            limit=2,
        )
        names += sorted(str(one["logGroupName"]) for one in pages.items)
    # Measurements as lines: numbers for queries, nothing that complains.
    names = [name for name in names if not name.endswith("/performance")]
    return [*names, *([f"/aws/eks/{cluster.name}/cluster"] if _logged(cluster.config) else [])]


def _logged(config: Mapping[str, Any]) -> set[str]:
    """Kinds of control plane logs that are on: api, audit, authenticator, controllerManager, scheduler."""
    setups = (config.get("logging") or {}).get("clusterLogging") or []
    return {str(kind) for one in setups if one.get("enabled") for kind in one.get("types") or []}


_PODS = (
    'fields @timestamp, Namespace, PodName, pod_status, pod_number_of_container_restarts | filter Type = "Pod" and '
    '(pod_status != "Running" or pod_number_of_container_restarts > 0) | sort @timestamp desc | limit 100'
)
_DEEDS = (
    "fields @timestamp, user.username, verb, objectRef.namespace, objectRef.resource, objectRef.name "
    '| filter @logStream like /kube-apiserver-audit/ and verb in ["create", "update", "patch", "delete"] '
    'and objectRef.resource in ["deployments", "statefulsets", "daemonsets", "configmaps", '
    '"networkpolicies", "resourcequotas", "ingresses"] '
    "| sort @timestamp desc | limit 100"
)


def _not_seen(reader: Reader, cluster: Resource) -> None:
    """What happens inside a cluster is told by Kubernetes alone: say so, and what stands in for it."""
    addons = {text(one, "addonName") for one in cluster.config.get("Addons") or []}
    group = f"{_insights(cluster.name)}/performance"
    seen = _OBSERVED in addons or any(
        name.startswith(_insights(cluster.name)) for name in cluster.config.get("LogGroups") or []
    )
    query = f"Ask Logs Insights on {group}: {_PODS}"
    lift = query if seen else f"Add {_OBSERVED} to the cluster (Container Insights); from then on: {query}"
    reader.missing(
        f"Pods and Kubernetes events of cluster {cluster.name}",
        "They are told by the Kubernetes API, which opsleuth does not call.",
        "which pods fail or wait, and why",
        lift,
        "OutOfScope" if seen else "NotEnabled",
    )
    audited = "audit" in _logged(cluster.config)
    query = f"Ask Logs Insights on /aws/eks/{cluster.name}/cluster: {_DEEDS}"
    reader.missing(
        f"Changes inside cluster {cluster.name}",
        "CloudTrail records calls of EKS, not of Kubernetes: a new image or limit of a deployment is none."
        + ("" if audited else " The cluster's audit log is off."),
        "who changed a deployment, a config map or a network policy",
        query if audited else f"Switch the audit log on (UpdateClusterConfig); from then on: {query}",
        "OutOfScope" if audited else "NotEnabled",
    )


# -- relations ----------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a cluster runs on, is guarded by and logs to; which groups of instances a node group is made of."""
    if resource.type == "eks-cluster":
        yield from _of_cluster(resource)
    elif resource.type == "nodegroup":
        yield from _of_nodegroup(resource, directory)
    elif resource.type == "addon":
        yield from _of_addon(resource)


def _of_cluster(resource: Resource) -> Iterable[Relation]:
    config, said_by = resource.config, "eks:DescribeCluster"
    network = config.get("resourcesVpcConfig") or {}
    own = [text(network, "clusterSecurityGroupId"), *(network.get("securityGroupIds") or [])]
    for group in dict.fromkeys(one for one in own if one):
        target = _ec2(resource, "security-group", group)
        yield relation(resource, target, "guarded by", f"{said_by} resourcesVpcConfig.securityGroupIds")
    for subnet in network.get("subnetIds") or []:
        target = _ec2(resource, "subnet", subnet)
        yield relation(resource, target, "in", f"{said_by} resourcesVpcConfig.subnetIds")
    if role := text(config, "roleArn"):
        yield relation(resource, role, "runs as", f"{said_by} roleArn")
    for one in config.get("encryptionConfig") or []:
        yield from uses_key(resource, text(one, "provider", "keyArn"), f"{said_by} encryptionConfig")
    for one in config.get("Addons") or []:
        if arn := text(one, "addonArn"):
            yield relation(resource, arn, "uses", "eks:DescribeAddon clusterName")
    for group in config.get("LogGroups") or []:
        target = arns.build("logs", resource.region, resource.account, f"log-group:{group}")
        yield relation(resource, target, "logs to", "logs:DescribeLogGroups", 0.9)


def _of_nodegroup(resource: Resource, directory: Directory) -> Iterable[Relation]:
    config, said_by = resource.config, "eks:DescribeNodegroup"
    cluster = arns.build("eks", resource.region, resource.account, f"cluster/{text(config, 'clusterName')}")
    if text(config, "clusterName"):
        yield Relation(
            source=cluster,
            target=resource.arn,
            kind="runs on",
            provenance=f"{said_by} clusterName",
            evidence=resource.evidence,
        )
    # AWS tells the group's name only; its ARN has an id as well.
    for one in (config.get("resources") or {}).get("autoScalingGroups") or []:
        for group in directory.named(text(one, "name"), "auto-scaling-group"):
            if group.region == resource.region:
                yield relation(resource, group.arn, "runs on", f"{said_by} resources.autoScalingGroups")
    for subnet in config.get("subnets") or []:
        yield relation(resource, _ec2(resource, "subnet", subnet), "in", f"{said_by} subnets")
    if role := text(config, "nodeRole"):
        yield relation(resource, role, "runs as", f"{said_by} nodeRole")
    if template := text(config, "launchTemplate", "id"):
        target = _ec2(resource, "launch-template", template)
        yield relation(resource, target, "uses template", f"{said_by} launchTemplate")


def _of_addon(resource: Resource) -> Iterable[Relation]:
    said_by = "eks:DescribeAddon"
    if cluster := text(resource.config, "clusterName"):
        yield Relation(
            source=arns.build("eks", resource.region, resource.account, f"cluster/{cluster}"),
            target=resource.arn,
            kind="uses",
            provenance=f"{said_by} clusterName",
            evidence=resource.evidence,
        )
    if role := text(resource.config, "serviceAccountRoleArn"):
        yield relation(resource, role, "runs as", f"{said_by} serviceAccountRoleArn")


def _ec2(resource: Resource, type: str, id: str) -> str:
    return arns.build("ec2", resource.region, resource.account, f"{type}/{id}")


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    name = dimensions.get("ClusterName", "")
    return f"arn:{partition}:eks:{region}:{account}:cluster/{name}" if name else ""


def log_groups(resource: Resource) -> tuple[str, ...]:
    return tuple(resource.config.get("LogGroups") or ())


# -- settings -----------------------------------------------------------------------------------------


def _read_cluster(resource: Resource) -> Call:
    return call("eks", "DescribeCluster", resource, name=_place(resource.arn)[1])


def _read_part(kind: str, resource: Resource) -> Call:
    _, cluster, name = _place(resource.arn)
    operation = f"Describe{kind.capitalize()}"
    return call("eks", operation, resource, clusterName=cluster, **{f"{kind}Name": name})


def _update_nodes(resource: Resource, **members: Any) -> tuple[Call, ...]:
    _, cluster, name = _place(resource.arn)
    return (
        call("eks", "UpdateNodegroupConfig", resource, clusterName=cluster, nodegroupName=name, **members),
    )


def _restore_nodes(path: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    head, _, member = path.partition(".")
    return () if value is None else _update_nodes(resource, **{head: {member: whole(value)}})


def _restore_release(resource: Resource, value: Value) -> tuple[Call, ...]:
    """An earlier AMI release of the same Kubernetes version; EKS takes no node back to an earlier version."""
    _, cluster, name = _place(resource.arn)
    sent = {"clusterName": cluster, "nodegroupName": name, "releaseVersion": str(value)}
    return (call("eks", "UpdateNodegroupVersion", resource, **sent),) if value else ()


def _restore_template(resource: Resource, value: Value) -> tuple[Call, ...]:
    _, cluster, name = _place(resource.arn)
    id = text(resource.config, "launchTemplate", "id")
    if not value or not id:
        return ()
    sent: Json = {
        "clusterName": cluster,
        "nodegroupName": name,
        "launchTemplate": {"id": id, "version": str(value)},
    }
    return (call("eks", "UpdateNodegroupVersion", resource, **sent),)


_KEPT = ("addonVersion", "serviceAccountRoleArn", "configurationValues")


def _restore_addon(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """Role and configuration go with it: what is not sent falls back to the defaults (UpdateAddon)."""
    _, cluster, name = _place(resource.arn)
    kept = {key: text(resource.config, key) for key in _KEPT}
    sent = {key: one for key, one in {**kept, member: str(value)}.items() if one}
    if value is None:
        return ()
    return (
        call(
            "eks",
            "UpdateAddon",
            resource,
            clusterName=cluster,
            addonName=name,
            resolveConflicts="OVERWRITE",
            **sent,
        ),
    )


_ENDPOINT = ("endpointPublicAccess", "endpointPrivateAccess")


def _restore_endpoint(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """Both ways in are told together."""
    if not isinstance(value, bool):
        return ()
    now = resource.config.get("resourcesVpcConfig") or {}
    sent = {key: now[key] for key in _ENDPOINT if isinstance(now.get(key), bool)} | {member: value}
    name = _place(resource.arn)[1]
    return (call("eks", "UpdateClusterConfig", resource, name=name, resourcesVpcConfig=sent),)


def _restore_list(member: str, resource: Resource, value: Value | list[str]) -> tuple[Call, ...]:
    """Ids or address ranges, from a list or from a list written as JSON text."""
    found = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    if not isinstance(found, list) or not found:
        return ()
    sent = {member: [str(one) for one in found]}
    name = _place(resource.arn)[1]
    return (call("eks", "UpdateClusterConfig", resource, name=name, resourcesVpcConfig=sent),)


def _restore_shift(resource: Resource, value: Value) -> tuple[Call, ...]:
    sent = {"enabled": value}
    name = _place(resource.arn)[1]
    made = (call("eks", "UpdateClusterConfig", resource, name=name, zonalShiftConfig=sent),)
    return made if isinstance(value, bool) else ()


_HOUR = 3600
_DAY = 24 * _HOUR
_FEWER_NODES = (
    Effect(metric="cluster_node_count", direction="down", after=(0, _HOUR), may=True),
    Effect(metric="scheduler_pending_pods", direction="up", after=(0, _HOUR), may=True),
    Effect(metric="scheduler_schedule_attempts_UNSCHEDULABLE", direction="up", after=(0, _HOUR), may=True),
    Effect(metric="node_cpu_utilization", direction="up", after=(0, _HOUR), may=True),
    Effect(metric="node_memory_utilization", direction="up", after=(0, _HOUR), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, _HOUR)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, _HOUR)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, _HOUR)),
    Effect(metric="role:backlog", direction="up", on="downstream", after=(0, _HOUR)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, _HOUR)),
)
_OTHER_NODES = (
    Effect(metric="cluster_failed_node_count", direction="up", after=(0, _DAY), may=True),
    Effect(metric="namespace_number_of_running_pods", direction="down", after=(0, _DAY), may=True),
    *(
        Effect(metric=one.metric, direction=one.direction, on=one.on, after=(0, _DAY), may=one.may)
        for one in _FEWER_NODES
    ),
)
_BROKEN_INSIDE = (
    Effect(metric="cluster_failed_node_count", direction="up", after=(0, _DAY), may=True),
    Effect(metric="namespace_number_of_running_pods", direction="down", after=(0, _DAY), may=True),
    Effect(metric="pod_number_of_container_restarts", direction="up", after=(0, _DAY), may=True),
    Effect(metric="scheduler_pending_pods", direction="up", after=(0, _DAY), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, _DAY)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, _DAY)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, _DAY)),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, _DAY)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, _DAY)),
)
_SHUT_OUT = (
    # Nodes renew their lease through the endpoint; pods that run go on.
    Effect(metric="cluster_failed_node_count", direction="up", after=(0, _HOUR), may=True),
    Effect(metric="apiserver_request_total_4XX", direction="up", after=(0, _HOUR), may=True),
    Effect(metric="apiserver_request_total", direction="down", after=(0, _HOUR), may=True),
    Effect(metric="scheduler_pending_pods", direction="up", after=(0, _DAY), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, _DAY)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, _DAY)),
)


def _nodes(path: str, name: str, unit: str, effects: tuple[Effect, ...]) -> Setting:
    return Setting(
        type="nodegroup",
        name=name,
        path=path,
        unit=unit,
        requests={"UpdateNodegroupConfig": path, "CreateNodegroup": path},
        restore=partial(_restore_nodes, path),
        read=partial(_read_part, "nodegroup"),
        query=f"nodegroup.{path}",
        echo="none",
        effects=effects,
    )


def _addon(member: str, name: str) -> Setting:
    return Setting(
        type="addon",
        name=name,
        path=member,
        unit="",
        requests={"UpdateAddon": member, "CreateAddon": member},
        restore=partial(_restore_addon, member),
        read=partial(_read_part, "addon"),
        query=f"addon.{member}",
        echo="none",
        effects=_BROKEN_INSIDE,
        beside=tuple(f"addon.{other}" for other in _KEPT if other != member),
    )


def _of_version(path: str, name: str, requested: str, restore: Callable[..., Any]) -> Setting:
    return Setting(
        type="nodegroup",
        name=name,
        path=path,
        unit="",
        requests={"UpdateNodegroupVersion": requested, "CreateNodegroup": requested},
        restore=restore,
        read=partial(_read_part, "nodegroup"),
        query=f"nodegroup.{path}",
        echo="none",
        effects=_OTHER_NODES,
        beside=("nodegroup.launchTemplate.id",) if path == "launchTemplate.version" else (),
    )


SETTINGS = (
    _nodes("scalingConfig.maxSize", "maximum number of nodes", "nodes", moved("lowered", _FEWER_NODES)),
    _nodes("scalingConfig.minSize", "minimum number of nodes", "nodes", moved("lowered", _FEWER_NODES)),
    _nodes("scalingConfig.desiredSize", "desired number of nodes", "nodes", moved("lowered", _FEWER_NODES)),
    _nodes("updateConfig.maxUnavailable", "nodes that an update may take at once", "nodes", ()),
    _of_version("releaseVersion", "AMI release of nodes", "releaseVersion", _restore_release),
    _of_version(
        "launchTemplate.version",
        "launch template version of nodes",
        "launchTemplate.version",
        _restore_template,
    ),
    _addon("addonVersion", "add-on version"),
    _addon("configurationValues", "configuration of the add-on"),
    _addon("serviceAccountRoleArn", "role of the add-on"),
    *(
        Setting(
            type="eks-cluster",
            name=name,
            path=f"resourcesVpcConfig.{member}",
            unit="",
            requests=dict.fromkeys(("UpdateClusterConfig", "CreateCluster"), f"resourcesVpcConfig.{member}"),
            restore=partial(_restore_endpoint, member),
            read=_read_cluster,
            query=f"cluster.resourcesVpcConfig.{member}",
            echo="none",
            effects=_SHUT_OUT,
            beside=tuple(f"cluster.resourcesVpcConfig.{other}" for other in _ENDPOINT if other != member),
        )
        for member, name in zip(
            _ENDPOINT, ("public access to the endpoint", "private access to the endpoint"), strict=True
        )
    ),
    *(
        Setting(
            type="eks-cluster",
            name=name,
            path=f"resourcesVpcConfig.{member}",
            unit="",
            requests=dict.fromkeys(("UpdateClusterConfig", "CreateCluster"), f"resourcesVpcConfig.{member}"),
            restore=partial(_restore_list, member),
            read=_read_cluster,
            query=f"cluster.resourcesVpcConfig.{member}",
            echo="none",
            effects=_SHUT_OUT,
        )
        for member, name in (
            ("publicAccessCidrs", "addresses that may reach the endpoint"),
            ("securityGroupIds", "security groups of the control plane"),
            ("subnetIds", "subnets of the control plane"),
        )
    ),
    Setting(
        type="eks-cluster",
        name="zonal shift",
        path="zonalShiftConfig.enabled",
        unit="",
        requests={"UpdateClusterConfig": "zonalShiftConfig.enabled"},
        restore=_restore_shift,
        read=_read_cluster,
        query="cluster.zonalShiftConfig.enabled",
        unset=False,
        echo="none",
    ),
)

# -- undo ---------------------------------------------------------------------------------------------

_Earlier = tuple[ChangeEvent, ...]


def _known(event: ChangeEvent, earlier: _Earlier, *keys: str) -> Iterator[ChangeEvent]:
    """Earlier events of the same cluster, and of the same thing by these fields, that had an effect; newest first."""
    for one in earlier:
        same = _cluster(one) == _cluster(event) and all(
            _field(one, key) == _field(event, key) for key in keys
        )
        if same and one.id != event.id and not one.error_code:
            yield one


def _field(event: ChangeEvent, key: str) -> str:
    """A field of the request; ARNs that are part of a path are recorded as they were sent, with % signs."""
    return unquote(text(event.request, key))


def _made(event: ChangeEvent, operation: str, request: Mapping[str, Any]) -> tuple[Call, ...]:
    """A call as recorded fields make it, on the event's cluster; () when one does not convert."""
    sent = {key: value for key, value in request.items() if key not in ("name", "clientRequestToken")}
    sent |= {
        key: unquote(value) for key, value in sent.items() if key.endswith("Arn") and isinstance(value, str)
    }
    try:
        made = from_cloudtrail("eks", operation, {**sent, "clusterName": _cluster(event)})
    except BadInput:
        return ()
    return (Call(service="eks", operation=operation, parameters=made, region=event.region),)


_OF_GROUP = (
    "nodegroupName",
    "scalingConfig",
    "diskSize",
    "subnets",
    "instanceTypes",
    "amiType",
    "remoteAccess",
    "nodeRole",
    "labels",
    "taints",
    "tags",
    "launchTemplate",
    "updateConfig",
    "capacityType",
    "version",
    "releaseVersion",
)


def _undo_group(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """The node group again as the answer to its deletion tells it. New nodes: what was on the old ones is gone."""
    gone = event.response.get("nodegroup") or {}
    if text(gone, "amiType") == "CUSTOM" or not gone.get("subnets") or not gone.get("scalingConfig"):
        return ()
    kept = {key: gone[key] for key in _OF_GROUP if gone.get(key) not in (None, {}, [])}
    if template := kept.get("launchTemplate"):
        # Id or name, not both (CreateNodegroup).
        kept["launchTemplate"] = {key: template[key] for key in ("id", "version") if key in template}
    return _made(event, "CreateNodegroup", kept)


def _undo_addon(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """The add-on again in its version, with its role and configuration."""
    gone = event.response.get("addon") or {}
    kept = {key: gone[key] for key in ("addonName", *_KEPT, "namespaceConfig", "tags") if gone.get(key)}
    # Roles that came with the add-on by pod identity went with it, and the answer tells their ids only.
    if not kept.get("addonVersion") or gone.get("podIdentityAssociations"):
        return ()
    for one in _known(event, earlier, "addonName"):
        for key in ("configurationValues", "serviceAccountRoleArn"):
            if (value := one.request.get(key)) and key not in kept:
                kept[key] = value
    return _made(event, "CreateAddon", {**kept, "resolveConflicts": "OVERWRITE"})


def _undo_profile(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    gone = event.response.get("fargateProfile") or {}
    keys = ("fargateProfileName", "podExecutionRoleArn", "subnets", "selectors", "tags")
    kept = {key: gone[key] for key in keys if gone.get(key)}
    return _made(event, "CreateFargateProfile", kept) if kept.get("podExecutionRoleArn") else ()


def _undo_identity(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """The role of a service account again, as the answer to its deletion tells it."""
    gone = event.response.get("association") or {}
    keys = ("namespace", "serviceAccount", "roleArn", "targetRoleArn", "disableSessionTags", "tags")
    kept = {key: gone[key] for key in keys if gone.get(key)}
    return _made(event, "CreatePodIdentityAssociation", kept) if kept.get("roleArn") else ()


def _undo_entry(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """The entry as it was made and since changed, with the policies that it had."""
    request: Json = {}
    policies: dict[str, ChangeEvent | None] = {}
    for one in _known(event, earlier, "principalArn"):
        if one.operation == "DeleteAccessEntry":
            break
        if one.operation in ("AssociateAccessPolicy", "DisassociateAccessPolicy"):
            made = one if one.operation == "AssociateAccessPolicy" else None
            policies.setdefault(_field(one, "policyArn"), made)
        elif one.operation in ("CreateAccessEntry", "UpdateAccessEntry"):
            request = {**one.request, **request}
            if one.operation == "CreateAccessEntry":
                entry = _made(event, "CreateAccessEntry", request)
                put = [call for one in _held(policies) for call in _made(event, "AssociateAccessPolicy", one)]
                return (*entry, *put) if entry and len(put) == len(_held(policies)) else ()
    return ()


def _held(policies: Mapping[str, ChangeEvent | None]) -> list[Json]:
    return [policies[arn].request for arn in sorted(policies) if policies[arn] is not None]  # type: ignore[union-attr]


def _undo_policy(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """The policy with the scope that it was associated with before; without it where it is known to have been away."""
    for one in _known(event, earlier, "principalArn"):
        mine = _field(one, "policyArn") == _field(event, "policyArn")
        if one.operation == "AssociateAccessPolicy" and mine:
            return _made(event, "AssociateAccessPolicy", one.request)
        away = one.operation == "CreateAccessEntry" or (one.operation == "DisassociateAccessPolicy" and mine)
        if away and event.operation == "AssociateAccessPolicy":
            keys = ("principalArn", "policyArn")
            return _made(event, "DisassociateAccessPolicy", {key: _field(event, key) for key in keys})
        if away:
            return ()
    return ()


def _undo_update_entry(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Groups and user name as an earlier request set them."""
    wanted = {key for key in ("kubernetesGroups", "username") if key in event.request}
    found: Json = {}
    for one in _known(event, earlier, "principalArn"):
        if one.operation in ("CreateAccessEntry", "UpdateAccessEntry"):
            found = {**{key: one.request[key] for key in wanted if key in one.request}, **found}
        if one.operation == "CreateAccessEntry":
            if "kubernetesGroups" in wanted:
                found.setdefault("kubernetesGroups", [])
            break
    if not wanted or set(found) != wanted:
        return ()
    return _made(event, "UpdateAccessEntry", {"principalArn": _field(event, "principalArn"), **found})


_LOG_KINDS = ("api", "audit", "authenticator", "controllerManager", "scheduler")


def _undo_config(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """The control plane's logs as an earlier request had them: those that the event switched, the other way."""
    wanted = _switched(event)
    found: dict[str, bool] = {}
    for one in _known(event, earlier):
        for kind, on in _switched(one).items():
            if kind in wanted:
                found.setdefault(kind, on)
        if one.operation == "CreateCluster":
            for kind in wanted:
                found.setdefault(kind, False)
    if not wanted or set(found) != set(wanted):
        return ()
    setups = [
        {"types": [kind for kind in _LOG_KINDS if found.get(kind) is on], "enabled": on}
        for on in (True, False)
    ]
    logging = {"clusterLogging": [one for one in setups if one["types"]]}
    return (call("eks", "UpdateClusterConfig", event, name=_cluster(event), logging=logging),)


def _switched(event: ChangeEvent) -> dict[str, bool]:
    setups = (event.request.get("logging") or {}).get("clusterLogging") or []
    return {str(kind): bool(one.get("enabled")) for one in setups for kind in one.get("types") or []}


# -- changes ------------------------------------------------------------------------------------------

_SHOP: Json = {"name": "shop"}
_GROUP: Json = {**_SHOP, "nodegroupName": "workers"}
_DNS: Json = {**_SHOP, "addonName": "coredns"}
_ROLE = "arn:aws:iam::111122223333:role/ci"
_ENTRY: Json = {**_SHOP, "principalArn": "arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fci"}
_VIEW: Json = {
    **_ENTRY,
    "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
    "accessScope": {"type": "cluster"},
}
_SIZES: Json = {"scalingConfig": {"minSize": 0, "maxSize": 3, "desiredSize": 0}}
_ADDON: Json = {
    "addonVersion": "v1.11.4-eksbuild.2",
    "serviceAccountRoleArn": "arn:aws:iam::111122223333:role/coredns",
    "configurationValues": '{"replicaCount": 2}',
}
_NODES: Json = {
    "nodegroupName": "workers",
    "nodegroupArn": "arn:aws:eks:eu-west-1:111122223333:nodegroup/shop/workers/0ac5f64a-1c7b-4b0d-9f3e-2a1b0c9d8e7f",
    "clusterName": "shop",
    "version": "1.33",
    "releaseVersion": "1.33.5-20260220",
    "capacityType": "ON_DEMAND",
    "scalingConfig": {"minSize": 2, "maxSize": 6, "desiredSize": 4},
    "instanceTypes": ["m6i.large"],
    "subnets": ["subnet-0a1b2c3d4e5f60001"],
    "amiType": "AL2023_x86_64_STANDARD",
    "nodeRole": "arn:aws:iam::111122223333:role/nodes",
    "diskSize": 80,
    "status": "DELETING",
}


def _update(kind: str, *params: tuple[str, str]) -> Json:
    return {
        "update": {
            "id": "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11",
            "status": "InProgress",
            "type": kind,
            "params": [{"type": name, "value": value} for name, value in params],
            "errors": [],
        }
    }


_ENTRIES = (
    "CreateAccessEntry",
    "UpdateAccessEntry",
    "DeleteAccessEntry",
    "AssociateAccessPolicy",
    "DisassociateAccessPolicy",
)
_IDENTITY: Json = {
    "association": {
        "clusterName": "shop",
        "namespace": "orders",
        "serviceAccount": "web",
        "roleArn": "arn:aws:iam::111122223333:role/web",
        "associationId": "a-0a1b2c3d4e5f60718",
        "disableSessionTags": False,
    }
}

_change = changes_of(_SOURCE, _touches)

CHANGES = (
    _change(
        "UpdateNodegroupConfig",
        "Fewer nodes stay, or nodes that pods do not tolerate: pods wait or are put off.",
        {**_GROUP, **_SIZES, "updateConfig": {"maxUnavailable": 1}},
        _OTHER_NODES,
        response=_update("ConfigUpdate", ("DesiredSize", "0")),
    ),
    _change(
        "UpdateNodegroupVersion",
        "All nodes are replaced by others. EKS takes none back to an earlier Kubernetes version.",
        {
            **_GROUP,
            "version": "1.34",
            "releaseVersion": "1.34.2-20260310",
            "launchTemplate": {"id": "lt-0a1b2c3d4e5f60718", "version": "7"},
            "force": True,
        },
        _OTHER_NODES,
        response=_update("VersionUpdate", ("Version", "1.34")),
    ),
    _change(
        "DeleteNodegroup",
        "Its nodes are drained and gone; their pods wait where no other nodes have room.",
        _GROUP,
        _OTHER_NODES,
        response={"nodegroup": _NODES},
        undo=_undo_group,
    ),
    _change(
        "UpdateAddon",
        "Networking, DNS or storage of all pods works otherwise, or not.",
        {**_DNS, **_ADDON, "resolveConflicts": "OVERWRITE"},
        response=_update("AddonUpdate", ("AddonVersion", "v1.11.4-eksbuild.2")),
    ),
    _change(
        "DeleteAddon",
        "Networking, DNS or storage is gone for pods, at the latest for new ones.",
        {**_DNS, "preserve": False},
        _BROKEN_INSIDE,
        response={"addon": {"addonName": "coredns", "clusterName": "shop", "status": "DELETING", **_ADDON}},
        undo=_undo_addon,
        earlier=("CreateAddon", "UpdateAddon"),
    ),
    _change(
        "UpdateClusterConfig",
        "Nodes, pipelines or people no longer reach the cluster, or its logs are off.",
        {**_SHOP, "resourcesVpcConfig": {"endpointPublicAccess": False, "endpointPrivateAccess": True}},
        _SHUT_OUT,
        response=_update("EndpointAccessUpdate", ("EndpointPublicAccess", "false")),
        undo=_undo_config,
        earlier=("CreateCluster",),
        more=(
            {**_SHOP, "zonalShiftConfig": {"enabled": False}},
            {**_SHOP, "resourcesVpcConfig": {"publicAccessCidrs": ["203.0.113.0/24"]}},
            {
                **_SHOP,
                "resourcesVpcConfig": {
                    "subnetIds": ["subnet-0a1b2c3d4e5f60001"],
                    "securityGroupIds": ["sg-0a1b2c3d4e5f60001"],
                },
            },
            {**_SHOP, "logging": {"clusterLogging": [{"types": ["audit"], "enabled": False}]}},
            {**_SHOP, "accessConfig": {"authenticationMode": "API"}},
        ),
    ),
    _change(
        "UpdateClusterVersion",
        "Workloads that use what the new version removed fail. A control plane does not simply go back.",
        {**_SHOP, "version": "1.34"},
        _BROKEN_INSIDE,
        response=_update("VersionUpdate", ("Version", "1.34")),
    ),
    _change(
        "DeleteCluster",
        "The cluster and all that ran on it by Fargate are gone for good.",
        _SHOP,
        _BROKEN_INSIDE,
    ),
    _change(
        "DeleteFargateProfile",
        "Pods that it ran are stopped, and new ones find no place.",
        {**_SHOP, "fargateProfileName": "orders"},
        _BROKEN_INSIDE,
        response={
            "fargateProfile": {
                "fargateProfileName": "orders",
                "clusterName": "shop",
                "podExecutionRoleArn": "arn:aws:iam::111122223333:role/pods",
                "subnets": ["subnet-0a1b2c3d4e5f60001"],
                "selectors": [{"namespace": "orders"}],
                "status": "DELETING",
            }
        },
        undo=_undo_profile,
    ),
    *(
        _change(operation, breaks, request, _SHUT_OUT, undo=undo, earlier=_ENTRIES)
        for operation, breaks, request, undo in (
            (
                "DeleteAccessEntry",
                "The role may no longer enter: nodes of it drop out, pipelines and people are refused.",
                _ENTRY,
                _undo_entry,
            ),
            (
                "UpdateAccessEntry",
                "The role has other rights in the cluster.",
                {**_ENTRY, "kubernetesGroups": ["viewers"]},
                _undo_update_entry,
            ),
            (
                "DisassociateAccessPolicy",
                "The role has fewer rights in the cluster: pipelines and people are refused.",
                {key: value for key, value in _VIEW.items() if key != "accessScope"},
                _undo_policy,
            ),
            (
                "AssociateAccessPolicy",
                "The role has other rights in the cluster, and maybe fewer, when the scope is narrower.",
                _VIEW,
                _undo_policy,
            ),
        )
    ),
    *(
        _change(
            operation,
            "Pods of a service account have other permissions in AWS, or none.",
            {**_SHOP, "associationId": "a-0a1b2c3d4e5f60718", **request},
            _BROKEN_INSIDE,
            response=_IDENTITY,
            undo=undo,
        )
        for operation, request, undo in (
            ("DeletePodIdentityAssociation", {}, _undo_identity),
            ("UpdatePodIdentityAssociation", {"roleArn": "arn:aws:iam::111122223333:role/web"}, None),
        )
    ),
    *(
        inert(operation, _touches, record(_SOURCE, operation, request))
        for operation, request in (
            (
                "CreateCluster",
                {
                    **_SHOP,
                    "roleArn": "arn:aws:iam::111122223333:role/eks",
                    "resourcesVpcConfig": {
                        "subnetIds": ["subnet-0a1b2c3d4e5f60001"],
                        "endpointPublicAccess": True,
                    },
                },
            ),
            ("CreateNodegroup", {**_GROUP, **_SIZES, "releaseVersion": "1.33.5-20260220"}),
            ("CreateAddon", {**_DNS, **_ADDON}),
            (
                "CreateFargateProfile",
                {**_SHOP, "fargateProfileName": "orders", "podExecutionRoleArn": _ROLE},
            ),
            ("CreateAccessEntry", {**_SHOP, "principalArn": _ROLE, "kubernetesGroups": ["deployers"]}),
            (
                "CreatePodIdentityAssociation",
                {**_SHOP, "namespace": "orders", "serviceAccount": "web", "roleArn": _ROLE},
            ),
            (
                "TagResource",
                {"resourceArn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop", "tags": {"team": "shop"}},
            ),
            (
                "UntagResource",
                {"resourceArn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop", "tagKeys": ["team"]},
            ),
        )
    ),
)

# -- what EKS says itself -----------------------------------------------------------------------------


def issues(resource: Resource) -> tuple[str, ...]:
    """Codes of the health issues that EKS tells of a cluster, a node group or an add-on."""
    told = (resource.config.get("health") or {}).get("issues") or []
    return tuple(text(one, "code") for one in told)


def _has(pattern: str, resource: Resource) -> bool:
    return any(re.fullmatch(pattern, code) for code in issues(resource))


_LAUNCH = (
    r"AsgInstanceLaunchFailures|InstanceLimitExceeded|AutoScalingGroup(NotFound|InvalidConfiguration|InstanceRefreshActive)"
    r"|Ec2(LaunchTemplate|Subnet|SecurityGroup)\w*|AmiIdNotFound|SourceEc2LaunchTemplateNotFound|LimitExceeded"
)
_JOIN = r"NodeCreationFailure|IamNodeRoleNotFound|IamInstanceProfileNotFound|AccessDenied|ClusterUnreachable"
_ADDRESSES = r"InsufficientFreeAddresses"
_KEY = r"Kms(GrantRevoked|Key(NotFound|MarkedForDeletion|Disabled))"


def _condition(
    key: str, type: str, title: str, breaks: str, pattern: str, relieve: str, prevent: str
) -> Condition:
    return Condition(
        key=key,
        type=type,
        title=title,
        metrics=(),
        breaks=breaks,
        relieve=(relieve,),
        prevent=(prevent,),
        shown=partial(_has, pattern),
    )


CONDITIONS = (
    _condition(
        "nodes-not-launched",
        "nodegroup",
        "nodes cannot be launched",
        "The node group has fewer nodes than it wants, so pods wait.",
        _LAUNCH,
        "Read the scaling activities of the group's Auto Scaling group: they name the reason.",
        "Alarm on failed launches, and review quotas before planned peaks.",
    ),
    _condition(
        "nodes-do-not-join",
        "nodegroup",
        "nodes are launched and do not join the cluster",
        "The instances run, but no pod is put on them.",
        _JOIN,
        "See whether the node role may enter (access entries, aws-auth), and whether nodes reach the endpoint.",
        "Try changes of roles, subnets and endpoints on a node group of one node.",
    ),
    _condition(
        "node-addresses-used-up",
        "nodegroup",
        "no free addresses in the subnets of the nodes",
        "New nodes and pods get no address and do not start. More nodes make it worse.",
        _ADDRESSES,
        "Add subnets from another range to the network, or give pods whole prefixes (prefix delegation).",
        "Watch free addresses of subnets (DescribeSubnets, AvailableIpAddressCount).",
    ),
    _condition(
        "cluster-addresses-used-up",
        "eks-cluster",
        "no free addresses in the subnets of the cluster",
        "The control plane can neither be updated nor moved, and may lose its way to the nodes.",
        _ADDRESSES,
        "Free addresses in the cluster's subnets, or give the cluster others.",
        "Watch free addresses of subnets (DescribeSubnets, AvailableIpAddressCount).",
    ),
    _condition(
        "cluster-key-unusable",
        "eks-cluster",
        "the key of the cluster's secrets cannot be used",
        "Secrets are not read any more, so pods that need them do not start.",
        _KEY,
        "Enable the key or cancel its deletion, and give the cluster's role its grant again.",
        "Alarm on DisableKey, ScheduleKeyDeletion and RevokeGrant of the key.",
    ),
    _condition(
        "cluster-parts-missing",
        "eks-cluster",
        "something that the cluster needs is gone",
        "A role, network, subnet or security group that the cluster was made with does not exist any more.",
        r"(IamRole|Vpc|Ec2Subnet|Ec2SecurityGroup)NotFound|ResourceNotFound|AccessDenied|StsRegionalEndpointDisabled",
        "Bring back what the issue's message names.",
        "Refuse deletion of what clusters use by a policy.",
    ),
    _condition(
        "addon-unhealthy",
        "addon",
        "the add-on does not work",
        "What it does for all pods, networking, DNS or storage, is missing or half there.",
        r".+",
        "Read the issue's message; put back the version or configuration that worked.",
        "Try new versions of add-ons in another cluster first.",
    ),
)

SIGNATURES = (
    Signature(
        match=r"failed to assign an IP address to container|InsufficientFreeAddressesInSubnet",
        code="",
        reason="",
        points_to="node-addresses-used-up",
        says="a pod got no address",
    ),
    Signature(
        match=r"FailedScheduling.*\b0/\d+ nodes are available|\b0/0 nodes are available",
        code="FailedScheduling",
        reason="",
        points_to="scalingConfig.desiredSize",
        says="no node has room for a pod",
    ),
)


def _metric(
    name: str,
    stat: str,
    role: Role,
    bad: Any,
    unit: str,
    missing: Missing = "unknown",
    *,
    plane: bool = False,
) -> MetricSpec:
    return MetricSpec(
        type="eks-cluster",
        name=name,
        stat=stat,
        role=role,
        bad=bad,
        missing=missing,
        unit=unit,
        namespace="AWS/EKS" if plane else "ContainerInsights",
    )


# Metrics of the control plane come by themselves; those of nodes and pods with Container Insights only.
_plane = partial(_metric, plane=True)

METRICS = (
    _plane("apiserver_request_total", "Sum", "demand", "down", "requests to Kubernetes"),
    _plane("apiserver_request_total_4XX", "Sum", "errors", "up", "refused requests to Kubernetes"),
    _plane("apiserver_request_total_429", "Sum", "throttles", "up", "throttled requests to Kubernetes"),
    _plane("apiserver_request_total_5XX", "Sum", "errors", "up", "failed requests to Kubernetes"),
    _plane("scheduler_pending_pods", "Maximum", "backlog", "up", "waiting pods"),
    _plane(
        "scheduler_schedule_attempts_UNSCHEDULABLE", "Sum", "errors", "up", "attempts without a fitting node"
    ),
    _plane("etcd_mvcc_db_total_size_in_use_in_bytes", "Maximum", "saturation", "up", "bytes in etcd"),
    _metric("cluster_node_count", "Minimum", "work", "down", "nodes"),
    _metric("cluster_failed_node_count", "Maximum", "errors", "up", "failed nodes"),
    _metric("namespace_number_of_running_pods", "Minimum", "work", "down", "running pods"),
    _metric("node_cpu_utilization", "Maximum", "saturation", "up", "% of a node's CPU"),
    _metric("node_memory_utilization", "Maximum", "saturation", "up", "% of a node's memory"),
    _metric("node_filesystem_utilization", "Maximum", "saturation", "up", "% of a node's disk"),
    _metric("pod_cpu_utilization_over_pod_limit", "Maximum", "saturation", "up", "% of a pod's CPU limit"),
    _metric(
        "pod_memory_utilization_over_pod_limit", "Maximum", "saturation", "up", "% of a pod's memory limit"
    ),
    _metric("pod_number_of_container_restarts", "Sum", "errors", "up", "restarts of containers", "zero"),
)

_READS = (
    ("ListClusters", "which clusters exist"),
    ("DescribeCluster", "a cluster's network, version, logs and health"),
    ("ListNodegroups", "which node groups a cluster has"),
    ("DescribeNodegroup", "sizes, version and health of nodes"),
    ("ListAddons", "which add-ons a cluster has"),
    ("DescribeAddon", "version, configuration and health of an add-on"),
    ("ListAccessEntries", "who may enter a cluster"),
    ("DescribeAccessEntry", "in which groups a principal is"),
    ("ListAssociatedAccessPolicies", "which rights a principal has"),
    ("ListPodIdentityAssociations", "which roles pods have"),
)

SERVICE = Service(
    name="eks",
    title="EKS",
    client="eks",
    event_sources=(_SOURCE,),
    reads=tuple(Read(operation=name, action=f"eks:{name}", shows=shows) for name, shows in _READS),
    types={"eks-cluster": "container", "nodegroup": "component", "addon": "component"},
    arns={
        "eks-cluster": r"eks:cluster/[^/]+",
        "nodegroup": r"eks:nodegroup/[^/]+/[^/]+/[^/]+",
        "addon": r"eks:addon/[^/]+/[^/]+/[^/]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/EKS",
    dimensions=lambda resource: (("ClusterName", resource.name),) if resource.type == "eks-cluster" else (),
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    log_groups=log_groups,
    listed=False,
    listed_near=(
        "eks-cluster",
        "nodegroup",
        "addon",
        "auto-scaling-group",
        "launch-template",
        "instance",
        "load-balancer",
        "listener",
        "target-group",
    ),
)
