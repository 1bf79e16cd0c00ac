"""What a file is: its ending and its first bytes decide, not who sends it."""

from __future__ import annotations

import pytest

from bridge.domain.filetypes import UNKNOWN, Mismatch, is_among, type_by_name, type_of

PNG, JPEG, PDF = b"\x89PNG\r\n\x1a\n" + bytes(100), b"\xff\xd8\xff\xe0" + bytes(100), b"%PDF-1.7\n%\xe2\xe3"
ZIP, OLE, EXE = (
    b"PK\x03\x04" + bytes(100),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100),
    b"MZ\x90\x00" + bytes(100),
)
OFFICE = "application/vnd.openxmlformats-officedocument"


def box(brand: bytes, *others: bytes) -> bytes:
    brands = brand + bytes(4) + b"".join(others)
    return (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + b"\x00\x00\x00\x10meta" + bytes(50)


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.png", PNG, "image/png"),
        ("A.JPG", JPEG, "image/jpeg"),
        ("a.jpeg", JPEG, "image/jpeg"),
        ("a.gif", b"GIF89a" + bytes(20), "image/gif"),
        ("a.webp", b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("IMG_1.HEIC", box(b"heic", b"mif1", b"heic"), "image/heic"),
        ("IMG_1.heic", box(b"mif1", b"mif1", b"heic"), "image/heic"),
        ("a.heif", box(b"mif1"), "image/heif"),
        ("a.avif", box(b"avif", b"mif1"), "image/avif"),
        ("a.avif", box(b"mif1", b"avif", b"miaf"), "image/avif"),
        ("a.tiff", b"II*\x00" + bytes(20), "image/tiff"),
        ("a.dng", b"MM\x00*" + bytes(20), "image/x-adobe-dng"),
        ("a.bmp", b"BM\x00\x10\x00\x00\x00\x00\x00\x00" + bytes(20), "image/bmp"),
        ("a.svg", b"<?xml version='1.0'?><svg/>", "image/svg+xml"),
        ("a.pdf", PDF, "application/pdf"),
        ("a.pdf", b"\xef\xbb\xbf\n" + PDF, "application/pdf"),
        ("a.docx", ZIP, f"{OFFICE}.wordprocessingml.document"),
        ("locked.xlsx", OLE, f"{OFFICE}.spreadsheetml.sheet"),
        ("a.doc", OLE, "application/msword"),
        ("a.odt", ZIP, "application/vnd.oasis.opendocument.text"),
        ("a.zip", ZIP, "application/zip"),
        ("a.txt", "Grüße".encode(), "text/plain"),
        ("a.txt", "Grüße".encode("utf-16"), "text/plain"),
        ("a.txt", "Grüße".encode("latin-1"), "text/plain"),
        ("a.csv", b"a,b\r\n1,2\r\n", "text/csv"),
        ("a.mp3", b"ID3\x04" + bytes(20), "audio/mpeg"),
        ("a.mp3", b"\xff\xfb\x90\x64" + bytes(20), "audio/mpeg"),
        ("a.aac", b"\xff\xf1\x50\x80" + bytes(20), "audio/aac"),
        ("a.wav", b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav"),
        ("a.m4a", box(b"M4A "), "audio/mp4"),
        ("voice.m4a", box(b"isom", b"mp42"), "audio/mp4"),
        ("a.opus", b"OggS" + bytes(20), "audio/ogg"),
        ("a.mp4", box(b"isom", b"mp42"), "video/mp4"),
        ("a.mov", box(b"qt  "), "video/quicktime"),
        ("a.mov", b"\x00\x00\x00\x08moov", "video/quicktime"),
        ("a.webm", b"\x1aE\xdf\xa3" + bytes(20), "video/webm"),
        ("file", PNG, "image/png"),
        ("file", box(b"heic"), "image/heic"),
        ("file", box(b"M4A "), "audio/mp4"),
        ("photo.jpg_large", JPEG, "image/jpeg"),
        ("photo.png.jpg", JPEG, "image/jpeg"),
        ("renamed.jpg", PNG, "image/png"),
        ("renamed.jpg", box(b"heic"), "image/heic"),
        ("a.exe", EXE, "application/x-msdownload"),
        ("tool", b"\x7fELF" + bytes(20), "application/x-msdownload"),
        ("file", b"\x00\x01\x02\x03", UNKNOWN),
        ("a.stp", b"\x00\x01\x02\x03", UNKNOWN),
        ("file", b"hello", "text/plain"),
    ],
)
def test_ending_and_first_bytes_decide(name: str, head: bytes, kind: str) -> None:
    """Each type that a configuration may name is known by what it begins with."""
    assert type_of(name, head) == kind


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("evil.png", EXE),
        ("evil.png", b"\x7fELF" + bytes(20)),
        ("evil.jpg", b"<script>alert(1)</script>"),
        ("evil.png", b"\x00\x01\x02\x03"),
        ("evil.pdf", EXE),
        ("evil.pdf", PNG),
        ("photo.png.exe", PNG),
        ("evil.exe", PNG),
        ("evil.hta", b"GIF89a/*<script>*/"),
        ("evil.lnk", JPEG),
        ("evil.docx", EXE),
        ("evil.txt", EXE),
        ("evil.txt", PDF),
        ("evil.svg", PNG),
        ("evil.mp4", EXE),
        ("evil.mp3", PDF),
        ("evil.heic", box(b"isom")),
        ("evil.iso", PNG),
        ("evil.command", b"#!/bin/sh\n# %PDF-1.7\nrm"),
        ("evil.py", b"# %PDF-1.7\nimport os"),
    ],
)
def test_name_that_belies_what_is_in_it_is_refused(name: str, head: bytes) -> None:
    """Whoever opens it goes by the ending."""
    with pytest.raises(Mismatch):
        type_of(name, head)


@pytest.mark.parametrize(
    ("kind", "patterns", "among"),
    [
        ("image/png", ("image/*",), True),
        ("image/heic", ("image/*", "application/pdf"), True),
        ("image/jpeg", ("image/jpg",), True),
        ("audio/mpeg", ("audio/mp3",), True),
        (UNKNOWN, ("image/*", "application/pdf"), False),
        (UNKNOWN, ("*/*",), True),
        ("text/html", ("text/plain",), False),
        ("image/png", (), False),
    ],
)
def test_types_of_a_source_may_be_written_as_usual(kind: str, patterns: tuple[str, ...], among: bool) -> None:
    """Wildcards, and names that browsers and people use for the registered ones."""
    assert is_among(kind, patterns) is among


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.PNG", "image/png"),
        ("a.exe", "application/x-msdownload"),
        ("a.exe ", "application/x-msdownload"),
        ("a.stp", None),
        ("file", None),
        ("", None),
    ],
)
def test_name_alone_tells_what_it_should_be(name: str, kind: str | None) -> None:
    """Where there is nothing to look into."""
    assert type_by_name(name) == kind
