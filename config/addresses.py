"""What counts as a usable web address, here and in the settings."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit


class AddressError(ValueError):
    """The address is not usable; the text says why, `remedy` what would be right."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


def split(address: str) -> SplitResult:
    """The parts of an http or https address with a host and without a password. Raises AddressError."""
    if any(character.isspace() or not character.isprintable() for character in address):
        raise AddressError("the address has a space or a control character in it")
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError as error:
        raise AddressError("this is not a web address", "https://shop.example.com") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressError("this is not a web address", "https://shop.example.com")
    if "@" in parts.netloc:
        raise AddressError("the address carries a user name or password", "leave out what is before the @.")
    return parts


def ip_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` literally is, or None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_ipv6(host: str) -> bool:
    return isinstance(ip_of(host), IPv6Address)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine: localhost, 127.0.0.0/8 or ::1."""
    ip = ip_of(host)
    return host.lower() == "localhost" if ip is None else ip.is_loopback


def service_address(address: str) -> str:
    """A base address without its trailing slash: https, or http on a loopback host. Raises AddressError."""
    parts = split(address)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise AddressError(
            "http is allowed on this machine only", "the same address with https://, or http://localhost."
        )
    if parts.query or parts.fragment or address.endswith(("?", "#")):
        raise AddressError("the address must end with its path", "leave out what follows ? or #.")
    return address.rstrip("/")


def web_origin(address: str) -> str:
    """An origin as browsers send it: lower case, without a default port. Raises AddressError."""
    parts = split(address)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise AddressError("an origin has no path", f"{parts.scheme}://{parts.netloc}")
    host = (parts.hostname or "").lower()
    if "*" in host:
        raise AddressError("an origin names one host; patterns are not possible", "one line for each host.")
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    port = f":{parts.port}" if parts.port not in (None, default) else ""
    return f"{parts.scheme}://{host}{port}"


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The addresses and networks of a comma-separated list. Raises AddressError."""
    found = []
    for item in filter(None, (one.strip() for one in text.split(","))):
        try:
            found.append(ip_network(item.strip("[]"), strict=False))
        except ValueError as error:
            raise AddressError(
                f"{item[:60]!r} is neither an IP address nor a network", "10.0.0.0/8, or 127.0.0.1,::1"
            ) from error
    return tuple(found)
