"""An HMAC over parts of the request in a header, in whatever shape a service writes it.

The shapes and where they are from: docs/senders.md and `presets.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, unquote

from bridge.domain.senders.request import Request, header_of, same
from bridge.domain.signing import BadSignature

PARTS = ("method", "url", "timestamp", "id", "body", "form")
_MOST_FIELDS = 1000
_MOST_SIGNATURES = 16
_SIGNED_ID = ("webhook-id", "svix-id")
_PLACES = {"signature": r"(?P<signature>[A-Za-z0-9+/=_-]+)", "timestamp": r"(?P<timestamp>[0-9]{1,16})"}


@dataclass(frozen=True, slots=True)
class Timestamp:
    """When the sender signed. `header`: where it says so, "" where it stands beside the signature."""

    header: str = ""
    unit: Literal["s", "ms"] = "s"
    tolerance: float = 300.0


@dataclass(frozen=True, slots=True)
class Signature:
    """`value`: the header's shape, such as `t={timestamp},v1={signature}`. `signs`: what is signed, from `PARTS`."""

    secrets: tuple[bytes, ...]
    header: str
    value: str = "{signature}"
    algorithm: Literal["sha256", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signs: str = "{body}"
    timestamp: Timestamp | None = None

    @property
    def replay_safe(self) -> bool:
        """True if a time is signed."""
        return self.timestamp is not None and "{timestamp}" in self.signs

    def check(self, request: Request, now: float) -> str | None:
        """Returns the id that was signed, None where none was. Raises BadSignature."""
        given, stated = self._read(header_of(request, self.header).decode("ascii"))
        if self.timestamp:
            stated = self._time(request, stated, now)
        request_id = self._id(request) if "{id}" in self.signs else None
        texts = [self._signed(request, url, stated, request_id) for url in _urls(self.signs, request.url)]
        for secret in self.secrets:
            if max(same(self._mac(secret, text), given) for text in texts):
                return request_id
        raise BadSignature("no secret of this source made this signature")

    def prove(self, url: str, body: bytes, request_id: str, now: float) -> tuple[str, dict[str, str]]:
        """Makes (the address, the headers) of a POST with the newest secret."""
        headers: dict[str, str] = {}
        stated = str(int(now * 1000 if self.timestamp and self.timestamp.unit == "ms" else now))
        if self.timestamp and self.timestamp.header:
            headers[self.timestamp.header] = stated
        if "{id}" in self.signs:
            headers[_SIGNED_ID[0]] = request_id
        signed = self._signed(Request("POST", url, {}, "", body), url, stated, request_id)
        mac = self._mac(self.secrets[0], signed).decode()
        headers[self.header] = self.value.replace("{signature}", mac).replace("{timestamp}", stated)
        return url, headers

    def _read(self, value: str) -> tuple[list[bytes], str]:
        """Returns (the signatures, the time beside them or ""). Items with commas come in any order."""
        wanted = [_pattern(item.strip()) for item in self.value.split(",")]
        items = [item.strip() for item in value.split(",")[: 2 * _MOST_SIGNATURES]]
        found = [match.groupdict() for item in items for shape in wanted if (match := shape.fullmatch(item))]
        signatures = [one["signature"].encode() for one in found if one.get("signature")]
        if not signatures:
            raise BadSignature(f"the header {self.header} does not look like {self.value}")
        times = [one["timestamp"] for one in found if one.get("timestamp")]
        return signatures[:_MOST_SIGNATURES], times[0] if times else ""

    def _time(self, request: Request, stated: str, now: float) -> str:
        """Returns the signed time as it was written. Raises BadSignature where it is too far from now."""
        assert self.timestamp
        if self.timestamp.header:
            stated = header_of(request, self.timestamp.header).decode("ascii").strip()
        if not re.fullmatch(r"[0-9]{1,16}", stated):
            raise BadSignature("the signed time is no number", "timestamp")
        seconds = int(stated) / (1000 if self.timestamp.unit == "ms" else 1)
        if abs(now - seconds) > self.timestamp.tolerance:
            raise BadSignature(f"clock off by {seconds - now:+.0f} s", "timestamp")
        return stated

    def _id(self, request: Request) -> str:
        for name in _SIGNED_ID:
            if request.headers.get(name):
                return header_of(request, name).decode("ascii")
        raise BadSignature(f"no header {_SIGNED_ID[0]}")

    def _signed(self, request: Request, url: str, stated: str, request_id: str | None) -> bytes:
        parts: Mapping[str, bytes] = {
            "method": request.method.encode(),
            "url": url.encode(errors="surrogatepass"),
            "timestamp": stated.encode(),
            "id": (request_id or "").encode(),
            "body": request.body,
        }
        pieces = re.split(r"\{([a-z]+)\}", self.signs)
        return b"".join(
            piece.encode() if index % 2 == 0 else _form(request.body) if piece == "form" else parts[piece]
            for index, piece in enumerate(pieces)
        )

    def _mac(self, secret: bytes, signed: bytes) -> bytes:
        algorithm = hashlib.sha1 if self.algorithm == "sha1" else hashlib.sha256
        made = hmac.new(secret, signed, algorithm)
        return made.hexdigest().encode() if self.encoding == "hex" else b64encode(made.digest())


def _pattern(item: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(signature|timestamp)\}", item)
    return re.compile(
        "".join(_PLACES[piece] if index % 2 else re.escape(piece) for index, piece in enumerate(pieces))
    )


def _urls(signs: str, url: str) -> tuple[str, ...]:
    """The spellings of an address that a sender may have signed: HubSpot decodes it first."""
    if "{url}" not in signs:
        return ("",)
    if not url:
        raise BadSignature("PUBLIC_URL is not set, so the signed address is not known")
    return tuple(dict.fromkeys((url, unquote(url, errors="surrogateescape"))))


def _form(body: bytes) -> bytes:
    """The fields of a form, sorted, each name followed by its value. Source: Twilio, 'Validating requests'."""
    try:
        fields = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise BadSignature("the body is no form") from None
    return "".join(name + value for name, value in sorted(set(fields))).encode()
