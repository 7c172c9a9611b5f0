"""Allowances that several processes share: the authority on Redis or Valkey, and how a process borrows from it."""
