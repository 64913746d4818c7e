"""Every built-in step keeps to the contract."""

from __future__ import annotations
