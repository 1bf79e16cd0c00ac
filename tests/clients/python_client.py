"""Holds a conversation with what openapi-python-client made."""

import json
import os
import time

from webex_guest_bridge_client import AuthenticatedClient
from webex_guest_bridge_client.api.customer import (
    end_conversation,
    get_conversation,
    get_messages,
    post_message,
)
from webex_guest_bridge_client.models import Words

talk = json.loads(os.environ["TALK"])
with AuthenticatedClient(base_url=talk["url"], token=talk["key"]) as client:
    assert get_conversation.sync(talk["id"], client=client).status == "open"
    taken = post_message.sync(talk["id"], client=client, body=Words(text=talk["words"]))
    assert taken.delivery == "pending"
    for _ in range(600):
        items = get_messages.sync(talk["id"], client=client).items
        if any(item.from_ == "agent" and item.text == talk["answer"] for item in items):
            break
        time.sleep(0.05)
    else:
        raise SystemExit("the answer never came")
    assert end_conversation.sync(talk["id"], client=client).status == "ended"
