"""Makes the resources of a world with all that belongs to them: roles, log groups, relations, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from evals.world.world import Thing, World
from tools.errors import BadInput
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.flow import Flow
    from evals.world.kinds._kind import Wish


@dataclass
class Workshop:
    """A workshop for one world. `made`: the case's resources by their id in the case."""

    world: World
    made: dict[str, Thing] = field(default_factory=dict)

    def add(self, arn: str, wish: Wish, fixed: Json | None = None, *, region: str | None = None) -> Thing:
        """The resource that a case wishes for."""
        place = self.world.region if region is None else region
        return self.world.add(Thing(arn, wish.kind, wish.name, place, wish.created, dict(fixed or {})))

    def part(
        self,
        arn: str,
        kind: str,
        name: str,
        created: datetime,
        fixed: Json | None = None,
        *,
        region: str | None = None,
    ) -> Thing:
        """A resource that belongs to another one; the same one when it is there already."""
        if arn in self.world.things:
            return self.world.things[arn]
        place = self.world.region if region is None else region
        return self.world.add(Thing(arn, kind, name, place, created, dict(fixed or {})))

    def settle(self, thing: Thing, wish: Wish, defaults: Mapping[str, Any] | None = None) -> Thing:
        """Lay down the settings and tags with which a resource is made."""
        for path, value in (dict(defaults or {}) | dict(wish.settings)).items():
            thing.settings.set(path, thing.created, value)
        for key, value in wish.tags.items():
            thing.settings.set(f"tags.{key}", thing.created, value)
        return thing

    def set(self, thing: Thing, **settings: Any) -> Thing:
        """Settings of a part from its creation on; double underscores stand for dots."""
        for path, value in settings.items():
            thing.settings.set(path.replace("__", "."), thing.created, value)
        return thing

    def one(self, wish: Wish, option: str, *kinds: str) -> Thing | None:
        """The resource that an option of a wish names. Raises BadInput when it is none of these kinds."""
        named = wish.options.get(option)
        return None if not named else self.find(str(named), f"{wish.id}.with.{option}", *kinds)

    def many(self, wish: Wish, option: str, *kinds: str) -> list[Thing]:
        """The resources that an option names: one id or a list of ids."""
        named = wish.options.get(option) or []
        listed = [named] if isinstance(named, str) else list(named)
        return [self.find(str(one), f"{wish.id}.with.{option}", *kinds) for one in listed]

    def find(self, key: str, where: str, *kinds: str) -> Thing:
        """A resource of the case by its id. Raises BadInput."""
        found = self.made.get(key)
        if found is None:
            raise BadInput(
                f'{where} names "{key}", which is no resource above it. Known so far: {", ".join(self.made) or "none"}.'
            )
        if kinds and found.kind not in kinds:
            raise BadInput(f'{where} names "{key}", a {found.kind}; it must be {" or ".join(kinds)}.')
        return found

    # -- roles ------------------------------------------------------------------------------------

    def role(self, name: str, created: datetime, service: str = "lambda.amazonaws.com") -> Thing:
        """An IAM role that a service assumes."""
        arn = self.world.iam_arn(f"role/{name}")
        return self.part(arn, "role", name, created, {"trusted": service}, region="")

    def allow(self, user: Thing, name: str, actions: list[str], target: Thing, resource: str = "") -> None:
        """Let the role of `user` (a function, a service) do something, by an inline policy."""
        role = self.world.things[user.fixed["role"]]
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource or target.arn}
        path = f"Policies.{name}"
        held = list(role.at(path, role.created) or [])
        role.settings.set(path, role.created, [*held, statement])
        for holder in (role, user):
            for kind in ("may read", "may write", "may use"):
                self.world.relate(holder.arn, kind, target.arn)

    # -- logs -------------------------------------------------------------------------------------

    def log_group(self, owner: Thing, name: str, flow: Flow, after: timedelta = timedelta(minutes=3)) -> Json:
        """The log group of a resource as a thing; returns what every LogGroup needs to be made."""
        world, seed = self.world, self.world.seed
        created = owner.created + after
        thing = self.part(world.arn("logs", f"log-group:{name}"), "log-group", name, created)
        world.relate(owner.arn, "logs to", thing.arn)
        return {
            "name": name,
            "arn": thing.arn,
            "flow": flow,
            "stage": flow.stage(owner.arn),
            "salt": seed.salt(f"logs:{name}"),
            "created": created,
            "delay": seed.integer(f"ingestion:{name}", 3, 9),
            "retention": seed.pick(f"retention:{name}", (14, 30, 90, None)),
        }
