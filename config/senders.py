"""From a source's `auth` to the scheme that checks its requests, presets filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge.domain.senders.jws import Jws
from bridge.domain.senders.presets import PRESETS, Preset
from bridge.domain.senders.request import Scheme
from bridge.domain.senders.shared_secret import Basic, Bearer, Header, Query
from bridge.domain.senders.signature import Signature, Timestamp
from bridge.domain.senders.standard import PagesOnly, StandardWebhooks
from config.fields import key_bytes, key_form
from config.model_sources import Auth, Source

BodyKind = Literal["json", "form", "multipart"]


@dataclass(frozen=True, slots=True)
class Sending:
    """How a source sends, with its preset filled in. `id`, `nothing`: JMESPath or None."""

    scheme: Scheme
    body: BodyKind
    id: str | None
    nothing: str | None


def scheme_name(auth: Auth) -> str:
    """Returns the scheme's name; a preset alone says it, too."""
    preset = PRESETS.get(auth.preset or "")
    return preset.scheme if preset and "scheme" not in auth.model_fields_set else auth.scheme


def sending_of(source: Source) -> Sending:
    """Makes the scheme and the body of a source that was checked."""
    auth = source.auth
    preset = PRESETS.get(auth.preset or "")
    return Sending(
        _scheme(auth, preset),
        source.body or (preset.body if preset else "json"),
        auth.id or (preset.id if preset else None),
        preset.nothing if preset else None,
    )


def _scheme(auth: Auth, preset: Preset | None) -> Scheme:
    form = key_form({"scheme": auth.scheme, "preset": auth.preset, "key": auth.key})
    secrets = tuple(key_bytes(secret.get_secret_value(), form) for secret in auth.secrets)
    header = auth.header or (preset.header if preset else "")
    match scheme_name(auth):
        case "page":
            return PagesOnly()
        case "bearer":
            return Bearer(secrets)
        case "basic":
            return Basic(secrets)
        case "header":
            return Header(secrets, header)
        case "query":
            return Query(secrets, auth.parameter or "")
        case "jws":
            return Jws(secrets, header, preset.issuer if preset else "")
        case "hmac":
            return _signature(auth, preset, secrets, header)
    return StandardWebhooks(secrets)


def _signature(auth: Auth, preset: Preset | None, secrets: tuple[bytes, ...], header: str) -> Signature:
    usual = preset or Preset(header)
    signs = auth.signs or usual.signs
    return Signature(
        secrets,
        header,
        auth.value or usual.value,
        auth.algorithm or usual.algorithm,
        auth.encoding or usual.encoding,
        signs,
        _timestamp(auth, usual, signs),
    )


def _timestamp(auth: Auth, usual: Preset, signs: str) -> Timestamp | None:
    if auth.timestamp:
        return Timestamp(auth.timestamp.header or "", auth.timestamp.unit, auth.timestamp.tolerance)
    if usual.timestamp_header is not None:
        return Timestamp(usual.timestamp_header, usual.timestamp_unit)
    return Timestamp() if "{timestamp}" in signs else None
