"""What must fit together in a source's `auth`, and what is weak in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.domain.senders.presets import PRESETS
from bridge.domain.senders.signature import PARTS
from config.fields import key_bytes, key_form
from config.model_sources import Auth, Source
from config.problems import Path, suggest
from config.senders import scheme_name, sending_of
from config.variables import VariableError, read_variable

SHORT_SIGNING_SECRET = 24  # bytes; the Standard Webhooks specification asks for 24 to 64
SHORT_SECRET = 16
_ALWAYS = {"scheme", "secrets"}
_BODY = {"at", "id", "handshake"}
# What each scheme understands beside these two.
_KEYS = {
    "standard-webhooks": set[str](),
    "page": set[str](),
    "hmac": _BODY | {"preset", "key", "header", "value", "algorithm", "encoding", "signs", "timestamp"},
    "jws": _BODY | {"preset", "key", "header"},
    "bearer": _BODY,
    "basic": _BODY,
    "header": _BODY | {"header"},
    "query": _BODY | {"parameter"},
}
Found = Iterator[tuple[Path, str, str]]  # where under `auth`, what, remedy


def faults_of(auth: Auth, environ_has_public_url: bool) -> Found:
    """Every error in an `auth` whose keys are right each for itself."""
    scheme = scheme_name(auth)
    if auth.preset is not None and auth.preset not in PRESETS:
        yield ("preset",), f"there is no preset {auth.preset[:40]!r}", suggest(auth.preset, PRESETS)
        return
    if auth.preset and PRESETS[auth.preset].scheme != scheme:
        yield ("scheme",), f"{auth.preset} does not sign so", f"scheme: {PRESETS[auth.preset].scheme}"
        return
    for name in sorted(auth.model_fields_set - _ALWAYS - _KEYS[scheme]):
        yield (name,), f"scheme: {scheme} has no {name}", f"leave {name} out."
    if scheme in ("hmac", "jws", "header") and not auth.header and not auth.preset:
        yield ("header",), "the name of the header is missing", "header: X-Signature, or a preset."
    if scheme == "query" and not auth.parameter:
        yield ("parameter",), "the name of the parameter is missing", "parameter: key"
    if scheme == "basic":
        for index, secret in enumerate(auth.secrets):
            if (text := secret.get_secret_value()) and ":" not in text:
                yield (
                    ("secrets", index),
                    "the secret is not user:password",
                    "both, with a colon between them.",
                )
    if scheme == "hmac":
        yield from _signature_faults(auth, environ_has_public_url)


def _signature_faults(auth: Auth, public_url: bool) -> Found:
    usual = PRESETS.get(auth.preset or "")
    signs = auth.signs or (usual.signs if usual else "{body}")
    value = auth.value or (usual.value if usual else "{signature}")
    if "{signature}" not in value:
        yield ("value",), "the place of the signature is missing", '"sha256={signature}"'
    if unknown := set(re.findall(r"\{([^}]*)\}", value)) - {"signature", "timestamp"}:
        yield ("value",), f"{{{min(unknown)}}} is no part of a header", "{signature} and {timestamp}."
    if unknown := set(re.findall(r"\{([^}]*)\}", signs)) - set(PARTS):
        parts = " ".join(f"{{{part}}}" for part in PARTS)
        yield ("signs",), f"{{{min(unknown)}}} is nothing that can be signed", f"of {parts}."
    if "{body}" not in signs and "{form}" not in signs:
        yield ("signs",), "the body is not among what is signed", '"{body}"'
    timed = (auth.timestamp and auth.timestamp.header) or (usual and usual.timestamp_header)
    if "{timestamp}" in signs and not timed and "{timestamp}" not in value:
        yield ("timestamp",), "nothing says where the signed time stands", "timestamp: {header: X-Timestamp}"
    if "{url}" in signs and not public_url:
        message = "the address is signed, and PUBLIC_URL, which says what it is, is not set"
        yield ("signs",), message, "setting PUBLIC_URL to the address that the service calls."


def has_public_url(environ: object) -> bool:
    """True if PUBLIC_URL is set, or if there is no environment to look at."""
    try:
        return environ is None or bool(read_variable(environ, "PUBLIC_URL"))  # type: ignore[arg-type]
    except VariableError:
        return True  # the settings tell


def weaknesses_of(source: Source) -> Found:
    """What is allowed and weaker than it could be. Secrets that were not read are passed over."""
    auth = source.auth
    if scheme_name(auth) == "page":
        return
    form = key_form({"scheme": auth.scheme, "preset": auth.preset, "key": auth.key})
    least = SHORT_SIGNING_SECRET if form == "whsec" else SHORT_SECRET
    for index, secret in enumerate(auth.secrets):
        value = secret.get_secret_value()
        if value and len(key_bytes(value, form)) < least:
            message = f"the secret is shorter than {least} bytes and easier to guess than it should be"
            yield ("secrets", index), message, "a longer one."
    read = bool(auth.secrets) and all(secret.get_secret_value() for secret in auth.secrets)
    if read and auth.at is None and not sending_of(source).scheme.replay_safe:
        message = "whoever has recorded a request can send it again later: no time is signed"
        yield (), message, "at: with where the body says when it was made, if it does."
