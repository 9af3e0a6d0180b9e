"""How a training set ends whose certificate does not hold."""

from features.errors import ZigguratError


class NotCertified(ZigguratError):
    """The finished join broke a promise of its certificate; nothing was published. A bug, or a frame that changed."""

    exit_code = 33
