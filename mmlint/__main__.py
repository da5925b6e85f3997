"""``python -m mmlint``."""

from mmlint.cli import main

raise SystemExit(main())
