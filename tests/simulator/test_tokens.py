"""Service App, guest and legacy tokens."""

import base64
import hmac
import json
from hashlib import sha256

import pytest

from bridge.simulator import GUEST_ISSUER_ID, GUEST_ISSUER_SECRET, PERSONAL_TOKEN


async def test_refresh_by_form_json_and_basic(nobody):
    """The refresh grant works as a form, as JSON and with the client in HTTP Basic."""
    form = await nobody.refresh()
    fields = {
        "grant_type": "refresh_token",
        "client_id": "sim-client-id",
        "client_secret": "sim-client-secret",
    }
    as_json = await nobody("POST", "/access_token", json={**fields, "refresh_token": "sim-refresh-token"})
    basic = base64.b64encode(b"sim-client-id:sim-client-secret").decode()
    data = {"grant_type": "refresh_token", "refresh_token": "sim-refresh-token"}
    by_basic = await nobody("POST", "/access_token", data=data, headers={"Authorization": f"Basic {basic}"})
    assert (form.status, as_json.status, by_basic.status) == (200, 200, 200)
    assert form.body["expires_in"] == 1209600
    assert form.body["refresh_token_expires_in"] == 7776000
    assert form.body["refresh_token"] == "sim-refresh-token"


@pytest.mark.parametrize(
    "changed",
    [{"client_id": "x"}, {"client_secret": "ü"}, {"refresh_token": "x"}, {"grant_type": "password"}],
)
async def test_bad_refresh_is_refused_in_the_error_shape(nobody, changed):
    """A wrong client, secret, refresh token or grant is answered 400 with message, errors and trackingId."""
    answer = await nobody.refresh(**changed)
    assert answer.status == 400
    assert answer.body["errors"][0]["description"] == answer.body["message"]
    assert answer.body["trackingId"] == answer.headers["TrackingID"]


async def test_rotated_refresh_token_works_once(nobody, world):
    """With rotation on, the old refresh token dies and the new one works."""
    world.rotate_refresh_tokens = True
    new = (await nobody.refresh()).body["refresh_token"]
    assert (await nobody.refresh()).status == 400
    assert (await nobody.refresh(refresh_token=new)).status == 200


async def test_refresh_token_lapses_unless_used(nobody, clock):
    """Each use of a refresh token extends it; ninety days without one end it."""
    clock.at += 7_000_000
    assert (await nobody.refresh()).status == 200
    clock.at += 7_000_000
    assert (await nobody.refresh()).status == 200
    clock.at += 7_776_000
    assert (await nobody.refresh()).status == 400


async def test_guest_token_shape(app):
    """A minted guest has an id, a synthetic address, and a token of more than 2000 characters for 64799 s."""
    body = (await app.mint("PersonNo#1", "John Doe")).body
    assert list(body) == ["id", "subject", "displayName", "email", "accessToken", "expiresIn"]
    assert body["email"].endswith("@appid.ciscospark.com")
    assert body["subject"] == "PersonNo#1"
    assert body["expiresIn"] == 64799
    assert len(body["accessToken"]) > 2000


async def test_same_subject_is_the_same_guest_renamed(app, world):
    """Minting again keeps the id, gives another token, renames, and leaves the old token alive."""
    first, second = (await app.mint("s", "Ada")).body, (await app.mint("s", "Ada Lovelace")).body
    assert first["id"] == second["id"]
    assert first["accessToken"] != second["accessToken"]
    me = await app.as_(first["accessToken"])("GET", "/people/me")
    assert (me.status, me.body["displayName"], me.body["type"]) == (200, "Ada Lovelace", "appuser")
    assert world.guests["s"].name == "Ada Lovelace"


@pytest.mark.parametrize("expires", [6, 6.0, "6"])
async def test_expired_guest_token_is_refused_and_recorded(app, world, clock, expires):
    """A token works until its last moment; a later call is evidence, whatever form expiresIn has."""
    world.guest_expires_in = expires
    minted = await app.mint()
    assert minted.body["expiresIn"] == expires
    ada = app.as_(minted.body["accessToken"])
    clock.at += 5.999
    assert (await ada("GET", "/people/me")).status == 200
    clock.at += 0.001
    assert (await ada("GET", "/people/me")).status == 401
    assert world.calls[-1].token_expired
    assert world.calls[-1].owner == "guest:ada"
    assert world.violations() == ["GET /v1/people/me by guest:ada with an expired token"]


async def test_expiry_can_be_told_as_a_string(app, world):
    """With expires_as_string the number is quoted."""
    world.expires_as_string = True
    assert (await app.mint()).body["expiresIn"] == "64799"


async def test_cap_refuses_until_older_tokens_expire(app, world, clock):
    """The token over the cap is refused; when older ones lapse there is room again."""
    world.token_cap = 3
    assert [(await app.mint()).status for _ in range(4)] == [200, 200, 200, 400]
    assert "tokenlimit_reached" in (await app.mint()).body["message"]
    assert world.most_tokens == 3
    clock.at += 64799
    assert (await app.as_(None).refresh()).status == 200
    assert (await app.mint()).status == 200


async def test_cap_may_drop_the_oldest(app, world):
    """In the other mode the token over the cap kills the oldest one."""
    world.token_cap, world.token_cap_mode = 2, "drop-oldest"
    first, second, third = [await app.guest() for _ in range(3)]
    statuses = [(await each("GET", "/people/me")).status for each in (first, second, third)]
    assert statuses == [401, 200, 200]
    assert world.violations() == []


async def test_only_the_service_app_mints(app, ada, amy, nobody):
    """A person, a guest and the developer's own token are 403; an unknown or missing token is 401."""
    for client in (amy, ada, nobody.as_(PERSONAL_TOKEN)):
        assert (await client.mint("x", "X")).status == 403
        assert (await client("GET", "/guests/count")).status == 403
    assert (await nobody.mint()).status == 401
    assert (await nobody.as_("unknown").mint()).status == 401
    assert (await nobody.as_(app.token[:-1]).mint()).status == 401


@pytest.mark.parametrize(
    "body",
    [{}, {"subject": "s"}, {"subject": " ", "displayName": "A"}, {"subject": 1, "displayName": "A"}, []],
)
async def test_bad_mint_is_400(app, body):
    """Both fields must be there, be texts and not blank."""
    assert (await app("POST", "/guests/token", json=body)).status == 400


async def test_bodies_that_are_no_json(app):
    """Another content type is 415, broken or absurdly deep JSON is 400."""
    json_type = {"Content-Type": "application/json"}
    assert (
        await app("POST", "/guests/token", data=b"{}", headers={"Content-Type": "text/plain"})
    ).status == 415
    assert (await app("POST", "/guests/token", data=b"{", headers=json_type)).status == 400
    assert (await app("POST", "/guests/token", data=b"[" * 100_000, headers=json_type)).status == 400
    half = rb'{"subject": "\ud800", "displayName": "half a character"}'
    assert (await app("POST", "/guests/token", data=half, headers=json_type)).status == 400


async def test_count_is_a_bare_number(app):
    """GET /guests/count answers text/plain, not JSON."""
    for subject in "abc":
        await app.mint(subject)
    answer = await app("GET", "/guests/count")
    assert (answer.body, answer.headers["Content-Type"].split(";")[0]) == ("3", "text/plain")


def signed(clock, secret=GUEST_ISSUER_SECRET, alg="HS256", **changed):
    claims = {
        "sub": "guest-1",
        "name": "Ada",
        "iss": GUEST_ISSUER_ID,
        "exp": str(int(clock.at) + 60),
        **changed,
    }
    parts = [json.dumps(each).encode() for each in ({"typ": "JWT", "alg": alg}, claims)]
    head = b".".join(base64.urlsafe_b64encode(each).rstrip(b"=") for each in parts)
    mac = hmac.new(base64.b64decode(secret), head, sha256).digest()
    return (head + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


async def test_jwt_login_with_and_without_bearer(nobody, clock, world):
    """A signed JWT becomes a guest's token, with or without 'Bearer', whether exp is text or number."""
    world.jwt_expires_in = "600"
    first = await nobody.as_(signed(clock))("POST", "/jwt/login")
    raw = signed(clock, exp=clock.at + 60)
    second = await nobody("POST", "/jwt/login", headers={"Authorization": raw})
    assert (first.status, second.status, first.body["expiresIn"]) == (200, 200, "600")
    ids = {(await nobody.as_(each.body["token"])("GET", "/people/me")).body["id"] for each in (first, second)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": "d3Jvbmc="},
        {"alg": "none"},
        {"iss": "x"},
        {"sub": "a#b"},
        {"sub": None},
        {"exp": 1},
        {"exp": None},
    ],
)
async def test_bad_jwt_is_refused(nobody, clock, world, changed):
    """A wrong signature, algorithm, issuer, subject or time is 401, or whatever status is set."""
    client = nobody.as_(signed(clock, **changed))
    assert (await client("POST", "/jwt/login")).status == 401
    world.jwt_error_status = 404
    assert (await client("POST", "/jwt/login")).status == 404


@pytest.mark.parametrize("word", ["", "a", "a.b.c", "..", "ü.ü.ü"])
async def test_garbage_jwt_is_refused(nobody, word):
    """What is no JWT at all is refused, not a crash."""
    answer = await nobody("POST", "/jwt/login", headers={"Authorization": f"Bearer {word}"})
    assert answer.status == 401


async def test_personal_token_lives_twelve_hours(nobody, clock):
    """The developer's token is a person's, for 12 h."""
    developer = nobody.as_(PERSONAL_TOKEN)
    assert (await developer("GET", "/people/me")).body["emails"] == ["dev@example.com"]
    clock.at += 43200
    assert (await developer("GET", "/people/me")).status == 401
