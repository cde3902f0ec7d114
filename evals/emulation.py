"""An AWS account of one rehearsal: moto's backends behind clients that can reach nothing else.

moto's own switch (`mock_aws`) turns interception on for every client of the process; here each request is handed to
moto by a hook on clients of our own instead, so that nothing else in the process is touched and what moto does not
know stops here. moto keeps the state of its accounts in process-wide variables: hence the lock.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import Any

import boto3
import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from tools.aws import models
from tools.errors import OpsleuthError
from tools.models import Call, Json

_lock = threading.RLock()
_account = threading.local()
_IMAGES = "MOTO_EC2_LOAD_DEFAULT_AMIS"
_UNKNOWN = ("not yet implemented", "not implemented", "has not been implemented")
_BROKEN = (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError)
"""What moto raises where it meets parameters that it was not written for."""


class NotEmulated(OpsleuthError):
    """moto does not know this operation, or breaks on it: nothing can be said about the call."""


class CallRefused(OpsleuthError):
    """The call was answered with an error, or botocore would not send it."""


Supplement = Callable[["Emulation", Call], Json]
"""Answers an operation in moto's place, or corrects moto's answer. It may keep what it needs in `memory`."""


@dataclass(frozen=True, slots=True)
class Emulation:
    """One emulated account, empty at first. Valid inside `emulation` only."""

    account: str
    region: str
    supplements: Mapping[tuple[str, str], Supplement] = field(default_factory=dict)  # by service, operation
    memory: Json = field(default_factory=dict)

    def client(self, service: str, region: str = "") -> Any:
        """A boto3 client of this account. Requests that moto has no answer for raise NotEmulated."""
        return _client(service, region or self.region)

    def call(self, call: Call) -> Json:
        """The answer to one call of a plan. Raises NotEmulated or CallRefused."""
        supplement = self.supplements.get((call.service, call.operation))
        return supplement(self, call) if supplement else self.send(call)

    def send(self, call: Call) -> Json:
        """moto's own answer. Raises NotEmulated or CallRefused."""
        client = self.client(call.service, call.region)
        name = f"{call.service}:{call.operation}"
        try:
            answer: Json = getattr(client, xform_name(call.operation))(**call.parameters)
        except NotImplementedError as error:
            raise NotEmulated(f"moto has no {name}") from error
        except ParamValidationError as error:
            raise CallRefused(f"{name} is no valid call: {error}") from error
        except ClientError as error:
            raise _told(name, error) from error
        except ImportError as error:
            raise NotEmulated(f"moto's {call.service} needs {error.name}, which is not installed") from error
        except _BROKEN as error:
            raise NotEmulated(f"moto breaks on {name} ({type(error).__name__}: {error})") from error
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


@contextmanager
def emulation(
    account: str, region: str, supplements: Mapping[tuple[str, str], Supplement] | None = None
) -> Iterator[Emulation]:
    """An empty account; one at a time in a process, and gone afterwards."""
    from moto.core.base_backend import BackendDict
    from moto.moto_api._internal import mock_random

    with _lock, _without_images():
        BackendDict.reset()
        _account.id = account
        mock_random.seed(0)  # equal calls give equal ids: two accounts can be compared
        try:
            yield Emulation(account, region, supplements or {})
        finally:
            BackendDict.reset()
            _account.id = ""


@contextmanager
def _without_images() -> Iterator[None]:
    """moto makes its list of EC2 images in every new account, which takes a second that nobody needs."""
    before = os.environ.get(_IMAGES)
    os.environ[_IMAGES] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_IMAGES]
        else:
            os.environ[_IMAGES] = before


def _told(name: str, error: ClientError) -> OpsleuthError:
    shown = error.response.get("Error", {})
    code, message = str(shown.get("Code", "")), str(shown.get("Message", ""))
    unknown = any(text in f"{code} {message}".lower() for text in _UNKNOWN)
    if unknown or (code, message) == ("404", "Not Found") or code in ("501", "InternalFailure"):
        return NotEmulated(f"moto has no {name} ({message or code})")
    return CallRefused(f"{name} is refused: {code}: {message}")


@lru_cache(maxsize=64)
def _client(service: str, region: str) -> Any:
    client = _session().client(service, region_name=region)
    client.meta.events.register_first("before-send.*.*", _send)
    return client


@lru_cache(maxsize=1)
def _session() -> Any:
    bare = botocore.session.Session()
    bare.register_component(
        "data_loader", models()
    )  # read once a process: the model of EC2 alone takes a second
    made = boto3.Session(
        aws_access_key_id="rehearsal", aws_secret_access_key="rehearsal", botocore_session=bare
    )
    made._session.set_default_client_config(Config(retries={"max_attempts": 0, "mode": "standard"}))
    return made


def answered(
    account: str, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of moto's answer to a request in AWS's wire format, for `account`.

    Raises NotEmulated where moto knows nothing of the address, and whatever moto raises where it breaks.
    """
    sent = HTTPHeaders.from_dict(dict(headers))
    return _moto(AWSPreparedRequest(method, url, sent, body, False), account)


def _moto(request: Any, account: str) -> tuple[int, dict[str, str], bytes]:
    from moto.core.botocore_stubber import BotocoreStubber

    request.headers["x-moto-account-id"] = account
    answer = BotocoreStubber().process_request(request)
    if answer is None:
        raise NotEmulated(f"moto does not know {request.url}")
    status, headers, body = answer
    held = {str(key): str(value) for key, value in headers.items()}
    return status, held, body.encode() if isinstance(body, str) else body


def _send(request: Any, event_name: str, **_: Any) -> AWSResponse:
    """moto's answer to a request, never the network's: this hook answers first and always."""
    account = getattr(_account, "id", "")
    if not account:
        raise NotEmulated("a request was sent outside of a rehearsal")
    status, headers, body = _moto(request, account)
    return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), _Raw(body))


class _Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while contents := self.read():
            yield contents
