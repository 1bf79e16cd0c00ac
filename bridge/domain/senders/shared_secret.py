"""Schemes in which the sender shows the secret itself: it is worth as much as the connection is private."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qsl, quote

from bridge.domain.senders.request import Request, header_of, same
from bridge.domain.signing import BadSignature

_MOST_PARAMETERS = 100


def _one_of(secrets: Sequence[bytes], given: Sequence[bytes]) -> None:
    if not max((same(secret, given) for secret in secrets), default=False):
        raise BadSignature("no secret of this source fits")


@dataclass(frozen=True, slots=True)
class Bearer:
    """`Authorization: Bearer <secret>`. Source: RFC 6750, section 2.1."""

    secrets: tuple[bytes, ...]
    replay_safe: ClassVar[bool] = False

    def check(self, request: Request, now: float) -> str | None:
        """Returns None. Raises BadSignature."""
        kind, _, given = header_of(request, "Authorization").partition(b" ")
        if kind.lower() != b"bearer":
            raise BadSignature("the header Authorization is not Bearer")
        _one_of(self.secrets, [given.strip()])
        return None

    def prove(self, url: str, body: bytes, request_id: str, now: float) -> tuple[str, dict[str, str]]:
        """Makes (the address, the headers) of a request with the newest secret."""
        return url, {"Authorization": f"Bearer {self.secrets[0].decode()}"}


@dataclass(frozen=True, slots=True)
class Basic:
    """`Authorization: Basic` with `user:password` as the secret. Source: RFC 7617."""

    secrets: tuple[bytes, ...]
    replay_safe: ClassVar[bool] = False

    def check(self, request: Request, now: float) -> str | None:
        """Returns None. Raises BadSignature."""
        kind, _, given = header_of(request, "Authorization").partition(b" ")
        if kind.lower() != b"basic":
            raise BadSignature("the header Authorization is not Basic")
        try:
            pair = b64decode(given.strip(), validate=True)
        except binascii.Error:
            raise BadSignature("the header Authorization is not base64") from None
        _one_of(self.secrets, [pair])
        return None

    def prove(self, url: str, body: bytes, request_id: str, now: float) -> tuple[str, dict[str, str]]:
        """Makes (the address, the headers) of a request with the newest secret."""
        return url, {"Authorization": f"Basic {b64encode(self.secrets[0]).decode()}"}


@dataclass(frozen=True, slots=True)
class Header:
    """A header of the sender's choice that holds the secret."""

    secrets: tuple[bytes, ...]
    header: str
    replay_safe: ClassVar[bool] = False

    def check(self, request: Request, now: float) -> str | None:
        """Returns None. Raises BadSignature."""
        _one_of(self.secrets, [header_of(request, self.header).strip()])
        return None

    def prove(self, url: str, body: bytes, request_id: str, now: float) -> tuple[str, dict[str, str]]:
        """Makes (the address, the headers) of a request with the newest secret."""
        return url, {self.header: self.secrets[0].decode()}


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of the address that holds the secret, for services that let one choose nothing but the address."""

    secrets: tuple[bytes, ...]
    parameter: str
    replay_safe: ClassVar[bool] = False

    def check(self, request: Request, now: float) -> str | None:
        """Returns None. Raises BadSignature."""
        try:
            fields = parse_qsl(request.query, max_num_fields=_MOST_PARAMETERS, errors="surrogateescape")
        except ValueError:
            fields = []
        given = [value for name, value in fields if name == self.parameter]
        if not given:
            raise BadSignature(f"no parameter {self.parameter} in the address")
        _one_of(self.secrets, [one.encode(errors="surrogateescape") for one in given])
        return None

    def prove(self, url: str, body: bytes, request_id: str, now: float) -> tuple[str, dict[str, str]]:
        """Makes (the address, the headers) of a request with the newest secret."""
        joint = "&" if "?" in url else "?"
        return f"{url}{joint}{quote(self.parameter)}={quote(self.secrets[0].decode(), safe='')}", {}
