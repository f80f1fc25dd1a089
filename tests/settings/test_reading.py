"""newsletter.toml, .env, the environment and options, and everything that can be wrong with them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from newsletter.domain import cadence, errors
from newsletter.settings import providers, reading, schema, workspace
from newsletter.settings.model import Settings

LEAST = """\
[publication]
title = "Digest"
[sender]
email = "news@example.org"
[providers.smtp]
kind = "smtp"
"""

FULL = """\
[publication]
title = "US-Japan Alliance Digest"
url = "https://digest.example.org/"
language = "en"
postal_address = "1 Main Street"
contact = "editors@example.org"
[sender]
name = "The Editors"
email = "news@example.org"
reply_to = "editors@example.org"
[schedule]
every = "2 weeks"
on = "Friday"
at = "09:00"
timezone = "America/New_York"
first = 2022-01-14
[delivery]
provider = "smtp"
rate = 0
max_late = "6h"
after_crash = "resend"
[providers.smtp]
kind = "smtp"
host = "127.0.0.1"
port = 25
security = "starttls"
connections = 4
[providers.outbox]
kind = "outbox"
path = "outbox"
[database]
url = "sqlite:///subscribers.db"
[tracking]
opens = false
clicks = false
"""

KNOWN = ", ".join(providers.KINDS)
EVERYTHING_WRONG = f"""\
.env:1: NEWSLETTER_DELIVERY__RATE: expected a number
newsletter.toml:1: publication.title: is needed, and nothing sets it
newsletter.toml:2: publication.titel: unknown key; did you mean publication.title?
newsletter.toml:3: publication.url: expected the base of the public pages, such as https://digest.example.org
newsletter.toml:4: publication.language: expected a language tag such as en, ja or pt-BR
newsletter.toml:6: sender.email: expected a mail address such as news@example.org
newsletter.toml:9: schedule.at: expected a time of day such as "09:00"
newsletter.toml:10: schedule.timezone: expected a time zone by its IANA name, such as America/New_York
newsletter.toml:11: schedule.first: expected a date such as 2022-01-14
newsletter.toml:12: schedule.every: “soon” is no interval; write every = “2 weeks”, “10 days” or “1 month”
newsletter.toml:14: delivery.provider: there is no [providers.smpt]; did you mean smtp?
newsletter.toml:16: delivery.max_late: expected a length of time such as 30s, 15 minutes, 6h or 2 days
newsletter.toml:17: delivery.after_crash: expected 'resend' or 'hold'
newsletter.toml:20: providers.smtp.port: expected a whole number
newsletter.toml:21: providers.smtp.securty: unknown key; did you mean providers.smtp.security?
newsletter.toml:22: providers.smtp.verify: expected true or false
newsletter.toml:23: providers.x: unknown kind 'nope'; known kinds: {KNOWN}
newsletter.toml:25: providers.Y: expected a name of small letters, digits and _
newsletter.toml:27: providers.z: kind is needed; known kinds: {KNOWN}
newsletter.toml:29: database.url: expected sqlite:///subscribers.db or postgresql://user@host/name
newsletter.toml:30: trakcing: unknown key; did you mean tracking?
newsletter.toml:33: web.port: expected a whole number
"""

Read = Callable[..., Settings]
Fail = Callable[..., str]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("NEWSLETTER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read a workspace with this toml and .env, standing in it."""
    monkeypatch.chdir(tmp_path)

    def call(toml: str, env: str = "", **options: dict[str, object]) -> Settings:
        (tmp_path / "newsletter.toml").write_text(toml, encoding="utf-8")
        (tmp_path / ".env").write_text(env, encoding="utf-8")
        return reading.read(workspace.find(tmp_path), options)

    return call


@pytest.fixture
def fail(read: Read) -> Fail:
    """Return what is said of settings that do not hold."""

    def call(toml: str, env: str = "") -> str:
        with pytest.raises(errors.SettingsError) as raised:
            read(toml, env)
        return str(raised.value)

    return call


def test_every_documented_key_is_read(read: Read) -> None:
    settings = read(FULL)
    record = settings.record()
    assert (record.title, record.url) == ("US-Japan Alliance Digest", "https://digest.example.org")
    assert (record.sender.name, record.sender.reply_to) == ("The Editors", "editors@example.org")
    rhythm = settings.schedule.cadence()
    assert (rhythm.every, rhythm.unit, rhythm.weekday) == (2, cadence.Unit.WEEKS, 4)
    assert rhythm.next_after(date(2022, 1, 14)) == date(2022, 1, 28)
    assert (rhythm.at, rhythm.zone.key) == (time(9), "America/New_York")
    assert settings.delivery.max_late == timedelta(hours=6)
    smtp = settings.provider()
    assert isinstance(smtp, providers.Smtp)
    assert (smtp.host, smtp.port, smtp.security, smtp.connections) == ("127.0.0.1", 25, "starttls", 4)
    assert isinstance(settings.provider("outbox"), providers.Outbox)


def test_only_a_title_an_address_and_a_provider_are_needed(read: Read) -> None:
    settings = read(LEAST)
    assert settings.record().sender.name == "Digest"
    assert settings.record().contact == "news@example.org"
    assert settings.schedule.cadence().first is None
    assert not settings.tracking.opens
    assert not settings.delivery.skip_approval


def test_the_environment_is_above_env_file_above_toml_and_options_above_all(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def port(settings: Settings) -> int:
        smtp = settings.provider("smtp")
        assert isinstance(smtp, providers.Smtp)
        return smtp.port

    env = "NEWSLETTER_PROVIDERS__SMTP__PORT=2\n"
    assert port(read(LEAST + "port = 1\n")) == 1
    assert port(read(LEAST + "port = 1\n", env)) == 2
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", "3")
    assert port(read(LEAST + "port = 1\n", env)) == 3
    assert port(read(LEAST + "port = 1\n", env, providers={"smtp": {"port": 4}})) == 4


def test_a_provider_can_come_from_the_environment_alone(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__FILES__KIND", "outbox")
    monkeypatch.setenv("NEWSLETTER_DELIVERY__PROVIDER", "files")
    assert isinstance(read(LEAST).provider(), providers.Outbox)


def test_env_file_may_hold_variables_of_other_programs(read: Read) -> None:
    assert read(LEAST, "EDITOR=vi\n").publication.title == "Digest"


def test_all_that_is_wrong_is_said_in_one_run_with_its_place(fail: Fail) -> None:
    said = fail(
        """\
[publication]
titel = "x"
url = "ftp://x"
language = "english"
[sender]
email = "nobody"
[schedule]
on = "Friday"
at = "25:00"
timezone = "America/Nwe_York"
first = "yesterday"
every = "soon"
[delivery]
provider = "smpt"
rate = -1
max_late = "soon"
after_crash = "explode"
[providers.smtp]
kind = "smtp"
port = "many"
securty = "none"
verify = "perhaps"
[providers.x]
kind = "nope"
[providers.Y]
kind = "outbox"
[providers.z]
[database]
url = "mysql://localhost/x"
[trakcing]
opens = false
[web]
port = 1.5
""",
        "NEWSLETTER_DELIVERY__RATE=fast\n",
    ).splitlines()
    assert said == EVERYTHING_WRONG.splitlines()


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        (LEAST + 'password = "hunter2"\n', "NEWSLETTER_PROVIDERS__SMTP__PASSWORD"),
        ('signing_key = "hunter2"\n' + LEAST, "NEWSLETTER_SIGNING_KEY"),
        (LEAST + '[database]\nurl = "postgresql://me:hunter2@localhost/x"\n', "NEWSLETTER_DATABASE__URL"),
        (
            LEAST + '[providers.post]\nkind = "outbox"\napi_key = "hunter2"\n',
            "NEWSLETTER_PROVIDERS__POST__API_KEY",
        ),
        (LEAST + 'smtp2 = { password = "hunter2" }\n', "PASSWORD"),
    ],
)
def test_a_secret_in_the_toml_is_an_error_that_does_not_repeat_it(fail: Fail, toml: str, name: str) -> None:
    said = fail(toml)
    place = next(n for n, line in enumerate(toml.splitlines(), start=1) if "hunter2" in line)
    assert f"newsletter.toml:{place}: " in said
    assert "secrets do not belong" in said
    assert name in said
    assert "hunter2" not in said


def test_secrets_come_from_env_file_and_are_masked_wherever_settings_are_shown(read: Read) -> None:
    env = (
        "NEWSLETTER_SIGNING_KEY=0123456789abcdef0123456789abcdef\n"
        "NEWSLETTER_PROVIDERS__SMTP__PASSWORD=hunter2\n"
        "NEWSLETTER_DATABASE__URL=postgresql://me:hunter2@localhost/x\n"
    )
    settings = read(LEAST, env)
    assert settings.key() == b"0123456789abcdef0123456789abcdef"
    smtp = settings.provider()
    assert isinstance(smtp, providers.Smtp)
    assert smtp.password.get_secret_value() == "hunter2"
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in text
        assert "0123456789abcdef" not in text


@pytest.mark.parametrize("key", ["", "short"])
def test_a_signing_key_that_is_missing_or_short_is_refused_when_it_is_needed(read: Read, key: str) -> None:
    settings = read(LEAST, f"NEWSLETTER_SIGNING_KEY={key}\n")
    with pytest.raises(errors.SettingsError, match="NEWSLETTER_SIGNING_KEY") as raised:
        settings.key()
    assert "secrets" in raised.value.hint


def test_unknown_variables_are_errors_with_the_nearest_known_one(
    fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_PROVDERS__SMTP__PORT", "1")
    said = fail(LEAST, "\n# comment\nNEWSLETTER_SINGING_KEY=x\n")
    wrong, right = "NEWSLETTER_PROVDERS__SMTP__PORT", "NEWSLETTER_PROVIDERS__SMTP__PORT"
    assert f"environment: {wrong}: unknown; did you mean {right}?" in said
    assert ".env:3: NEWSLETTER_SINGING_KEY: unknown; did you mean NEWSLETTER_SIGNING_KEY?" in said


def test_a_variable_that_is_no_table_says_so(fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_DELIVERY", "smtp")
    assert "delivery" in fail(LEAST)


def test_toml_that_is_none_is_named_with_its_line(fail: Fail) -> None:
    assert fail("[publication]\ntitle = \n").startswith("newsletter.toml:2: not TOML")


def test_a_table_that_stands_twice_says_where_its_lines_belong(read: Read) -> None:
    with pytest.raises(errors.SettingsError, match="twice") as caught:
        read("[topics]\n[topics]\n")
    assert "the table of that name" in caught.value.hint


def test_a_file_in_another_encoding_is_named_with_its_line(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "newsletter.toml"
    path.write_bytes('[publication]\ntitle = "Fran\xe7ais"\n'.encode("latin-1"))
    with pytest.raises(errors.SettingsError, match=r"newsletter\.toml:2: not UTF-8"):
        reading.read(workspace.find(tmp_path))


def test_the_day_must_suit_the_interval(fail: Fail) -> None:
    assert "newsletter.toml:9: schedule.on: “15” is no day" in fail(
        LEAST + '[schedule]\nevery = "2 weeks"\non = "15"\n'
    )
    assert "newsletter.toml:8: schedule.skip: " in fail(LEAST + '[schedule]\nskip = ["Christmas"]\n')


def test_skipped_days_reach_the_cadence(read: Read) -> None:
    settings = read(LEAST + '[schedule]\nfirst = 2026-01-02\nskip = ["2026-01-10..2026-01-20"]\n')
    assert settings.schedule.cadence().next_after(date(2026, 1, 2)) == date(2026, 1, 30)


def test_lines_are_right_after_multi_line_texts_and_in_inline_tables(fail: Fail) -> None:
    toml = LEAST.replace('title = "Digest"', 'title = "Digest"\nabout = """\n[web]\nport = 1\n"""')
    said = fail(toml + 'port = "x"\n[web]\nport = "y"\n')
    assert "newsletter.toml:11: providers.smtp.port" in said
    assert "newsletter.toml:13: web.port" in said
    assert "newsletter.toml:2: web.port" in fail(
        'providers.smtp.kind = "smtp"\nweb = { host = "h", port = "y" }\n'
    )


#: What a kind cannot do without.
NEEDED: dict[str, dict[str, str]] = {
    "mailgun": {"domain": "mg.example.org"},
    "ses": {"region": "eu-west-1", "access_key": "AKIDEXAMPLE"},
}


def minimal(kind: str) -> dict[str, str]:
    """The least that may be said about a provider of a kind."""
    return {"kind": kind, **NEEDED.get(kind, {})}


def test_the_table_of_kinds_is_the_union_of_kinds() -> None:
    from pydantic import TypeAdapter

    for kind, model in providers.KINDS.items():
        assert isinstance(TypeAdapter(providers.Provider).validate_python(minimal(kind)), model)


def test_the_options_of_every_kind_are_those_of_its_adapter(tmp_path: Path) -> None:
    from pydantic import TypeAdapter

    from newsletter.providers import registry

    for kind in registry.KINDS:
        options = TypeAdapter[Any](providers.Provider).validate_python(minimal(kind))
        registry.build(kind, options.plain(tmp_path))
        known = {field.name for field in dataclasses.fields(registry.adapter(kind).Options)}
        assert set(options.plain(tmp_path)) <= known
    assert set(registry.KINDS) == set(providers.KINDS)


def test_paths_of_providers_are_relative_to_the_workspace_and_secrets_readable(tmp_path: Path) -> None:
    outbox = providers.Outbox(kind="outbox", path="a/b")
    assert outbox.plain(tmp_path) == {"path": f"{tmp_path}/a/b", "fsync": False}
    smtp = providers.Smtp(kind="smtp", ca_file="ca.pem", password=SecretStr("hunter2"))
    assert smtp.plain(tmp_path)["ca_file"] == f"{tmp_path}/ca.pem"
    assert smtp.plain(tmp_path)["password"] == "hunter2"
    assert providers.Smtp(kind="smtp").plain(tmp_path)["ca_file"] == ""


def test_every_table_is_known_to_the_suggestions() -> None:
    paths = set(schema.every_path({"providers": {"a": {"kind": "smtp"}}}))
    assert ("providers", "a", "host") in paths
    assert ("providers", "a", "path") not in paths
    assert ("delivery", "max_late") in paths


def test_the_repository_is_a_workspace() -> None:
    repository = Path(__file__).parent.parent.parent
    settings = reading.read(workspace.find(repository / "tests"))
    assert isinstance(settings.provider(), providers.Outbox), "a clone mails nobody"


def test_shares_of_mail_programs_are_read_and_unknown_ones_named(read: Read, fail: Fail) -> None:
    assert read(LEAST + "[audience.clients]\ngmail = 0.3\n").audience.clients == {"gmail": 0.3}
    assert read(LEAST).audience.clients == {}
    said = fail(LEAST + "[audience.clients]\ngmial = 0.3\n")
    assert (
        "newsletter.toml:7: audience.clients: “gmial” is no mail program we know; did you mean gmail?" in said
    )
    assert "add up to more than 1" in fail(LEAST + "[audience.clients]\ngmail = 0.7\nyahoo = 0.7\n")
