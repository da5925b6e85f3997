"""mmlint: a static checker for lazy MMU mode sections in Linux kernel C."""

__version__ = "0.1.0"
