"""The errors of a training set that breaks a promise of its certificate."""

from definitions.errors import ZigguratError


class NotCertified(ZigguratError):
    """The finished join broke a promise of its certificate; nothing was published.

    Either there is a bug, or a frame changed while it was read.
    """

    exit_code = 33


class FutureLeak(NotCertified):
    """A value of a training set depends on facts that were not known at its label time."""

    exit_code = 39
