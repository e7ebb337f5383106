"""Which addresses may be asked, and how they are shown: lists come from strangers, and name what they like."""

import ipaddress
import socket
from urllib.parse import urlsplit

from longtake.errors import UsageError
from longtake.fetching.states import FetchError, printable
from longtake.places import is_remote, remote

_ALIASES = {"youtu.be": "youtube.com", "youtube-nocookie.com": "youtube.com"}
_PAGES = frozenset({"youtube.com", "vimeo.com", "dailymotion.com", "bilibili.com", "tiktok.com", "twitch.tv"})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def shown(url: str) -> str:
    """Return an address as messages may show it: without user, password and query, where keys stand."""
    if is_remote(url):
        return printable(url)
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that can't be read"
    query = "?…" if parts.query else ""
    text = f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}{query}"
    return "".join(c if c.isprintable() else "?" for c in text)


def host_of(url: str) -> str:
    """Return whom an address asks, in one spelling for all names of one host; empty where it names none.

    Of an object store that is the bucket: `s3://bucket`.
    """
    try:
        if is_remote(url):
            found = remote(url)
            return f"{found.scheme}://{found.bucket}"
        parts = urlsplit(url)
        name, port = (parts.hostname or "").rstrip("."), parts.port
    except (ValueError, UsageError):
        return ""
    for prefix in ("www.", "m.", "music."):
        name = name.removeprefix(prefix)
    name = _ALIASES.get(name, name)
    return f"{name}:{port}" if port else name


def is_page(host: str) -> bool:
    """Return whether a host's addresses are pages around a video, so that asking for them plainly is in vain."""
    return host in _PAGES


def check(url: str, *, allow_private: bool, resolve: bool = True) -> None:
    """Raise `FetchError` for an address that isn't http(s), or whose host is inside this machine or its network.

    A name that isn't to be resolved, since a proxy does that, is taken for what it says.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise FetchError("refused", f"{shown(url)}: no address ({error})") from error
    if parts.scheme not in ("http", "https") or not host:
        raise FetchError("refused", f"{shown(url)}: only http:// and https:// are asked")
    if allow_private:
        return
    if host == "localhost" or host.endswith(".localhost"):
        raise FetchError("refused", f"{shown(url)}: is this machine itself, which only --allow-private asks")
    try:
        found = [str(ipaddress.ip_address(host))]
    except ValueError:
        found = _resolved(host, port or 443) if resolve else []
    for address in found:
        check_ip(address, url)


def check_ip(address: str, url: str) -> None:
    """Raise `FetchError` for an IP address that isn't a public one."""
    if not _is_public(address):
        raise FetchError(
            "refused", f"{shown(url)}: leads to {address}, no public address, which only --allow-private asks"
        )


def _is_public(address: str) -> bool:
    """Return whether an IP address is on the public internet; one that carries another inside goes by that one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is empty or too long
        raise FetchError("network", f"{host}: no such host ({getattr(error, 'strerror', None) or error})") from error
    return [str(entry[4][0]) for entry in found]
