"""Holds a conversation with what openapi-generator made for Python."""

import json
import os
import time

import guest_bridge

talk = json.loads(os.environ["TALK"])
configuration = guest_bridge.Configuration(host=talk["url"], access_token=talk["key"])
with guest_bridge.ApiClient(configuration) as client:
    api = guest_bridge.CustomerApi(client)
    assert api.get_conversation(talk["id"]).status == "open"
    words = guest_bridge.Words(text=talk["words"])
    assert api.post_message(talk["id"], words=words).delivery == "pending"
    for _ in range(600):
        items = api.get_messages(talk["id"]).items
        if any(item.var_from == "agent" and item.text == talk["answer"] for item in items):
            break
        time.sleep(0.05)
    else:
        raise SystemExit("the answer never came")
    assert api.end_conversation(talk["id"]).status == "ended"
    kinds = guest_bridge.Event.from_dict(
        {"type": "message.created", "data": {"subject": "a", "message": "b"}}
    )
    assert type(kinds.actual_instance).__name__ == "MessageCreated"
