"""Who exists: organization, workspace, tenant, key, integration; and the policy that follows from them.

`policy.py` is what the data plane sees of all this: one frozen snapshot per credential.
"""
