"""Reads of services that a world has nothing of: the empty list, or the service's own "not found".

Only where the world truly has none: no resource of the service, no ARN of it in any setting, and no event of the
trail that changed or named something of it. Then a list operation that needs nothing answers empty lists, a read by
name the one "not found" error that AWS's own model gives the operation. Everything else stays unknown: what AWS has
in every account (regions, engine versions, managed policies) is never empty, and an error that is not modelled is
not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from evals.world.asking import Ask, NotModelled, Refusal
from evals.world.presence import plain, present
from evals.world.wire import operation_model
from tools.guard_reads import READS
from tools.models import Json

_UNKNOWN: Mapping[str, str] = {
    "appconfig": "GetDeploymentStrategy",
    "autoscaling": "DescribeAccountLimits",
    "bedrock": "GetFoundationModel ListFoundationModels ListInferenceProfiles GetInferenceProfile",
    "cloudformation": "DescribeAccountLimits DescribeType",
    "cloudfront": "GetCachePolicy GetOriginRequestPolicy GetResponseHeadersPolicy",
    "codedeploy": "GetDeploymentConfig",
    "dax": "DescribeParameterGroups DescribeParameters",
    "docdb": "DescribeDBClusterParameterGroups DescribeDBClusterParameters",
    "ec2": """DescribeAccountAttributes DescribeAvailabilityZones DescribeDhcpOptions DescribeImageAttribute
        DescribeImages DescribeInstanceTypeOfferings DescribeInstanceTypes
        DescribeManagedPrefixLists DescribePrefixLists DescribeRegions DescribeSnapshots
        DescribeVpcBlockPublicAccessOptions DescribeVpcEndpointServices GetEbsDefaultKmsKeyId
        GetEbsEncryptionByDefault GetInstanceMetadataDefaults GetManagedPrefixListEntries""",
    "ecr": "DescribeRegistry",
    "ecs": "DescribeCapacityProviders ListAccountSettings",
    "elasticache": """DescribeCacheEngineVersions DescribeCacheParameterGroups DescribeCacheParameters
        DescribeServiceUpdates DescribeUserGroups DescribeUsers""",
    "elbv2": "DescribeAccountLimits DescribeSSLPolicies",
    "events": "DescribeEventBus ListEventBuses",
    "health": "DescribeEventTypes",
    "iam": "*",
    "kms": "ListAliases",
    "memorydb": """DescribeACLs DescribeParameterGroups DescribeParameters DescribeServiceUpdates DescribeUsers""",
    "neptune": "DescribeDBClusterParameterGroups DescribeDBClusterParameters DescribeDBParameters",
    "organizations": "*",
    "rds": """DescribeAccountAttributes DescribeCertificates DescribeDBClusterParameterGroups
        DescribeDBClusterParameters DescribeDBEngineVersions DescribeDBParameterGroups
        DescribeDBParameters DescribeEngineDefaultClusterParameters DescribeEngineDefaultParameters
        DescribeOptionGroups""",
    "redshift": "DescribeClusterParameterGroups DescribeClusterParameters",
    "resource-explorer-2": "*",
    "route53": "GetAccountLimit",
    "route53resolver": "GetResolverRule ListResolverRuleAssociations ListResolverRules",
    "s3": "GetPublicAccessBlock",
    "scheduler": "GetScheduleGroup ListScheduleGroups",
    "service-quotas": "*",
    "sesv2": "GetAccount",
    "sso-admin": "*",
    "ssm": "DescribeDocument GetParameter GetParameters",
    "sts": "*",
    "xray": "*",
}
"""Never empty: what every account has or AWS itself offers. No such answer is known here."""

_UNNAMED: Mapping[str, str] = {
    "batch": "ListJobs",
    "dms": "ListTagsForResource",
    "ec2": "DescribeLaunchTemplateVersions",
    "ecs": "DescribeClusters",
    "efs": "DescribeMountTargets",
    "elasticbeanstalk": """DescribeConfigurationSettings DescribeEnvironmentHealth DescribeEnvironmentResources
        DescribeInstancesHealth""",
    "elb": "DescribeLoadBalancerPolicies",
    "elbv2": "DescribeListeners DescribeRules",
    "kinesis": "DescribeStream DescribeStreamConsumer DescribeStreamSummary ListShards ListTagsForStream",
    "resource-groups": "ListGroupResources",
    "stepfunctions": "ListExecutions",
}
"""What AWS refuses without the name of something, although its model requires none."""

_NONE: Mapping[str, str] = {
    "apigateway": "GetDomainNames GetUsagePlans GetVpcLinks",
    "apigatewayv2": "GetDomainNames GetVpcLinks",
    "cloudtrail": "DescribeTrails ListEventDataStores ListTrails",
    "cloudwatch": """DescribeAnomalyDetectors DescribeInsightRules ListAlarmMuteRules
        ListMetricStreams""",
    "config": "DescribeConfigRules",
    "dynamodb": "ListBackups ListContributorInsights ListExports ListGlobalTables ListImports",
    "ec2": """DescribeCapacityReservations DescribeCarrierGateways DescribeClientVpnEndpoints
        DescribeCustomerGateways DescribeEgressOnlyInternetGateways DescribeFleets DescribeFlowLogs DescribeHosts
        DescribeInstanceConnectEndpoints DescribeNetworkInsightsAnalyses DescribeNetworkInsightsPaths
        DescribePlacementGroups DescribeSpotFleetRequests DescribeSpotInstanceRequests
        DescribeTransitGatewayAttachments DescribeTransitGatewayPeeringAttachments
        DescribeTransitGatewayRouteTables DescribeTransitGatewayVpcAttachments DescribeTransitGateways
        DescribeVpcBlockPublicAccessExclusions DescribeVpcEndpointConnections
        DescribeVpcEndpointServiceConfigurations DescribeVpcPeeringConnections DescribeVpnConnections
        DescribeVpnGateways""",
    "elb": "DescribeLoadBalancers",
    "events": "ListApiDestinations ListArchives ListConnections",
    "lambda": "ListLayers",
    "logs": """DescribeDestinations DescribeQueryDefinitions DescribeResourcePolicies ListAnomalies
        ListLogAnomalyDetectors""",
}
"""Lists of things that no world makes although it uses the service."""

_EC2_IDS: Mapping[str, str] = {
    "AllocationIds": "InvalidAllocationID.NotFound",
    "GroupIds": "InvalidGroup.NotFound",
    "InstanceIds": "InvalidInstanceID.NotFound",
    "InternetGatewayIds": "InvalidInternetGatewayID.NotFound",
    "LaunchTemplateIds": "InvalidLaunchTemplateId.NotFound",
    "NatGatewayIds": "NatGatewayNotFound",
    "NetworkAclIds": "InvalidNetworkAclID.NotFound",
    "NetworkInterfaceIds": "InvalidNetworkInterfaceID.NotFound",
    "RouteTableIds": "InvalidRouteTableID.NotFound",
    "SubnetIds": "InvalidSubnetID.NotFound",
    "TransitGatewayIds": "InvalidTransitGatewayID.NotFound",
    "VolumeIds": "InvalidVolume.NotFound",
    "VpcEndpointIds": "InvalidVpcEndpointId.NotFound",
    "VpcIds": "InvalidVpcID.NotFound",
}
"""EC2's errors are in no model (EC2 user guide, "Error codes")."""

_NAMING = re.compile(r"(?:(?:id|arn|name|identifier|url)s?|cluster|bucket|domain)$", re.IGNORECASE)
_NAMED_LISTS = frozenset({"clusters", "services", "tasks", "nodes", "jobs", "jobQueues"})
_NOT_FOUND = re.compile(r"NotFound|NoSuch|DoesNotExist|NotExist|NonExistent")
_DEFAULT_CLUSTER = frozenset({"ListServices", "ListTasks", "ListContainerInstances"})
_LENIENT = frozenset({"autoscaling"})  # names that do not exist are left out of the answer
_LISTS = ("List", "Describe")
_GET_LISTS = frozenset({"GetCrawlers", "GetJobs", "GetTriggers"})
_SCOPES = frozenset(
    {"ServiceNamespace", "Scope", "MaxResults"}
)  # required somewhere, and no name of anything


def answer(ask: Ask) -> Json:
    """The empty answer or the refusal. Raises NotModelled where neither is known to be right."""
    service, operation = ask.service, ask.operation
    if operation not in READS.get(service, ()):
        raise NotModelled("operation")
    if operation in _NONE.get(service, "").split():
        return _empty(ask)
    some = _UNKNOWN.get(service, "").split()
    if operation in some or "*" in some or plain(service) in present(ask.world):
        raise NotModelled("operation")
    names = _names(ask)
    if not names and operation in _UNNAMED.get(service, "").split():
        raise NotModelled("operation")
    if names and service not in _LENIENT:
        raise _not_found(ask, names)
    takes = operation_model(service, operation).input_shape
    required = set(takes.required_members if takes is not None else ())
    if required - _SCOPES - set(names) or not (operation.startswith(_LISTS) or operation in _GET_LISTS):
        raise NotModelled("operation")
    return _empty(ask)


def _names(ask: Ask) -> list[str]:
    """Parameters that name something."""
    found = [
        name
        for name, value in ask.left.items()
        if value and (_NAMING.search(name) or name in _NAMED_LISTS) and name not in _SCOPES
    ]
    if ask.service == "ecs" and ask.operation in _DEFAULT_CLUSTER and not found:
        return ["cluster"]
    return found


def _not_found(ask: Ask, names: list[str]) -> Refusal | NotModelled:
    said = (
        f"The {', '.join(str(ask.left.get(name, name)) for name in names)} that was asked for does not exist."
    )
    ids = [_EC2_IDS[name] for name in names if name in _EC2_IDS]
    if ask.service == "ec2":
        return Refusal(ids[0], said) if len(ids) == 1 else NotModelled("operation")
    if ask.service == "s3" and "Bucket" in names:
        return Refusal("NoSuchBucket", "The specified bucket does not exist", 404)
    shapes = [
        one for one in operation_model(ask.service, ask.operation).error_shapes if _NOT_FOUND.search(one.name)
    ]
    if len(shapes) > 1:
        stems = [_NAMING.sub("", name).lower() or name.lower() for name in names]
        shapes = [one for one in shapes if any(stem and stem in one.name.lower() for stem in stems)]
    if len(shapes) != 1:
        return NotModelled("operation")
    held = shapes[0].metadata.get("error") or {}
    return Refusal(str(held.get("code", shapes[0].name)), said, int(held.get("httpStatusCode", 400)))


def _empty(ask: Ask) -> Json:
    """An answer whose lists are empty. Raises NotModelled when the operation answers no list."""
    shape: Any = operation_model(ask.service, ask.operation).output_shape
    found: Json = {}
    for name, member in (shape.members if shape is not None else {}).items():
        if member.type_name == "list":
            found[name] = []
        elif member.type_name == "structure" and {"Quantity", "Items"} <= set(member.members):
            held = {"Quantity": 0, "IsTruncated": False, "MaxItems": 100, "Marker": ""}
            found[name] = {key: value for key, value in held.items() if key in member.members}
    if not found:
        raise NotModelled("operation")
    for name in set(shape.required_members) - set(found):
        found[name] = _required(name, shape.members[name])
    ask.left.clear()
    return found


def _required(name: str, member: Any) -> Any:
    if member.type_name == "boolean":
        return False
    if name == "MaxItems":
        return "100" if member.type_name == "string" else 100
    if name == "Marker":
        return ""
    raise NotModelled("operation")
