"""Which establishment of the Sirene register is this declared workplace?"""

__version__ = "0.1.0"
