"""An SMS gateway for public service: a citizen texts a dossier code and gets its status back."""

__version__ = "0.1.0"
