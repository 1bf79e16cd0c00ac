"""The environment: every variable of the service, checked once at start. See docs/configuration.md."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.addresses import is_ipv6, networks, service_address
from config.database_url import database_url
from config.variables import VariableError, read_variable


class SettingsError(Exception):
    """The environment cannot be used. `problems`: one sentence each, naming the variable, never a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _token(value: SecretStr) -> SecretStr:
    # A line break or a space inside would break the HTTP header that carries the value.
    if not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
        raise ValueError("has a space, a line break or a character outside ASCII in it; copy it again")
    return value


def _fernet_keys(value: SecretStr) -> SecretStr:
    keys = [key.strip() for key in value.get_secret_value().split(",")]
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError as error:
            raise ValueError(
                f"key {number} of {len(keys)} is not 32 bytes in URL-safe base64; make one with: python -c "
                '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
            ) from error
    return SecretStr(",".join(keys))


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_%-]+", value) or (":" in value and not is_ipv6(value)):
        raise ValueError("is not a host name or an IP address, such as 127.0.0.1 or 0.0.0.0")
    return value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _networks(value: Any) -> Any:
    return networks(value) if isinstance(value, str) else value


def _database(value: SecretStr) -> SecretStr:
    return SecretStr(database_url(value.get_secret_value()))


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]
Token = Annotated[SecretStr, AfterValidator(_token)]
Address = Annotated[str, AfterValidator(service_address)]
Format = Annotated[Literal["json", "console"], BeforeValidator(_lower)]
Level = Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lower)]
Environment = Annotated[Literal["production", "development"], BeforeValidator(_lower)]


class Settings(BaseSettings):
    """Every variable, by its name in lower case. Built by `load_settings`; never reads os.environ itself."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    bridge_config: Path = Field(
        default=Path("config/bridge.yaml"), description="Configuration file or folder."
    )
    database_url: Annotated[SecretStr, AfterValidator(_database)] = Field(
        default=SecretStr("sqlite:///var/bridge.db"),
        description="Where everything is kept; SQLite or PostgreSQL.",
    )
    host: Annotated[str, AfterValidator(_host)] = Field(
        default="127.0.0.1", description="Address to listen on."
    )
    port: int = Field(default=8080, ge=1, le=65535, description="Port to listen on.")
    public_url: Address | None = Field(
        default=None, description="Address at which Webex reaches this service."
    )
    trusted_proxies: Networks = Field(
        default=networks("127.0.0.0/8,::1"),
        description="Proxies of our own, whose X-Forwarded-For is believed: addresses or networks, comma separated.",
    )
    webex_api_url: Address = Field(default="https://webexapis.com/v1", description="Webex's API.")
    webex_service_app_client_id: Token | None = Field(
        default=None, description="The Service App's client ID."
    )
    webex_service_app_client_secret: Token | None = Field(
        default=None, description="The Service App's secret."
    )
    webex_service_app_refresh_token: Token | None = Field(
        default=None, description="Its first refresh token."
    )
    webex_service_app_access_token: Token | None = Field(default=None, description="Its first access token.")
    webex_bot_token: Token | None = Field(default=None, description="The bot for agents and leads.")
    webex_webhook_secret: SecretStr | None = Field(default=None, description="Signs what Webex sends us.")
    webex_guest_issuer_id: Token | None = Field(default=None, description="The legacy Guest Issuer's ID.")
    webex_guest_issuer_secret: Token | None = Field(
        default=None, description="The legacy Guest Issuer's secret."
    )
    webex_personal_access_token: Token | None = Field(
        default=None, description="A person's own token (12 h)."
    )
    bridge_secret_key: Annotated[SecretStr, AfterValidator(_fernet_keys)] | None = Field(
        default=None, description="Fernet keys that encrypt tokens at rest, newest first, comma separated."
    )
    log_format: Format | None = Field(
        default=None, description="json or console; None: json unless a terminal."
    )
    log_level: Level = Field(default="info", description="The least important lines that are logged.")
    bridge_env: Environment = Field(default="production", description="production or development.")

    @property
    def uses_postgresql(self) -> bool:
        return self.database_url.get_secret_value().startswith("postgresql://")

    @property
    def secret_keys(self) -> tuple[bytes, ...]:
        """The Fernet keys, newest first; empty where the key of `var/secret.key` is to be used."""
        keys = self.bridge_secret_key.get_secret_value() if self.bridge_secret_key else ""
        return tuple(key.encode() for key in keys.split(",") if key)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load_settings` reads the variables: it is handed the mapping, and knows NAME_FILE.
        return (init_settings,)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `environ` (default: the process's). Raises SettingsError with every problem at once."""
    source = os.environ if environ is None else environ
    values: dict[str, str] = {}
    problems: list[str] = []
    for field in Settings.model_fields:
        try:
            value = read_variable(source, field.upper())
        except VariableError as error:
            problems.append(str(error))
            continue
        if value is not None:
            values[field] = value
    if _needs_key(values, source):
        problems.append(
            "BRIDGE_SECRET_KEY: must be set with PostgreSQL, to the same value for every process."
        )
    try:
        settings = Settings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        problems.extend(_sentences(error))
    if problems:
        raise SettingsError(problems)
    return settings


def _needs_key(values: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    # Each process would make its own key, and none could read what another one stored.
    given = "bridge_secret_key" in values or environ.get("BRIDGE_SECRET_KEY_FILE")
    return values.get("database_url", "").startswith("postgres") and not given


def _sentences(error: ValidationError) -> list[str]:
    return [
        f"{str(item['loc'][0]).upper()}: {_plain(item)}." if item["loc"] else f"{_plain(item)}."
        for item in error.errors(include_url=False, include_input=False)
    ]


def _plain(item: Any) -> str:
    context = item.get("ctx", {})
    if item["type"] == "value_error":
        remedy = getattr(context["error"], "remedy", "")
        return f"{context['error']}" + (f"; try {remedy.rstrip('.')}" if remedy else "")
    if item["type"] == "literal_error":
        return f"must be {context['expected']}"
    if item["loc"] == ("port",):
        return "must be a whole number from 1 to 65535"
    return str(item["msg"])


NEEDED = {
    "service-app": ("webex_service_app_client_id", "webex_service_app_client_secret"),
    "guest-issuer": ("webex_guest_issuer_id", "webex_guest_issuer_secret"),
    "personal-token": ("webex_personal_access_token",),
}


def missing_credentials(settings: Settings, guests: str) -> list[str]:
    """The variables that the way of minting guests (`webex.guests`) needs and that are not set.

    The Service App's refresh token is not among them: after the first start the store keeps the newest one.
    """
    return [name.upper() for name in NEEDED[guests] if getattr(settings, name) is None]
