"""The usual way: Flask, webexteamssdk, tokens in a dict; run by gunicorn with 2 workers of 8 threads.

WEBEX_API_URL=... gunicorn -w 2 --threads 8 bench.peers.flask_app:app
"""

from __future__ import annotations

import os

import requests
from flask import Flask, jsonify, request
from standardwebhooks.webhooks import Webhook
from webexteamssdk import WebexTeamsAPI

from bench.processes import AGENT, WHSEC
from bridge.simulator import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

API = os.environ.get("WEBEX_API_URL", "").rstrip("/") + "/"
app = Flask(__name__)
webhook = Webhook(WHSEC)
tokens: dict[str, str] = {}
http = requests.Session()
http.mount("http://", requests.adapters.HTTPAdapter(pool_connections=8, pool_maxsize=8))
service: dict[str, str] = {}


def service_token() -> str:
    if "token" not in service:
        form = {
            "grant_type": "refresh_token",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
        }
        service["token"] = http.post(f"{API}access_token", data=form, timeout=30).json()["access_token"]
    return service["token"]


def guest_token(subject: str, name: str) -> str:
    if subject not in tokens:
        answer = http.post(
            f"{API}guests/token",
            json={"subject": subject, "displayName": name},
            headers={"Authorization": f"Bearer {service_token()}"},
            timeout=30,
        )
        answer.raise_for_status()
        tokens[subject] = answer.json()["accessToken"]
    return tokens[subject]


@app.post("/v1/events/kiosk")
def event():  # type: ignore[no-untyped-def]
    data = webhook.verify(request.get_data(), dict(request.headers))["data"]
    token = guest_token(data["subject"], data["displayName"])
    api = WebexTeamsAPI(access_token=token, base_url=API)
    sent = api.messages.create(toPersonEmail=AGENT, text=data["message"])
    return jsonify(messageId=sent.id), 202


@app.get("/")
def ready():  # type: ignore[no-untyped-def]
    return ""
