"""The only door to AWS. Read-only by construction; every answer becomes evidence, every refusal a gap.

One `Aws` per run holds sessions by account, clients by account, region and service, token buckets and the budget. A
node asks through its own `Reader`, which numbers evidence in request order. `Aws.at` is the same run in another account
or region.
"""

from __future__ import annotations

import copy
import difflib
import os
import re
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

import boto3
import botocore.exceptions as faults
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from tools import guard
from tools.arn import global_region, partition_of
from tools.budget import Budget
from tools.clock import Clock
from tools.errors import BadInput, CannotInvestigate, NoCredentials, OpsleuthError, Unavailable
from tools.evidence import EvidenceStore, canonical
from tools.models import Gap, Json
from tools.quota import Buckets
from tools.reader import Answer, Pages, Reader
from tools.recording import LiveTransport
from tools.refusals import Refusal, error_of, is_passing
from tools.spaces import Space, by_account, shut, way_in
from tools.transport import Transport, WireAnswer, WireRequest

__all__ = ["Account", "Answer", "Aws", "LiveTransport", "Pages", "Reader", "region_of"]

_ATTEMPTS = 5
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")  # as most answers write a time
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # a region is part of a host name
_LONGEST_BACK_OFF = 8.0
_CREDENTIAL_FAULTS = (
    faults.ConfigNotFound,
    faults.ConfigParseError,
    faults.CredentialRetrievalError,
    faults.InvalidConfigError,
    faults.LoginError,
    faults.MetadataRetrievalError,
    faults.NoAuthTokenError,
    faults.NoCredentialsError,
    faults.PartialCredentialsError,
    faults.ProfileNotFound,
    faults.SSOError,
    faults.TokenRetrievalError,
    faults.UnknownCredentialError,
)
_NETWORK_FAULTS = (faults.ConnectionError, faults.HTTPClientError, ResponseParserError)
# What the machine is set up for must not reach a replay: no profile, no configuration file.
_NOTHING_SET = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where a run looks and as whom."""

    region: str
    profile: str = ""
    role_arn: str = ""


class _Body(BytesIO):
    """A raw body as botocore's AWSResponse wants it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(65536):
            yield chunk


_USER_AGENT = f"opsleuth Botocore/{botocore.__version__}"
"""The whole of it: botocore would make its own anew from a dozen parts, twice a call."""


class Aws:
    """Sessions, clients, buckets and budget of one run. Thread-safe. `close` ends it.

    `as_of` is the end of what is looked at; the planner moves it when it looks again.
    """

    def __init__(
        self,
        account: Account,
        transport: Transport,
        clock: Clock,
        budget: Budget,
        store: EvidenceStore,
        *,
        own_account: str = "",
        spaces: Iterable[Space] = (),
    ) -> None:
        self.place = account
        self.clock = clock
        self.budget = budget
        self.store = store
        self._as_of: datetime = clock.now()
        self._transport = transport
        self._buckets = Buckets(clock)
        self._account = own_account
        self._spaces = by_account(spaces)
        self._run: Aws = self  # what `at` was asked of, for all its copies
        self._whose = ""  # the account, when it is not the run's own
        self._lock = threading.Lock()
        self._sessions: dict[str, boto3.Session] = {}  # by `_whose`
        self._clients: dict[tuple[str, str, str], Any] = {}  # by `_whose`, service and region
        self._methods: dict[tuple[str, str, str, str], Callable[..., Json]] = {}  # and operation
        self._shut: dict[str, str] = {}  # accounts whose space leads nowhere, and why

    @property
    def as_of(self) -> datetime:
        return self._run._as_of

    @as_of.setter
    def as_of(self, moment: datetime) -> None:
        self._run._as_of = moment

    @property
    def own_account(self) -> str:
        """The run's own account, wherever this looks."""
        return self._run._account

    def at(self, account: str = "", region: str = "") -> Aws:
        """The same run in an account and a region, by default its own: same budget, clock, quotas and store.

        Raises Refused, with a gap, when no space leads there.
        """
        run = self._run
        # What AWS itself owns has "aws" for an account; before `identify` every account may be the own one.
        whose = account if run._account and account.isdigit() and account != run._account else ""
        if whose in self._shut:
            raise shut(whose, self._shut[whose])
        space = way_in(self._spaces, whose, region) if whose else None
        home = run.place.region
        if space is None:
            place = replace(run.place, region=region or home)
        else:
            default = home if home in space.regions or not space.regions else space.regions[0]
            profile = space.profile or run.place.profile
            place = Account(region=region or default, profile=profile, role_arn=space.role_arn)
        if (whose, place.region) == (self._whose, self.place.region):
            return self
        if not whose and place.region == home:
            return run
        made = copy.copy(run)
        made.place, made._whose = place, whose
        return made

    @property
    def region(self) -> str:
        return self.place.region

    @property
    def global_region(self) -> str:
        return global_region(self.place.region)

    @property
    def partition(self) -> str:
        return partition_of(self.place.region)

    @property
    def account(self) -> str:
        """The account id, once `identify` has been called."""
        return self._whose or self._run._account

    @property
    def virtual(self) -> bool:
        return self._transport.virtual

    def regions(self) -> tuple[str, ...]:
        """Regions of this partition in which CloudWatch exists, as botocore knows them."""
        return tuple(sorted(_bare_session().get_available_regions("cloudwatch", self.partition)))

    def identify(self, reader: Reader) -> str:
        """Ask STS which account this is. Raises NoCredentials with what to do."""
        answer = reader.ask("sts", "GetCallerIdentity")
        self._run._account = str(answer.data["Account"])
        return self._run._account

    def client(self, service: str, region: str = "") -> Any:
        """A guarded boto3 client; one per account, service and region. The Bedrock client comes from here too."""
        key = (self._whose, service, region or self.place.region)
        with self._lock:
            if key not in self._clients:
                if self._whose not in self._sessions:
                    self._sessions[self._whose] = self._make_session()
                self._clients[key] = self._make_client(self._sessions[self._whose], *key[1:])
            return self._clients[key]

    def _method(self, service: str, operation: str, region: str) -> Callable[..., Json]:
        """The client's method of an operation, found once."""
        key = (self._whose, service, region, operation)
        if (known := self._methods.get(key)) is None:
            client = self.client(service, region)
            known = self._methods[key] = getattr(client, _method(client, operation))
        return known

    def close(self) -> None:
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
            self._methods.clear()
        for client in clients:
            client.close()
        self._transport.close()

    def ask(self, service: str, operation: str, region: str, parameters: Json) -> Json:
        """One call with retries on the run's clock. Raises Refused, BudgetSpent, NoCredentials, BadInput.

        Where another account does not let opsleuth in, that is a gap and no end of the run.
        """
        try:
            return self._ask_often(service, operation, region, parameters)
        except NoCredentials as error:
            if not self._whose:
                raise
            self._shut[self._whose] = str(error)
            raise shut(self._whose, error) from error

    def _ask_often(self, service: str, operation: str, region: str, parameters: Json) -> Json:
        attempt = 1
        while True:
            try:
                return self._ask_once(service, operation, region, parameters)
            except faults.ClientError as error:
                refusal = self._refusal(error, service, operation, region, parameters, attempt)
                if attempt == _ATTEMPTS or not is_passing(refusal.code, refusal.status):
                    raise error_of(refusal) from error
            except _NETWORK_FAULTS as error:
                if attempt == _ATTEMPTS:
                    raise _unreachable(error, service, operation, region) from error
            except faults.BotoCoreError as error:
                raise self._misfit(error, service, operation, region) from error
            self._back_off(attempt, operation, parameters)
            attempt += 1

    def _ask_once(self, service: str, operation: str, region: str, parameters: Json) -> Json:
        self.budget.take_call(f"{service}:{operation}")
        self.budget.begin(self.clock.now())
        try:
            self._buckets.wait(self.account, region, service, operation)
            data: Json = self._method(service, operation, region)(**parameters)
        finally:
            self.budget.end(self.clock.now())
        data.pop("ResponseMetadata", None)
        return data

    def _back_off(self, attempt: int, operation: str, parameters: Json) -> None:
        """Wait, on the run's clock, between half and all of a doubling step; the same call waits the same."""
        spread = zlib.crc32(f"{operation}{attempt}{canonical(parameters)}".encode()) / 2**32
        self.budget.begin(self.clock.now())
        try:
            self.clock.sleep(min(_LONGEST_BACK_OFF, 0.25 * 2**attempt) * (0.5 + spread / 2))
        finally:
            self.budget.end(self.clock.now())

    def _refusal(
        self,
        error: faults.ClientError,
        service: str,
        operation: str,
        region: str,
        parameters: Json,
        attempt: int,
    ) -> Refusal:
        said = error.response.get("Error", {})
        return Refusal(
            service=service,
            operation=operation,
            parameters=parameters,
            region=region,
            code=str(said.get("Code", "")),
            message=str(said.get("Message", "")),
            status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
            attempts=attempt,
            known_account=bool(self.account) and region != self._run.place.region,
        )

    def _misfit(
        self, error: faults.BotoCoreError, service: str, operation: str, region: str
    ) -> OpsleuthError:
        """What botocore itself could not do: no credentials, no such region or service, wrong parameters."""
        if isinstance(error, _CREDENTIAL_FAULTS):
            return NoCredentials(_no_credentials(error, self.place.profile))
        if isinstance(error, faults.NoRegionError):
            return BadInput("No region is set. Name one: --region eu-west-1, or set AWS_REGION.")
        if isinstance(error, faults.ParamValidationError):
            return CannotInvestigate(f"{service}:{operation} was asked wrongly: {error}")
        why = f"botocore cannot make this call in {region}: {error}"
        return Unavailable(
            Gap(what=f"{service}:{operation}", why=why, code="NotOffered"), type(error).__name__
        )

    def _make_session(self) -> boto3.Session:
        if self._transport.virtual:
            bare = _bare_session()
            bare.set_credentials("recorded", "recorded")
            _in_utc(bare)
            return boto3.Session(botocore_session=bare)
        check_region(self.place.region)
        session = boto3.Session(profile_name=self.place.profile or None, region_name=self.place.region)
        session = self._assumed(session) if self.place.role_arn else session
        _in_utc(session._session)
        if self._whose and not self.place.role_arn:
            self._check_owner(session)
        return session

    def _check_owner(self, session: boto3.Session) -> None:
        """Raises NoCredentials when a profile is of another account than the space that names it."""
        sts = self._make_client(session, "sts", self.place.region)
        try:
            found = str(sts.get_caller_identity()["Account"])
        except faults.ClientError as error:
            raise NoCredentials(f"the profile's account cannot be asked: {error}") from error
        if found != self._whose:
            raise NoCredentials(f"the profile {self.place.profile or 'default'} is of account {found}")

    def _assumed(self, session: boto3.Session) -> boto3.Session:
        """A session of the role, renewed before it expires: a run may wait longer than a role session
        lasts.
        """
        sts = self._make_client(session, "sts", self.place.region, role_arn=self.place.role_arn)

        def renew() -> dict[str, str]:
            try:
                keys = sts.assume_role(RoleArn=self.place.role_arn, RoleSessionName="opsleuth")["Credentials"]
            except faults.ClientError as error:
                raise NoCredentials(f"The role {self.place.role_arn} cannot be assumed: {error}") from error
            return {
                "access_key": keys["AccessKeyId"],
                "secret_key": keys["SecretAccessKey"],
                "token": keys["SessionToken"],
                "expiry_time": keys["Expiration"].isoformat(),
            }

        inner = botocore.session.Session()
        # botocore has no public way to hand over credentials that renew themselves.
        inner._credentials = RefreshableCredentials.create_from_metadata(renew(), renew, "assume-role")  # type: ignore[attr-defined]
        return boto3.Session(botocore_session=inner, region_name=self.place.region)

    def _make_client(self, session: boto3.Session, service: str, region: str, role_arn: str = "") -> Any:
        # The same request everywhere: nothing in it comes from the account id or the settings of the machine.
        options: dict[str, Any] = {
            "retries": {"total_max_attempts": 1, "mode": "standard"},
            "user_agent": _USER_AGENT,
            "account_id_endpoint_mode": "disabled",
            "ignore_configured_endpoint_urls": self._transport.virtual,
            "defaults_mode": "legacy",
        }
        if not _LABEL.fullmatch(region):
            raise BadInput(f'"{region}" is not an AWS region. Regions look like eu-west-1.')
        client: Any = session.client(service, region_name=region, config=Config(**options))  # type: ignore[call-overload]
        guard.install(client, role_arn=role_arn)
        events = client.meta.events
        events.register("provide-client-params.*.*", _remember_parameters, unique_id="opsleuth-params")
        # One attempt is all that botocore makes, so its judging of each answer decides nothing; `ask` judges.
        name = client.meta.service_model.service_id.hyphenize()
        events.unregister(f"needs-retry.{name}", unique_id=f"retry-config-{name}")
        events.register("before-send.*.*", self._sender(client, service, region), unique_id="opsleuth")
        if self._transport.virtual:  # the guard is asked before: it was registered first
            events.register("choose-signer.*.*", _unsigned, unique_id="opsleuth-unsigned")
        return client

    def _sender(self, client: Any, service: str, region: str) -> Callable[..., AWSResponse | None]:
        def send(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
            operation = client.meta.service_model.operation_model(event_name.rsplit(".", maxsplit=1)[-1])
            answer = self._transport.send(
                WireRequest(
                    account=self.account,
                    region=region,
                    service=service,
                    operation=operation.name,
                    parameters=request.context.get("opsleuth", {}),
                    protocol=str(operation.service_model.resolved_protocol),
                    as_of=self.as_of,
                    now=self.clock.now(),
                    method=request.method,
                    url=request.url,
                    headers={str(key): _text(value) for key, value in request.headers.items()},
                    body=_bytes(request.body),
                )
            )
            return _response(request.url, answer)

        return send


def region_of(profile: str) -> str:
    """The region that a profile (or AWS_REGION) names. Raises BadInput when none does, NoCredentials
    without it.
    """
    try:
        named = "" if profile else os.environ.get("AWS_REGION", "")  # botocore reads AWS_DEFAULT_REGION only
        name = named or boto3.Session(profile_name=profile or None).region_name
    except _CREDENTIAL_FAULTS as error:
        raise NoCredentials(_no_credentials(error, profile)) from error
    if not name:
        raise BadInput("No region is set. Name one: --region eu-west-1, or set AWS_REGION.")
    return str(name)


@cache
def models() -> Any:
    """botocore's descriptions of AWS, read once a process: reading them is most of the cost of a client."""
    return create_loader()


def _bare_session() -> Any:
    session = botocore.session.Session(session_vars=_NOTHING_SET)
    session.register_component("data_loader", models())
    return session


def _in_utc(session: Any) -> None:
    """Times of answers in UTC: botocore gives numbers of seconds in the machine's zone."""

    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment_of)


def moment_of(value: Any) -> datetime:
    """The moment that an answer tells in seconds or as text, in UTC. Raises ValueError for what is none."""
    if isinstance(value, float | int):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError, ValueError):
            pass  # botocore knows a way for years that the machine does not
    elif isinstance(value, str) and _ISO.fullmatch(value):
        return datetime.fromisoformat(value).astimezone(UTC)
    moment: datetime = parse_timestamp(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def check_region(region: str) -> None:
    """Raises BadInput for what cannot be a region. A region newer than botocore passes."""
    session = _bare_session()
    known = sorted(
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("ec2", partition)
    )
    if region in known or (
        re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", region) and not _is_typo(region, known)
    ):
        return
    near = difflib.get_close_matches(region, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else " Regions look like eu-west-1."
    raise BadInput(f'"{region}" is not an AWS region.{hint}')


def _is_typo(region: str, known: list[str]) -> bool:
    """A new region shares its words with known ones: eu-west-9 may come, eu-wst-1 will not."""
    words = {word for name in known for word in name.split("-")[:-1]}
    return not set(region.split("-")[:-1]) <= words


def _no_credentials(error: Exception, profile: str) -> str:
    if isinstance(error, faults.ProfileNotFound):
        names = ", ".join(_profiles()) or "none"
        return f"{error}. Profiles on this machine: {names}."
    if isinstance(error, faults.ConfigParseError | faults.ConfigNotFound | faults.InvalidConfigError):
        return f"The AWS settings of this machine cannot be used: {error}. Correct ~/.aws/config."
    if isinstance(error, faults.SSOError | faults.TokenRetrievalError | faults.NoAuthTokenError):
        return f"Your AWS session has expired. Run: aws sso login{f' --profile {profile}' if profile else ''}"
    if isinstance(error, faults.LoginError):
        return f"Your AWS session has expired. Run: aws login{f' --profile {profile}' if profile else ''}"
    if isinstance(error, faults.PartialCredentialsError):
        return f"The AWS credentials are incomplete: {error}. Set the missing part, or name a profile."
    if isinstance(error, faults.CredentialRetrievalError | faults.MetadataRetrievalError):
        return f"The AWS credentials could not be fetched: {error}. Check the profile, or sign in again."
    return (
        "No AWS credentials were found. Name a profile (--profile NAME), set AWS_PROFILE, or run: "
        "aws configure sso. Without an account, try: opsleuth demo"
    )


def _profiles() -> list[str]:
    session = botocore.session.Session()
    session.set_config_variable("profile", None)
    return sorted(session.available_profiles)


def _unreachable(error: Exception, service: str, operation: str, region: str) -> Unavailable:
    if isinstance(error, ResponseParserError):
        why = f"AWS's answer could not be read ({' '.join(str(error).split())[:200]})."
    elif isinstance(error, faults.SSLError):
        why = (
            "The certificate of the other end was not accepted. A proxy may be in between: set AWS_CA_BUNDLE."
        )
    else:
        why = f"{service} in {region} could not be reached ({error})."
    lift = "Check the network and the proxy, and that the region is right."
    return Unavailable(Gap(what=f"{service}:{operation}", why=why, lift=lift, code="Network"), "Network")


def _remember_parameters(params: Json, context: Json, **_: Any) -> None:
    context["opsleuth"] = dict(params)  # botocore hands this same context to before-send


def _unsigned(**_: Any) -> object:
    """No signature where nothing leaves the process: it would be half of what a call costs."""
    return botocore.UNSIGNED


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, bytes | bytearray) else bytes(body.read())


def _response(url: str, answer: WireAnswer) -> AWSResponse:
    headers: Any = dict(answer.headers)  # botocore makes its own of any mapping
    return AWSResponse(url, answer.status, headers, _Body(answer.body))


def _method(client: Any, operation: str) -> str:
    names: dict[str, str] = {
        operation: method for method, operation in client.meta.method_to_api_mapping.items()
    }
    if operation not in names:
        raise CannotInvestigate(f"{client.meta.service_model.service_name} has no operation {operation}.")
    return names[operation]
