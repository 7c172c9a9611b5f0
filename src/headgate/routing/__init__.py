"""From a model's name and a policy to a plan: the ordered targets of one call. Pure."""
