"""Which runs are our own, though keys are replaced and Spacelift shortens their ids."""

import pytest

from controller.config import connections, settings
from controller.spacelift import own_keys

OLD, NEW = "01K56PKAAAAAAAAAAAAAAAAAAA", "01K56PKBBBBBBBBBBBBBBBBBBB"
OTHER = "01K56PKCCCCCCCCCCCCCCCCCCC"


class Keys:
    """The key that the files hold now; None: they cannot be read."""

    def __init__(self, key_id: str | None = OLD, name: str = "") -> None:
        self.key_id, self.name = key_id, name

    def read(self) -> connections.ApiKey:
        if self.key_id is None:
            raise settings.SettingsError("no file")
        return connections.ApiKey(key_id=self.key_id, secret="s", name=self.name)


def test_a_key_made_within_half_a_minute_of_ours_is_not_ours() -> None:
    own = own_keys.OwnKeys(Keys().read)

    assert own.owns(f"api::{OLD}")
    assert not own.owns(f"api::{OTHER}")
    assert not own.owns(f"api::{OTHER}::chain")


@pytest.mark.parametrize("is_learned", [True, False])
def test_a_shortened_id_counts_with_the_name_of_the_key(is_learned: bool) -> None:
    own = own_keys.OwnKeys(Keys(name="" if is_learned else "chain::key").read)
    own.current_id()
    if is_learned:
        own.learn("api::01K56PK::chain::key")

    assert own.owns("api::01K56PK::chain::key")
    assert not own.owns("api::01K56PK::another")


def test_a_whole_id_teaches_nothing_and_a_strangers_login_neither() -> None:
    own = own_keys.OwnKeys(Keys().read)
    own.current_id()
    for login in (f"api::{OLD}", "api::01ZZZZZ::another", "jane@example.com", None):
        own.learn(login)

    assert own.owns("api::01K56PK::whatever")


def test_after_a_key_was_replaced_both_count() -> None:
    keys = Keys()
    own = own_keys.OwnKeys(keys.read)
    assert own.owns(f"api::{OLD}")

    keys.key_id = NEW

    assert own.current_id() == NEW
    assert own.owns(f"api::{NEW}")
    assert own.owns(f"api::{OLD}")


def test_a_key_that_another_process_had_counts_where_it_is_named() -> None:
    own = own_keys.OwnKeys(Keys(NEW).read)

    assert own.owns(f"api::{OLD}", also=[OLD])
    assert not own.owns(f"api::{OLD}", also=[""])


def test_keys_that_were_seen_count_though_their_files_are_gone() -> None:
    keys = Keys()
    own = own_keys.OwnKeys(keys.read)
    own.current_id()
    keys.key_id = None

    assert own.owns(f"api::{OLD}")
    with pytest.raises(settings.SettingsError):
        own_keys.OwnKeys(keys.read).owns(f"api::{OLD}")
