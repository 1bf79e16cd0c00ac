"""The way of minting guests that the configuration names (`webex.guests`), with the environment's credentials."""

from __future__ import annotations

from pydantic import SecretStr

from bridge.ports import Clock, Minter, Vault
from bridge.webex.client import WebexClient
from bridge.webex.guest_issuer import GuestIssuerMinter
from bridge.webex.personal import PersonalTokenMinter
from bridge.webex.service_app import ServiceAppMinter
from config.settings import Settings


def make_minter(guests: str, settings: Settings, webex: WebexClient, vault: Vault, clock: Clock) -> Minter:
    """`guests`: service-app | guest-issuer | personal-token. Raises BridgeError where that is not allowed."""
    if guests == "guest-issuer":
        return GuestIssuerMinter(
            webex,
            clock,
            _value(settings.webex_guest_issuer_id) or "",
            _value(settings.webex_guest_issuer_secret) or "",
        )
    if guests == "personal-token":
        token = _value(settings.webex_personal_access_token) or ""
        return PersonalTokenMinter(webex, vault, clock, token, environment=settings.bridge_env)
    return ServiceAppMinter(
        webex,
        vault,
        clock,
        client_id=_value(settings.webex_service_app_client_id),
        client_secret=_value(settings.webex_service_app_client_secret),
        refresh_token=_value(settings.webex_service_app_refresh_token),
        first_access_token=_value(settings.webex_service_app_access_token),
    )


def _value(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
