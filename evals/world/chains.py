"""Somebody of another account who acts by a role of this one: two AssumeRole records, one in each account.

Both carry the same sharedEventID. The account of the role sees the caller's account and principal id only; the
caller's account sees who called (IAM user guide, "Logging IAM and AWS STS API calls", cross-account AssumeRole).
LookupEvents lists the issued key, the session and the role among the resources.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evals.world.identities import Cast, Identity
from evals.world.places import Neighbour, inside
from evals.world.seed import Seed
from evals.world.trail import Deed, long_stamp, record
from evals.world.world import World

_SESSION = timedelta(hours=1)
WAYS = ("user-cli", "sso-cli")
"""How somebody may sign in at home who takes a role by the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """`person` as at home, `acting` as the trail of the account shows what is done by the role."""

    home: Neighbour
    person: Identity
    acting: Identity
    principal: str  # of the caller, as both accounts see it


def chain(cast: Cast, home: Neighbour, person: Identity, role: str) -> Chain:
    """`person` of `home` by a role of the cast's account. The ledger names whom a run can find at most."""
    session = (
        f"botocore-session-{1_700_000_000 + cast.seed.integer(f'session:{role}:{person.name}', 0, 9**8)}"
    )
    acting = cast.role(role, session, person.ip, person.agent, how=person.how)
    told = home.known and not {"cloudtrail:LookupEvents", "cloudtrail:*", "*"} & set(home.deny)
    acting = replace(
        acting,
        name=person.name if told else home.account,
        kind=person.kind if told else "other_account",
        mfa=bool(person.mfa),
    )
    return Chain(home=home, person=person, acting=acting, principal=str(person.user["principalId"]))


def take(world: World, made: Chain, moment: datetime, key: str) -> None:
    """Add the records of the AssumeRole from which the role's key comes. Session starts some minutes before."""
    seed = world.seed
    taken = moment - timedelta(seconds=seed.integer(f"taken:{key}", 240, 1500))
    region = seed.pick(f"endpoint:{key}", (world.region, world.global_region))
    stranger = replace(
        made.person,
        user={"type": "AWSAccount", "principalId": made.principal, "accountId": made.home.account},
        username="",
        key="",
    )
    deed = _deed(seed, made.acting, taken, key)
    for account, who, name in (
        (world.account, stranger, f"{key}:taken"),
        (made.home.account, made.person, f"{key}:taken at home"),
    ):
        delay = 60 * seed.between(f"delivery:{name}", 3, 6)
        with inside(world, account, region):
            world.trail.add(record(seed, name, taken, delay, region, account, who, deed))


def _deed(seed: Seed, acting: Identity, taken: datetime, key: str) -> Deed:
    issuer = acting.user["sessionContext"]["sessionIssuer"]
    role, session = str(issuer["arn"]), str(acting.user["arn"])
    return Deed(
        source="sts",
        name="AssumeRole",
        request={"roleArn": role, "roleSessionName": session.rsplit("/", 1)[-1], "durationSeconds": 3600},
        response={
            "credentials": {
                "accessKeyId": acting.key,
                "sessionToken": seed.letters(f"token:{key}", 90),
                "expiration": long_stamp(taken + _SESSION),
            },
            "assumedRoleUser": {"assumedRoleId": acting.user["principalId"], "arn": session},
        },
        read_only=True,
        resources=(("AWS::IAM::Role", role),),
        listed=(
            ("AWS::IAM::AccessKey", acting.key),
            ("AWS::STS::AssumedRole", session),
            ("AWS::IAM::Role", role),
        ),
        extra={"sharedEventID": seed.uuid(f"shared:{key}")},
    )
