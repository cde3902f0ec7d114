"""Distributions: one with an origin of its own."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    made = lay.do(
        "cloudfront", "CreateDistribution",
        DistributionConfig={
            "CallerReference": "rehearsal",
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "origin",
                        "DomainName": "origin.example.com",
                        "CustomOriginConfig": {
                            "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only",
                        },
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "origin",
                "ViewerProtocolPolicy": "redirect-to-https",
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
                "MinTTL": 0,
            },
        },
    )["Distribution"]  # fmt: skip
    lay.known(lay.told("distributionId", "id"), made["Id"])


GROUNDS = (Ground(service="cloudfront", lay=_lay),)
