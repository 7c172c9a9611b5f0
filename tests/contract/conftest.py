"""A running gateway with everything the SDKs ask for: one for all tests of a worker."""

from collections.abc import Iterator

import pytest

from tests.support.customer import Customer
from tests.support.gateway import simulated_providers, started


@pytest.fixture(scope="session")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    with started(tmp_path_factory.mktemp("contract")) as gateway:
        workspace = gateway.workspace("customers")
        for provider in simulated_providers(gateway.simulator):
            gateway.integrate(provider, [workspace])
        taken = {"models": [{"slug": "sim-huge", "enabled": False}]}
        gateway.admin("PUT", "/integrations/openai/models", taken)
        yield Customer(gateway, workspace, gateway.key(workspace))
