"""An identifier for each visitor, for limits per visitor: a salted hash of their address."""

import hashlib
import ipaddress
import secrets
from functools import lru_cache

import gradio as gr
from gradio.context import LocalContext
from starlette.types import Scope

_SALT = secrets.token_bytes(16)
IPV6_PREFIX = 64  # bits of an IPv6 address that identify a connection, which has all addresses with that prefix


def visitor_id(request: gr.Request | None) -> str:
    """Return the identifier of a request's address, stable while this app runs; empty if there is no address."""
    return _identifier(request.client.host if request and request.client else "")


def visitor_of(scope: Scope) -> str:
    """Return the identifier of the address of an ASGI connection: the same that `visitor_id` returns later."""
    host, _ = scope.get("client") or ("", 0)
    return _identifier(host)


def current_visitor() -> str:
    """Return the identifier of whoever asked for what this thread does; empty if that is nobody."""
    return visitor_id(LocalContext.request.get(None))


@lru_cache(4_096)
def _identifier(host: str) -> str:
    return hashlib.sha256(_SALT + _connection(host).encode()).hexdigest()[:16] if host else ""


def _connection(host: str) -> str:
    """Return what all addresses of one connection share: an IPv4 address, or the network of an IPv6 address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), IPV6_PREFIX), strict=False))
