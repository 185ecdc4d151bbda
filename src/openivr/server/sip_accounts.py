"""The accounts and trunks of a configuration, as SIP authenticates them."""

from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.sip.accounts import AccountDirectory, AuthAccount, TrunkConfig, TrunkType
from openivr.sip.address import normalize_host
from openivr.sip.auth.server import DigestSecret


class Directories:
    """Makes SIP account directories of configurations, reusing accounts that have not changed."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[SipAccount, AuthAccount]] = {}

    def make(self, config: CallConfig) -> AccountDirectory:
        """Make the directory for a configuration."""
        self._entries = {user: self._make(user, account) for user, account in config.accounts.items()}
        trunks = {id_: make_trunk(trunk) for id_, trunk in config.trunks.items() if trunk.enabled}
        accounts = {user: auth_account for user, (_, auth_account) in self._entries.items()}
        return AccountDirectory.make(accounts, trunks)

    def _make(self, user: str, account: SipAccount) -> tuple[SipAccount, AuthAccount]:
        entry = self._entries.get(user)
        return entry if entry is not None and entry[0] is account else (account, make_account(account))


def make_account(account: SipAccount) -> AuthAccount:
    return AuthAccount(
        user=account.user,
        secret=DigestSecret.read(account.secret),
        contacts=account.contacts,
        names=frozenset((account.number,)),
    )


def make_trunk(trunk: TrunkAccount) -> TrunkConfig:
    return TrunkConfig(
        id=trunk.id,
        name=trunk.name,
        kind=TrunkType(trunk.kind),
        host=normalize_host(trunk.hostname),
        port=trunk.port,
        protocol="" if trunk.transport == "dnsnaptr" else trunk.transport.upper(),
        domain=trunk.domain,
        user=trunk.username,
        auth_user=trunk.auth_name,
        password=trunk.password,
        caller_id=trunk.caller_id,
        max_calls=trunk.max_calls,
    )
