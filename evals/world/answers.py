"""Loads the modules that answer requests; each registers its operations."""

from __future__ import annotations

from importlib import import_module

_MODULES = (
    "answers_account",
    "answers_trail",
    "answers_cloudwatch",
    "answers_metrics",
    "answers_metric_list",
    "answers_logs",
    "answers_log_streams",
    "answers_dynamodb",
    "answers_lambda",
    "answers_kinesis",
    "answers_sns",
    "answers_states",
    "answers_sqs",
    "answers_apigateway",
    "answers_iam",
    "answers_vpc",
    "answers_ec2",
    "answers_ebs",
    "answers_ssm",
    "answers_parameters",
    "answers_kms",
    "answers_s3",
    "answers_edge",
    "answers_ecs",
    "answers_ecs_tasks",
    "answers_ecs_rest",
    "answers_ecr",
    "answers_acm",
    "answers_elbv2",
    "answers_scaling",
    "answers_autoscaling",
    "answers_secretsmanager",
    "answers_rds",
    "answers_elasticache",
    "answers_simulate",
    "answers_config",
    "answers_xray",
    "answers_events",
    "answers_eventbridge",
    "answers_health",
    "answers_quotas",
    "answers_tags",
)


def load() -> None:
    """Register all handlers. Doing it again changes nothing."""
    for name in _MODULES:
        import_module(f"evals.world.{name}")
