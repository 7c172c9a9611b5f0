"""The stores that the services ask for, on SQL."""

from collections.abc import Callable
from functools import cached_property
from typing import Final, TypeVar

from sqlalchemy import Connection, select, update

from headgate.storage import config_tables, kept_tables
from headgate.storage.database import Database
from headgate.storage.notices import announce
from headgate.storage.repositories.answer_purges import SqlAnswerPurges
from headgate.storage.repositories.api_keys import SqlApiKeys
from headgate.storage.repositories.attempts import SqlAttempts
from headgate.storage.repositories.audit import SqlAudit
from headgate.storage.repositories.integrations import SqlIntegrations
from headgate.storage.repositories.kept_answers import SqlKeptAnswers
from headgate.storage.repositories.limit_policies import SqlLimitPolicies
from headgate.storage.repositories.organizations import SqlOrganizations
from headgate.storage.repositories.people import SqlInvites, SqlMembers, SqlUsers
from headgate.storage.repositories.portal import SqlPortalSessions, SqlTenantMembers
from headgate.storage.repositories.providers import SqlProviders
from headgate.storage.repositories.sessions import SqlPasswords, SqlSessions
from headgate.storage.repositories.sign_in import SqlIdentities, SqlPasswordResets, SqlSecondFactors
from headgate.storage.repositories.tenants import SqlTenants
from headgate.storage.repositories.usage_exports import SqlUsageExports
from headgate.storage.repositories.versioned import SqlVersioned
from headgate.storage.repositories.webhooks import SqlAlertSettings, SqlDeliveries, SqlWebhooks
from headgate.storage.repositories.workspaces import SqlWorkspaces
from headgate.storage.tables import counter
from headgate.tenancy.config import Config
from headgate.tenancy.guardrail import Guardrail
from headgate.tenancy.prompt import Prompt
from headgate.tenancy.stores import Stores

T = TypeVar("T")
_POLICY: Final = "policy"


class SqlStores:
    """A `tenancy.stores.Stores` on one connection, good for one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def organizations(self) -> SqlOrganizations:
        return SqlOrganizations(self._connection)

    @cached_property
    def workspaces(self) -> SqlWorkspaces:
        return SqlWorkspaces(self._connection)

    @cached_property
    def tenants(self) -> SqlTenants:
        return SqlTenants(self._connection)

    @cached_property
    def api_keys(self) -> SqlApiKeys:
        return SqlApiKeys(self._connection)

    @cached_property
    def integrations(self) -> SqlIntegrations:
        return SqlIntegrations(self._connection)

    @cached_property
    def providers(self) -> SqlProviders:
        return SqlProviders(self._connection)

    @cached_property
    def audit(self) -> SqlAudit:
        return SqlAudit(self._connection)

    @cached_property
    def webhooks(self) -> SqlWebhooks:
        return SqlWebhooks(self._connection)

    @cached_property
    def deliveries(self) -> SqlDeliveries:
        return SqlDeliveries(self._connection)

    @cached_property
    def alert_settings(self) -> SqlAlertSettings:
        return SqlAlertSettings(self._connection)

    @cached_property
    def usage_exports(self) -> SqlUsageExports:
        return SqlUsageExports(self._connection)

    @cached_property
    def limit_policies(self) -> SqlLimitPolicies:
        return SqlLimitPolicies(self._connection)

    @cached_property
    def users(self) -> SqlUsers:
        return SqlUsers(self._connection)

    @cached_property
    def members(self) -> SqlMembers:
        return SqlMembers(self._connection)

    @cached_property
    def invites(self) -> SqlInvites:
        return SqlInvites(self._connection)

    @cached_property
    def passwords(self) -> SqlPasswords:
        return SqlPasswords(self._connection)

    @cached_property
    def second_factors(self) -> SqlSecondFactors:
        return SqlSecondFactors(self._connection)

    @cached_property
    def identities(self) -> SqlIdentities:
        return SqlIdentities(self._connection)

    @cached_property
    def password_resets(self) -> SqlPasswordResets:
        return SqlPasswordResets(self._connection)

    @cached_property
    def attempts(self) -> SqlAttempts:
        return SqlAttempts(self._connection)

    @cached_property
    def sessions(self) -> SqlSessions:
        return SqlSessions(self._connection)

    @cached_property
    def tenant_members(self) -> SqlTenantMembers:
        return SqlTenantMembers(self._connection)

    @cached_property
    def portal_sessions(self) -> SqlPortalSessions:
        return SqlPortalSessions(self._connection)

    @cached_property
    def answers(self) -> SqlKeptAnswers:
        return SqlKeptAnswers(self._connection)

    @cached_property
    def answer_purges(self) -> SqlAnswerPurges:
        return SqlAnswerPurges(self._connection)

    @cached_property
    def configs(self) -> SqlVersioned[Config]:
        return SqlVersioned(self._connection, config_tables.config, Config)

    @cached_property
    def guardrails(self) -> SqlVersioned[Guardrail]:
        return SqlVersioned(self._connection, config_tables.guardrail, Guardrail)

    @cached_property
    def prompts(self) -> SqlVersioned[Prompt]:
        return SqlVersioned(self._connection, kept_tables.prompt, Prompt)

    def version(self) -> int:
        value: int = self._connection.execute(select(counter.c.value).where(counter.c.name == _POLICY)).scalar_one()
        return value

    def next_version(self) -> int:
        # The row stays locked until the transaction ends: that is what makes administration one at a time.
        self._connection.execute(update(counter).where(counter.c.name == _POLICY).values(value=counter.c.value + 1))
        announce(self._connection)
        return self.version()


class SqlTransactions:
    """A `tenancy.stores.Transactions` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, function: Callable[[Stores], T]) -> T:
        return await self._database.read(lambda connection: function(SqlStores(connection)))

    async def write(self, function: Callable[[Stores], T]) -> T:
        return await self._database.write(lambda connection: function(SqlStores(connection)))
