"""The kinds of value that the configuration is made of. Each says what is wrong and what would be right."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, TypeVar

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from bridge.domain.duty.roster import DatedWindow, Window
from config.addresses import AddressError, web_origin
from config.variables import VariableError, read_variable
from config.windows import WindowError, parse_closed_days, parse_dated_window, parse_window

T = TypeVar("T")


def fault(message: str, remedy: str = "") -> PydanticCustomError:
    """An error whose context carries the remedy. Never put a secret into either."""
    return PydanticCustomError("fault", "{message}", {"message": message, "remedy": remedy})


def _text(parse: Callable[[str], T]) -> Callable[[object], T]:
    """`parse` as a validator: text only, and its own errors as faults."""

    def validate(value: object) -> T:
        if not isinstance(value, str):
            raise fault("this must be a single value", "plain text")
        try:
            return parse(value)
        except (WindowError, AddressError) as error:
            raise fault(str(error), error.remedy) from error

    return validate


class _Listed:
    """A single value may stand for a list of one: `topic: returns` is `topic: [returns]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: [value] if isinstance(value, str) else value, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


Listed = _Listed()


def _plain(value: str) -> str:
    if not value.strip() or not value.isprintable() or len(value) > 128:
        raise fault("this must be text in one line, at most 128 characters")
    return value.strip()


def _email(value: str) -> str:
    if value.lower().startswith("mailto:"):
        raise fault(f"{value[:60]!r} is a link, not an address", value[len("mailto:") :])
    if len(value) > 254 or not re.fullmatch(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\".]+(\.[^@\s,;<>\".]+)+", value):
        raise fault(f"{value[:60]!r} is not an e-mail address", "amy@example.com")
    return value


def _language(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", value):
        raise fault(f"{value[:40]!r} is not a language", "its code, such as en, es or es-MX")
    return value.replace("_", "-")


def _url_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
        raise fault(
            "this must be letters, digits, dot, dash and underscore, at most 64 characters",
            re.sub(r"[^A-Za-z0-9._-]+", "-", value)[:64].strip("-._") or "kiosk",
        )
    return value


def _key(value: str) -> str:
    if value != value.strip() or not value.isprintable() or not 1 <= len(value) <= 64:
        raise fault("a name must be text in one line, at most 64 characters")
    return value


def _media_type(value: str) -> str:
    if not re.fullmatch(r"(\*/\*|[A-Za-z0-9.+-]+/(\*|[A-Za-z0-9.+-]+))", value):
        raise fault(f"{value[:40]!r} is not a media type", "application/pdf, or image/*")
    return value.lower()


_HEADER = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$"


def _header_name(value: str) -> str:
    if not re.fullmatch(_HEADER, value):
        raise fault(f"{value[:40]!r} is not the name of a header", "X-Signature")
    return value


def _jmespath(value: str) -> str:
    try:
        jmespath.compile(value)
    except (JMESPathError, RecursionError, ValueError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else "it is too deep"
        raise fault(f"this is not a JMESPath expression: {reason}", "fields.email") from error
    return value


def environment_name(reference: object) -> str:
    """The variable that `env:NAME` names. What else it is is never shown: it may be the secret."""
    text = reference if isinstance(reference, str) else ""
    match = re.fullmatch(r"env:\s*([A-Za-z_][A-Za-z0-9_]*)", text.strip())
    if match is not None:
        return match[1]
    if text.strip().startswith("env:"):
        raise fault("after env: comes the name of an environment variable", "env:KIOSK_SECRET")
    raise fault(
        "a secret does not belong into this file",
        "env:KIOSK_SECRET here, and the secret in that variable (or in a file, by KIOSK_SECRET_FILE).",
    )


def secret_bytes(secret: str) -> bytes:
    """The key of a Standard Webhooks secret, `whsec_<base64>`. Raises ValueError, never quoting it."""
    if not secret.startswith("whsec_"):
        raise ValueError("does not start with whsec_")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not base64 after whsec_") from error
    if not key:
        raise ValueError("has nothing after whsec_")
    return key


HOW_TO_MAKE_ONE = (
    """python -c "import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""""
)


def _variable(reference: object, info: ValidationInfo) -> tuple[str, str]:
    """Returns (the variable's name, its value); offline (no `environ` in the context) the value is ""."""
    name = environment_name(reference)
    environ: Mapping[str, str] | None = (info.context or {}).get("environ")
    if environ is None:
        return name, ""
    try:
        value = read_variable(environ, name)
    except VariableError as error:
        raise fault(str(error)) from error
    if value is None:
        raise fault(
            f"the environment variable {name} is not set",
            f"setting it, or {name}_FILE to the name of a file.",
        )
    return name, value


def _any_secret(reference: object, info: ValidationInfo) -> SecretStr:
    """The variable's value, of whatever form."""
    return reference if isinstance(reference, SecretStr) else SecretStr(_variable(reference, info)[1])


def _sender_secret(reference: object, info: ValidationInfo) -> SecretStr:
    """The variable's value in the form that the source's `scheme` and `key`, which stand before it, ask for."""
    if isinstance(reference, SecretStr):
        return reference
    name, value = _variable(reference, info)
    form = key_form(info.data)
    if form == "whsec":
        _need_whsec(name, value)
    elif value:
        try:
            key_bytes(value, form)
        except ValueError as error:
            raise fault(f"the value of {name} {error}", f"a secret that fits key: {form}.") from error
    return SecretStr(value)


def key_form(auth: Mapping[str, Any]) -> str:
    """In which form the text of a source's secrets is: text, whsec, base64 or hex."""
    if auth.get("scheme", "standard-webhooks") == "standard-webhooks" and auth.get("preset") is None:
        return "whsec"
    return str(auth.get("key") or "text")


def key_bytes(secret: str, form: str) -> bytes:
    """The bytes of a secret's text in a form of `key`. Raises ValueError, never quoting it."""
    if form == "whsec":
        return secret_bytes(secret)
    if form == "text":
        return secret.encode()
    try:
        found = bytes.fromhex(secret) if form == "hex" else base64.b64decode(secret, validate=True)
    except ValueError as error:
        raise ValueError(f"is not {form}") from error
    if not found:
        raise ValueError("is empty")
    return found


def _secret(reference: object, info: ValidationInfo) -> SecretStr:
    """The variable's value. Offline (no `environ` in the context) only its form is checked."""
    if isinstance(reference, SecretStr):
        return reference
    name, value = _variable(reference, info)
    _need_whsec(name, value)
    return SecretStr(value)


def _need_whsec(name: str, value: str) -> None:
    if not value:
        return
    try:
        secret_bytes(value)
    except ValueError as error:
        remedy = (
            "the prefix whsec_ before the base64."
            if "start" in str(error)
            else f"one from: {HOW_TO_MAKE_ONE}"
        )
        raise fault(f"the value of {name} {error}", remedy) from error


WINDOW_PATTERN = (
    r"^\s*([A-Za-z]+(\s*[-,]\s*[A-Za-z]+)*|[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"\s+[0-9]{1,2}:[0-9]{2}\s*-\s*[0-9]{1,2}:[0-9]{2}(\s+(from|until|every)\s.*)?$"
)


def _schema(**extra: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **extra})


Text = Annotated[str, PlainValidator(_text(_plain)), _schema(maxLength=128)]
Email = Annotated[str, PlainValidator(_text(_email)), _schema(format="email")]
Language = Annotated[str, PlainValidator(_text(_language)), _schema(examples=["en", "es-MX"])]
UrlName = Annotated[
    str, PlainValidator(_text(_url_name)), _schema(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
]
Key = Annotated[str, PlainValidator(_text(_key)), _schema(minLength=1, maxLength=64)]
MediaType = Annotated[str, PlainValidator(_text(_media_type)), _schema(pattern="^[^/]+/[^/]+$")]
Origin = Annotated[str, PlainValidator(_text(web_origin)), _schema(pattern="^https?://[^/]+$")]
Jmespath = Annotated[str, PlainValidator(_text(_jmespath)), _schema(examples=["fields.email"])]
Hours = Annotated[Window, PlainValidator(_text(parse_window)), _schema(pattern=WINDOW_PATTERN)]
OpenOn = Annotated[
    DatedWindow, PlainValidator(_text(parse_dated_window)), _schema(examples=["2026-12-25 10:00-12:00"])
]
ClosedDays = Annotated[
    tuple[date, ...],
    PlainValidator(_text(parse_closed_days)),
    _schema(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\s*\.\.\s*[0-9]{4}-[0-9]{2}-[0-9]{2})?$",
        examples=["2026-12-24", "2026-12-24..2027-01-01"],
    ),
]
_REFERENCE = _schema(pattern="^env:[A-Za-z_][A-Za-z0-9_]*$")
Secret = Annotated[SecretStr, PlainValidator(_secret), _REFERENCE]
SenderSecret = Annotated[SecretStr, PlainValidator(_sender_secret), _REFERENCE]
AnySecret = Annotated[SecretStr, PlainValidator(_any_secret), _REFERENCE]
HeaderName = Annotated[str, PlainValidator(_text(_header_name)), _schema(pattern=_HEADER)]
