"""The errors of pytest-ciopt that people see. Raises nothing itself."""


class CioptError(Exception):
    """Something a person can mend: what happened and why, and in `mend` what to do next."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(f"{what}. {mend}" if mend else what)
        self.what = what
        self.mend = mend


class ConfigurationError(CioptError):
    """A value of a flag, an ini option or an environment variable that cannot be used."""


def reason(error: Exception) -> str:
    """What an error says, without the number and the path that the system adds."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
