"""Whose network somebody comes from: by what tries are counted that have no other name."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

_HOUSEHOLD = 64  # bits; every household has a network of its own (RFC 6177), and all addresses in it to choose from


def network_of(address: str) -> str:
    """An IPv4 address as it is, also where it is written as IPv6; of any other IPv6 address the network."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if not isinstance(read, IPv6Address):
        return address
    return str(read.ipv4_mapped or ip_network((int(read), _HOUSEHOLD), strict=False))
