from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from config.load import Loaded
from config.problems import Problem
from tests.config.conftest import ENVIRON, MINIMAL

Faults = Callable[..., dict[str, Problem]]
AGENT = "{email: amy@example.com}"
SOURCE = "secrets: [env:KIOSK_SECRET]}"


@pytest.mark.parametrize(
    ("change", "where", "said", "remedy"),
    [
        ((AGENT, "{email: amy@example.com, capacity: 0}"), "agents.amy.capacity", "at least 1", ""),
        ((AGENT, "{email: amy@example.com, capacity: two}"), "agents.amy.capacity", "whole number", ""),
        ((AGENT, "{email: amy}"), "agents.amy.email", "not an e-mail", "amy@example.com"),
        ((AGENT, "{email: amy@example.com, capcity: 1}"), "agents.amy.capcity", "no setting", "capacity"),
        ((AGENT, ""), "agents.amy.email", "missing", "email: amy@example.com"),
        ((AGENT, "amy@example.com"), "agents.amy", "group of settings", "name: value"),
        (
            (AGENT, AGENT + "\n  amy2: {email: AMY@example.com}"),
            "agents.amy2.email",
            "of 'amy' already",
            "one",
        ),
        ((AGENT, AGENT + '\n  "": {email: b@example.com}'), "agents.", "plain text", ""),
        (("agents: [amy]", "agents: [any]"), "teams.front-desk.agents[0]", "no agent named 'any'", "amy"),
        (("agents: [amy]", "agents: [amy, amy]"), "teams.front-desk.agents[1]", "twice", ""),
        (("agents: [amy]", "agents: {amy: 1}"), "teams.front-desk.agents", "list", "[a, b]"),
        (("agents: [amy]", "agents: [[amy]]"), "teams.front-desk.agents[0]", "single value", "text"),
        (
            ("agents: [amy]", "agents: [amy], overflow: [x]"),
            "teams.front-desk.overflow[0]",
            "no team",
            "front-desk",
        ),
        (
            ("agents: [amy]", "agents: [amy], overflow: front-desk"),
            "teams.front-desk.overflow[0]",
            "itself",
            "",
        ),
        (("agents: [amy]", "agents: [amy], pick: random"), "teams.front-desk.pick", "not known", ""),
        (("agents: [amy]", "agents: [amy], calendar: no.ics"), "teams.front-desk.calendar", "no file", ""),
        (
            ("agents: [amy]", "agents: [amy], calendar: bridge.yaml"),
            "teams.front-desk.calendar",
            "not an .ics",
            "",
        ),
        (("agents: [amy]", "agents: [amy], calendar: ."), "teams.front-desk.calendar", "no .ics file", ""),
        (("agents: [amy]", 'agents: [amy], calendar: "a\\a"'), "teams.front-desk.calendar", "no file", ""),
        (("Europe/London", "Mars/Base"), "teams.front-desk.timezone", "not a time zone", "Europe/London"),
        (("Europe/London", "../../etc/passwd"), "teams.front-desk.timezone", "not a time zone", ""),
        (("Europe/London", "CST"), "teams.front-desk.timezone", "not a time zone", "America/Chicago"),
        (("Europe/London", "UTC+1"), "teams.front-desk.timezone", "not a time zone", "a region"),
        (("Europe/London", "London"), "teams.front-desk.timezone", "not a time zone", "Europe/London"),
        (("Europe/London", "europe/paris"), "teams.front-desk.timezone", "not a time zone", "Europe/Paris"),
        (
            ("agents: [amy]", "agents: [amy], holidays: {country: us}"),
            "teams.front-desk.holidays.country",
            "us",
            "US",
        ),
        (
            ("agents: [amy]", "agents: [amy], holidays: {country: US, subdivision: Ilinois}"),
            "teams.front-desk.holidays.subdivision",
            "no subdivision",
            "Illinois",
        ),
        (
            ("agents: [amy]", "agents: [amy], holidays: {subdivision: IL}"),
            "teams.front-desk.holidays.subdivision",
            "country",
            "US",
        ),
        (
            ("amy@example.com", "mailto:amy@example.com"),
            "agents.amy.email",
            "is a link",
            "amy@example.com",
        ),
        (
            ("agents: [amy]", "agents: [amy], holidays: {closed: 24.12.2026}"),
            "teams.front-desk.holidays.closed[0]",
            "not a date",
            "2026-12-24",
        ),
        (("team: front-desk", "team: front-dsk"), "routes[0].team", "no team named", "front-desk"),
        (("  - team: front-desk", "  - {}"), "routes[0].team", "missing", "team: front-desk"),
        (("- team", "- when: {source: kisok}\n    team"), "routes[0].when.source[0]", "no source", "kiosk"),
        (("- team", "- when: {store: []}\n    team"), "routes[0].when.store", "empty", "leave it out"),
        (("  kiosk:", "  my kiosk:"), "sources.my kiosk", "letters", "my-kiosk"),
        ((f", {SOURCE}", "}"), "sources.kiosk.auth.secrets", "needs a secret", "env:KIOSK_SECRET"),
        ((SOURCE, SOURCE + "\n    idle_minutes: .inf"), "sources.kiosk.idle_minutes", "number", ""),
        ((SOURCE, SOURCE + "\n    namespace: a/b"), "sources.kiosk.namespace", "letters", "a-b"),
        (
            (SOURCE, SOURCE + "\n    share_guest_token: perhaps"),
            "sources.kiosk.share_guest_token",
            "true or",
            "",
        ),
        (
            (SOURCE, SOURCE + "\n    files: {types: image}"),
            "sources.kiosk.files.types[0]",
            "media type",
            "image/*",
        ),
        ((SOURCE, SOURCE + "\n    map: {subjct: a}"), "sources.kiosk.map.subjct", "not known", "subject"),
        ((SOURCE, SOURCE + "\n    map: {subject: 'a['}"), "sources.kiosk.map.subject", "JMESPath", "fields"),
        ((SOURCE, SOURCE + "\n    origins: '*'"), "sources.kiosk.origins[0]", "not a web address", "https"),
        (
            (SOURCE, SOURCE + "\n    origins: https://x.de/y"),
            "sources.kiosk.origins[0]",
            "no path",
            "https://x.de",
        ),
        ((SOURCE, SOURCE + "\n    origins: https://*.x.de"), "sources.kiosk.origins[0]", "one host", ""),
        (
            ("routes:", "messages: {en: {queued: '{postion}'}}\nroutes:"),
            "messages.en.queued",
            "{postion}",
            "{position}",
        ),
        (
            ("routes:", "messages: {en: {ended: '{agent.x}'}}\nroutes:"),
            "messages.en.ended",
            "{agent.x}",
            "without",
        ),
        (("routes:", "messages: {en: {clsed: x}}\nroutes:"), "messages.en.clsed", "no setting", "closed"),
        (("routes:", "messages: {english: {ended: x}}\nroutes:"), "messages.english", "not a language", "en"),
        (
            ("routes:", "privacy: {mask: card-numbers}\nroutes:"),
            "privacy.mask[0]",
            "not known",
            "card-number",
        ),
        (("routes:", "webex: {token_budget: 751}\nroutes:"), "webex.token_budget", "at most 750", ""),
        (("routes:", "webex: {token_budget: 0}\nroutes:"), "webex.token_budget", "at least 1", ""),
        (("routes:", "webex: {reissue_at: 1}\nroutes:"), "webex.reissue_at", "less than 1", ""),
        (("routes:", "webex: {poll_seconds: 0.9}\nroutes:"), "webex.poll_seconds", "at least 1", ""),
        (("routes:", "webx: {}\nroutes:"), "webx", "no setting", "webex"),
    ],
)
def test_a_fault_is_named_with_its_place_and_remedy(
    faults: Faults, change: tuple[str, str], where: str, said: str, remedy: str
) -> None:
    """Each slip gives exactly one problem, at its own place, with what would be right."""
    found = faults(MINIMAL, change)
    assert list(found) == [where]
    assert said in found[where].message
    assert remedy in found[where].remedy
    assert found[where].line is not None


def test_a_page_has_origins_and_no_secret(faults: Faults, read: Callable[..., Loaded]) -> None:
    """A browser cannot keep a secret, and without origins none could start a conversation."""
    found = faults(MINIMAL, ("standard-webhooks", "page"))
    assert set(found) == {"sources.kiosk.auth.secrets", "sources.kiosk.origins"}
    page = "{scheme: page}\n    origins: [https://shop.example.com]"
    loaded = read(MINIMAL, ("{scheme: standard-webhooks, secrets: [env:KIOSK_SECRET]}", page), environ={})
    assert loaded.config.sources["kiosk"].auth.scheme == "page"


@pytest.mark.parametrize("section", ["sources", "agents", "teams", "routes"])
def test_the_four_sections_are_needed(faults: Faults, section: str) -> None:
    """A section that is missing is told with an example of it."""
    found = faults("webex: {}\n")
    assert found[section].remedy.startswith(f"{section}: ")


def test_everything_is_told_at_once(faults: Faults) -> None:
    """Faults of shape do not hide faults between parts, nor the other way round; positions stay right."""
    found = faults(
        MINIMAL,
        ("{email: amy@example.com}", "{email: amy@example.com, capacity: 0}\n  bo: {email: nobody}"),
        ("agents: [amy]", "agents: [am, amy, bo], pick: x, hours: soon"),
        ("- team: front-desk", "- {teem: x}\n  - {team: front}"),
        ("env:KIOSK_SECRET]}", "env:NOT_SET]}\n    callback: {url: ftp://x, secret: env:NOT_SET}"),
    )
    assert set(found) == {
        "agents.amy.capacity",
        "agents.bo.email",
        "teams.front-desk.agents[0]",
        "teams.front-desk.pick",
        "teams.front-desk.hours[0]",
        "routes[0].teem",
        "routes[0].team",
        "routes[1].team",
        "sources.kiosk.auth.secrets[0]",
        "sources.kiosk.callback.url",
        "sources.kiosk.callback.secret",
    }
    lines = [problem.line or 0 for problem in found.values()]
    assert lines == sorted(lines)


def test_a_literal_secret_is_refused_and_not_repeated(faults: Faults) -> None:
    """The message shows where a secret belongs, never what was written."""
    found = faults(MINIMAL, ("env:KIOSK_SECRET", "whsec_aHVudGVyMg=="))
    problem = found["sources.kiosk.auth.secrets[0]"]
    assert "does not belong" in problem.message
    assert "env:" in problem.remedy
    assert "aHVudGVyMg" not in str(problem)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "KIOSK_SECRET is not set"),
        ("", "KIOSK_SECRET is not set"),
        ("aHVudGVyMg==", "does not start with whsec_"),
        ("whsec_hunter2", "not base64"),
        ("whsec_aHVudGVyMg", "not base64"),
        ("whsec_", "nothing after whsec_"),
        ("whsec_\u00e9", "not base64"),
    ],
)
def test_a_secret_must_be_a_standard_webhooks_secret(faults: Faults, value: str | None, said: str) -> None:
    """What other libraries could not sign with is refused by the variable's name, without the value."""
    found = faults(MINIMAL, environ={} if value is None else {"KIOSK_SECRET": value})
    problem = found["sources.kiosk.auth.secrets[0]"]
    assert said in problem.message
    assert "KIOSK_SECRET" in problem.message
    assert "hunter2" not in str(problem)
    assert "aHVudGVyMg" not in str(problem)


def test_a_secret_of_any_length_is_accepted_and_a_short_one_warned_of(read: Callable[..., Loaded]) -> None:
    """The specification asks for 24 to 64 bytes; senders that cannot do it are not shut out."""
    for length, warned in ((1, True), (23, True), (24, False), (64, False), (100, False)):
        secret = "whsec_" + base64.b64encode(b"x" * length).decode()
        assert bool(read(environ={"KIOSK_SECRET": secret}).warnings) is warned


@pytest.mark.parametrize(
    ("url", "private", "refused"),
    [
        ("https://forms.example.com/hook?a=b", False, False),
        ("http://localhost:9000/hook", True, False),
        ("http://127.0.0.1:9000/", True, False),
        ("http://localhost:9000/hook", False, True),
        ("https://localhost:9000/hook", False, True),
        ("https://127.0.0.1:9000/", False, True),
        ("https://[::1]/", False, True),
        ("https://[::ffff:10.0.0.7]/", False, True),
        ("http://forms.example.com/hook", False, True),
        ("http://forms.internal/hook", True, False),
        ("http://10.0.0.7/", True, False),
        ("https://10.0.0.7/", False, True),
        ("https://169.254.169.254/", False, True),
        ("https://user:pw@forms.example.com/", False, True),
        ("https://forms.example.com/#a", False, True),
        ("ftp://forms.example.com/", True, True),
        ("forms.example.com", False, True),
        ("https://", False, True),
    ],
)
def test_callbacks_go_to_public_https_addresses(
    read: Callable[..., Loaded], faults: Faults, url: str, private: bool, refused: bool
) -> None:
    """http, this machine and private networks need allow_private."""
    callback = f'{{url: "{url}", secret: env:FORMS_HOOK_SECRET, allow_private: {str(private).lower()}}}'
    change = (SOURCE, f"{SOURCE}\n    callback: {callback}")
    if refused:
        assert list(faults(MINIMAL, change)) == ["sources.kiosk.callback.url"]
    else:
        assert read(MINIMAL, change, environ=ENVIRON).config.sources["kiosk"].callback is not None


def test_origins_are_kept_as_browsers_send_them(read: Callable[..., Loaded]) -> None:
    """Case, a default port and a slash at the end make no difference."""
    written = "[HTTPS://Shop.Example.com:443/, http://localhost:3000]"
    loaded = read(MINIMAL, (SOURCE, f"{SOURCE}\n    origins: {written}"))
    assert loaded.config.sources["kiosk"].origins == ("https://shop.example.com", "http://localhost:3000")


def test_sources_may_share_a_namespace(read: Callable[..., Loaded]) -> None:
    """The default is the source's own name."""
    second = (
        "\n  form:\n    auth: {scheme: standard-webhooks, secrets: [env:KIOSK_SECRET]}\n    namespace: kiosk"
    )
    loaded = read(MINIMAL, (SOURCE, SOURCE + second))
    assert loaded.config.namespace("form") == loaded.config.namespace("kiosk") == "kiosk"
