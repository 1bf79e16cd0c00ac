"""What can be changed about the simulated Webex, at any time.

Where the real one is documented the default is what is documented; where it is not, the default is the
harder case for a client, or the one seen in the field.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(eq=False)
class Settings:
    # Tokens; `*_expires_in` are seconds and are answered as they stand, number or numeric string.
    guest_expires_in: float | str = 64799
    service_expires_in: float | str = 1209600
    refresh_expires_in: float = 7776000
    jwt_expires_in: float | str = 21600
    personal_expires_in: float = 43200
    expires_as_string: bool = False
    token_length: int = 2074  # characters of a guest's token
    token_cap: int = 750  # live tokens one person may hold
    token_cap_mode: str = "refuse"  # noqa: S105 - or "drop-oldest"
    rotate_refresh_tokens: bool = False  # True: a refresh token works once
    oauth_error_status: int = 400  # what a dead refresh token is answered
    jwt_error_status: int = 401  # what a bad guest JWT is answered; 404 has been seen
    # Who may do what.
    auto_people: bool = False  # an unknown toPersonEmail becomes a licensed person instead of 404
    guest_webhooks: bool = True  # False: a guest's POST /webhooks is 403
    service_app_admin: bool = True  # the Service App sees licences
    service_app_scopes: str = (  # of its token; each call without its scope is 403
        "guest-issuer:read guest-issuer:write spark:people_read spark-admin:people_read spark-admin:licenses_read"
    )
    presence: bool = True  # `status` is shown within the organization ...
    bots_see_presence: bool = False  # ... to bots as well, which saw none in the field (facts 13, on 6)
    # Answers (facts 4.6 and 13: errors, pages, ids, names of files, the status of a pressed card).
    latency: float = 0.0  # seconds between the effect of a call and its answer
    not_found_window: float = 0.0  # seconds for which GET /messages/{id} lags behind the webhook
    no_room_status: int = (
        404  # GET /messages/direct without a 1:1 (400 and 403 are possible); 200 gives an empty list
    )
    refused_status: int = 403  # the first POST /messages to somebody who cannot be written to
    action_status: int = 200  # POST /attachment/actions; its documentation says 202, which SDKs do not accept
    count_as_json: bool = False  # /guests/count is application/json instead of text/plain
    id_region: str = "us"  # of new messages', rooms' and contents' ids; such as "urn:TEAM:us-west-2_r"
    direct_page: int = 50  # messages of one page of /messages/direct; the rest by Link
    file_names: str = "both"  # Content-Disposition: both | quoted | unquoted | rfc2047 | none
    max_text_bytes: int = 7439
    max_file_bytes: int = 100 * 1024 * 1024
    max_card_bytes: int = 22 * 1024
    max_page: int = 1000  # a larger `max` is silently lowered
    empty_pages: bool = False  # every list starts with an empty page that has a next one
    # Files: the state in which new ones are born.
    scan: str = "clean"  # clean | scanning | infected | unscannable | refused | failing
    scan_seconds: float = 2.0  # how long `scanning` and `failing` last
    # Webhooks.
    duplicate_webhooks: str = "accept"  # or "refuse": the same hook twice is 409
    put_keeps_secret: bool = True  # False: a PUT without the secret leaves the hook without one
    webhook_timeout: float = 10.0
    webhook_retries: int = 0
    webhook_failures: int = 100  # this many failed deliveries ...
    webhook_window: float = 300.0  # ... within so many seconds make a hook inactive
    webhook_duplicate: float = 0.0  # chance that a delivery is sent twice
    webhook_lose: float = 0.0  # chance that a delivery is never sent
    webhook_delay: float = 0.0  # each delivery waits up to so many seconds, so they overtake each other
    signature_header: str = "spark"  # spark | webex | both | none
    # Evidence.
    keep_log: bool = True
    retry_grace: float = 0.25  # a call so soon after a 429 was already under way: no violation

    def settings(self) -> dict[str, Any]:
        """Every setting and its value."""
        return {each.name: getattr(self, each.name) for each in fields(Settings)}

    def change(self, values: dict[str, Any]) -> None:
        """Sets several at once. ValueError names an unknown setting or a value of the wrong type."""
        known = self.settings()
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"there is no setting {name!r}")
            wanted = Settings.__annotations__[name]
            if not _fits(value, wanted):
                raise ValueError(f"{name} is a {wanted}, not {value!r}")
        for name, value in values.items():
            setattr(self, name, value)


def _fits(value: object, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "bool"
    if isinstance(value, str):
        return "str" in wanted
    if isinstance(value, int):
        return "int" in wanted or "float" in wanted
    return isinstance(value, float) and "float" in wanted
