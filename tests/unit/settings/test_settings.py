"""Settings: what stands in the file and the environment is what the node gets, or it does not start."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_node.settings import EdgeSettings, describe, example_toml, load_settings
from shared import limits
from shared.errors import SettingsInvalid

BASE = 'region = "eu-test"\ndata_dir = "data"\n'


def load(tmp_path: Path, text: str = BASE, **environ: str) -> EdgeSettings:
    path = tmp_path / "node.toml"
    path.write_text(text, "utf-8")
    return load_settings(path, {f"HOMEPORT_EDGE_{name}": value for name, value in environ.items()})


def refusal(tmp_path: Path, text: str = BASE, **environ: str) -> dict[str, str | int]:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, text, **environ)
    assert caught.value.details.get("wants")
    return caught.value.details


def test_what_is_not_set_has_the_stated_defaults(tmp_path):
    settings = load(tmp_path)
    assert settings.data_dir == tmp_path / "data"
    assert settings.journal_dir == tmp_path / "data-journal"
    assert settings.journal_dir_is_default
    assert settings.key_dir == tmp_path / "data" / "keyring"
    assert settings.second_key_dir == tmp_path / "data-journal" / "keyring"
    assert settings.pid_file.parent == settings.data_dir
    assert (settings.listen, settings.private_listen) == ("127.0.0.1:8080", "127.0.0.1:8081")
    assert settings.database_url is None
    assert settings.limits.body_bytes_max == limits.BODY_BYTES_MAX
    assert settings.limits.queue_events_max == limits.QUEUE_EVENTS_MAX
    assert settings.platforms.whatsapp_api == "https://graph.facebook.com"


def test_the_file_sets_every_setting(tmp_path):
    settings = load(
        tmp_path,
        """
        region = "jp-1"
        data_dir = "/srv/homeport/data"
        journal_dir = "/mnt/journal"
        key_dir = "/mnt/keys"
        key_provider = "file"
        listen = "[::1]:443"
        private_listen = "unix:/run/homeport/private.sock"
        database_url = "postgresql://node@db/content"
        log_level = "warning"
        log_form = "console"
        drain_seconds = 5
        [limits]
        body_bytes_max = 2048
        body_seconds_max = 1.5
        queue_events_max = 1000
        queue_bytes_max = 6291456
        connections_max = 16
        [platforms]
        whatsapp_api = "http://127.0.0.1:9090"
        line_api = "https://line.example"
        """,
    )
    assert settings.region == "jp-1"
    assert settings.journal_dir == Path("/mnt/journal")
    assert not settings.journal_dir_is_default
    assert settings.key_dir == Path("/mnt/keys")
    assert settings.private_listen == "unix:/run/homeport/private.sock"
    assert settings.drain_seconds == 5.0
    assert settings.limits.body_seconds_max == 1.5
    assert settings.platforms.whatsapp_api == "http://127.0.0.1:9090"


def test_the_environment_overlays_the_file(tmp_path):
    settings = load(
        tmp_path,
        BASE + "drain_seconds = 5\n[limits]\nbody_bytes_max = 4096\n",
        REGION="th-2",
        DRAIN_SECONDS="7.5",
        LIMITS_BODY_BYTES_MAX="2048",
        PLATFORMS_LINE_API="http://localhost:1",
        JOURNAL_DIR="elsewhere",
    )
    assert (settings.region, settings.drain_seconds) == ("th-2", 7.5)
    assert settings.limits.body_bytes_max == 2048
    assert settings.platforms.line_api == "http://localhost:1"
    assert (settings.journal_dir, settings.journal_dir_is_default) == (tmp_path / "elsewhere", False)


def test_other_variables_and_the_place_of_the_file_are_no_settings(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text(BASE)
    environ = {"HOMEPORT_EDGE_CONFIG": "x", "HOMEPORT_LONG": "1", "PATH": "/bin"}
    assert load_settings(path, environ) == load_settings(path, {})


@pytest.mark.parametrize(
    ("addition", "field_name"),
    [
        ("regoin = 1", "regoin"),
        ("journal_dir_is_default = false", "journal_dir_is_default"),
        ("drain_seconds = 0.5", "drain_seconds"),
        ("drain_seconds = nan", "drain_seconds"),
        ("drain_seconds = true", "drain_seconds"),
        ("log_level = 'debug'", "log_level"),
        ("key_provider = 'vault'", "key_provider"),
        ("listen = '8080'", "listen"),
        ("listen = 'host:65536'", "listen"),
        ("listen = 'unix:relative'", "listen"),
        ("private_listen = '127.0.0.1:8080'", "private_listen"),
        ("journal_dir = 'data'", "journal_dir"),
        ("journal_dir = 'data/journal'", "journal_dir"),
        ("journal_dir = '.'", "journal_dir"),
        ("journal_dir = ''", "journal_dir"),
        ("journal_dir = 7", "journal_dir"),
        ("key_dir = 'data-journal/keyring'", "key_dir"),
        ("database_url = 'mysql://db'", "database_url"),
        ("database_url = ''", "database_url"),
        ("limits = 3", "limits"),
        ("[limits]\nbody_bytes = 1", "limits.body_bytes"),
        ("[limits]\nbody_bytes_max = 3145729", "limits.body_bytes_max"),
        ("[limits]\nbody_bytes_max = 1023", "limits.body_bytes_max"),
        ("[limits]\nbody_seconds_max = 10.5", "limits.body_seconds_max"),
        ("[limits]\nqueue_events_max = 20001", "limits.queue_events_max"),
        ("[limits]\nqueue_events_max = 999", "limits.queue_events_max"),
        ("[limits]\nqueue_bytes_max = 67108865", "limits.queue_bytes_max"),
        ("[limits]\nqueue_bytes_max = 'much'", "limits.queue_bytes_max"),
        ("[platforms]\nwhatsapp_api = 'http://graph.facebook.com'", "platforms.whatsapp_api"),
        ("[platforms]\nwhatsapp_api = 'https://me:pw@graph.facebook.com'", "platforms.whatsapp_api"),
        ("[platforms]\nline_api = 'https://api.line.me?x=1'", "platforms.line_api"),
        ("[platforms]\nline_api = 'ftp://localhost'", "platforms.line_api"),
        ("[platforms]\nline_api = 'https://'", "platforms.line_api"),
        ("[platforms]\nline_api = 'https://host:port'", "platforms.line_api"),
    ],
)
def test_what_is_wrong_is_refused_by_name(tmp_path, addition, field_name):
    assert refusal(tmp_path, BASE + addition)["field_name"] == field_name


@pytest.mark.parametrize(
    ("lines", "field_name", "instead"),
    [
        ("[[admit]]\naccount = 'shop'\ndata = 'rest'", "admit", ("policy", "homeport edge account set-home NAME NODE")),
        ("admit = []", "admit", ("policy",)),
        ("[[show]]\nasker = 'eu'\npurposes = ['audit']\nform = 'full'", "show", ("policy",)),
    ],
)
def test_a_list_of_an_earlier_file_is_refused_with_what_there_is_instead(tmp_path, lines, field_name, instead):
    details = refusal(tmp_path, f"{BASE}{lines}\n")
    assert details["field_name"] == field_name
    assert all(each in details["wants"] for each in instead)


@pytest.mark.parametrize(
    ("variable", "value", "field_name"),
    [
        ("REGOIN", "eu", "HOMEPORT_EDGE_REGOIN"),
        ("ADMIT", "shop", "HOMEPORT_EDGE_ADMIT"),
        ("JOURNAL_DIR_IS_DEFAULT", "false", "HOMEPORT_EDGE_JOURNAL_DIR_IS_DEFAULT"),
        ("REGION", "EU", "region"),
        ("REGION", "eu\n", "region"),
        ("LIMITS_BODY_BYTES_MAX", "lots", "limits.body_bytes_max"),
        ("DATA_DIR", "", "data_dir"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(tmp_path, variable, value, field_name):
    assert refusal(tmp_path, **{variable: value})["field_name"] == field_name


@pytest.mark.parametrize(("text", "field_name"), [('region = "eu"', "data_dir"), ('data_dir = "data"', "region")])
def test_what_has_no_default_must_be_set(tmp_path, text, field_name):
    assert refusal(tmp_path, text)["field_name"] == field_name


@pytest.mark.parametrize("text", ["region = eu", "\x00", "[limits"])
def test_a_file_that_is_no_toml_is_refused_by_its_path(tmp_path, text):
    assert refusal(tmp_path, text)["path"] == str(tmp_path / "node.toml")


@pytest.mark.parametrize(
    ("text", "line", "wants"),
    [
        ('region = "eu"\nhunter2 = no\n', 2, "TOML"),
        ('[custody]\n[keys]\n[custody]\nbackup_dir = "/srv"\n', 3, "once"),
        ('data_dir = "a"\ndata_dir = "hunter2"\n', 2, "once"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_the_line_and_what_is_wrong_there(tmp_path, text, line, wants):
    said = refusal(tmp_path, text)
    assert said["line"] == line
    assert wants in said["wants"]
    assert "hunter2" not in str(said)


def test_a_missing_file_names_the_command_that_writes_one(tmp_path):
    with pytest.raises(SettingsInvalid, match="homeport edge init"):
        load_settings(tmp_path / "none.toml", {})


def test_no_refusal_and_no_repr_repeats_a_password(tmp_path):
    for address in ("mysql://node:hunter2@db", "postgresql://node:hunter2@db"):
        try:
            told = repr(load(tmp_path, DATABASE_URL=address))
        except SettingsInvalid as error:
            told = f"{error} {error!r} {error.details}"
        assert "hunter2" not in told


def test_the_example_is_valid_and_its_comments_hold_the_defaults(tmp_path):
    text = example_toml(region="eu-test", data_dir="data")
    assert load(tmp_path, text) == load(tmp_path, BASE)
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    for name, default, help_text in describe():
        leaf = name.rpartition(".")[2]
        assert help_text in lines
        if default is not None:
            line = next(line for line in lines if line.startswith(f"{leaf} = "))
            assert tomllib.loads(line) == {leaf: default}


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_value_of_any_setting_loads_or_is_refused_by_name(tmp_path_factory, value, other):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(BASE)
    for name, _, _ in describe():
        variable = "HOMEPORT_EDGE_" + name.replace(".", "_").upper()
        try:
            found = load_settings(path, {variable: value, "HOMEPORT_EDGE_LOG_LEVEL": other})
        except SettingsInvalid as error:
            found = error.details["field_name"]
        if isinstance(found, EdgeSettings):
            assert found.data_dir.is_absolute()
        else:
            assert found in {name, "log_level", "journal_dir", "key_dir"}


def test_the_root_of_the_disk_is_no_folder_for_stores(tmp_path):
    assert refusal(tmp_path, 'region = "eu-test"\ndata_dir = "/"\n')["field_name"] == "data_dir"


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ('[relay]\ndesk_listen = "0.0.0.0:8083"', "relay.desk_listen"),
        ('[relay]\ndesk_listen = "node.example:8083"', "relay.desk_listen"),
        ('[relay]\nlisten = "127.0.0.1:8080"', "relay.listen"),
        ('[relay]\nlisten = "127.0.0.1:70000"', "relay.listen"),
        ('[relay]\nlisten = "nowhere"', "relay.listen"),
        ("[relay]\nhome_seconds = 60", "relay.home_seconds"),
        ("[relay]\nview_hours = 0", "relay.view_hours"),
    ],
)
def test_what_is_between_nodes_is_refused_by_name(tmp_path, lines, field):
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, f"{BASE}\n{lines}\n")
    assert caught.value.details["field_name"].startswith(field)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:8083", "localhost:1", "unix:/run/desk"])
def test_a_desk_listens_on_this_machine(tmp_path, address):
    assert load(tmp_path, f'{BASE}\n[relay]\ndesk_listen = "{address}"\n').relay.desk_listen == address


def test_periods_and_marks_are_data(tmp_path):
    text = BASE + '[custody]\nbackup_days_max = 90\n[[retention]]\nclass = "message"\ndays = 365\n'
    settings = load(tmp_path, text, CUSTODY_SWEEP_SECONDS="5")
    assert [(entry.of, entry.days) for entry in settings.retention] == [("message", 365)]
    assert (settings.custody.backup_days_max, settings.custody.sweep_seconds) == (90, 5.0)


@pytest.mark.parametrize(
    "entry",
    ['class = "words"\ndays = 3', 'class = "message"\ndays = 0', 'class = "tombstone"\ndays = 3', 'class = "message"'],
)
def test_a_period_that_cannot_stand_is_refused(tmp_path, entry):
    assert refusal(tmp_path, f"{BASE}[[retention]]\n{entry}\n")["field_name"].startswith("retention")
