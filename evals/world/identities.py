"""Who acts in a world, and how CloudTrail writes it down (user guide, "CloudTrail userIdentity element")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evals.world.seed import Seed
from tools.arn import partition_of
from tools.models import Json

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/133.0.0.0 Safari/537.36"
)
CLI = (
    "aws-cli/2.27.41 md/awscrt#0.26.1 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.4 md/pyimpl#CPython "
    "cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#{command}"
)
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) terraform-provider-aws/5.94.1 "
    "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.36.3"
)


def stamp(moment: datetime) -> str:
    """A time as CloudTrail writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One way in which somebody acts. The last four fields are what is true of it, for the ledger."""

    user: Json  # userIdentity; creationDate is filled in per event
    ip: str
    agent: str
    username: str = ""  # what LookupEvents calls Username
    key: str = ""
    from_console: bool = False
    name: str = ""
    how: str = ""
    kind: str = ""
    mfa: bool | None = None
    role: str = ""

    def at(self, moment: datetime) -> Json:
        """The userIdentity element of an event."""
        context = self.user.get("sessionContext")
        if context is None:
            return dict(self.user)
        since = moment - timedelta(minutes=7 + moment.minute % 20, seconds=moment.second)
        attributes = {"creationDate": stamp(since)} | context.get("attributes", {})
        return self.user | {"sessionContext": context | {"attributes": attributes}}


@dataclass(frozen=True, slots=True)
class Cast:
    """Makes identities of one account from its seed."""

    seed: Seed
    account: str
    region: str

    def _id(self, prefix: str, key: str) -> str:
        return prefix + self.seed.letters(f"id:{prefix}:{key}", 16)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{partition_of(self.region)}:{service}::{self.account}:{resource}"

    def user_console(self, name: str, ip: str, mfa: bool = True) -> Identity:
        key = self._id("ASIA", f"console:{name}")
        return Identity(
            user={
                "type": "IAMUser",
                "principalId": self._id("AIDA", name),
                "arn": self.arn("iam", f"user/{name}"),
                "accountId": self.account,
                "accessKeyId": key,
                "userName": name,
                "sessionContext": {"attributes": {"mfaAuthenticated": "true" if mfa else "false"}},
            },
            ip=ip,
            agent=BROWSER,
            username=name,
            key=key,
            from_console=True,
            name=name,
            how="console",
            kind="iam_user",
            mfa=mfa,
        )

    def user_cli(self, name: str, ip: str, command: str) -> Identity:
        key = self._id("AKIA", f"cli:{name}")
        return Identity(
            user={
                "type": "IAMUser",
                "principalId": self._id("AIDA", name),
                "arn": self.arn("iam", f"user/{name}"),
                "accountId": self.account,
                "accessKeyId": key,
                "userName": name,
            },
            ip=ip,
            agent=CLI.format(command=command),
            username=name,
            key=key,
            name=name,
            how="cli",
            kind="iam_user",
        )

    def role(
        self,
        role: str,
        session: str,
        ip: str,
        agent: str,
        *,
        path: str = "",
        how: str = "sdk",
        kind: str = "role",
    ) -> Identity:
        principal = self._id("AROA", role)
        key = self._id("ASIA", f"role:{role}:{session}")
        return Identity(
            user={
                "type": "AssumedRole",
                "principalId": f"{principal}:{session}",
                "arn": self.arn("sts", f"assumed-role/{role}/{session}"),
                "accountId": self.account,
                "accessKeyId": key,
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": principal,
                        "arn": self.arn("iam", f"role/{path}{role}"),
                        "accountId": self.account,
                        "userName": role,
                    },
                    "attributes": {"mfaAuthenticated": "false"},
                },
            },
            ip=ip,
            agent=agent,
            username=session,
            key=key,
            name=session if kind == "identity_center_user" else role,
            how=how,
            kind=kind,
            mfa=False,
            role=role,
        )

    def sso(self, permission_set: str, person: str, ip: str, console: bool) -> Identity:
        suffix = self.seed.hex(f"sso:{permission_set}", 16)
        path = f"aws-reserved/sso.amazonaws.com/{self.region}/"
        made = self.role(
            f"AWSReservedSSO_{permission_set}_{suffix}",
            person,
            ip,
            BROWSER if console else CLI.format(command="sts.get-caller-identity"),
            path=path,
            how="console" if console else "cli",
            kind="identity_center_user",
        )
        behalf = {
            "userId": self.seed.uuid(f"sso-user:{person}"),
            "identityStoreArn": self.arn("identitystore", "identitystore/d-9067f0a1b2"),
        }
        return _changed(made, user=made.user | {"onBehalfOf": behalf}, from_console=console)

    def ci(self, role: str, run: str) -> Identity:
        """A pipeline that came in by OpenID Connect."""
        made = self.role(
            role,
            run,
            "203.0.113.200",
            "aws-sdk-js/3.758.0 ua/2.1 os/linux#6.11.0 lang/js md/nodejs#22.14.0",
            how="ci",
            kind="ci",
        )
        provider = self.arn("iam", "oidc-provider/token.actions.githubusercontent.com")
        web = {"federatedProvider": provider, "attributes": {}}
        context = made.user["sessionContext"] | {"webIdFederationData": web}
        return _changed(made, user=made.user | {"sessionContext": context})

    def terraform(self, role: str, session: str) -> Identity:
        return self.role(role, session, "203.0.113.77", TERRAFORM, how="terraform", kind="iac")

    def cloudformation(self, role: str, session: str) -> Identity:
        made = self.role(
            role,
            session,
            "cloudformation.amazonaws.com",
            "cloudformation.amazonaws.com",
            how="cloudformation",
            kind="cloudformation",
        )
        return _changed(made, user=made.user | {"invokedBy": "cloudformation.amazonaws.com"})

    def function(self, role: str, function: str) -> Identity:
        """A Lambda function acting through its role."""
        return self.role(
            role, function, "203.0.113.150", "Boto3/1.37.9 md/Botocore#1.37.9 exec-env/AWS_Lambda_python3.12"
        )

    def decrypting(self, role: str, function: str) -> Identity:
        made = self.function(role, function)
        return _changed(
            made,
            user=made.user | {"invokedBy": "lambda.amazonaws.com"},
            ip="lambda.amazonaws.com",
            agent="lambda.amazonaws.com",
        )

    def autoscaling(self) -> Identity:
        """Application Auto Scaling through its service-linked role."""
        host = "dynamodb.application-autoscaling.amazonaws.com"
        return _changed(
            self.role(
                "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
                "AutoScaling-ManageAlarms",
                host,
                host,
                path=f"aws-service-role/{host}/",
                how="service",
                kind="service_linked_role",
            ),
            from_console=False,
        )

    def service(self, host: str) -> Identity:
        return Identity(
            user={"type": "AWSService", "invokedBy": host},
            ip=host,
            agent=host,
            name=host,
            how="service",
            kind="aws_service",
        )

    def root(self, ip: str) -> Identity:
        key = self._id("ASIA", "root")
        return Identity(
            user={
                "type": "Root",
                "principalId": self.account,
                "arn": self.arn("iam", "root"),
                "accountId": self.account,
                "accessKeyId": key,
                "sessionContext": {"attributes": {"mfaAuthenticated": "true"}},
            },
            ip=ip,
            agent=BROWSER,
            username="root",
            key=key,
            from_console=True,
            name="root",
            how="console",
            kind="root",
            mfa=True,
        )

    def stranger(self, account: str, session: str) -> Identity:
        """Another account that assumes a role of this one."""
        return Identity(
            user={
                "type": "AWSAccount",
                "principalId": f"{self._id('AROA', account)}:{session}",
                "accountId": account,
            },
            ip="203.0.113.90",
            agent="Boto3/1.36.20 md/Botocore#1.36.20 exec-env/AWS_ECS_FARGATE",
            name=account,
            how="sdk",
            kind="other_account",
        )

    def federated(self, name: str, issuer: str) -> Identity:
        key = self._id("ASIA", f"federated:{name}")
        return Identity(
            user={
                "type": "FederatedUser",
                "principalId": f"{self.account}:{name}",
                "arn": self.arn("sts", f"federated-user/{name}"),
                "accountId": self.account,
                "accessKeyId": key,
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "IAMUser",
                        "principalId": self._id("AIDA", issuer),
                        "arn": self.arn("iam", f"user/{issuer}"),
                        "accountId": self.account,
                        "userName": issuer,
                    },
                    "attributes": {"mfaAuthenticated": "false"},
                },
            },
            ip="203.0.113.61",
            agent="aws-sdk-go-v2/1.36.3 os/linux lang/go#1.24.1",
            username=name,
            key=key,
            name=name,
            how="sdk",
            kind="federated_user",
        )

    def web_identity(self, subject: str, provider: str) -> Identity:
        return Identity(
            user={
                "type": "WebIdentityUser",
                "principalId": f"{provider}:{subject}",
                "userName": subject,
                "identityProvider": provider,
            },
            ip="203.0.113.200",
            agent="aws-sdk-js/3.758.0 ua/2.1 os/linux#6.11.0 lang/js md/nodejs#22.14.0",
            username=subject,
            name=subject,
            how="ci",
            kind="ci",
        )

    def saml(self, person: str) -> Identity:
        return Identity(
            user={
                "type": "SAMLUser",
                "principalId": f"{self.seed.letters('saml', 27)}=:{person}",
                "userName": person,
                "identityProvider": "https://idp.example.com/saml",
            },
            ip="203.0.113.44",
            agent=BROWSER,
            username=person,
            name=person,
            how="console",
            kind="federated_user",
        )

    def portal(self, person: str) -> Identity:
        """Somebody on the access portal of IAM Identity Center."""
        return Identity(
            user={
                "type": "IdentityCenterUser",
                "accountId": self.account,
                "onBehalfOf": {
                    "userId": self.seed.uuid(f"sso-user:{person}"),
                    "identityStoreArn": self.arn("identitystore", "identitystore/d-9067f0a1b2"),
                },
                "credentialId": self.seed.hex(f"portal:{person}", 32),
            },
            ip="203.0.113.45",
            agent=BROWSER,
            username=person,
            name=person,
            how="console",
            kind="identity_center_user",
        )


def _changed(identity: Identity, **fields: object) -> Identity:
    return replace(identity, **fields)  # type: ignore[arg-type]
