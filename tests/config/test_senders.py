"""`auth` of senders with a way of their own: what does not fit together is an error, what is weak a warning."""

from __future__ import annotations

from typing import Any

import pytest

from config.check_senders import faults_of, has_public_url, weaknesses_of
from config.model_sources import Source

LONG, SHORT = "user:a-secret-of-some-length", "u:short"


def source(secret: str = LONG, **auth: Any) -> Source:
    return Source.model_validate(
        {"auth": {"secrets": ["env:SECRET"], **auth}}, context={"environ": {"SECRET": secret}}
    )


@pytest.mark.parametrize(
    ("auth", "place", "message"),
    [
        ({"preset": "typefrom"}, "preset", "no preset 'typefrom'"),
        ({"preset": "netlify", "scheme": "hmac"}, "scheme", "does not sign so"),
        ({"preset": "tally", "scheme": "bearer"}, "scheme", "does not sign so"),
        ({"scheme": "hmac"}, "header", "missing"),
        ({"scheme": "jws"}, "header", "missing"),
        ({"scheme": "header"}, "header", "missing"),
        ({"scheme": "query"}, "parameter", "missing"),
        ({"scheme": "bearer", "header": "X"}, "header", "has no header"),
        ({"scheme": "query", "parameter": "k", "signs": "{body}"}, "signs", "has no signs"),
        ({"scheme": "hmac", "header": "X", "value": "v1="}, "value", "place of the signature"),
        ({"scheme": "hmac", "header": "X", "value": "{signature}{x}"}, "value", "{x} is no part"),
        ({"scheme": "hmac", "header": "X", "signs": "{timestamp}"}, "signs", "body is not among"),
        ({"scheme": "hmac", "header": "X", "signs": "{host}{body}"}, "signs", "{host} is nothing"),
        (
            {"scheme": "hmac", "header": "X", "signs": "{timestamp}{body}"},
            "timestamp",
            "where the signed time",
        ),
        ({"preset": "hubspot"}, "signs", "PUBLIC_URL"),
    ],
)
def test_what_does_not_fit_together(auth: dict[str, Any], place: str, message: str) -> None:
    """Each with its place, what is wrong, and what would be right."""
    found = list(faults_of(source(**auth).auth, False))
    assert [(path[0], message in text) for path, text, _ in found][:1] == [(place, True)], found
    assert all(remedy for _, _, remedy in found)


def test_basic_needs_a_user() -> None:
    """`user:password`, for that is what is sent."""
    [(path, message, _)] = faults_of(source("no-colon-in-here", scheme="basic").auth, False)
    assert (path, message) == (("secrets", 0), "the secret is not user:password")


@pytest.mark.parametrize(
    "auth",
    [
        {"preset": "typeform"},
        {"preset": "twilio"},
        {"scheme": "basic"},
        {"scheme": "query", "parameter": "key"},
        {
            "scheme": "hmac",
            "header": "X",
            "value": "t={timestamp},v1={signature}",
            "signs": "{timestamp}.{body}",
        },
        {"scheme": "hmac", "header": "X", "signs": "{timestamp}.{body}", "timestamp": {"header": "T"}},
    ],
)
def test_what_fits(auth: dict[str, Any]) -> None:
    """Nothing is said."""
    assert list(faults_of(source(**auth).auth, True)) == []


def test_what_is_weak_is_told() -> None:
    """Short secrets, and senders whose recorded requests can be sent again."""

    def told(secret: str, **auth: Any) -> str:
        return " ".join(message for _, message, _ in weaknesses_of(source(secret, **auth)))

    assert "shorter than 16 bytes" in told(SHORT, preset="tally")
    assert "no time is signed" in told(LONG, preset="tally")
    assert told(LONG, preset="tally", at="createdAt") == ""
    assert told(LONG, preset="webflow") == ""
    assert "shorter than 24 bytes" in told("whsec_" + "QUJD" * 4, scheme="standard-webhooks")
    assert told("whsec_" + "QUJD" * 8) == ""


def test_keys_of_other_forms() -> None:
    """`key` says what the text is; what is not that is an error which does not quote it."""
    for key, right, wrong in (
        ("hex", "00ff" * 8, "xyz!"),
        ("base64", "QUJD" * 8, "%%%%"),
        ("whsec", "whsec_QUJD", "QUJD"),
    ):
        source(right, scheme="hmac", header="X", key=key)
        with pytest.raises(ValueError, match="SECRET") as caught:
            source(wrong, scheme="hmac", header="X", key=key)
        assert wrong not in str(caught.value).replace("whsec_", "")


def test_public_url_is_looked_for() -> None:
    """In the environment, or in the file that it names; offline nothing is said."""
    assert has_public_url(None)
    assert has_public_url({"PUBLIC_URL": "https://x.example"})
    assert not has_public_url({})
