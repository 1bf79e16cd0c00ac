"""A bot made with the package webex_bot, which only knows Webex's websocket; run in an environment of its own."""

import os

import webex_bot.websockets.webex_websocket_client as client
from webex_bot.models.command import Command
from webex_bot.webex_bot import WebexBot
from webexpythonsdk import WebexAPI

root, token = os.environ["SIM"], os.environ["TOKEN"]
client.DEFAULT_U2C_URL = f"{root}/u2c/api/v1/catalog"
# The simulator is at http, on this machine.
client.ssl_context = None
client.WebexAPI = lambda access_token, proxies=None: WebexAPI(
    access_token=access_token, base_url=f"{root}/v1/"
)


class Echo(Command):
    """Says what it is told, and what a button brings."""

    def __init__(self) -> None:
        super().__init__(command_keyword="echo", help_message="echo", card=None)

    def execute(self, message, attachment_actions, activity):  # type: ignore[no-untyped-def]
        return f"heard: {message.strip()}"


class Pressed(Command):
    """Answers a press."""

    def __init__(self) -> None:
        super().__init__(
            command_keyword="pressed", card_callback_keyword="pressed", help_message="pressed", card=None
        )

    def execute(self, message, attachment_actions, activity):  # type: ignore[no-untyped-def]
        return f"pressed: {attachment_actions.inputs['word']}"


bot = WebexBot(token, approved_users=[os.environ["USER_EMAIL"]], bot_name="echo", include_demo_commands=False)
bot.teams = client.WebexAPI(token)
for command in (Echo(), Pressed()):
    bot.add_command(command)
card = {
    "type": "AdaptiveCard",
    "version": "1.3",
    "body": [{"type": "Input.Text", "id": "word"}],
    "actions": [{"type": "Action.Submit", "title": "Go", "data": {"callback_keyword": "pressed"}}],
}
attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
bot.teams.messages.create(toPersonEmail=os.environ["USER_EMAIL"], text="a form", attachments=[attachment])
bot.run()
