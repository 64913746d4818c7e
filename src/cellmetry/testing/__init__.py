"""Contract tests that plug-ins inherit: subclass the contract of your kind and say what differs."""
