"""Names of files as headers of the field have them."""

from __future__ import annotations

import pytest

from bridge.webex.wire_links import file_name


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=my report.pdf", "my report.pdf"),
        ("attachment; filename=my report.pdf; size=5", "my report.pdf"),
        ("attachment; filename==?UTF-8?B?YsOkci5wZGY=?=", "b\u00e4r.pdf"),
        ('attachment; filename="=?utf-8?Q?b=C3=A4r.pdf?="', "b\u00e4r.pdf"),
        ('attachment; filename="=?iso-8859-1?Q?b=E4r?= =?utf-8?Q?.pdf?="', "b\u00e4r.pdf"),
        ('attachment; filename="=?utf-8?B?w6T?= =?utf-8?B?w7Y=?=.pdf"', "\u00e4\u00f6.pdf"),
        ('attachment; filename="my =?utf-8?Q?b=C3?= =?utf-8?Q?=A4r?=.pdf"', "my b\u00e4r.pdf"),
        ('attachment; filename="=?no-such-charset?B?YQ==?="', "=?no-such-charset?B?YQ==?="),
        ('attachment; filename="=?utf-8?B?%%%?="', "file"),
        ('attachment; filename="=?utf-8?Q?..=2F..=2Fetc=2Fpasswd?="', "passwd"),
        ("attachment; filename=", "file"),
    ],
)
def test_names_without_quotes_and_in_encoded_words(disposition: str, name: str) -> None:
    """RFC 2047 does not belong there, and is there; what cannot be decoded stays as it came; paths are cut off."""
    assert file_name(disposition) == name
