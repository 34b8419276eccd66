"""The address of a database is read, and whatever is secret in it is shown to nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normwright.records import InputError
from normwright.store import address_faults, masked, read_address
from normwright.store.address import schema_of, without_secrets


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
@pytest.mark.parametrize(
    "rest",
    ["", "/town", "ana@host:5433/town", "/town?host=/run/postgresql&port=5433", "?service=town"],
)
def test_every_way_to_name_a_database_is_read(scheme: str, rest: str) -> None:
    """Each usual scheme, with a host, a socket, a service or nothing at all behind it."""
    address = read_address(f"{scheme}://{rest}", project="vila-clara", where="here")

    assert address.url.drivername == "postgresql+psycopg"
    assert address.schema == "normwright_vila-clara"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:geheim@host/town",
        "postgresql://ana:@host/town",
        "postgresql://host/town?password=geheim",
        "postgresql://host/town?sslmode=require&sslpassword=geheim",
    ],
)
def test_a_password_only_comes_in_where_it_may(url: str) -> None:
    """Refused in a project file, taken from the environment, and never in the text of either."""
    (fault,) = address_faults(url, where="normwright.yaml: store.url")
    address = read_address(url, project="town", where="NORMWRIGHT_STORE", secrets=True)

    assert fault.seen == "a password in it"
    assert "geheim" not in f"{fault} {address!r} {address}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "town",
        "sqlite:///geheim",
        "mysql://ana:geheim@host/town",
        "postgresql://ana:geheim@2@host/town",
        "postgresql://ana:geheim/2@host:port/town",
        "postgresql://host:geheim/town",
        "postgresql://host/geheim@town",
    ],
)
def test_what_cannot_be_read_is_not_repeated(url: str) -> None:
    """A URL that may hide a password in the wrong place is refused without any part of it."""
    with pytest.raises(InputError) as caught:
        read_address(url, project="town", where="here", secrets=True)

    (fault,) = caught.value.faults
    assert fault.do
    assert "geheim" not in str(caught.value)


def test_long_ids_have_schemas_of_their_own() -> None:
    """PostgreSQL cuts names after 63 bytes; two ids alike up to there are still told apart."""
    one, other = (schema_of("a" * 70 + end) for end in "xy")

    assert one != other
    assert all(len(name) <= 63 for name in (one, other))
    assert schema_of("town") == "normwright_town"


SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="*@"), min_size=8)


@given(SECRETS)
def test_a_secret_is_struck_out_of_what_others_say(secret: str) -> None:
    """Whatever a driver or a server repeats, the password of the address is not in it."""
    from sqlalchemy import URL

    url = URL.create("postgresql", username="ana", password=secret, host="h", database="d")

    assert secret not in without_secrets(f"could not use {secret}{secret}!", url)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ana:geheim@host/town", "postgresql://ana:***@host/town"),
        ("postgresql://ana:ge@he im@host", "postgresql://ana:***@host"),
        ("host=h password=geheim user=ana", "host=h password=*** user=ana"),
        ("x?sslpassword=geheim&y=1", "x?sslpassword=***&y=1"),
        ("https://example.org/a", "https://example.org/a"),
        ("ana@example.org", "ana@example.org"),
    ],
)
def test_values_that_look_like_addresses_are_shown_masked(text: str, shown: str) -> None:
    """Where a value is repeated in a fault, the password in it is not."""
    assert masked(text) == shown
