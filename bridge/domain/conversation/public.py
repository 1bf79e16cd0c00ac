"""What the customer's side sees of a conversation: the JSON of contract section 7."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bridge.domain.conversation.model import Conversation, Said


def iso(moment: float | None) -> str | None:
    """Epoch seconds as UTC, e.g. 2026-11-22T10:15:00.250Z."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_item(conversation_id: str, said: Said) -> dict[str, Any]:
    """One item of the transcript. A Webex address never leaves: files are named by our own."""
    return {
        "seq": said.seq,
        "id": said.id,
        "from": said.author,
        "text": said.text,
        "html": said.html,
        "files": [_file(conversation_id, file) for file in said.files],
        "at": iso(said.at),
        "delivery": said.delivery,
    }


def _file(conversation_id: str, file: Any) -> dict[str, Any]:
    own = f"/v1/conversations/{conversation_id}/files/{file['id']}" if "id" in file else file.get("url")
    return {"name": file.get("name"), "type": file.get("type"), "size": file.get("size"), "url": own}


def state_item(conversation: Conversation, position: int | None, agent_name: str | None) -> dict[str, Any]:
    status = "queued" if conversation.status == "new" else conversation.status
    return {
        "id": conversation.id,
        "status": status,
        "agent": {"name": agent_name} if agent_name and status != "queued" else None,
        "queuePosition": position if status == "queued" else None,
        "opensAt": iso(conversation.opens_at) if status == "queued" else None,
        "startedAt": iso(conversation.created_at),
        "endedAt": iso(conversation.ended_at),
        "endReason": conversation.end_reason,
    }
