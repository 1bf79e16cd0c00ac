"""The bot: what agents and leads are told in Webex, and what they tell it. Everything works without it."""
