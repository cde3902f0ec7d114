"""CloudTrail events that have nothing to do with the case: reads, services at work, people and pipelines elsewhere.

At least 95 % are reads and service noise. Every shape of userIdentity appears.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from evals.world.deeds_lambda import code_sha
from evals.world.identities import BROWSER, Cast, Identity
from evals.world.names import PEOPLE
from evals.world.seed import Seed
from evals.world.trail import Deed, Record, long_stamp, record
from evals.world.world import Thing, World
from tools.models import Json

BEFORE = timedelta(hours=30)
AFTER = timedelta(minutes=90)

_BROWSED: tuple[tuple[str, str, Json | None], ...] = (
    ("dynamodb", "ListTables", None),
    ("lambda", "ListFunctions20150331", None),
    ("lambda", "GetAccountSettings20160819", None),
    ("logs", "DescribeLogGroups", {"limit": 50}),
    ("monitoring", "DescribeAlarms", {"maxRecords": 100}),
    ("monitoring", "ListDashboards", None),
    ("cloudtrail", "LookupEvents", {"maxResults": 50}),
    ("ec2", "DescribeInstances", {"instancesSet": {}, "filterSet": {}}),
    ("ec2", "DescribeRegions", {"regionSet": {}, "allRegions": True}),
    ("s3", "ListBuckets", {"Host": "s3.amazonaws.com"}),
    ("s3", "GetBucketAcl", {"bucketName": "media-uploads", "acl": ""}),
    ("iam", "ListRoles", None),
    ("iam", "GetAccountSummary", None),
    ("kms", "ListAliases", None),
    ("logs", "StartQuery", {"queryString": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
    ("tagging", "GetResources", {"resourcesPerPage": 50}),
)


@dataclass
class Noise:
    """A source of unrelated records for one world."""

    world: World
    seed: Seed
    cast: Cast
    spared: frozenset[str]  # ARNs of the case's own resources: nobody else changes them
    people: list[Identity]
    functions: list[Thing]

    def at(self, number: int, moment: datetime) -> Record:
        """The record number `number`, made at about `moment`."""
        kinds: tuple[tuple[int, Callable[[int, datetime], Record]], ...] = (
            (300, self._assume),
            (150, self._stream),
            (140, self._decrypt),
            (50, self._data_key),
            (130, self._monitor),
            (135, self._browse),
            (40, self._autoscale),
            (8, self._autoscale_write),
            (5, self._deploy),
            (4, self._person_writes),
            (14, self._pipeline_reads),
            (24, self._rare),
        )
        place = self.seed.bits(f"noise:{number}") % sum(weight for weight, _ in kinds)
        for weight, make in kinds:
            place -= weight
            if place < 0:
                return make(number, moment)
        raise AssertionError("weights do not add up")

    def _record(self, number: int, moment: datetime, who: Identity, deed: Deed) -> Record:
        region = self.world.region
        if deed.source in ("iam", "signin", "organizations"):
            region = self.world.global_region
        delay = self.seed.between(f"noise-delay:{number}", 120, 420)
        return record(self.seed, f"noise:{number}", moment, delay, region, self.world.account, who, deed)

    def _function(self, number: int) -> Thing:
        return self.functions[number * 7919 % len(self.functions)]

    def _role(self, function: Thing) -> str:
        return self.world.things[function.fixed["role"]].name

    def _assume(self, number: int, moment: datetime) -> Record:
        function = self._function(number)
        arn = function.fixed["role"]
        deed = Deed(
            source="sts",
            name="AssumeRole",
            request={"roleArn": arn, "roleSessionName": function.name},
            response={
                "credentials": {
                    "accessKeyId": "ASIA" + self.seed.letters(f"assumed:{number}", 16),
                    "expiration": long_stamp(moment + timedelta(hours=12)),
                    "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
                }
            },
            read_only=True,
            resources=(("AWS::IAM::Role", arn),),
            extra={"sharedEventID": self.seed.uuid(f"shared:{number}")},
        )
        return self._record(number, moment, self.cast.service("lambda.amazonaws.com"), deed)

    def _stream(self, number: int, moment: datetime) -> Record:
        function = self._function(number)
        day = moment.strftime("%Y/%m/%d")
        request = {
            "logGroupName": f"/aws/lambda/{function.name}",
            "logStreamName": f"{day}/[$LATEST]{self.seed.hex(f'stream:{number}', 32)}",
        }
        who = self.cast.function(self._role(function), function.name)
        return self._record(number, moment, who, Deed(source="logs", name="CreateLogStream", request=request))

    def _decrypt(self, number: int, moment: datetime) -> Record:
        function = self._function(number)
        key = self.world.arn("kms", f"key/{self.seed.uuid('kms-key')}")
        request = {
            "encryptionContext": {"aws:lambda:FunctionArn": function.arn},
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }
        deed = Deed(
            source="kms", name="Decrypt", request=request, read_only=True, resources=(("AWS::KMS::Key", key),)
        )
        return self._record(number, moment, self.cast.decrypting(self._role(function), function.name), deed)

    def _data_key(self, number: int, moment: datetime) -> Record:
        key = self.world.arn("kms", f"key/{self.seed.uuid('kms-key-2')}")
        request = {"keyId": key, "keySpec": "AES_256"}
        deed = Deed(
            source="kms",
            name="GenerateDataKey",
            request=request,
            read_only=True,
            resources=(("AWS::KMS::Key", key),),
        )
        return self._record(number, moment, self.cast.service("sqs.amazonaws.com"), deed)

    def _monitor(self, number: int, moment: datetime) -> Record:
        who = self.cast.role(
            "vendor-monitoring",
            "collector",
            "203.0.113.90",
            "Boto3/1.36.20 md/Botocore#1.36.20 lang/python#3.12.8",
        )
        calls: tuple[tuple[str, str, Json], ...] = (
            ("monitoring", "DescribeAlarms", {"maxRecords": 100}),
            ("lambda", "ListFunctions20150331", {"maxItems": 50}),
            ("dynamodb", "ListTables", {"limit": 100}),
            ("tagging", "GetResources", {"resourcesPerPage": 100}),
            ("sqs", "ListQueues", {"queueNamePrefix": ""}),
            ("ec2", "DescribeVolumes", {"volumeSet": {}, "filterSet": {}}),
        )
        source, name, request = calls[number % len(calls)]
        return self._record(
            number, moment, who, Deed(source=source, name=name, request=request, read_only=True)
        )

    def _browse(self, number: int, moment: datetime) -> Record:
        who = self.people[number * 31 % len(self.people)]
        if number % 3 == 0:
            table = self.world.of("table")[number * 17 % len(self.world.of("table"))]
            deed = Deed(
                source="dynamodb",
                name="DescribeTable",
                request={"tableName": table.name},
                read_only=True,
                resources=(("AWS::DynamoDB::Table", table.arn),),
                api_version="2012-08-10",
            )
            return self._record(number, moment, who, deed)
        source, name, request = _BROWSED[number * 13 % len(_BROWSED)]
        return self._record(
            number, moment, who, Deed(source=source, name=name, request=request, read_only=True)
        )

    def _autoscale(self, number: int, moment: datetime) -> Record:
        who = self.cast.autoscaling()
        tables = [t for t in self.world.of("table") if t.at("BillingMode", moment) == "PROVISIONED"]
        table = tables[number % len(tables)]
        deed = Deed(
            source="dynamodb",
            name="DescribeTable",
            request={"tableName": table.name},
            read_only=True,
            resources=(("AWS::DynamoDB::Table", table.arn),),
            api_version="2012-08-10",
        )
        return self._record(number, moment, who, deed)

    def _autoscale_write(self, number: int, moment: datetime) -> Record:
        """Target tracking puts its own alarms and updates provisioned tables."""
        who = self.cast.autoscaling()
        tables = [t for t in self.world.of("table") if t.at("BillingMode", moment) == "PROVISIONED"]
        table = tables[number % len(tables)]
        if number % 3:
            name = f"TargetTracking-table/{table.name}-AlarmHigh-{self.seed.uuid(f'tracking:{table.name}')}"
            request: Json = {
                "alarmName": name,
                "metricName": "ConsumedWriteCapacityUnits",
                "namespace": "AWS/DynamoDB",
                "statistic": "Sum",
                "dimensions": [{"name": "TableName", "value": table.name}],
                "period": 60,
                "evaluationPeriods": 2,
                "threshold": 2520.0,
                "comparisonOperator": "GreaterThanThreshold",
            }
            return self._record(
                number, moment, who, Deed(source="monitoring", name="PutMetricAlarm", request=request)
            )
        units = {
            "readCapacityUnits": table.at("ProvisionedThroughput.ReadCapacityUnits", moment),
            "writeCapacityUnits": table.at("ProvisionedThroughput.WriteCapacityUnits", moment),
        }
        request = {"tableName": table.name, "provisionedThroughput": units}
        deed = Deed(
            source="dynamodb",
            name="UpdateTable",
            request=request,
            error=("ValidationException", "The provisioned throughput for the table will not change."),
            resources=(("AWS::DynamoDB::Table", table.arn),),
            api_version="2012-08-10",
        )
        return self._record(number, moment, who, deed)

    def _deploy(self, number: int, moment: datetime) -> Record:
        """A pipeline puts new code on a function of another system."""
        others = [one for one in self.functions if one.arn not in self.spared]
        function = others[number % len(others)]
        who = self.cast.ci("ci-functions", f"run-{self.seed.integer(f'run:{number}', 10**9, 10**10)}")
        function.settings.set("Revision", moment.replace(microsecond=0), number + 2)
        response = {
            "functionName": function.name,
            "functionArn": function.arn,
            "role": function.fixed["role"],
            "timeout": function.at("Timeout", moment),
            "memorySize": function.at("MemorySize", moment),
            "codeSha256": code_sha(function, moment),
            "environment": {},
            "version": "$LATEST",
            "revisionId": function.fixed["revision"],
        }
        request = {"functionName": function.name, "publish": False, "dryRun": False}
        deed = Deed(
            source="lambda",
            name="UpdateFunctionCode20150331v2",
            request=request,
            response=response,
            concerns=(("AWS::Lambda::Function", function.arn),),
        )
        return self._record(number, moment, who, deed)

    def _person_writes(self, number: int, moment: datetime) -> Record:
        """Somebody tags something or sets a log retention elsewhere."""
        who = self.people[number * 31 % len(self.people)]
        others = [one for one in self.functions if one.arn not in self.spared]
        function = others[number % len(others)]
        if number % 2:
            request: Json = {"resource": function.arn, "tags": {"reviewed": moment.strftime("%Y-%m")}}
            function.settings.set("tags.reviewed", moment.replace(microsecond=0), moment.strftime("%Y-%m"))
            deed = Deed(
                source="lambda",
                name="TagResource20170331v2",
                request=request,
                concerns=(("AWS::Lambda::Function", function.arn),),
            )
            return self._record(number, moment, who, deed)
        request = {"dashboardName": "overview", "dashboardBody": "HIDDEN_DUE_TO_SECURITY_REASONS"}
        return self._record(
            number, moment, who, Deed(source="monitoring", name="PutDashboard", request=request)
        )

    def _pipeline_reads(self, number: int, moment: datetime) -> Record:
        if number % 2:
            subject = "repo:example/services:ref:refs/heads/main"
            who = self.cast.web_identity(
                subject, self.cast.arn("iam", "oidc-provider/token.actions.githubusercontent.com")
            )
            arn = self.cast.arn("iam", "role/ci-functions")
            deed = Deed(
                source="sts",
                name="AssumeRoleWithWebIdentity",
                request={"roleArn": arn, "roleSessionName": f"run-{number}", "durationSeconds": 3600},
                response={"subjectFromWebIdentityToken": subject, "audience": "sts.amazonaws.com"},
                read_only=True,
                resources=(("AWS::IAM::Role", arn),),
            )
            return self._record(number, moment, who, deed)
        who = self.cast.ci("ci-functions", f"run-{number}")
        return self._record(number, moment, who, Deed(source="sts", name="GetCallerIdentity", read_only=True))

    def _rare(self, number: int, moment: datetime) -> Record:
        kind = number % 10
        if kind == 8:
            person = self.people[number * 31 % len(self.people)]
            return login(self.world, person, moment, f"noise:{number}")
        who, deed = self._rare_person(number, kind) if kind < 5 else self._rare_program(kind)
        return self._record(number, moment, who, deed)

    def _rare_person(self, number: int, kind: int) -> tuple[Identity, Deed]:
        """Root, other accounts, and people who come through a directory."""
        cast, deed = self.cast, Deed(source="sts", name="GetCallerIdentity", read_only=True)
        if kind == 0:
            who = cast.root("203.0.113.5")
            deed = Deed(source="iam", name="GetAccountSummary", read_only=True)
        elif kind == 1:
            who = cast.stranger("444455556666", "collector")
            arn = cast.arn("iam", "role/vendor-monitoring")
            request = {"roleArn": arn, "roleSessionName": "collector", "durationSeconds": 900}
            deed = Deed(
                source="sts",
                name="AssumeRole",
                request=request,
                read_only=True,
                resources=(("AWS::IAM::Role", arn),),
                extra={"sharedEventID": self.seed.uuid(f"shared:{number}")},
            )
        elif kind == 2:
            who = cast.federated("analyst", PEOPLE[-1])
        elif kind == 3:
            who = cast.saml("k.weber@example.com")
            arn = cast.arn("iam", "role/corp-readonly")
            request = {
                "roleArn": arn,
                "principalArn": cast.arn("iam", "saml-provider/corp"),
                "durationSeconds": 3600,
            }
            deed = Deed(source="sts", name="AssumeRoleWithSAML", request=request, read_only=True)
        else:
            who = cast.portal("r.silva")
            deed = Deed(source="sso", name="ListApplications", read_only=True)
        return who, deed

    def _rare_program(self, kind: int) -> tuple[Identity, Deed]:
        """AWS itself, stacks, pipelines, auditors."""
        cast = self.cast
        if kind == 5:
            who = cast.service("secretsmanager.amazonaws.com")
            secret = self.world.arn("secretsmanager", "secret:partner-api-key-Ab12Cd")
            deed = Deed(
                source="secretsmanager",
                name="RotationSucceeded",
                event_type="AwsServiceEvent",
                extra={"additionalEventData": {"SecretId": secret}},
            )
        elif kind == 6:
            who = cast.cloudformation("stacks-role", "AWSCloudFormation")
            deed = Deed(source="logs", name="DescribeLogGroups", request={"limit": 50}, read_only=True)
        elif kind == 7:
            who = cast.terraform("terraform-plan", "plan")
            deed = Deed(source="dynamodb", name="ListTables", request={"limit": 100}, read_only=True)
        else:
            who = cast.sso("ReadOnlyAccess", "k.weber", "203.0.113.44", console=False)
            secret = self.world.arn("secretsmanager", "secret:partner-api-key-Ab12Cd")
            deed = Deed(
                source="secretsmanager", name="DescribeSecret", request={"secretId": secret}, read_only=True
            )
        return who, deed


def login(world: World, who: Identity, moment: datetime, key: str) -> Record:
    """Somebody signs in to the console (AwsConsoleSignIn, in the global region)."""
    user = {name: value for name, value in who.user.items() if name not in ("sessionContext", "accessKeyId")}
    visitor = Identity(
        user=user,
        ip=who.ip,
        agent=BROWSER,
        username=who.username,
        name=who.name,
        how="console",
        kind=who.kind,
        mfa=who.mfa,
    )
    deed = Deed(
        source="signin",
        name="ConsoleLogin",
        response={"ConsoleLogin": "Success"},
        event_type="AwsConsoleSignIn",
        extra={
            "additionalEventData": {
                "LoginTo": f"https://console.aws.amazon.com/console/home?region={world.region}",
                "MobileVersion": "No",
                "MFAUsed": "Yes" if who.mfa else "No",
            }
        },
    )
    return record(world.seed, f"{key}:login", moment, 200, world.global_region, world.account, visitor, deed)


def add(world: World, spared: list[str], cast: list[Identity]) -> None:
    """Add the unrelated records of the last 30 hours, and of the next 90 minutes (runs may wait)."""
    seed, made = world.seed, world.cast
    browsers = [one for one in cast if one.from_console]
    browsers += [made.user_console(name, f"203.0.113.{100 + i}") for i, name in enumerate(PEOPLE[6:10])]
    browsers.append(made.sso("PowerUserAccess", "r.silva", "203.0.113.45", console=True))
    source = Noise(world, seed, made, frozenset(spared), browsers, world.of("function"))
    span = (BEFORE + AFTER).total_seconds()
    total = round(world.switches.noise * span / BEFORE.total_seconds())
    begin = world.start - BEFORE
    for number in range(total):
        offset = (number + seed.between(f"noise-time:{number}", 0, 1)) * span / max(1, total)
        world.trail.add(source.at(number, begin + timedelta(seconds=offset)))
