"""What a file is, by its first bytes and its name's ending; what its sender says of it counts for nothing.

Sources: https://mimesniff.spec.whatwg.org (first bytes), https://www.iana.org/assignments/media-types (names),
https://mp4ra.org/registered-types/brands (what may stand behind `ftyp`), RFC 9559 (Matroska).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

HEAD_BYTES = 1024  # of a file's beginning tell what it is
UNKNOWN = "application/octet-stream"
_EXECUTABLE, _OLE, _TEXT = "application/x-msdownload", "application/x-ole-storage", "text/plain"
_OFFICE, _OPEN = "application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument."
# Where, what stands there, and what such a file is.
_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"#!AMR", "audio/amr"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AIFF", "audio/aiff"),
    (8, b"AIFC", "audio/aiff"),
    (0, b"MThd", "audio/midi"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "video/x-ms-asf"),
    (4, b"moov", "video/quicktime"),
    (4, b"mdat", "video/quicktime"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLE),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"MZ", _EXECUTABLE),
    (0, b"\x7fELF", _EXECUTABLE),
    (0, b"\xfe\xed\xfa", _EXECUTABLE),  # Mach-O, in either order of bytes
    (1, b"\xfa\xed\xfe", _EXECUTABLE),
    (0, b"\xca\xfe\xba\xbe", _EXECUTABLE),  # of several architectures; also Java
    (0, b"\x00asm", _EXECUTABLE),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", _EXECUTABLE),  # a Windows shortcut
    (0, b"ITSF", _EXECUTABLE),  # compiled HTML help
)
_BRANDS = (
    (rb"hei[cxms]|hev[cxms]", "image/heic"),
    (rb"avi[fs]", "image/avif"),
    (rb"mif[12]|msf1", "image/heif"),
    (rb"M4[AB] ", "audio/mp4"),
    (rb"qt  ", "video/quicktime"),
    (rb"3g..", "video/3gpp"),
    (rb"iso.|mp4.|avc1|M4V.|dash|MSNV|F4V |mmp4", "video/mp4"),
)
# By what the first bytes show, the types that they may be, and the endings of each. Sound alone is often in a box
# that says it is a film; an office document is a zip.
_ENDINGS_BY_CONTENT: Mapping[str, Mapping[str, str]] = {
    "": {  # the type itself
        "image/png": "png",
        "image/jpeg": "jpg jpeg jpe jfif",
        "image/gif": "gif",
        "image/webp": "webp",
        "image/heic": "heic heics",
        "image/heif": "heif heifs hif",
        "image/avif": "avif",
        "image/bmp": "bmp",
        "image/vnd.microsoft.icon": "ico",
        "image/jxl": "jxl",
        "image/jp2": "jp2",
        "image/vnd.adobe.photoshop": "psd",
        "audio/mpeg": "mp3",
        "audio/aac": "aac",
        "audio/flac": "flac",
        "audio/amr": "amr",
        "audio/wav": "wav",
        "audio/aiff": "aif aiff",
        "audio/midi": "mid midi",
        "video/x-msvideo": "avi",
        "video/mpeg": "mpg mpeg",
        "application/pdf": "pdf",
        "application/rtf": "rtf",
        "application/gzip": "gz tgz",
        "application/vnd.rar": "rar",
        "application/x-7z-compressed": "7z",
        "application/x-bzip2": "bz2",
        "application/x-xz": "xz",
        _EXECUTABLE: "exe dll com scr pif cpl sys drv ocx xll lnk chm elf wasm",
    },
    # What is in these cannot be told by their beginning, which may hold the mark of a picture.
    UNKNOWN: {"application/x-disk-image": "iso img vhd vhdx dmg toast"},
    "image/tiff": {
        "image/tiff": "tif tiff",
        "image/x-adobe-dng": "dng",
        "image/x-nikon-nef": "nef",
        "image/x-sony-arw": "arw",
        "image/x-canon-cr2": "cr2",
    },
    "audio/ogg": {"audio/ogg": "ogg oga opus", "video/ogg": "ogv"},
    "video/mp4": {
        "video/mp4": "mp4 m4v",
        "audio/mp4": "m4a m4b",
        "video/quicktime": "mov qt",
        "video/3gpp": "3gp 3g2 3gpp",
    },
    "video/x-matroska": {
        "video/x-matroska": "mkv",
        "audio/x-matroska": "mka",
        "video/webm": "webm",
        "audio/webm": "weba",
    },
    "video/x-ms-asf": {"video/x-ms-asf": "asf", "video/x-ms-wmv": "wmv", "audio/x-ms-wma": "wma"},
    "application/zip": {
        "application/zip": "zip",
        f"{_OFFICE}wordprocessingml.document": "docx",
        f"{_OFFICE}spreadsheetml.sheet": "xlsx",
        f"{_OFFICE}presentationml.presentation": "pptx",
        "application/vnd.ms-word.document.macroenabled.12": "docm",
        "application/vnd.ms-excel.sheet.macroenabled.12": "xlsm",
        "application/vnd.ms-powerpoint.presentation.macroenabled.12": "pptm",
        f"{_OPEN}text": "odt",
        f"{_OPEN}spreadsheet": "ods",
        f"{_OPEN}presentation": "odp",
        "application/epub+zip": "epub",
        "application/vnd.apple.pages": "pages",
        "application/vnd.apple.numbers": "numbers",
        "application/java-archive": "jar",
        "application/vnd.android.package-archive": "apk",
    },
    _OLE: {
        "application/msword": "doc dot",
        "application/vnd.ms-excel": "xls xlt",
        "application/vnd.ms-powerpoint": "ppt pps",
        "application/vnd.ms-outlook": "msg",
        "application/x-msi": "msi",
    },
    _TEXT: {
        "text/plain": "txt text log",
        "text/csv": "csv",
        "text/tab-separated-values": "tsv",
        "text/markdown": "md",
        "text/calendar": "ics",
        "text/vcard": "vcf",
        "text/html": "html htm xhtml xht shtml",
        "text/css": "css",
        "text/javascript": "js mjs",
        "text/xml": "xml",
        "image/svg+xml": "svg",
        "message/rfc822": "eml mht mhtml",
        "application/json": "json",
        "application/yaml": "yaml yml",
        "application/x-sh": "sh",
        "application/hta": "hta",
        "application/x-msdos-program": "bat cmd ps1 psm1 ps1xml psd1 cdxml vb vbs vbe jse wsf wsh wsc sct msc "
        "scf url website reg inf iqy slk rdp application appref-ms library-ms search-ms settingcontent-ms",
        "application/x-script": "py pyw pl rb php command tool desktop jnlp scpt applescript bash zsh csh ksh",
    },
}
_ENDINGS = {
    ending: (kind, content or kind)
    for content, kinds in _ENDINGS_BY_CONTENT.items()
    for kind, endings in kinds.items()
    for ending in endings.split()
}
_BOXES = dict.fromkeys(_ENDINGS_BY_CONTENT["video/mp4"], "video/mp4")
_USUAL_NAMES = {
    "image/jpg": "image/jpeg",
    "image/x-icon": "image/vnd.microsoft.icon",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "application/x-zip-compressed": "application/zip",
    "application/xml": "text/xml",
    "application/javascript": "text/javascript",
}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class Mismatch(ValueError):
    """The name says one thing, the first bytes another."""

    def __init__(self, ending: str) -> None:
        super().__init__(f"The file's name ends in .{ending}, but what is in it is something else.")


def type_of(name: str, head: bytes) -> str:
    """The media type of a file with this name, whose first HEAD_BYTES are `head`. Raises Mismatch.

    A name without an ending, or with one that is not known, leaves it to the bytes. A picture may be of another kind
    than its name says, and so may sound and film, as many programs save them: it is what its bytes say.
    """
    shown = _shown(head)
    ending = _ending(name)
    if ending not in _ENDINGS:
        return shown
    kind, content = _ENDINGS[ending]
    locked = shown == _OLE and kind.startswith(_OFFICE)  # a document with a password
    if locked or _BOXES.get(shown, shown) == content:
        return kind
    family = shown.partition("/")[0]
    if family in ("image", "audio", "video") and content.startswith(f"{family}/"):
        return shown
    raise Mismatch(ending)


def type_by_name(name: str) -> str | None:
    """What a file with this name should be; None where its ending is not known."""
    known = _ENDINGS.get(_ending(name))
    return known[0] if known else None


def is_among(kind: str, patterns: Iterable[str]) -> bool:
    """Whether a media type is one of these, which may be `image/*` or another usual name of it."""
    return any(fnmatchcase(kind, _USUAL_NAMES.get(pattern, pattern)) for pattern in patterns)


def _ending(name: str) -> str:
    return name.rstrip(" .").rpartition(".")[2].lower() if "." in name else ""


def _shown(head: bytes) -> str:
    """What the first bytes alone show."""
    for at, magic, kind in _MAGIC:
        if head.startswith(magic, at) and (at != 8 or head[:4] in (b"RIFF", b"FORM")):
            return kind
    if head[4:8] == b"ftyp":
        return _by_brands(head)
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "image/bmp"
    if re.match(rb"\xff[\xf0\xf1\xf8\xf9]", head):
        return "audio/aac"
    if re.match(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd]", head):
        return "audio/mpeg"
    if b"%PDF-" in head:  # readers take it that far in
        return "application/pdf"
    return _TEXT if _is_text(head) else UNKNOWN


def _by_brands(head: bytes) -> str:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
    kinds = [kind for brand in brands for pattern, kind in _BRANDS if re.fullmatch(pattern, brand, re.DOTALL)]
    # `mif1` says no more than that it is a picture; the others say which.
    return next((kind for kind in kinds if kind != "image/heif"), kinds[0] if kinds else UNKNOWN)


def _is_text(head: bytes) -> bool:
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or bool(head and not _CONTROLS.search(head))
