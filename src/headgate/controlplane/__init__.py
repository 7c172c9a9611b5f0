"""The administration API: thin routers over the services of `tenancy`, in the contract's paths and shapes."""
