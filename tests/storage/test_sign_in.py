"""What is kept of ways in, on both engines: second factors, identities at an issuer, links that set a password."""

from headgate.storage.database import Database
from headgate.storage.stores import SqlTransactions
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration
from headgate.tenancy.founding import found
from headgate.tenancy.password_reset import PasswordReset
from headgate.tenancy.roles import OrganizationRole
from headgate.tenancy.second_factor import SecondFactor
from headgate.tenancy.stores import Stores
from headgate.tenancy.user import User
from tests.support.ledger import ManualClock

PEPPER = b"p" * keys.PEPPER_BYTES


async def test_ways_in_are_kept_and_go_with_their_user(database: Database) -> None:
    """As they were written; what has expired is forgotten, and nothing is left of a user who is removed."""
    transactions = SqlTransactions(database)
    organization = await found(Administration(transactions, ManualClock(1)), keys.mint(PEPPER))
    assert organization is not None
    where = organization.id
    user = User(
        id="usr_1",
        organization_id=organization.id,
        email="é@example.com",
        first_name="A",
        last_name="",
        role=OrganizationRole.OWNER,
        created_at=1,
        updated_at=1,
    )
    factor = SecondFactor(
        organization_id=where,
        user_id=user.id,
        sealed_secret=b"\0s",
        recovery_hashes=("a", "b"),
        last_step=2**40,
        created_at=1,
    )
    resets = [
        PasswordReset(organization_id=where, user_id=user.id, token_hash=bytes([each]), created_at=1, expires_at=each)
        for each in (5, 9)
    ]

    def write(stores: Stores) -> None:
        stores.users.add(user)
        stores.second_factors.put(
            SecondFactor(organization_id=where, user_id=user.id, sealed_secret=b"before", created_at=1)
        )
        stores.second_factors.put(factor)
        stores.identities.link("https://a", "sub", user.id, 1)
        for each in resets:
            stores.password_resets.add(each)
        stores.password_resets.prune(5)

    def read(stores: Stores) -> tuple[object, ...]:
        links = [stores.password_resets.get(each.token_hash) for each in resets]
        known = stores.identities.user_of("https://a", "sub"), stores.identities.subject_of("https://a", user.id)
        return (
            stores.second_factors.get(user.id),
            list(stores.second_factors.of_organization(organization.id)),
            known,
            links,
        )

    await transactions.write(write)
    assert await transactions.read(read) == (factor, [factor], (user.id, "sub"), [None, resets[1]])
    assert await transactions.read(lambda stores: stores.identities.user_of("https://b", "sub")) is None
    await transactions.write(lambda stores: stores.users.remove(user.id))
    assert await transactions.read(read) == (None, [], (None, None), [None, None])
