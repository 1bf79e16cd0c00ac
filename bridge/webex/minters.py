"""The three ways to mint guests, each a bridge.ports.Minter."""

from bridge.webex.guest_issuer import GuestIssuerMinter
from bridge.webex.personal import PersonalTokenMinter
from bridge.webex.service_app import ServiceAppMinter

__all__ = ["GuestIssuerMinter", "PersonalTokenMinter", "ServiceAppMinter"]
