"""What the form services send, after their own documentation: the source's configuration, and a body."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import urlencode

BOUNDARY = "----formboundary7MA4YWxk"


class Sample(NamedTuple):
    """A source, what its service sends, and the words that the agent then reads."""

    source: dict[str, Any]
    body: bytes
    content_type: str
    words: str


def preset(
    name: str, map_: dict[str, str], body: Any, words: str = "It arrived broken", **more: Any
) -> Sample:
    """A service that is known by a preset and sends JSON."""
    source = {"auth": {"preset": name, "secrets": ["env:FORM_SECRET"]}, "map": map_, **more}
    return Sample(source, json.dumps(body).encode(), "application/json", words)


def multipart(**fields: str) -> bytes:
    """A multipart form, as a browser writes it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()


SAMPLES = {
    "typeform": preset(
        "typeform",
        {
            "subject": "form_response.token",
            "displayName": "form_response.answers[?field.ref=='name'].text | [0] || 'Visitor'",
            "message": "form_response.answers[?field.ref=='message'].text | [0]",
            "context": "{email: form_response.answers[?type=='email'].email | [0]}",
        },
        {
            "event_id": "01JDXF5M1",
            "event_type": "form_response",
            "form_response": {
                "form_id": "lT4Z3j",
                "token": "a3a12ec67a1365927098a606107fac15",
                "submitted_at": "2018-01-18T18:17:02Z",
                "answers": [
                    {
                        "type": "text",
                        "text": "Ada L.",
                        "field": {"id": "1", "type": "short_text", "ref": "name"},
                    },
                    {"type": "email", "email": "ada@example.com", "field": {"id": "2", "ref": "email"}},
                    {"type": "text", "text": "It arrived broken", "field": {"id": "3", "ref": "message"}},
                ],
            },
        },
    ),
    "tally": preset(
        "tally",
        {
            "subject": "data.respondentId",
            "displayName": "data.fields[?label=='Name'].value | [0]",
            "message": "data.fields[?label=='Question'].value | [0]",
        },
        {
            "eventId": "a4cb511e-d513-4fa5-baee-b815d718dfd1",
            "eventType": "FORM_RESPONSE",
            "createdAt": "2023-06-28T15:00:21.889Z",
            "data": {
                "responseId": "2wgx4n",
                "respondentId": "dwQKYm",
                "fields": [
                    {"key": "q1", "label": "Name", "type": "INPUT_TEXT", "value": "Ada L."},
                    {"key": "q2", "label": "Question", "type": "TEXTAREA", "value": "It arrived broken"},
                ],
            },
        },
    ),
    "shopify": preset(
        "shopify",
        {"subject": "customer.id", "displayName": "customer.first_name", "message": "note"},
        {
            "id": 820982911946154508,
            "note": "It arrived broken",
            "customer": {"id": 115310627314723954, "first_name": "Ada"},
        },
    ),
    "webflow": preset(
        "webflow",
        {"subject": "payload.id", "displayName": "payload.data.Name", "message": "payload.data.Message"},
        {
            "triggerType": "form_submission",
            "payload": {
                "id": "6321ca84",
                "name": "Contact",
                "data": {"Name": "Ada", "Message": "It arrived broken"},
            },
        },
    ),
    "formspree": preset(
        "formspree",
        {"subject": "submission.email", "displayName": "submission.name", "message": "submission.message"},
        {
            "form": "xyzabcd",
            "submission": {"name": "Ada", "email": "ada@example.com", "message": "It arrived broken"},
        },
    ),
    "hubspot": preset(
        "hubspot",
        {"subject": "objectId", "displayName": "'Visitor'", "message": "propertyValue"},
        [
            {
                "eventId": 3816279340,
                "objectId": 123,
                "occurredAt": 1760000000000,
                "propertyValue": "It arrived broken",
            }
        ],
    ),
    "meta": preset(
        "meta",
        {
            "subject": "entry[0].changes[0].value.messages[0].from",
            "displayName": "entry[0].changes[0].value.contacts[0].profile.name",
            "message": "entry[0].changes[0].value.messages[0].text.body",
        },
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": "8856996819413533",
                    "changes": [
                        {
                            "field": "messages",
                            "value": {
                                "messaging_product": "whatsapp",
                                "contacts": [{"profile": {"name": "Ada"}, "wa_id": "16505551234"}],
                                "messages": [
                                    {
                                        "from": "16505551234",
                                        "id": "wamid.ABGGFlCGg0cvAgo",
                                        "type": "text",
                                        "text": {"body": "It arrived broken"},
                                    }
                                ],
                            },
                        }
                    ],
                }
            ],
        },
    ),
    "formstack": preset(
        "formstack",
        {"subject": "UniqueID", "displayName": "Name.value.first", "message": "Message.value"},
        {
            "FormID": "4",
            "UniqueID": "920",
            "Name": {"value": {"first": "Ada"}},
            "Message": {"value": "It arrived broken"},
        },
    ),
    "opnform": preset(
        "opnform",
        {"subject": "submission.Email", "displayName": "submission.Name", "message": "submission.Message"},
        {
            "form_title": "Contact",
            "submission": {"Name": "Ada", "Email": "ada@x.example", "Message": "It arrived broken"},
        },
    ),
    "github": preset(
        "github",
        {"subject": "issue.user.login", "displayName": "issue.user.login", "message": "issue.title"},
        {"action": "opened", "issue": {"title": "It arrived broken", "user": {"login": "octocat"}}},
    ),
    "netlify": preset(
        "netlify",
        {"subject": "data.email", "displayName": "name", "message": "data.message"},
        {
            "id": "5a2e9f",
            "number": 12,
            "name": "Ada",
            "data": {"email": "ada@example.com", "message": "It arrived broken"},
        },
    ),
    "twilio": Sample(
        {
            "auth": {"scheme": "hmac", "preset": "twilio", "secrets": ["env:FORM_SECRET"]},
            "map": {"subject": "From", "displayName": "ProfileName || 'Visitor'", "message": "Body"},
            "answer": "empty",
        },
        urlencode(
            {
                "MessageSid": "SM1",
                "From": "whatsapp:+16505551234",
                "Body": "It arrived broken",
                "NumMedia": "0",
            }
        ).encode(),
        "application/x-www-form-urlencoded",
        "It arrived broken",
    ),
    "jotform": Sample(
        {
            "auth": {
                "scheme": "query",
                "parameter": "key",
                "secrets": ["env:FORM_SECRET"],
                "id": "submissionID",
            },
            "body": "multipart",
            "json_fields": ["rawRequest"],
            "answer": "id",
            "map": {
                "subject": "submissionID",
                "displayName": "join(' ', [rawRequest.q3_name.first, rawRequest.q3_name.last])",
                "message": "rawRequest.q4_message",
            },
        },
        multipart(
            formID="2413",
            submissionID="5813",
            rawRequest=json.dumps(
                {"q3_name": {"first": "Ada", "last": "L."}, "q4_message": "It arrived broken"}
            ),
        ),
        f"multipart/form-data; boundary={BOUNDARY}",
        "It arrived broken",
    ),
    "gravity-forms": Sample(
        {
            "auth": {"scheme": "header", "header": "X-Bridge-Key", "secrets": ["env:FORM_SECRET"]},
            "map": {"subject": "id", "displayName": '"1.3"', "message": '"2"'},
        },
        json.dumps({"id": "311", "form_id": "4", "1.3": "Ada", "2": "It arrived broken"}).encode(),
        "application/json",
        "It arrived broken",
    ),
    "contact-form-7": Sample(
        {
            "auth": {"scheme": "bearer", "secrets": ["env:FORM_SECRET"]},
            "body": "form",
            "map": {"subject": '"your-email"', "displayName": '"your-name"', "message": '"your-message"'},
        },
        urlencode(
            {"your-name": "Ada", "your-email": "ada@example.com", "your-message": "It arrived broken"}
        ).encode(),
        "application/x-www-form-urlencoded; charset=UTF-8",
        "It arrived broken",
    ),
    "power-automate": Sample(
        {
            "auth": {"scheme": "basic", "secrets": ["env:FORM_SECRET"]},
            "map": {"subject": "responder", "displayName": "name", "message": "question"},
        },
        json.dumps({"responder": "ada@example.com", "name": "Ada", "question": "It arrived broken"}).encode(),
        "application/json; charset=utf-8",
        "It arrived broken",
    ),
    "n8n": Sample(
        {
            "auth": {
                "scheme": "hmac",
                "header": "X-Signature",
                "value": "sha256={signature}",
                "secrets": ["env:FORM_SECRET"],
            }
        },
        json.dumps(
            {
                "type": "conversation.requested",
                "data": {"subject": "ada", "displayName": "Ada", "message": "It arrived broken"},
            }
        ).encode(),
        "application/json",
        "It arrived broken",
    ),
}
