"""How CloudTrail records changes at the edge: records of Route 53, distributions, web ACLs.

Route 53 and CloudFront are global services: their events are in the partition's global region, as are those of web ACLs
for CloudFront. First letters are small, also of abbreviations: tTL, dNSName, aRN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.world import edge_shown
from evals.world.trail import Deed, long_stamp
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act


def lower(value: Any) -> Any:
    """As CloudTrail writes it."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: lower(one) for key, one in value.items()}
    return [lower(one) for one in value] if isinstance(value, list) else value


def change_zone(world: World, act: Act) -> Deed:
    """ChangeResourceRecordSets: UPSERT shows what is put there only, DELETE the whole record that goes."""
    if not act.path.startswith("Records."):
        raise ValueError(f"{act.path} of a hosted zone is not modelled")
    zone = act.thing
    action = "DELETE" if act.after is None else "CREATE" if act.before is None else "UPSERT"
    changes = [{"action": action, "resourceRecordSet": lower(act.before if act.after is None else act.after)}]
    code = world.seed.letters(
        f"change:{zone.arn}:{act.path}:{act.moment}", 19, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    )
    shown = {"id": f"/change/C{code}", "status": "PENDING", "submittedAt": long_stamp(act.moment)}
    return Deed(
        source="route53",
        name="ChangeResourceRecordSets",
        request={"hostedZoneId": zone.fixed["id"], "changeBatch": {"changes": changes}},
        response={"changeInfo": shown},
        listed=(),
        concerns=(("AWS::Route53::HostedZone", zone.arn),),
        api_version="2013-04-01",
        extra={"additionalEventData": {"Note": "Do not use to reconstruct hosted zone"}},
    )


def change_distribution(world: World, act: Act) -> Deed:
    """UpdateDistribution sends and answers the whole configuration; the comment is hidden."""
    thing = act.thing
    config = lower(edge_shown.distribution_config(thing, act.moment)) | {
        "comment": "HIDDEN_DUE_TO_SECURITY_REASONS"
    }
    shown = {
        "aRN": thing.arn,
        "id": thing.fixed["id"],
        "lastModifiedTime": long_stamp(act.moment),
        "domainName": thing.fixed["domain"],
        "inProgressInvalidationBatches": 0,
        "status": "InProgress",
        "distributionConfig": config,
    }
    return Deed(
        source="cloudfront",
        name="UpdateDistribution",
        request={
            "id": thing.fixed["id"],
            "ifMatch": edge_shown.etag(thing, act.moment, before=True),
            "distributionConfig": config,
        },
        response={"eTag": edge_shown.etag(thing, act.moment), "distribution": shown},
        listed=(),
        concerns=(("AWS::CloudFront::Distribution", thing.arn),),
        api_version="2020_05_31",
    )


def change_acl(world: World, act: Act) -> Deed:
    """UpdateWebACL sends all rules; the answer holds the next lock token only."""
    thing = act.thing
    shown = edge_shown.web_acl(world, thing, act.moment)
    kept = ("Name", "Id", "DefaultAction", "Description", "Rules", "VisibilityConfig")
    request = {**lower({key: shown[key] for key in kept}), "scope": thing.fixed["scope"]}
    request["lockToken"] = edge_shown.token(world, thing, act.moment, before=True)
    return Deed(
        source="wafv2",
        name="UpdateWebACL",
        request=request,
        response={"nextLockToken": edge_shown.token(world, thing, act.moment)},
        listed=(),
        concerns=(("AWS::WAFv2::WebACL", thing.arn),),
        api_version="2019-04-23",
        region=thing.region,
    )


def tag_acl(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """TagResource of WAF."""
    pairs = [{"key": key, "value": value} for key, value in sorted(tags.items())]
    request: Json = {"resourceARN": thing.arn, "tags": pairs}
    return Deed(source="wafv2", name="TagResource", request=request, listed=(), region=thing.region)


def tag_certificate(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """AddTagsToCertificate."""
    pairs = [{"key": key, "value": value} for key, value in sorted(tags.items())]
    request: Json = {"certificateArn": thing.arn, "tags": pairs}
    return Deed(source="acm", name="AddTagsToCertificate", request=request, listed=(), region=thing.region)


def tag_zone(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """ChangeTagsForResource."""
    pairs = [{"key": key, "value": value} for key, value in sorted(tags.items())]
    request: Json = {"resourceType": "hostedzone", "resourceId": thing.fixed["id"], "addTags": pairs}
    return Deed(source="route53", name="ChangeTagsForResource", request=request, listed=())


def tag_distribution(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """TagResource of CloudFront."""
    pairs = [{"key": key, "value": value} for key, value in sorted(tags.items())]
    request: Json = {"resource": thing.arn, "tags": {"items": pairs}}
    return Deed(source="cloudfront", name="TagResource", request=request, listed=())
