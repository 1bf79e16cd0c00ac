"""Standard Webhooks, ours against the package's."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from bridge.domain.signing import BadSignature, decode_secret, sign, verify

SECRET = bytes(range(32))
WHSEC = "whsec_" + b64encode(SECRET).decode()
NOW = 1_795_300_000


@given(st.binary(max_size=200), st.text("abc-_.123", min_size=1, max_size=40))
def test_our_signature_is_the_packages(body, webhook_id):
    """What we sign, the reference package signs the same."""
    text = body.hex()
    theirs = Webhook(WHSEC).sign(webhook_id, datetime.fromtimestamp(NOW, UTC), text)
    assert sign(SECRET, webhook_id, NOW, text.encode()) == theirs


def test_the_package_takes_ours_and_we_take_theirs():
    """Each side verifies what the other signed."""
    now = int(datetime.now(UTC).timestamp())
    body = json.dumps({"a": 1})
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign(SECRET, "m1", now, body.encode()),
    }
    assert Webhook(WHSEC).verify(body, headers) == {"a": 1}
    assert verify([SECRET], "m1", str(now), headers["webhook-signature"], body.encode(), now) == "m1"
    with pytest.raises(WebhookVerificationError):
        Webhook(WHSEC).verify(body + " ", headers)


def check(secrets=(SECRET,), webhook_id="m1", timestamp=str(NOW), signature=None, body=b"{}", now=NOW):
    given = sign(SECRET, "m1", NOW, b"{}") if signature is None else signature
    return verify(list(secrets), webhook_id, timestamp, given, body, now)


def test_any_of_several_secrets_and_signatures_will_do():
    """Rotation: the sender may use the old secret or send both signatures."""
    assert check(secrets=(b"new", SECRET)) == "m1"
    assert check(signature=f"v1,AAAA v1a,xyz {sign(SECRET, 'm1', NOW, b'{}')}") == "m1"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_of_difference_are_borne(seconds):
    """The tolerance is five minutes to either side, and not a second more."""
    assert check(now=NOW + seconds) == "m1"
    with pytest.raises(BadSignature):
        check(now=NOW + seconds + (1 if seconds > 0 else -1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_id": ""},
        {"webhook_id": None},
        {"webhook_id": "m2"},
        {"webhook_id": "\udcff"},
        {"timestamp": None},
        {"timestamp": "now"},
        {"timestamp": "١٧٩٥٣٠٠٠٠٠"},
        {"timestamp": "9" * 400},
        {"timestamp": f"{NOW}.5"},
        {"timestamp": f"-{NOW}"},
        {"signature": ""},
        {"signature": "v1"},
        {"signature": "v1,"},
        {"signature": "v1,not base64!"},
        {"signature": "v2," + sign(SECRET, "m1", NOW, b"{}")[3:]},
        {"signature": "v1,\udcff"},
        {"signature": "v1,é"},
        {"signature": " " * 5000},
        {"body": b"{} "},
        {"secrets": ()},
        {"secrets": (b"other",)},
    ],
)
def test_everything_else_is_one_refusal(wrong):
    """However malformed, a call that is not proved is refused, with one error and no other."""
    with pytest.raises(BadSignature):
        check(**wrong)


def test_secrets_are_whsec_and_base64():
    """Anything else is not a secret."""
    assert decode_secret(WHSEC) == SECRET
    assert decode_secret(WHSEC.rstrip("=")) == SECRET
    for text in ("", "abc", "whsec_!!!", b64encode(SECRET).decode()):
        with pytest.raises(ValueError):
            decode_secret(text)
