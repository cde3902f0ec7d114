"""The only door to AWS. Read-only by construction; every answer becomes evidence, every refusal a gap.

One `Aws` per run holds sessions, clients, token buckets and the budget. A node asks through its own `Reader`, which
numbers evidence in request order. Nothing but this module, `tools.recording` and `tools.parameters` imports botocore.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

import boto3
import botocore.exceptions
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from tools import denied, guard
from tools.arn import global_region, partition_of
from tools.budget import Budget
from tools.clock import Clock
from tools.errors import (
    BudgetSpent,
    CannotInvestigate,
    Denied,
    NoCredentials,
    NotRecorded,
    NotThere,
    Refused,
    Throttled,
    Unavailable,
)
from tools.evidence import EvidenceStore, canonical, excerpt
from tools.models import Evidence, Gap, Json
from tools.quota import Buckets
from tools.redact import redact
from tools.transport import Transport, WireAnswer, WireRequest

_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
}
_MISSING = {
    "ResourceNotFoundException",
    "ResourceNotFound",
    "NoSuchEntity",
    "NoSuchEntityException",
    "NotFoundException",
    "NotFound",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
}
_CREDENTIALS = {
    "ExpiredToken": "Your AWS session has expired. Sign in again (aws sso login, or new keys) and repeat the command.",
    "ExpiredTokenException": "Your AWS session has expired. Sign in again (aws sso login) and repeat the command.",
    "InvalidClientTokenId": "AWS does not know this access key. Check the profile, or sign in again.",
    "UnrecognizedClientException": "AWS does not know these credentials. Check the profile and the region.",
    "InvalidSignatureException": "AWS rejects the signature: the secret key is wrong or the clock of this machine is off.",
    "SignatureDoesNotMatch": "AWS rejects the signature: the secret key is wrong or the clock of this machine is off.",
}
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where a run looks and as whom."""

    region: str
    profile: str = ""
    role_arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A parsed answer without ResponseMetadata, and the id of the evidence made of it."""

    data: Json
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Items of a paged answer. `complete` is False when the page limit cut it."""

    items: tuple[Any, ...]
    evidence: tuple[str, ...]
    complete: bool

    def of(self, index: int, page_size: int) -> str:
        """The evidence id of the page that holds item `index`, when pages are full but the last."""
        return self.evidence[min(index // page_size, len(self.evidence) - 1)]


class _Body(BytesIO):
    """A raw body as botocore's AWSResponse wants it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(65536):
            yield chunk


class Aws:
    """Sessions, clients, buckets and budget of one run. Thread-safe. `close` ends it."""

    def __init__(
        self,
        account: Account,
        transport: Transport,
        clock: Clock,
        budget: Budget,
        store: EvidenceStore,
        *,
        own_account: str = "",
    ) -> None:
        self.place = account
        self.clock = clock
        self.budget = budget
        self.store = store
        self.as_of = clock.now()
        self._transport = transport
        self._buckets = Buckets(clock)
        self._account = own_account
        self._lock = threading.Lock()
        self._session: boto3.Session | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._random = random.Random(0)

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
        return self._account

    @property
    def virtual(self) -> bool:
        return self._transport.virtual

    def identify(self, reader: Reader) -> str:
        """Ask STS which account this is. Raises NoCredentials with what to do."""
        answer = reader.ask("sts", "GetCallerIdentity")
        self._account = str(answer.data["Account"])
        return self._account

    def client(self, service: str, region: str = "") -> Any:
        """A guarded boto3 client; one per service and region. The Bedrock client comes from here too."""
        key = (service, region or self.place.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make_client(*key)
            return self._clients[key]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._transport.close()

    def _make_client(self, service: str, region: str) -> Any:
        session = self._session or self._make_session()
        self._session = session
        client: Any = session.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            config=Config(
                retries={"total_max_attempts": 1, "mode": "standard"},
                connect_timeout=5,
                read_timeout=60,
                max_pool_connections=32,
                user_agent_extra="opsleuth",
            ),
        )
        guard.install(client)
        client.meta.events.register("provide-client-params.*.*", _remember_parameters, unique_id="opsleuth-params")
        client.meta.events.register("before-send.*.*", self._sender(client, service, region), unique_id="opsleuth")
        return client

    def _make_session(self) -> boto3.Session:
        if self._transport.virtual:
            return boto3.Session(aws_access_key_id="recorded", aws_secret_access_key="recorded")
        try:
            session = boto3.Session(profile_name=self.place.profile or None, region_name=self.place.region)
        except botocore.exceptions.ProfileNotFound as error:
            known = ", ".join(boto3.Session().available_profiles) or "none"
            raise NoCredentials(f"{error}. Profiles on this machine: {known}.") from error
        return self._assume(session) if self.place.role_arn else session

    def _assume(self, session: boto3.Session) -> boto3.Session:
        sts: Any = session.client("sts", region_name=self.place.region)
        guard.install(sts, role_arn=self.place.role_arn)
        try:
            keys = sts.assume_role(RoleArn=self.place.role_arn, RoleSessionName="opsleuth")["Credentials"]
        except botocore.exceptions.ClientError as error:
            raise NoCredentials(f"The role {self.place.role_arn} cannot be assumed: {error}") from error
        except botocore.exceptions.BotoCoreError as error:
            raise NoCredentials(_no_credentials(error, self.place)) from error
        return boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=self.place.region,
        )

    def _sender(self, client: Any, service: str, region: str) -> Callable[..., AWSResponse | None]:
        def send(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
            operation = client.meta.service_model.operation_model(event_name.split(".")[-1])
            answer = self._transport.send(
                WireRequest(
                    account=self._account,
                    region=region,
                    service=service,
                    operation=operation.name,
                    parameters=request.context.get("opsleuth", {}),
                    protocol=str(operation.service_model.resolved_protocol),
                    as_of=self.as_of,
                    now=self.clock.now(),
                    method=request.method,
                    url=request.url,
                    headers={str(k): _text(v) for k, v in request.headers.items()},
                    body=_bytes(request.body),
                )
            )
            return _response(request.url, answer)

        return send

    def ask(self, service: str, operation: str, region: str, parameters: Json) -> Json:
        """One call with retries on the run's clock. Raises Refused, BudgetSpent, NoCredentials."""
        client = self.client(service, region)
        method = getattr(client, _snake(client, operation))
        for attempt in range(1, _ATTEMPTS + 1):
            self.budget.take_call(f"{service}:{operation}")
            self._buckets.wait(self._account, region, service, operation)
            try:
                data: Json = method(**parameters)
            except botocore.exceptions.ClientError as error:
                if attempt < _ATTEMPTS and _passing(error):
                    self._back_off(attempt)
                    continue
                raise _refused(error, service, operation, parameters) from error
            except botocore.exceptions.ParamValidationError as error:
                raise CannotInvestigate(f"{service}:{operation} was asked wrongly: {error}") from error
            except (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError) as error:
                raise NoCredentials(_no_credentials(error, self.place)) from error
            except (botocore.exceptions.TokenRetrievalError, botocore.exceptions.SSOError) as error:
                raise NoCredentials(_no_credentials(error, self.place)) from error
            except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError) as error:
                if attempt < _ATTEMPTS:
                    self._back_off(attempt)
                    continue
                raise Unavailable(_gap(service, operation, f"no connection to AWS ({error})"), "Network") from error
            data.pop("ResponseMetadata", None)
            return data
        raise AssertionError("unreachable")

    def _back_off(self, attempt: int) -> None:
        self.clock.sleep(min(8.0, 0.25 * 2**attempt) * (0.5 + self._random.random() / 2))


@dataclass(slots=True)
class Reader:
    """One node's way to ask AWS. Numbers its evidence `<letter><n>` in request order and keeps what it could not see.

    `first` is the number of the node's next evidence, so that a second round goes on where the first ended.
    """

    aws: Aws
    letter: str
    first: int = 1
    as_of: datetime = field(init=False)
    evidence: list[Evidence] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.as_of = self.aws.as_of

    @property
    def region(self) -> str:
        return self.aws.region

    def ask(self, service: str, operation: str, *, region: str = "", **parameters: Any) -> Answer:
        """One answer. Raises Refused; use it inside `seeing` where the run can go on without it."""
        place = region or self.aws.region
        data = self.aws.ask(service, operation, place, parameters)
        text = redact(canonical(data))
        self.aws.budget.add_bytes(len(text))
        evidence = self._note(service, operation, parameters, place, self.as_of, text, excerpt(text))
        return Answer(data=data, evidence=evidence.id)

    def pages(
        self,
        service: str,
        operation: str,
        items: str,
        *,
        limit: int = 10,
        region: str = "",
        token: tuple[str, str] = ("NextToken", "NextToken"),
        **parameters: Any,
    ) -> Pages:
        """All items of up to `limit` pages. `token` names the token in the request and in the answer."""
        found: list[Any] = []
        evidence: list[str] = []
        following: Any = None
        for _ in range(limit):
            more = {} if following is None else {token[0]: following}
            answer = self.ask(service, operation, region=region, **parameters, **more)
            evidence.append(answer.evidence)
            found.extend(answer.data.get(items) or [])
            following = answer.data.get(token[1])
            if not following:
                break
        return Pages(items=tuple(found), evidence=tuple(evidence), complete=not following)

    def cite(self, answer: str, part: object, time: datetime | None = None) -> str:
        """Evidence of its own for one item of an earlier answer: its id."""
        base = next(item for item in self.evidence if item.id == answer)
        text = redact(part if isinstance(part, str) else canonical(part))
        made = self._note(
            base.service, base.operation, base.parameters, base.region, time or base.time, text, excerpt(text)
        )
        return made.id

    @contextmanager
    def seeing(self, what: str, would_show: str = "") -> Iterator[None]:
        """Go on without this view when AWS refuses it or the budget is spent; the gap is kept."""
        try:
            yield
        except Refused as refusal:
            gap = refusal.gap
            self.gaps.append(
                Gap(
                    what=what or gap.what,
                    why=gap.why,
                    would_show=would_show or gap.would_show,
                    lift=gap.lift,
                    statement=gap.statement,
                    code=gap.code,
                )
            )
        except BudgetSpent as spent:
            self.gaps.append(
                Gap(
                    what=what,
                    why=str(spent),
                    would_show=would_show,
                    lift="Run again with a larger budget.",
                    code="BudgetSpent",
                )
            )

    def missing(self, what: str, why: str, would_show: str = "", lift: str = "", code: str = "") -> None:
        """Note a gap that no refusal told."""
        self.gaps.append(Gap(what=what, why=why, would_show=would_show, lift=lift, code=code))

    def _note(
        self, service: str, operation: str, parameters: Json, region: str, time: datetime, text: str, short: str
    ) -> Evidence:
        made = Evidence(
            id=f"{self.letter}{self.first + len(self.evidence)}",
            service=service,
            operation=operation,
            parameters=_plain(parameters),
            region=region,
            account=self.aws.account,
            time=time,
            sha256=self.aws.store.put(text),
            excerpt=short,
        )
        self.evidence.append(made)
        return made


def _remember_parameters(params: Json, context: Json, **_: Any) -> None:
    context["opsleuth"] = dict(params)  # botocore hands this same context to before-send


def _plain(parameters: Mapping[str, Any]) -> Json:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in parameters.items()}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, bytes | bytearray) else bytes(body.read())


def _response(url: str, answer: WireAnswer) -> AWSResponse:
    from botocore.compat import HTTPHeaders

    headers = HTTPHeaders.from_dict(dict(answer.headers))
    return AWSResponse(url, answer.status, headers, _Body(answer.body))


def _snake(client: Any, operation: str) -> str:
    names: dict[str, str] = {v: k for k, v in client.meta.method_to_api_mapping.items()}
    return names[operation]


def _passing(error: botocore.exceptions.ClientError) -> bool:
    code = error.response.get("Error", {}).get("Code", "")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return code in _THROTTLED or status >= 500


def _gap(service: str, operation: str, why: str, code: str = "") -> Gap:
    return Gap(what=f"{service}:{operation}", why=why, code=code)


def _refused(error: botocore.exceptions.ClientError, service: str, operation: str, parameters: Json) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    if code in _CREDENTIALS:
        return NoCredentials(_CREDENTIALS[code])
    if denied.is_denial(code, message):
        return Denied(denied.gap(service, operation, parameters, message), code)
    if code in _THROTTLED:
        why = f"AWS throttled the call {_ATTEMPTS} times"
        return Throttled(
            Gap(what=f"{service}:{operation}", why=why, lift="Try again in a minute.", code="Throttled"), code
        )
    if code in _MISSING:
        return NotThere(_gap(service, operation, f"AWS says it does not exist: {message}", "NotThere"), code)
    if code == "NotRecorded":
        return NotRecorded(_gap(service, operation, message, "NotRecorded"), code)
    return Unavailable(_gap(service, operation, f"AWS answered {code}: {message}", code), code)


def _no_credentials(error: Exception, place: Account) -> str:
    text = str(error)
    if "sso" in text.lower() or "token" in text.lower():
        who = f" --profile {place.profile}" if place.profile else ""
        return f"Your AWS session has expired. Run: aws sso login{who}"
    return (
        "No AWS credentials were found. Name a profile (--profile NAME), set AWS_PROFILE, or run: aws configure sso. "
        "Without an account, try: opsleuth demo"
    )
