from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.webex.signature import is_genuine, spark_signature_matches

SECRET = "myBongoSecret"
BODY = b'{"a":1,"b":2,"c":{"d":3}}'
SPARK = "01e0cb6a53731b9615b483335d77d97023410c72"
SHA256 = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
SHA512 = hmac.new(SECRET.encode(), BODY, hashlib.sha512).hexdigest()


def test_the_published_vector_is_genuine() -> None:
    """X-Spark-Signature is the hex HMAC-SHA1 of the raw body."""
    assert is_genuine({"X-Spark-Signature": SPARK}, BODY, SECRET)
    assert is_genuine({"x-spark-signature": SPARK.upper()}, BODY, SECRET)
    assert not is_genuine({"X-Spark-Signature": SPARK}, BODY + b" ", SECRET)


@pytest.mark.parametrize(
    "value",
    ["", "01e0", SPARK + "0", "sha1=" + SPARK, "zz" * 20, "ünïcode", SPARK[:-1] + "é", SPARK + "," + SPARK],
)
def test_a_malformed_signature_is_none(value: str) -> None:
    """Whatever is no 40 hex digits of the right value is refused, without an exception."""
    assert not is_genuine({"X-Spark-Signature": value}, BODY, SECRET)


def test_unsigned_calls_and_empty_secrets_are_refused() -> None:
    """With a secret configured nothing unsigned passes, and an empty secret signs nothing."""
    assert not is_genuine({}, BODY, SECRET)
    empty = hmac.new(b"", BODY, hashlib.sha1).hexdigest()
    assert not is_genuine({"X-Spark-Signature": empty}, BODY, "")


@pytest.mark.parametrize(
    ("value", "genuine"),
    [
        (f"SHA-256={SHA256}, SHA-512={SHA512}", True), (f"sha256={SHA256}", True), (f"SHA512={SHA512}", True),
        (f"SHA-256={SHA256}, SHA-512={SHA256}", False), (f"SHA-256={SHA256}, SHA-512=", False),
        (f"MD5=00, SHA-256={SHA256}", True), (SHA256, False), ("SHA-1=" + SPARK, False), ("=,=", False),
    ],
)  # fmt: skip
def test_the_newer_header_counts_by_its_strongest_digest(value: str, genuine: bool) -> None:
    """X-Webex-Signature is read leniently, but a wrong stronger digest is not saved by a right weaker one."""
    assert is_genuine({"X-Webex-Signature": value}, BODY, SECRET) is genuine


def test_a_wrong_documented_header_is_not_saved_by_the_newer_one() -> None:
    """Where X-Spark-Signature is there, it decides."""
    headers = {"X-Spark-Signature": "0" * 40, "X-Webex-Signature": f"SHA-256={SHA256}"}
    assert not is_genuine(headers, BODY, SECRET)


@given(st.text(max_size=80))
def test_no_header_raises(value: str) -> None:
    """Junk is False, never an exception."""
    assert spark_signature_matches(value, BODY, SECRET) is False
    assert is_genuine({"X-Webex-Signature": value}, BODY, SECRET) is False
