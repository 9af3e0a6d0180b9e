"""How a training set ends whose certificate does not hold."""

from definitions.errors import ZigguratError


class NotCertified(ZigguratError):
    """The finished join broke a promise of its certificate; nothing was published. A bug, or a frame that changed."""

    exit_code = 33


class FutureLeak(NotCertified):
    """A cell of a training set changed when the facts that could not be known at its label time did."""

    exit_code = 39
