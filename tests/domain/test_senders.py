"""Every scheme against fixed public values, and against what is not quite right."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import pytest
from multidict import CIMultiDict

from bridge.domain.senders.freshness import need_fresh
from bridge.domain.senders.jws import Jws, sign_jws
from bridge.domain.senders.presets import PRESETS
from bridge.domain.senders.request import Request, Scheme
from bridge.domain.senders.shared_secret import Basic, Bearer, Header, Query
from bridge.domain.senders.signature import Signature, Timestamp
from bridge.domain.senders.standard import PagesOnly, StandardWebhooks
from bridge.domain.signing import BadSignature, decode_secret
from config.model_sources import Source
from config.senders import sending_of

NOW = 1_800_000_000.0
SECRET = "a-secret-of-some-length"


def request(headers: dict[str, str], body: bytes = b"{}", url: str = "", **query: str) -> Request:
    """A POST as it comes in."""
    return Request("POST", url, CIMultiDict(headers), urlencode(query, errors="surrogatepass"), body)


def of_preset(name: str, secret: str = SECRET) -> Scheme:
    """The scheme that a configuration with this preset gets."""
    environ = {"SECRET": secret}
    source = Source.model_validate(
        {"auth": {"preset": name, "secrets": ["env:SECRET"]}}, context={"environ": environ}
    )
    return sending_of(source).scheme


def refusal(scheme: Scheme, what: Request, now: float = NOW) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        scheme.check(what, now)
    return caught.value


def test_the_specification_s_signature() -> None:
    """Standard Webhooks: the vector of the specification."""
    scheme = StandardWebhooks((decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),))
    headers = {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": "1614265330",
        "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'
    assert scheme.check(request(headers, body), 1614265330) == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert refusal(scheme, request(headers, body + b" "), 1614265330).reason == "signature"
    assert "clock off by -301 s" in str(refusal(scheme, request(headers, body), 1614265631))


@pytest.mark.parametrize("name", ["github", "meta", "opnform"])
def test_github_s_signature(name: str) -> None:
    """The vector of GitHub's documentation; Meta and OpnForm sign alike."""
    scheme = of_preset(name, "It's a Secret to Everybody")
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert scheme.check(request({"X-Hub-Signature-256": signature}, b"Hello, World!"), NOW) is None
    assert refusal(scheme, request({"X-Hub-Signature-256": signature}, b"Hello, World?"))


def test_twilio_s_signature() -> None:
    """The vector of Twilio's security page: the address, then the fields by name."""
    scheme = of_preset("twilio", "12345")
    form = (
        b"To=%2B18005551212&CallSid=CA1234567890ABCDE&Digits=1234&From=%2B12349013030&Caller=%2B12349013030"
    )
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    headers = {"X-Twilio-Signature": "0/KCTR6DLpKmkAf8muzZqo1nDgQ="}
    assert scheme.check(request(headers, form, url), NOW) is None
    assert refusal(scheme, request(headers, form, url + "&more"))
    assert refusal(scheme, request(headers, form + b"&Digits=5", url))
    assert "PUBLIC_URL" in str(refusal(scheme, request(headers, form)))


def test_hubspot_s_signature() -> None:
    """The vector of HubSpot's own client library, at its own time."""
    scheme = of_preset("hubspot", "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy")
    headers = {
        "X-HubSpot-Signature-v3": "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw=",
        "X-HubSpot-Request-Timestamp": "15000000",
    }
    what = request(headers, b"{'example_field':'example_value'}", "https://www.example.com/webhook_uri")
    assert scheme.check(what, 15_000) is None
    assert refusal(scheme, what, 15_301).reason == "timestamp"


def test_an_address_is_signed_as_the_sender_spells_it() -> None:
    """HubSpot decodes the address before it signs; the bridge sees it encoded."""
    scheme = of_preset("hubspot")
    spelled, seen = "https://x.example/v1/events/a?b=c d", "https://x.example/v1/events/a?b=c%20d"
    headers = scheme.prove(spelled, b"[]", "", NOW)[1]
    assert scheme.check(request(headers, b"[]", seen), NOW) is None


@pytest.mark.parametrize(
    ("name", "signed", "encode"),
    [
        ("typeform", b"%(body)s", lambda mac: "sha256=" + b64encode(mac).decode()),
        ("tally", b"%(body)s", lambda mac: b64encode(mac).decode()),
        ("shopify", b"%(body)s", lambda mac: b64encode(mac).decode()),
        ("formstack", b"%(body)s", lambda mac: "sha256=" + mac.hex()),
        ("webflow", b"1800000000000:%(body)s", lambda mac: mac.hex()),
        ("formspree", b"1800000000.%(body)s", lambda mac: f"t=1800000000,v1={mac.hex()}"),
    ],
)
def test_services_without_a_public_vector(name: str, signed: bytes, encode: Any) -> None:
    """What the service's page describes, written out here once more."""
    body = b'{"a": "\xc3\xa9"}'
    value = encode(hmac.digest(SECRET.encode(), signed % {b"body": body}, hashlib.sha256))
    scheme, header = of_preset(name), PRESETS[name].header
    headers = {header.upper(): value, "X-Webflow-Timestamp": "1800000000000"}
    assert scheme.check(request(headers, body), NOW) is None
    assert refusal(scheme, request({**headers, header.upper(): value[:-4] + "AAA="}, body))
    assert refusal(scheme, request(headers, body + b"\n"))
    assert "no header" in str(refusal(scheme, request({}, body)))


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_what_a_preset_proves_it_believes(name: str) -> None:
    """`bridge sign` and the door are two sides of one thing; another secret, or a repeat much later, is refused."""
    scheme = of_preset(name)
    body = b"a=1&b=2"
    url, headers = scheme.prove("https://x.example/v1/events/form", body, "id", NOW)
    what = request(headers, body, url)
    scheme.check(what, NOW)
    assert refusal(of_preset(name, SECRET + "!"), what).reason == "signature"
    if scheme.replay_safe:
        assert refusal(scheme, what, NOW + 301).reason == "timestamp"
    else:
        scheme.check(what, NOW + 301)


def test_a_statement_about_the_body() -> None:
    """Netlify: HS256, its issuer, this body; nothing that only looks alike."""
    scheme = Jws((b"one", b"two"), "X-Webhook-Signature", "netlify")

    def check(secret: bytes, claims: dict[str, Any], token: str = "") -> str | None:
        header = {"X-Webhook-Signature": token or sign_jws(secret, claims)}
        return scheme.check(request(header, b"body"), NOW)

    right = {"iss": "netlify", "sha256": hashlib.sha256(b"body").hexdigest()}
    assert check(b"two", right) is None
    for secret, claims in (
        (b"three", right),
        (b"one", right | {"iss": "somebody"}),
        (b"one", right | {"sha256": hashlib.sha256(b"other").hexdigest()}),
        (b"one", {"iss": "netlify"}),
        (b"one", right | {"sha256": ["a"]}),
    ):
        with pytest.raises(BadSignature):
            check(secret, claims)
    unsigned = b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for token in ("", "a.b", "a.b.c.d", f"{unsigned}.{unsigned}.", "é.é.é", "....", "=.=.=", "A" * 5000):
        with pytest.raises(BadSignature):
            scheme.check(request({"X-Webhook-Signature": token}, b"body"), NOW)


def test_shown_secrets() -> None:
    """Bearer, Basic, a header, a parameter: the secret itself, the newer or the older one, and nothing near it."""
    secrets = (b"new:secret", b"old:secret")
    basic = b64encode(b"old:secret").decode()
    Bearer(secrets).check(request({"Authorization": "bearer old:secret"}), NOW)
    Basic(secrets).check(request({"authorization": f"Basic {basic}"}), NOW)
    Header(secrets, "X-Key").check(request({"x-key": "new:secret"}), NOW)
    Query(secrets, "key").check(request({}, key="old:secret"), NOW)
    for scheme, what in (
        (Bearer(secrets), request({"Authorization": "Basic old:secret"})),
        (Bearer(secrets), request({"Authorization": "Bearer"})),
        (Bearer(secrets), request({"Authorization": "Bearer old:secre"})),
        (Bearer(secrets), request({})),
        (Basic(secrets), request({"Authorization": "Basic %%%"})),
        (Basic(secrets), request({"Authorization": "Basic " + b64encode(b"old").decode()})),
        (Header(secrets, "X-Key"), request({"X-Key": "\udcff"})),
        (Header(secrets, "X-Key"), request({"X-Key": ""})),
        (Query(secrets, "key"), request({}, other="old:secret")),
        (Query(secrets, "key"), request({}, key="\udcff")),
        (PagesOnly(), request({})),
    ):
        assert refusal(scheme, what).reason == "signature"


def test_a_value_of_several_items_comes_in_any_order() -> None:
    """Spaces, other items and several signatures do no harm; a shape that is not there is refused."""
    scheme = Signature(
        (b"secret",), "X", "t={timestamp},v1={signature}", signs="{timestamp}.{body}", timestamp=Timestamp()
    )
    mac = hmac.digest(b"secret", b"1800000000.{}", "sha256").hex()
    for value in (f"v1={mac},t=1800000000", f"t=1800000000, v0=ab, v1=00, v1={mac}"):
        scheme.check(request({"X": value}), NOW)
    for value in (mac, f"v1={mac}", f"t=1800000000,v2={mac}", f"t=x,v1={mac}", "," * 5000, f"t=-1,v1={mac}"):
        refusal(scheme, request({"X": value}))


def test_a_signed_id_is_what_counts() -> None:
    """Where `{id}` is signed, its header is the event's id, under either of the names in use."""
    scheme = Signature((b"secret",), "X", signs="{id}.{timestamp}.{body}", timestamp=Timestamp("T"))
    headers = scheme.prove("", b"{}", "evt_1", NOW)[1]
    assert scheme.check(request(headers), NOW) == "evt_1"
    renamed = {("svix-id" if name == "webhook-id" else name): value for name, value in headers.items()}
    assert scheme.check(request(renamed), NOW) == "evt_1"
    refusal(scheme, request({**headers, "webhook-id": "evt_2"}))


@pytest.mark.parametrize(
    "stated",
    [
        NOW,
        NOW * 1000,
        str(NOW - 86000),
        "2027-01-15T08:00:00Z",
        "2027-01-15 08:00:00",
        "2027-01-15T09:00:00+01:00",
    ],
)
def test_what_was_made_today_is_fresh(stated: Any) -> None:
    """Seconds, milliseconds, ISO 8601."""
    need_fresh(stated, NOW)


@pytest.mark.parametrize(
    "stated",
    [
        NOW - 86401,
        (NOW - 86401) * 1000,
        "2027-01-14T07:59:00Z",
        None,
        "",
        "nan",
        "inf",
        True,
        [],
        "yesterday",
        10**400,
    ],
)
def test_what_is_old_or_does_not_say_is_a_replay(stated: Any) -> None:
    """A day is the limit; no time at all is none that can be believed."""
    with pytest.raises(BadSignature) as caught:
        need_fresh(stated, NOW)
    assert caught.value.reason == "replay"


def test_no_reason_quotes_what_came() -> None:
    """The text is logged: it holds no secret and nothing of the sender's but numbers."""
    texts = [
        str(
            refusal(
                of_preset(name), request({PRESETS[name].header: "sha256=QUOTED,t=1,v1=QUOTED"}, b"QUOTED")
            )
        )
        for name in sorted(PRESETS)
    ]
    assert "QUOTED" not in json.dumps(texts)
