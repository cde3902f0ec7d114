"""The domain under which AWS's endpoints of a region have their names."""

from __future__ import annotations


def domain(region: str) -> str:
    """China's regions have a domain of their own (AWS General Reference, service endpoints)."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
