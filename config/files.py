"""The configuration's files: which they are, what is in them, and whether they changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from config.problems import ConfigError, Problem
from config.tree import LARGEST_FILE

YAML_SUFFIXES = (".yaml", ".yml")


def folder_of(path: Path) -> Path:
    """Where relative paths in the configuration start from: beside the file, also where that is a link."""
    return path.absolute() if path.is_dir() else path.absolute().parent


def configuration_files(path: Path) -> list[Path]:
    """The file itself, or a folder's *.yaml and *.yml in name order. Raises ConfigError."""
    try:
        if path.is_dir():
            found = [item for item in path.iterdir() if _is_configuration(item)]
            if not found:
                raise _error(path, "the folder holds no *.yaml file", "config/bridge.yaml")
            return sorted(found, key=lambda item: item.name)
        if path.is_file():
            return [path]
    except (OSError, ValueError) as error:
        raise _error(path, "this cannot be read", "its owner and permissions.") from error
    if path.exists():
        raise _error(path, "this is neither a file nor a folder", "config/bridge.yaml")
    raise _error(path, "there is no such file", "--config FILE, or BRIDGE_CONFIG.")


def read_files(files: Iterable[Path]) -> dict[Path, bytes]:
    """Their content, a byte more than may be read at most. Raises ConfigError with every unreadable one."""
    contents: dict[Path, bytes] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            with file.open("rb") as stream:
                contents[file] = stream.read(LARGEST_FILE + 1)
        except OSError as error:
            reason = error.strerror or "the system refuses it"
            problems.append(Problem(str(file), None, None, "", f"this cannot be read: {reason}"))
    if problems:
        raise ConfigError(problems)
    return contents


def calendar_files(calendars: Iterable[Path]) -> list[Path]:
    """The iCal files that these files and folders stand for, without repetition, in name order."""
    files: set[Path] = set()
    for calendar in calendars:
        try:
            inside = list(calendar.iterdir()) if calendar.is_dir() else None
        except OSError:
            inside = []
        files.update([calendar] if inside is None else (i for i in inside if i.suffix.lower() == ".ics"))
    return sorted(files)


def fingerprint(path: Path, calendars: Iterable[Path] = (), others: Iterable[Path] = ()) -> str:
    """A hash of names and contents of the configuration at `path`, its calendars and other files. Never raises.

    It changes whenever one of them does, also when one comes, goes, or cannot be read any more.
    """
    try:
        files = configuration_files(path)
    except ConfigError:
        return "unreadable"
    return digest(contents_of(files) | contents_of(calendar_files(calendars)) | contents_of(others))


def contents_of(files: Iterable[Path]) -> dict[Path, bytes]:
    """What is in the files; a file that cannot be read counts as empty."""
    contents: dict[Path, bytes] = {}
    for file in files:
        try:
            contents[file] = file.read_bytes()
        except OSError:
            contents[file] = b""
    return contents


def digest(contents: Mapping[Path, bytes]) -> str:
    """The hash that `fingerprint` gives for these files."""
    whole = hashlib.sha256()
    for file, content in contents.items():
        whole.update(hashlib.sha256(os.fsencode(file)).digest())
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


def _is_configuration(item: Path) -> bool:
    # Editors leave hidden copies behind while they write.
    return item.suffix.lower() in YAML_SUFFIXES and not item.name.startswith(".") and item.is_file()


def _error(path: Path, message: str, remedy: str) -> ConfigError:
    return ConfigError([Problem(str(path), None, None, "", message, remedy)])
