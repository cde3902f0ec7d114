"""What looks on: log groups, filters, alarms, feature flags."""

from __future__ import annotations

from collections.abc import Sequence

from evals.estates.ground import Ground, Thing
from tools.models import Json


def log_group(ground: Ground, name: str, encrypted: Thing | None = None, region: str = "") -> Thing:
    ground.call("logs", "CreateLogGroup", region, logGroupName=name, kmsKeyId=encrypted and encrypted.arn)
    arn = ground.arn("logs", f"log-group:{name}", region or None)
    thing = ground.add("log group", arn, name, region=region)
    ground.fact(thing, "locks with", encrypted)
    return thing


def sends(ground: Ground, of: Thing, to: Thing, acts: Thing | None = None) -> None:
    """A subscription filter: the group's lines go to a function or a stream."""
    ground.call(
        "logs", "PutSubscriptionFilter",
        logGroupName=of.name, filterName=f"to-{to.name}", filterPattern="", destinationArn=to.arn,
        roleArn=acts and acts.arn,
    )  # fmt: skip
    ground.fact(of, "delivers to", to)
    ground.fact(of, "acts as", acts)


def counts(ground: Ground, of: Thing, namespace: str, metric: str) -> None:
    """A metric filter."""
    ground.call(
        "logs", "PutMetricFilter",
        logGroupName=of.name, filterName=metric, filterPattern="ERROR",
        metricTransformations=[{"metricName": metric, "metricNamespace": namespace, "metricValue": "1"}],
    )  # fmt: skip


_METRICS = {
    "function": ("AWS/Lambda", "Errors", "FunctionName"),
    "queue": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"),
    "table": ("AWS/DynamoDB", "WriteThrottleEvents", "TableName"),
    "database": ("AWS/RDS", "CPUUtilization", "DBInstanceIdentifier"),
    "database cluster": ("AWS/RDS", "DatabaseConnections", "DBClusterIdentifier"),
    "workflow": ("AWS/States", "ExecutionsFailed", "StateMachineArn"),
    "stream": ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "StreamName"),
    "delivery stream": ("AWS/Firehose", "DeliveryToS3.DataFreshness", "DeliveryStreamName"),
    "instance": ("AWS/EC2", "StatusCheckFailed", "InstanceId"),
    "scaling group": ("AWS/EC2", "CPUUtilization", "AutoScalingGroupName"),
    "topic": ("AWS/SNS", "NumberOfNotificationsFailed", "TopicName"),
    "rule": ("AWS/Events", "FailedInvocations", "RuleName"),
    "bucket": ("AWS/S3", "5xxErrors", "BucketName"),
    "http api": ("AWS/ApiGateway", "5xx", "ApiId"),
    "rest api": ("AWS/ApiGateway", "5XXError", "ApiName"),
    "distribution": ("AWS/CloudFront", "5xxErrorRate", "DistributionId"),
}
"""Namespace, metric and the dimension that names the thing."""


def _dimensions(of: Thing) -> list[Json]:
    if of.kind == "load balancer":
        return [{"Name": "LoadBalancer", "Value": of.arn.split(":loadbalancer/")[1]}]
    if of.kind == "ecs service":
        cluster = of.arn.split("/")[-2]
        return [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": of.name}]
    name = _METRICS[of.kind][2]
    value = of.arn if name.endswith("Arn") else of.name
    if of.kind in ("instance", "http api", "distribution"):
        value = of["id"]
    return [
        {"Name": name, "Value": value},
        *([{"Name": "FilterId", "Value": "all"}] if of.kind == "bucket" else []),
    ]


def alarm(ground: Ground, name: str, of: Thing, tells: Sequence[Thing] = (), region: str = "") -> Thing:
    """An alarm on the usual metric of a thing."""
    usual = {
        "load balancer": ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"),
        "ecs service": ("AWS/ECS", "CPUUtilization"),
    }
    namespace, metric = usual.get(of.kind) or _METRICS[of.kind][:2]
    ground.call(
        "cloudwatch", "PutMetricAlarm", region,
        AlarmName=name, Namespace=namespace, MetricName=metric, Dimensions=_dimensions(of), Statistic="Maximum",
        Period=60, EvaluationPeriods=3, Threshold=1.0, ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[one.arn for one in tells],
    )  # fmt: skip
    thing = ground.add(
        "alarm", ground.arn("cloudwatch", f"alarm:{name}", region or None), name, region=region
    )
    ground.fact(thing, "watches", of)
    ground.fact(thing, "alerts", *tells)
    return thing


def counted_alarm(
    ground: Ground, name: str, namespace: str, metric: str, tells: Sequence[Thing], of: Thing
) -> Thing:
    """An alarm on a metric that a filter on `of`, a log group, counts."""
    ground.call(
        "cloudwatch", "PutMetricAlarm",
        AlarmName=name, Namespace=namespace, MetricName=metric, Statistic="Sum", Period=300, EvaluationPeriods=1,
        Threshold=5.0, ComparisonOperator="GreaterThanThreshold", AlarmActions=[one.arn for one in tells],
    )  # fmt: skip
    thing = ground.add("alarm", ground.arn("cloudwatch", f"alarm:{name}"), name)
    ground.maybe(thing, "watches", of)
    ground.fact(thing, "alerts", *tells)
    return thing


def composite(ground: Ground, name: str, of: Sequence[Thing], tells: Sequence[Thing]) -> Thing:
    _put_composite(
        ground, name, " OR ".join(f'ALARM("{one.name}")' for one in of), [one.arn for one in tells]
    )
    thing = ground.add("alarm", ground.arn("cloudwatch", f"alarm:{name}"), name)
    ground.fact(thing, "watches", *of)
    ground.fact(thing, "alerts", *tells)
    return thing


def _put_composite(ground: Ground, name: str, rule: str, tells: list[str]) -> None:
    """moto keeps composite alarms and has no call that makes one."""
    from moto.cloudwatch.models import cloudwatch_backends

    cloudwatch_backends[ground.account][ground.region].put_metric_alarm(
        name=name, namespace="", metric_name="", comparison_operator="", evaluation_periods=0, period=0,
        threshold=0.0, statistic="", description="", dimensions=[], alarm_actions=tells, rule=rule,
    )  # fmt: skip


# -- feature flags: moto has applications and profiles only, so the table answers all of AppConfig --------------


def _app_id(ground: Ground) -> str:
    return "".join(ground.draw.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(7))


def flags(
    ground: Ground, name: str, *, guards: Sequence[tuple[Thing, Thing]] = (), held_in: Thing | None = None,
    acts: Thing | None = None,
) -> Thing:  # fmt: skip
    """An application with one environment and one profile. `guards`: alarms that stop a deployment, with roles."""
    app, env, profile = (_app_id(ground) for _ in range(3))
    thing = ground.add("flags", ground.arn("appconfig", f"application/{app}"), name, id=app)
    put, where = ground.table.put, ground.region
    own = {"Id": app, "Name": name}
    ground.table.more(where, "appconfig", "ListApplications", {}, "Items", own)
    put(where, "appconfig", "GetApplication", {"ApplicationId": app}, own)
    there = ground.part(
        "flags environment", ground.arn("appconfig", f"application/{app}/environment/{env}"), thing, "prod"
    )
    monitors = [{"AlarmArn": alarm.arn, "AlarmRoleArn": role.arn} for alarm, role in guards]
    shown: Json = {"ApplicationId": app, "Id": env, "Name": "prod", "State": "READY_FOR_DEPLOYMENT"}
    if monitors:
        shown["Monitors"] = monitors
    for alarm_, role in guards:
        ground.fact(there, "is guarded by", alarm_)
        ground.fact(there, "acts as", role)
    names = {"ApplicationId": app}
    put(where, "appconfig", "ListEnvironments", names, {"Items": [shown]})
    put(where, "appconfig", "GetEnvironment", {**names, "EnvironmentId": env}, shown)
    done = {
        "DeploymentNumber": 1,
        "ConfigurationName": "main",
        "ConfigurationVersion": "1",
        "State": "COMPLETE",
    }
    put(where, "appconfig", "ListDeployments", {**names, "EnvironmentId": env}, {"Items": [done]})
    pair = f"{there.arn}/configuration/{profile}"  # what a client reads is named so
    ground.inside(pair, there)
    ground.maybe(
        pair, "is shaped by", ground.arn("appconfig", f"application/{app}/configurationprofile/{profile}")
    )
    _profile(ground, thing, profile, held_in, acts)
    return thing


def _profile(ground: Ground, of: Thing, id_: str, held_in: Thing | None, acts: Thing | None) -> None:
    arn = ground.arn("appconfig", f"application/{of['id']}/configurationprofile/{id_}")
    thing = ground.part("flags profile", arn, of, "main")
    uri = "hosted"
    if held_in:
        uri = (
            f"ssm-parameter://{held_in.name}"
            if held_in.kind == "parameter"
            else f"s3://{held_in.name}/flags.json"
        )
        ground.fact(thing, "takes from", held_in)
    shown: Json = {
        "ApplicationId": of["id"],
        "Id": id_,
        "Name": "main",
        "LocationUri": uri,
        "Type": "AWS.Freeform",
    }
    if acts:
        ground.fact(thing, "acts as", acts)
    names, where = {"ApplicationId": of["id"]}, ground.region
    ground.table.put(where, "appconfig", "ListConfigurationProfiles", names, {"Items": [dict(shown)]})
    if acts:
        shown["RetrievalRoleArn"] = acts.arn
    ground.table.put(
        where, "appconfig", "GetConfigurationProfile", {**names, "ConfigurationProfileId": id_}, shown
    )
