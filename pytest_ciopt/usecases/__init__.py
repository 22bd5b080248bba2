"""The verbs of pytest-ciopt: they take what adapters read and return what core decides."""
