"""IAM's names for what boto3 calls: "s3:ListAllMyBuckets" for ("s3", "ListBuckets").

Source: Service Authorization Reference. Most actions carry the operation's name; the tables hold what
differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

_VERBS = (
    ("Update", "PATCH"),
    ("Create", "POST"),
    ("Import", "POST"),
    ("Put", "PUT"),
    ("Tag", "PUT"),
    ("Delete", "DELETE"),
    ("Untag", "DELETE"),
)
_PREFIXES: Mapping[str, str] = {
    "accessanalyzer": "access-analyzer",
    "amp": "aps",
    "apigatewayv2": "apigateway",
    "bedrock-runtime": "bedrock",
    "docdb": "rds",
    "dynamodbstreams": "dynamodb",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "neptune": "rds",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "service-quotas": "servicequotas",
    "sesv2": "ses",
    "sso-admin": "sso",
    "stepfunctions": "states",
}
_ACTIONS: Mapping[tuple[str, str], str] = {
    ("bedrock-runtime", "Converse"): "bedrock:InvokeModel",
    ("bedrock-runtime", "ConverseStream"): "bedrock:InvokeModelWithResponseStream",
    ("s3", "GetBucketAccelerateConfiguration"): "s3:GetAccelerateConfiguration",
    ("s3", "GetBucketCors"): "s3:GetBucketCORS",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "GetBucketLifecycleConfiguration"): "s3:GetLifecycleConfiguration",
    ("s3", "GetBucketMetricsConfiguration"): "s3:GetMetricsConfiguration",
    ("s3", "GetBucketNotificationConfiguration"): "s3:GetBucketNotification",
    ("s3", "GetBucketReplication"): "s3:GetReplicationConfiguration",
    ("s3", "GetObjectLockConfiguration"): "s3:GetBucketObjectLockConfiguration",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "DeleteBucketCors"): "s3:PutBucketCORS",
    ("s3", "DeleteBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "DeleteBucketLifecycle"): "s3:PutLifecycleConfiguration",
    ("s3", "DeleteBucketOwnershipControls"): "s3:PutBucketOwnershipControls",
    ("s3", "DeleteBucketReplication"): "s3:PutReplicationConfiguration",
    ("s3", "DeletePublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "PutBucketCors"): "s3:PutBucketCORS",
    ("s3", "PutBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "s3:PutLifecycleConfiguration",
    ("s3", "PutBucketNotificationConfiguration"): "s3:PutBucketNotification",
    ("s3", "PutBucketReplication"): "s3:PutReplicationConfiguration",
    ("s3", "PutPublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "ListBucketMetricsConfigurations"): "s3:GetMetricsConfiguration",
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3control", "GetPublicAccessBlock"): "s3:GetAccountPublicAccessBlock",
}
# API Gateway's control plane has one action per HTTP verb; every read is a GET.
_BY_VERB = ("apigateway", "apigatewayv2")
_NO_RESOURCE = (
    "acm:ListCertificates",
    "application-autoscaling:Describe*",
    "autoscaling:Describe*",
    "bedrock:List*",
    "cloudformation:ListStacks",
    "cloudformation:DescribeAccountLimits",
    "cloudtrail:DescribeTrails",
    "cloudtrail:ListTrails",
    "cloudtrail:LookupEvents",
    "cloudwatch:DescribeAlarmsForMetric",
    "cloudwatch:DescribeAnomalyDetectors",
    "cloudwatch:DescribeInsightRules",
    "cloudwatch:GetMetric*",
    "cloudwatch:ListDashboards",
    "cloudwatch:ListMetric*",
    "config:Describe*",
    "config:GetResourceConfigHistory",
    "config:ListDiscoveredResources",
    "config:SelectResourceConfig",
    "dynamodb:DescribeEndpoints",
    "dynamodb:DescribeLimits",
    "dynamodb:ListBackups",
    "dynamodb:ListContributorInsights",
    "dynamodb:ListExports",
    "dynamodb:ListGlobalTables",
    "dynamodb:ListImports",
    "dynamodb:ListTables",
    "ec2:Describe*",
    "ecs:DescribeTaskDefinition",
    "ecs:ListClusters",
    "ecs:ListServices*",
    "ecs:ListTaskDefinition*",
    "eks:ListClusters",
    "elasticloadbalancing:Describe*",
    "events:ListEventBuses",
    "events:ListRuleNamesByTarget",
    "events:ListRules",
    "firehose:ListDeliveryStreams",
    "health:DescribeEvent*",
    "iam:GetAccountSummary",
    "iam:ListAccountAliases",
    "iam:ListGroups",
    "iam:ListPolicies",
    "iam:ListRoles",
    "iam:ListUsers",
    "kinesis:DescribeLimits",
    "kinesis:ListStreams",
    "kms:ListAliases",
    "kms:ListKeys",
    "lambda:GetAccountSettings",
    "lambda:ListEventSourceMappings",
    "lambda:ListFunctions",
    "lambda:ListLayers",
    "logs:DescribeQueries",
    "logs:DescribeQueryDefinitions",
    "logs:DescribeResourcePolicies",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "logs:StopQuery",
    "organizations:DescribeOrganization",
    "organizations:List*",
    "pipes:ListPipes",
    "route53:GetAccountLimit",
    "route53:ListHealthChecks",
    "route53:ListHostedZones*",
    "s3:GetAccountPublicAccessBlock",
    "s3:ListAllMyBuckets",
    "secretsmanager:ListSecrets",
    "servicequotas:*",
    "sns:ListSubscriptions",
    "sns:ListTopics",
    "sqs:ListQueues",
    "ssm:DescribeParameters",
    "ssm:DescribeInstanceInformation",
    "states:ListActivities",
    "states:ListStateMachines",
    "sts:GetCallerIdentity",
    "tag:*",
    "xray:*",
)


def action_of(service: str, operation: str) -> str:
    """The IAM action that a call needs. `service` is the boto3 client name."""
    prefix = _PREFIXES.get(service, service)
    if service in _BY_VERB:
        return f"{prefix}:{next((verb for begin, verb in _VERBS if operation.startswith(begin)), 'GET')}"
    return _ACTIONS.get((service, operation), f"{prefix}:{operation}")


def takes_no_resource(action: str) -> bool:
    """True for actions that IAM only grants on every resource."""
    return any(fnmatchcase(action, pattern) for pattern in _NO_RESOURCE)
