"""What can be wrong with a file that is to be applied."""

from headgate.base.errors import HeadgateError


class BadFile(HeadgateError):
    """The message says the line, the place and the way out; nothing of the file's values, which may be secrets.

    Not an `InvalidRequest`: the command's exit code 2 means that something would change.
    """
