"""What `investigate` and `record` are both asked: about what, in which account, how and as of when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any

from api import options

if TYPE_CHECKING:
    from datetime import datetime

    from graph import Context, Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options as they were typed; exactly one subject is named."""

    alarm: str
    resource: str
    text: str
    profile: str
    region: str
    role_arn: str
    spaces: tuple[str, ...]
    now: str
    model: str
    max_calls: int | None
    tz: str

    def trigger(self) -> Trigger:
        """What starts the run."""
        from graph import Trigger

        return Trigger(alarm=self.alarm.strip(), resource=self.resource.strip(), text=self.text.strip())

    def context(self, source: str, as_of: datetime | None, tz: str, **more: object) -> Context:
        """How the run looks. `tz`: the checked zone; `more`: what only one of the commands asks. Raises BadInput."""
        return options.context(
            source=source,
            region=options.place(self.region, self.alarm, self.resource),
            profile=self.profile,
            role_arn=self.role_arn,
            spaces=options.other_accounts(self.spaces, source),
            as_of=as_of,
            model=self.model,
            tz=tz,
            max_calls=self.max_calls,
            **more,
        )


def asked(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options, and gives them to the command as one `Asked`. A usage error unless one subject is named."""

    @wraps(command)
    def packed(**given: Any) -> None:
        own = Asked(**{one.name: given.pop(one.name) for one in fields(Asked)})
        options.one_subject(own.alarm, own.resource, own.text)
        command(asked=own, **given)

    return options.subject(options.account(options.spaces(options.reading(options.zone(packed)))))
