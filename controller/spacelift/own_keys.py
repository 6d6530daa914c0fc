"""Which runs and locks are our own: those of the API keys that a process has for an account.

When a key replaces another, runs of the old key stay, and one of its tokens may be in use for
minutes. So all keys that were seen count.
"""

from collections.abc import Callable, Collection

from controller.config import connections, settings
from controller.spacelift import endpoints


class OwnKeys:
    """The ids that were seen, each with the name of its key once that is known."""

    def __init__(self, read_api_key: Callable[[], connections.ApiKey]) -> None:
        self._read = read_api_key
        self._names: dict[str, str] = {}

    def current_id(self) -> str:
        """Return the id of the key as it is now.

        Raises:
            SettingsError: there is none, or it cannot be read.
        """
        key = self._read()
        if key.name or key.key_id not in self._names:
            self._names[key.key_id] = key.name
        return key.key_id

    def learn(self, login: str | None) -> None:
        """Learn what Spacelift calls the key of a run that we have just triggered."""
        named = endpoints.key_name(login)
        for key_id, name in self._names.items():
            if named and not name and endpoints.is_own_run(login, key_id):
                self._names[key_id] = named

    def owns(self, login: str | None, *, also: Collection[str] = ()) -> bool:
        """Return whether a run's `triggeredBy`, or the owner of a lock, is one of the keys.

        Args:
            login: what Spacelift says.
            also: ids of keys that another process had.

        Raises:
            SettingsError: no key was ever seen, and there is none now.
        """
        try:
            self.current_id()
        except settings.SettingsError:
            if not self._names:
                raise
        ids = {**dict.fromkeys(also, ""), **self._names}
        return any(
            endpoints.is_own_run(login, key_id, key_name=name) for key_id, name in ids.items()
        )
