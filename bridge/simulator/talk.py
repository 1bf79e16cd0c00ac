"""Messages, 1:1 rooms, files and cards: the rules of talking. https://developer.webex.com/docs/api/v1/messages"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bridge.simulator import markup
from bridge.simulator.ids import iso, key_of, make_id
from bridge.simulator.model import File, Message, Person, Refusal, Room

if TYPE_CHECKING:
    from bridge.simulator.world import World

MAX_EDITS: Final = 10
_BLOCKED: Final = "External communication is blocked by the organization of this user."
NO_ONE_ON_ONE: Final = "Failed to get one on one conversation"
CARD: Final = "application/vnd.microsoft.card.adaptive"


def open_room(world: World, sender: Person, other: Person) -> Room:
    """The one 1:1 of the two, opened when it is the first time. Refusal where they may not talk.

    That somebody cannot be written to bears the text that a missing 1:1 has (facts 13, on 4.2).
    """
    room = world.room_of(sender, other)
    if room is not None:
        return room
    if sender is other:
        raise Refusal(400, "You cannot start a conversation with yourself.")
    if sender.is_guest and other.is_guest:
        raise Refusal(403, "A guest cannot talk to a guest.")
    outside = sender.org_id != other.org_id
    if (
        outside
        and (other.external_blocked or sender.external_blocked)
        and "bot" not in (sender.type, other.type)
    ):
        raise Refusal(world.refused_status, NO_ONE_ON_ONE)
    room = Room(make_id("ROOM", region=world.id_region), (sender, other), world.now())
    world.rooms[room.id] = room
    world.pairs[min(sender.id, other.id), max(sender.id, other.id)] = room
    sender.rooms.append(room)
    other.rooms.append(room)
    return room


def send(
    world: World,
    sender: Person,
    room: Room,
    text: str | None,
    markdown: str | None,
    file: File | None = None,
    cards: list[dict[str, Any]] | None = None,
    parent_id: str | None = None,
    html: str | None = None,
) -> Message:
    """A message in a room its sender is in. Refusal where a rule of its content is broken.

    `html`: what a Webex client made of the words; else it is made of the markdown.
    """
    if sender.is_guest and room.other(sender).refuses_guests:
        raise Refusal(403, _BLOCKED)
    _check(world, text, markdown, file, cards)
    if parent_id is not None and (
        parent_id not in world.messages or world.messages[parent_id].room is not room
    ):
        raise Refusal(400, "The parent message is not in this room.")
    at = world.now()
    made = make_id("MESSAGE", region=world.id_region)
    data: dict[str, Any] = {"id": made, "roomId": room.id, "roomType": "direct"}
    _put_text(data, text, markdown)
    if html:
        data["html"] = html
    if file is not None:
        file.id = make_id("CONTENT", f"{key_of(made)}/0", world.id_region)
        file.room, world.files[file.id] = room, file
        data["files"] = [f"{world.root}/v1/contents/{file.id}"]
    data["personId"], data["personEmail"] = sender.id, sender.email
    if cards:
        data["attachments"] = cards
    if parent_id is not None:
        data["parentId"] = parent_id
    data["created"] = iso(at)
    message = Message(world.next_seq(), at, data, room, sender, file)
    room.messages.append(message)
    world.messages[message.data["id"]] = message
    room.other(sender).inbox.append(data)
    tell(world, message, "created")
    return message


def _check(
    world: World,
    text: str | None,
    markdown: str | None,
    file: File | None,
    cards: list[dict[str, Any]] | None,
) -> None:
    if not (text or markdown or file or cards):
        raise Refusal(400, "Both text and file cannot be empty.")
    for words in (text, markdown):
        if (
            words
            and len(words) * 4 > world.max_text_bytes
            and len(words.encode("utf-8", "replace")) > world.max_text_bytes
        ):
            raise Refusal(
                400,
                f"Unable to post message to room: Message length limited to {world.max_text_bytes} "
                "characters before encryption and 10000 characters after encryption.",
            )
    if not cards:
        return
    if len(cards) > 1 or cards[0].get("contentType") != CARD or not isinstance(cards[0].get("content"), dict):
        raise Refusal(400, "attachments must be one adaptive card.")
    if len(json.dumps(cards).encode()) > world.max_card_bytes:
        raise Refusal(400, 'Unable to post message to room: "The request payload is too big"')


def _put_text(data: dict[str, Any], text: str | None, markdown: str | None) -> None:
    for key in ("text", "markdown", "html"):
        data.pop(key, None)
    if markdown:
        data["text"] = text or markup.to_text(markdown)
        data["markdown"], data["html"] = markdown, markup.to_html(markdown)
    elif text:
        data["text"] = text


def edit(world: World, person: Person, message: Message, text: str | None, markdown: str | None) -> Message:
    """Only the author, at most ten times, never a message with a file or a card."""
    if message.sender is not person:
        raise Refusal(403, "Only the author of a message can edit it.")
    if message.file is not None or "attachments" in message.data:
        raise Refusal(400, "Messages with files or cards cannot be edited.")
    if message.edits >= MAX_EDITS:
        raise Refusal(400, f"A message can be edited {MAX_EDITS} times at most.")
    _check(world, text, markdown, None, None)
    message.edits += 1
    _put_text(message.data, text, markdown)
    message.data["updated"] = iso(world.now())
    tell(world, message, "updated")
    return message


def delete(world: World, person: Person, message: Message) -> None:
    """Only the author; a file goes with its message."""
    if message.sender is not person:
        raise Refusal(403, "Only the author of a message can delete it.")
    message.room.messages.remove(message)
    del world.messages[message.data["id"]]
    if message.file is not None:
        world.files.pop(message.file.id, None)
    tell(world, message, "deleted")


def tell(world: World, message: Message, event: str) -> None:
    """The webhooks of both hear of it, the author's own too."""
    world.touch()
    if not any(world.hears(person) for person in message.room.members):
        return
    shown = ("id", "roomId", "roomType", "personId", "personEmail", "created", "updated")
    world.emit(
        message.room.members,
        "messages",
        event,
        message.sender,
        {key: message.data[key] for key in shown if key in message.data},
        hasFiles=str(message.file is not None).lower(),
        hasAttachments=str("attachments" in message.data).lower(),
    )


def press(world: World, person: Person, message: Message, inputs: dict[str, Any]) -> dict[str, Any]:
    """A card is submitted, by its author as well; only the author hears of it."""
    if person not in message.room.members:
        raise Refusal(403, "Failed to get activity.")
    if "attachments" not in message.data:
        raise Refusal(400, "The message has no card.")
    ids = {
        "type": "submit",
        "messageId": message.data["id"],
        "personId": person.id,
        "roomId": message.room.id,
    }
    action = {"id": make_id("ATTACHMENT_ACTION"), **ids, "inputs": inputs, "created": iso(world.now())}
    world.actions[action["id"]] = (message.room, action)
    data = {key: value for key, value in action.items() if key != "inputs"}
    world.emit((message.sender,), "attachmentActions", "created", person, data)
    return action


def keep_file(world: World, name: str, content: bytes, media_type: str) -> File:
    """A file that a message is about to carry, which gives it its id. Refusal where it is too large."""
    if len(content) > world.max_file_bytes:
        raise Refusal(400, 'Unable to post message to room: "The request payload is too big"')
    return File("", name, media_type, content, world.scan, world.now() + world.scan_seconds)
