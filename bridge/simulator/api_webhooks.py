"""/webhooks. https://developer.webex.com/docs/api/v1/webhooks"""

from __future__ import annotations

from aiohttp import web

from bridge.simulator import hooks
from bridge.simulator.ask import Ask, answer, nothing, page
from bridge.simulator.model import Refusal, Webhook


async def create(ask: Ask) -> web.Response:
    person = ask.person
    if person.is_guest and not ask.world.guest_webhooks:
        raise Refusal(403, "Webhooks are not for guests.")
    made = hooks.make_hook(person, await ask.json(), ask.at)
    if ask.world.duplicate_webhooks == "refuse" and any(_same(each, made) for each in person.hooks):
        raise Refusal(409, "The webhook exists already.")
    ask.world.hooks[made.id] = made
    person.hooks.append(made)
    return answer(hooks.view(made))


def _same(one: Webhook, other: Webhook) -> bool:
    return (one.target_url, one.resource, one.event, one.filter) == (
        other.target_url, other.resource, other.event, other.filter,
    )  # fmt: skip


async def listing(ask: Ask) -> web.Response:
    return page(ask, ask.person.hooks, hooks.view)


def _own(ask: Ask) -> Webhook:
    person, hook = ask.person, ask.known("WEBHOOK", ask.world.hooks, ask.part("id"))
    if hook is None or hook.person is not person:
        raise Refusal(404, "The requested webhook could not be found.")
    return hook


async def get(ask: Ask) -> web.Response:
    return answer(hooks.view(_own(ask)))


async def change(ask: Ask) -> web.Response:
    hook = _own(ask)
    hooks.update_hook(hook, await ask.json(), keeps_secret=ask.world.put_keeps_secret)
    return answer(hooks.view(hook))


async def remove(ask: Ask) -> web.Response:
    person, hook = ask.person, ask.known("WEBHOOK", ask.world.hooks, ask.part("id"))
    if hook is None:
        raise Refusal(400, "Invalid webhookId for Delete Webhook request.")
    if hook.person is not person:
        raise Refusal(400, "Failed to delete webhook.  You are not the owner of it.")
    person.hooks.remove(hook)
    del ask.world.hooks[hook.id]
    return nothing()
