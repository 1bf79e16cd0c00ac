"""Access and refresh tokens: minted, found, capped, revoked."""

from __future__ import annotations

from uuid import uuid4

from bridge.simulator.model import Person, Refusal, Token
from bridge.simulator.settings import Settings

_HEAD = "eyJhbGciOiJSUzI1NiJ9."
_KEY = len(_HEAD) + 32
_FILLING = "c2ltdWxhdGVk" * 700


def lifetime(expires_in: float | str, fallback: float = 64799.0) -> float:
    """Seconds a token lives that is announced with this number, or numeric string."""
    try:
        return float(expires_in)
    except ValueError:
        return fallback


class Tokens:
    """Minted tokens are kept by their telling part only: 2000 characters each would fill the memory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, Token] = {}
        self._refresh: dict[str, float] = {}

    def find(self, word: str) -> Token | None:
        """The token of this text, however expired or revoked; None for an unknown one."""
        token = self._known.get(word[:_KEY]) or self._known.get(word)
        return token if token is not None and text_of(token) == word else None

    def seed(self, word: str, person: Person, expires_at: float = float("inf")) -> None:
        """A token with a text that everybody knows."""
        self._known[word] = Token(word, len(word), person, expires_at)

    def mint(self, person: Person, expires_in: float | str, now: float, length: int) -> str:
        """A new token; older ones stay alive. Refusal 400 where the cap is reached and nothing is dropped."""
        live = [each for each in person.tokens if each.expires_at > now and not each.revoked]
        if len(live) >= self._settings.token_cap:
            if self._settings.token_cap_mode != "drop-oldest":  # noqa: S105 - a mode
                person.tokens = live
                raise Refusal(400, "tokenlimit_reached: too many live access tokens for this user.")
            live.pop(0).revoked = True
        token = Token(_HEAD + uuid4().hex, max(length, _KEY), person, now + lifetime(expires_in))
        live.append(token)
        person.tokens = live
        person.most_tokens = max(person.most_tokens, len(live))
        self._known[token.key] = token
        return text_of(token)

    def keep_refresh(self, word: str, expires_at: float) -> None:
        self._refresh[word] = expires_at

    def refresh_until(self, word: str, now: float) -> float | None:
        """When this refresh token lapses; None where it is unknown or has lapsed."""
        until = self._refresh.get(word)
        return until if until is not None and until > now else None

    def forget_refresh(self, word: str) -> None:
        self._refresh.pop(word, None)


def text_of(token: Token) -> str:
    """What the token's holder sends."""
    return token.key + _FILLING[: token.length - len(token.key)]
