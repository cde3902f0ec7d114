"""ECR's reads: the repositories and images that the account's task definitions name.

An image that a revision names and that cannot be found (its nature `_pull: not-found`) is not there.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.domains import domain
from evals.world.world import Thing
from tools.models import Json


class _Image(NamedTuple):
    repository: str
    tag: str
    pushed: datetime

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(f"{self.repository}:{self.tag}".encode()).hexdigest()


def _named(ask: Ask) -> list[tuple[Thing, str, str]]:
    """(task definition, repository, tag) of images in the account's own registry."""
    registry = f"{ask.world.account}.dkr.ecr.{ask.region}.{domain(ask.region)}/"
    found = []
    for one in ask.world.of("task-definition", ask.region):
        path = f"containerDefinitions.{one.fixed['container']}.image"
        image = str(one.at(path, one.created) or "")
        registered = one.fixed.get("registered") or one.created
        if image.startswith(registry) and registered <= ask.as_of:
            repository, _, tag = image.removeprefix(registry).partition(":")
            found.append((one, repository, tag or "latest"))
    return found


def _images(ask: Ask, repository: str) -> list[_Image]:
    """The images of a repository, newest first. Raises Refusal when there is no such repository."""
    ask.only("registryId", ask.world.account)
    held = [(one, tag) for one, name, tag in _named(ask) if name == repository]
    if not held:
        said = (
            f"The repository with name '{repository}' does not exist in the registry with id "
            f"'{ask.world.account}'"
        )
        raise Refusal("RepositoryNotFoundException", said)
    found = {}
    for one, tag in held:
        pushed = (one.fixed.get("registered") or one.created) - timedelta(minutes=4, seconds=len(tag))
        if one.at("_pull", ask.as_of) != "not-found":
            found[tag] = _Image(repository, tag, pushed)
    return sorted(found.values(), key=lambda image: image.pushed, reverse=True)


def _paged(ask: Ask, name: str, found: list[Any]) -> Json:
    size, token = int(ask.take("maxResults") or 100), ask.take("nextToken")
    page, following = ask.page(found, size, token)
    return {name: page} | ({"nextToken": following} if following else {})


@handles("ecr", "DescribeRepositories")
def describe_repositories(ask: Ask) -> Json:
    ask.only("registryId", ask.world.account)
    wanted = ask.take("repositoryNames")
    first: dict[str, datetime] = {}
    for one, name, _ in _named(ask):
        first[name] = min(one.created, first.get(name, one.created))
    if missing := [name for name in wanted or () if name not in first]:
        said = f"The repository with name '{missing[0]}' does not exist in the registry"
        raise Refusal("RepositoryNotFoundException", said)
    found = [
        {
            "repositoryArn": ask.world.arn("ecr", f"repository/{name}"),
            "registryId": ask.world.account,
            "repositoryName": name,
            "repositoryUri": f"{ask.world.account}.dkr.ecr.{ask.region}.{domain(ask.region)}/{name}",
            "createdAt": since - timedelta(days=2),
            "imageTagMutability": "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": False},
            "encryptionConfiguration": {"encryptionType": "AES256"},
        }
        for name, since in sorted(first.items())
        if not wanted or name in wanted
    ]
    return _paged(ask, "repositories", found)


def _chosen(ask: Ask, images: list[_Image], repository: str) -> list[_Image]:
    wanted = ask.take("imageIds")
    held = ask.take("filter") or {}
    if held.get("tagStatus", "ANY") == "UNTAGGED":
        return []
    if wanted is None:
        return images
    found = []
    for one in wanted:
        fits = [
            image
            for image in images
            if one.get("imageTag", image.tag) == image.tag
            and one.get("imageDigest", image.digest) == image.digest
        ]
        if not fits:
            digest, tag = one.get("imageDigest", "null"), one.get("imageTag", "null")
            said = (
                f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the "
                f"repository with name '{repository}' in the registry with id '{ask.world.account}'"
            )
            raise Refusal("ImageNotFoundException", said)
        found += fits
    return found


@handles("ecr", "DescribeImages")
def describe_images(ask: Ask) -> Json:
    repository = str(ask.need("repositoryName"))
    found = [
        {
            "registryId": ask.world.account,
            "repositoryName": repository,
            "imageDigest": one.digest,
            "imageTags": [one.tag],
            "imageSizeInBytes": 90_000_000 + int(one.digest[7:12], 16),
            "imagePushedAt": one.pushed,
            "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "artifactMediaType": "application/vnd.docker.container.image.v1+json",
        }
        for one in _chosen(ask, _images(ask, repository), repository)
    ]
    return _paged(ask, "imageDetails", found)


@handles("ecr", "ListImages")
def list_images(ask: Ask) -> Json:
    repository = str(ask.need("repositoryName"))
    images = _chosen(ask, _images(ask, repository), repository)
    return _paged(ask, "imageIds", [{"imageDigest": one.digest, "imageTag": one.tag} for one in images])


def _none(code: str, what: str) -> Any:
    def answer(ask: Ask) -> Json:
        name = str(ask.need("repositoryName"))
        _images(ask, name)
        said = f"{what} does not exist for the repository with name '{name}' in the registry"
        raise Refusal(code, f"{said} with id '{ask.world.account}'")

    return answer


handles("ecr", "GetRepositoryPolicy")(_none("RepositoryPolicyNotFoundException", "Repository policy"))
handles("ecr", "GetLifecyclePolicy")(_none("LifecyclePolicyNotFoundException", "Lifecycle policy"))


@handles("ecr", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    name = str(ask.need("resourceArn")).rsplit(":repository/", 1)[-1]
    _images(ask, name)
    return {"tags": []}


@handles("ecr", "DescribeImageScanFindings")
def describe_image_scan_findings(ask: Ask) -> Json:
    raise NotModelled("scans")
